//! Load: many requests for a while, counted without a single error.

use std::{
    fs,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};
use rustls::ClientConfig;

use crate::{
    client,
    launch::{LOAD_CORE, Process},
    running::{Door, Running},
    site::{Served, Site, URLS, Urls},
    stats::{float, percentile},
    subject::Setup,
};

/// What puts a server under load.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Load {
    /// wrk: HTTP/1.1, so many connections kept alive.
    Wrk { connections: u32 },
    /// h2load: HTTP/2, so many connections with so many streams each.
    H2load { connections: u32, streams: u32 },
    /// h2load: HTTP/1.1, so many connections kept alive that ask so often a second each. What they
    /// wait for is the server, and not its queue or who else has the load's core.
    Steady { connections: u32, each_second: u32 },
    /// Own threads that do nothing but full TLS handshakes.
    Handshakes { threads: usize },
}

/// What was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ask {
    pub(crate) door: Door,
    pub(crate) served: Served,
    pub(crate) urls: Urls,
}

impl Ask {
    /// Of the same URL again and again.
    pub(crate) const fn same(door: Door, served: Served) -> Self {
        Self { door, served, urls: Urls::Same }
    }
}

/// What was done.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Done {
    /// Requests answered in full, or handshakes.
    pub(crate) requests: f64,
    /// Bytes received.
    pub(crate) bytes: f64,
    pub(crate) seconds: f64,
    /// The milliseconds within which 99 of 100 requests were answered, if the load says.
    pub(crate) p99_ms: Option<f64>,
}

impl Load {
    /// Loads `server` for `seconds`.
    ///
    /// # Errors
    ///
    /// If one request fails, or the load generator does.
    pub(crate) fn run(self, server: &Running, ask: Ask, work: Work<'_>) -> Result<Done> {
        let url = ask.door.url(&server.port(ask.door).to_string(), ask.served);
        let done = match self {
            Self::Handshakes { threads } => {
                let duration = Duration::from_secs(work.seconds);
                return shake_hands(server.port(ask.door), threads, duration);
            }
            Self::Wrk { connections } => {
                let script = work.site.wrk_script(ask.urls);
                let script = script.to_str().context("a path in UTF-8")?;
                parse_wrk(&work.run(&wrk(connections, work.seconds, script, &url))?)?
            }
            Self::H2load { connections, streams } => {
                parse_h2load(&work.run(&h2load(connections, streams, work.seconds, &url))?, "h2")?
            }
            Self::Steady { connections, each_second } => {
                let times = work.site.path(TIMES);
                // h2load writes behind what is there.
                if times.exists() {
                    fs::remove_file(&times)?;
                }
                let log = times.to_str().context("a path in UTF-8")?;
                let command = steady((connections, each_second), log, work.seconds, &url);
                let done = parse_h2load(&work.run(&command)?, "http/1.1")?;
                Done { p99_ms: Some(p99_ms(&fs::read_to_string(&times)?)?), ..done }
            }
        };
        // More may have come: responses cut off at the end of the time, and heads.
        let expect = float(u64::try_from(ask.served.len())?) * done.requests;
        ensure!(done.bytes >= expect, "{} bytes came: expected {expect}", done.bytes);
        Ok(done)
    }

    /// What [`Load::run`] does, to be read.
    pub(crate) fn how(self, ask: Ask, seconds: u64) -> String {
        let url = ask.door.url("PORT", ask.served);
        match self {
            Self::Handshakes { threads } => {
                format!("{threads} threads connect to {url}, shake hands and close, {seconds} s.")
            }
            Self::Wrk { connections } => {
                let command = wrk(connections, seconds, ask.urls.script(), &url).join(" ");
                match ask.urls {
                    Urls::Same => format!("`{command}`"),
                    Urls::Varied => format!("`{command}`, which asks for {URLS} URLs in turn"),
                }
            }
            Self::H2load { connections, streams } => {
                format!("`{}`", h2load(connections, streams, seconds, &url).join(" "))
            }
            Self::Steady { connections, each_second } => {
                let command = steady((connections, each_second), TIMES, seconds, &url);
                format!("`{}`", command.join(" "))
            }
        }
    }
}

fn wrk(connections: u32, seconds: u64, script: &str, url: &str) -> Vec<String> {
    let (connections, seconds) = (format!("-c{connections}"), format!("-d{seconds}s"));
    ["wrk", "-t1", &connections, &seconds, "--timeout", "5s", "-s", script, url]
        .map(str::to_owned)
        .to_vec()
}

fn h2load(connections: u32, streams: u32, seconds: u64, url: &str) -> Vec<String> {
    let (connections, streams) = (format!("-c{connections}"), format!("-m{streams}"));
    // Its own default overrides the groups of `OPENSSL_CONF`.
    ["h2load", "-t1", "--groups=X25519", &connections, &streams, &format!("-D{seconds}"), url]
        .map(str::to_owned)
        .to_vec()
}

fn steady(
    (connections, each_second): (u32, u32),
    log: &str,
    seconds: u64,
    url: &str,
) -> Vec<String> {
    let (connections, rate) = (format!("-c{connections}"), format!("--rps={each_second}"));
    let (seconds, log) = (format!("-D{seconds}"), format!("--log-file={log}"));
    ["h2load", "-t1", "--h1", &connections, &rate, &seconds, &log, url].map(str::to_owned).to_vec()
}

/// Where h2load writes how long each request took.
const TIMES: &str = "times.tsv";

/// How long to load, with which files at hand.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Work<'a> {
    pub(crate) site: &'a Site,
    pub(crate) seconds: u64,
}

impl Work<'_> {
    fn run(self, command: &[String]) -> Result<String> {
        let conf = self.site.openssl_conf();
        let conf = conf.to_str().context("a path in UTF-8")?.to_owned();
        let setup = Setup {
            command: command.to_vec(),
            env: vec![("OPENSSL_CONF", conf)],
            ..Setup::default()
        };
        let process = Process::start(&[LOAD_CORE], &setup, &self.site.path("load.log"))?;
        process
            .finish(Duration::from_secs(self.seconds) + OVERTIME)
            .with_context(|| format!("running {}", command[0]))
    }
}

/// Reads the line that our script adds: `exact REQUESTS BYTES MICROSECONDS ERRORS P99`.
pub(crate) fn parse_wrk(said: &str) -> Result<Done> {
    let line = said.lines().find_map(|line| line.strip_prefix("exact "));
    let numbers: Vec<f64> =
        line.unwrap_or("").split(' ').filter_map(|number| number.parse().ok()).collect();
    let [requests, bytes, micros, errors, p99] = numbers[..] else {
        anyhow::bail!("no result from wrk: {said:?}");
    };
    ensure!(errors == 0.0, "{errors} errors: {said:?}");
    ensure!(requests > 0.0, "no request was answered: {said:?}");
    Ok(Done { requests, bytes, seconds: micros / 1e6, p99_ms: Some(p99 / 1e3) })
}

/// Reads the lines `finished in 4.00s, …`, `requests: 9 total, 9 started, 9 done, 9 succeeded,
/// 0 failed, 0 errored, 0 timeout` and `traffic: … 9.0KB (9216) data`.
fn parse_h2load(said: &str, protocol: &str) -> Result<Done> {
    let parsed = parse_h2load_lines(said, protocol);
    parsed.with_context(|| format!("unexpected answer of h2load: {said:?}"))
}

fn parse_h2load_lines(said: &str, protocol: &str) -> Result<Done> {
    let line = |start: &str| said.lines().find_map(|line| line.strip_prefix(start));
    let finished = line("finished in ").and_then(|rest| rest.split(',').next());
    let counts = line("requests: ").context("no requests")?;
    let count = |name: &str| -> Result<f64> {
        let part = counts.split(", ").find_map(|part| part.strip_suffix(name));
        Ok(part.with_context(|| format!("not said:{name}"))?.parse()?)
    };
    for error in [" failed", " errored", " timeout"] {
        ensure!(count(error)? == 0.0, "{}{error}", count(error)?);
    }
    ensure!(line("Application protocol: ") == Some(protocol), "not {protocol}");
    let data = line("traffic: ").and_then(|rest| rest.strip_suffix(") data")?.rsplit('(').next());
    Ok(Done {
        requests: count(" succeeded")?,
        bytes: data.context("no traffic")?.parse()?,
        seconds: seconds(finished.context("not finished")?)?,
        p99_ms: None,
    })
}

/// Of what h2load wrote of each request, `BEGIN STATUS MICROSECONDS` with tabs, the milliseconds
/// within which 99 of 100 were answered.
fn p99_ms(times: &str) -> Result<f64> {
    let each = |line: &str| -> Result<f64> {
        let micros = line.rsplit('\t').next().and_then(|micros| micros.parse().ok());
        micros.with_context(|| format!("no time in {line:?}"))
    };
    let mut times = times.lines().map(each).collect::<Result<Vec<_>>>()?;
    ensure!(!times.is_empty(), "h2load wrote down nothing");
    times.sort_by(f64::total_cmp);
    Ok(percentile(&times, 99) / 1e3)
}

/// A duration as h2load prints it: `4.00s`, `812.50ms`.
fn seconds(text: &str) -> Result<f64> {
    let (number, unit) = match text.strip_suffix("ms") {
        Some(number) => (number, 1e-3),
        None => (text.strip_suffix('s').context("no unit")?, 1.0),
    };
    Ok(number.parse::<f64>()? * unit)
}

fn shake_hands(port: u16, threads: usize, duration: Duration) -> Result<Done> {
    let config = client::tls_config()?;
    let begin = Instant::now();
    let count = |config: &Arc<ClientConfig>| -> Result<u64> {
        let mut shaken = 0;
        while begin.elapsed() < duration {
            client::shake_hands(port, config)?;
            shaken += 1;
        }
        Ok(shaken)
    };
    let shaken = thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(|| count(&config))).collect();
        threads
            .into_iter()
            .map(|thread| thread.join().expect("a thread that does not panic"))
            .sum::<Result<u64>>()
    })?;
    let seconds = begin.elapsed().as_secs_f64();
    Ok(Done { requests: float(shaken), bytes: 0.0, seconds, p99_ms: None })
}

/// How long a load generator may take beyond the time it was given.
const OVERTIME: Duration = Duration::from_secs(15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrk_is_believed_only_without_errors() {
        let done = Done { requests: 9.0, bytes: 9000.0, seconds: 2.0, p99_ms: Some(1.5) };
        assert_eq!(parse_wrk("Running\nexact 9 9000 2000000 0 1500\n").unwrap(), done);
        assert!(parse_wrk("exact 9 9000 2000000 1 1500\n").is_err());
        assert!(parse_wrk("exact 0 0 2000000 0 0\n").is_err());
        assert!(parse_wrk("unable to connect\n").is_err());
    }

    #[test]
    fn h2load_is_believed_only_without_errors_and_over_http_2() {
        let done = Done { requests: 9.0, bytes: 9216.0, seconds: 0.5, p99_ms: None };
        assert_eq!(parse_h2load(&h2load_says("h2", 0), "h2").unwrap(), done);
        assert!(parse_h2load(&h2load_says("h2", 1), "h2").is_err());
        assert!(parse_h2load(&h2load_says("http/1.1", 0), "h2").is_err());
        assert!(parse_h2load("", "h2").is_err());
    }

    #[test]
    fn the_time_of_the_slowest_hundredth_is_told() {
        let times: Vec<_> = (1..=100).map(|time| format!("17\t200\t{time}000\n")).collect();
        assert!((p99_ms(&times.concat()).unwrap() - 100.0).abs() < 1e-9);
        assert!(p99_ms("").is_err());
        assert!(p99_ms("17\t200\tlong\n").is_err());
    }

    fn h2load_says(protocol: &str, failed: u32) -> String {
        format!(
            "Application protocol: {protocol}\nfinished in 500.00ms, 18.00 req/s, 1.00KB/s\n\
             requests: 9 total, 9 started, 9 done, 9 succeeded, {failed} failed, 0 errored, \
             0 timeout\n\
             traffic: 9.1KB (9300) total, 84B (84) headers (space savings 9%), 9.0KB (9216) data\n"
        )
    }
}
