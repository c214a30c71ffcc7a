//! What `relais load` takes, and what it means.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    thread,
    time::Duration,
};

use clap::{Args, ValueHint};
use relais_net::Scheme;
use relais_talk::load::{Load, Schedule, Target, Task, Until};

use super::{
    said::{Messages, Requesting, about_message},
    target::{Url, has_path},
};
use crate::{
    calling::{Channel, TlsFlags},
    complaint::Wrong,
    spelling::Time,
    stop::Stop,
};

/// What `relais load` takes.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Flags {
    /// Who is put under load: `http://…`, `https://…`, or something that sends back what it gets:
    /// `tcp://…`, `tls://…`, `udp://…`, `unix://…`, `ws://…`, `wss://…`. A bare port is of HTTP on this
    /// machine, with --simulate of TCP
    target: String,
    /// How many connections, each of which waits for an answer before it asks again; over HTTP/2, each of
    /// its streams
    #[arg(short, long, value_name = "N", default_value = "50", value_parser = count)]
    connections: NonZeroUsize,
    /// Send so many requests a second, whether or not the others are answered [default: as many as are
    /// answered]
    #[arg(short, long, value_name = "R", value_parser = rate)]
    rate: Option<NonZeroU64>,
    /// For how long [default: 10s]
    #[arg(short, long, value_name = "TIME", value_parser = timeout)]
    duration: Option<Time>,
    /// Until so many requests were sent
    #[arg(short = 'n', long, value_name = "N", conflicts_with = "duration", value_parser = limit)]
    requests: Option<NonZeroU64>,
    /// Ask for so long before, and do not count that
    #[arg(long, value_name = "TIME", default_value = "0s")]
    warmup: Time,
    /// How long an answer, or a connection, may take
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = timeout)]
    timeout: Time,
    /// Have K clients keep a dialogue each with who sends back what it gets, and check that each gets its
    /// own answers; exit code 3 if one does not
    #[arg(
        long,
        value_name = "K",
        value_parser = count,
        conflicts_with_all = ["connections", "rate", "duration", "requests", "warmup", "message"]
    )]
    simulate: Option<NonZeroUsize>,
    /// How many messages each of these sends [default: 10]
    #[arg(long, value_name = "N", requires = "simulate", value_parser = limit)]
    rounds: Option<NonZeroU64>,
    /// On how many threads [default: one for each core]
    #[arg(short, long, value_name = "N", value_parser = threads)]
    threads: Option<NonZeroUsize>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Also write a page with plots
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    html: Option<PathBuf>,
    #[command(flatten)]
    messages: Messages,
    #[command(flatten)]
    requesting: Requesting,
    #[command(flatten)]
    tls: TlsFlags,
}

const EXAMPLES: &str = "\
Examples:
  relais load 8080                                   50 connections for 10 s, as fast as it answers
  relais load http://127.0.0.1:8080/a -r 2000        2000 requests a second, whatever it takes
  relais load https://localhost:8443 -c 1000 -d 1m --html load.html
  relais load https://localhost:8443 --http2 -c 10 -m 100
  relais load udp://127.0.0.1:6666 --size 512 -n 100000 --json
  relais load tcp://127.0.0.1:6666 --simulate 500    500 dialogues: does each get its own answers?";

/// What is asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) load: Load,
    /// What the target is called.
    pub(super) title: String,
    /// What is said to it, without what may be a secret.
    pub(super) about: String,
    pub(super) tls: TlsFlags,
    pub(super) json: bool,
    pub(super) html: Option<PathBuf>,
}

/// For how long, if nothing is said.
const DURATION: Duration = Duration::from_secs(10);

/// How many messages a client of a simulation sends, if nothing is said.
const ROUNDS: u64 = 10;

impl Flags {
    /// What is asked for.
    pub(super) fn asked(self) -> Result<Asked, Stop> {
        let usual = if self.simulate.is_some() { Scheme::Tcp } else { Scheme::Http };
        let url = Url::parse_in(&self.target, usual);
        let url = url.map_err(|error| Stop::of_flag("TARGET", Wrong::from_error(&error)))?;
        let is_http = matches!(url.endpoint.scheme, Scheme::Http | Scheme::Https);
        let (said, path) = if is_http {
            self.refuse_simulation(url.endpoint.scheme)?;
            self.messages.refuse(url.endpoint.scheme)?;
            self.requesting.said(&url)?
        } else {
            self.requesting.refuse(url.endpoint.scheme)?;
            let is_asked_by_path = has_path(url.endpoint.scheme);
            let path = is_asked_by_path.then(|| self.requesting.path(&url)).transpose()?;
            (self.messages.said(url.endpoint.scheme)?, path.unwrap_or_default())
        };
        let about = if is_http { self.requesting.about() } else { about_message(&said) };
        let waits = format!("timeout {}", self.timeout);
        let warmup = (!self.warmup.0.is_zero()).then(|| format!("warm-up {}", self.warmup));
        let about = [about, waits].into_iter().chain(warmup).collect::<Vec<_>>().join(", ");
        let channel = Channel::of(url.endpoint.scheme);
        let fit = self.tls.fit(channel, "a TARGET over TLS, e.g. `https://…`");
        fit.map_err(|(flag, wrong)| Stop::of_flag(flag, wrong))?;
        let streams = self.requesting.streams(self.connections)?;
        let threads = self.threads.or_else(|| thread::available_parallelism().ok());
        let title = format!("{}{path}", url.endpoint);
        let load = Load {
            target: Target { endpoint: url.endpoint, path, said },
            task: self.task(),
            connections: self.simulate.unwrap_or_else(|| self.connections_used(streams)),
            streams,
            threads: threads.unwrap_or(NonZeroUsize::MIN),
            schedule: self.schedule(),
            timeout: self.timeout.0,
        };
        Ok(Asked { load, title, about, tls: self.tls, json: self.json, html: self.html })
    }

    /// As many connections as were asked for, but no more than there are requests for.
    fn connections_used(&self, streams: NonZeroUsize) -> NonZeroUsize {
        let Some(requests) = self.requests else { return self.connections };
        let each = u64::try_from(streams.get()).unwrap_or(u64::MAX);
        let used = usize::try_from(requests.get().div_ceil(each)).ok().and_then(NonZeroUsize::new);
        used.map_or(self.connections, |used| used.min(self.connections))
    }

    fn task(&self) -> Task {
        match self.simulate {
            Some(_) => Task::Talk { messages: self.rounds() },
            None => Task::Ask,
        }
    }

    fn rounds(&self) -> u64 {
        self.rounds.map_or(ROUNDS, NonZeroU64::get)
    }

    fn schedule(&self) -> Schedule {
        let Self { rate, duration, requests, warmup: Time(warmup), simulate, .. } = self;
        let until = match (simulate, requests) {
            (Some(clients), _) => {
                let clients = u64::try_from(clients.get()).unwrap_or(u64::MAX);
                Until::Requests(clients.saturating_mul(self.rounds()))
            }
            (None, Some(count)) => Until::Requests(count.get()),
            (None, None) => Until::Time(duration.map_or(DURATION, |Time(time)| time)),
        };
        Schedule { rate: *rate, warmup: *warmup, until }
    }

    fn refuse_simulation(&self, scheme: Scheme) -> Result<(), Stop> {
        if self.simulate.is_none() {
            return Ok(());
        }
        let what = format!("no dialogue over {scheme}");
        let expected = "a TARGET that sends back what it gets, e.g. `tcp://…`";
        Err(Stop::of_flag("--simulate", Wrong::expected(what, expected)))
    }
}

fn count(text: &str) -> Result<NonZeroUsize, &'static str> {
    let most = NonZeroUsize::new(1_000_000).ok_or("a number")?;
    let read = text.parse().ok().filter(|count| *count <= most);
    read.ok_or("expected a number from 1 to 1000000")
}

fn threads(text: &str) -> Result<NonZeroUsize, &'static str> {
    let read = text.parse().ok().filter(|count: &NonZeroUsize| count.get() <= THREADS_MAX);
    read.ok_or("expected a number from 1 to 1024")
}

/// More than most machines have cores.
const THREADS_MAX: usize = 1024;

fn limit(text: &str) -> Result<NonZeroU64, &'static str> {
    text.parse().map_err(|_| "expected a number, 1 or more")
}

fn rate(text: &str) -> Result<NonZeroU64, &'static str> {
    let number = text.strip_suffix("/s").unwrap_or(text);
    let read = number.parse().ok().filter(|rate: &NonZeroU64| rate.get() <= RATE_MAX);
    read.ok_or("expected a number from 1 to 10000000, of requests a second")
}

/// More than any machine sends.
const RATE_MAX: u64 = 10_000_000;

fn timeout(text: &str) -> Result<Time, String> {
    match text.parse::<Time>() {
        Ok(Time(time)) if time.is_zero() => Err("expected more than no time".to_owned()),
        read => read.map_err(|error| error.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;
    use relais_talk::load::Said;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        flags: Flags,
    }

    fn asked(words: &[&str]) -> Result<Asked, Stop> {
        let words = ["load"].into_iter().chain(words.iter().copied());
        Line::try_parse_from(words).unwrap().flags.asked()
    }

    #[test]
    fn what_is_sent_is_what_was_said() {
        let check = |words: &[&str], title: &str, expect: &str| {
            let Asked { load, title: found, .. } = asked(words).unwrap();
            assert_eq!(found, title);
            assert_eq!(String::from_utf8_lossy(load.target.bytes()), expect);
        };
        let get = "GET /a HTTP/1.1\r\nHost: 127.0.0.1:8080\r\n\r\n";
        check(&["8080/a"], "http://127.0.0.1:8080/a", get);
        check(&["8080", "--path", "/a"], "http://127.0.0.1:8080/a", get);
        let post = "POST / HTTP/1.1\r\nHost: a.example\r\nX: y\r\nContent-Length: 1\r\n\r\nb";
        let words = ["https://a.example", "-H", "X: y", "--body", "b"];
        check(&words, "https://a.example:443/", post);
        check(&["tcp://[::1]:9", "--message", "hi"], "tcp://[::1]:9", "hi\n");
        check(&["udp://[::1]:9", "--message", "hi"], "udp://[::1]:9", "hi");
        check(&["unix:///a", "-s", "5"], "unix:///a", "abcd\n");
        check(&["ws://a/b", "-s", "1"], "ws://a:80/b", "\n");
        check(&["ws://a", "--message", "hi"], "ws://a:80/", "hi");
    }

    #[test]
    fn over_http_2_each_connection_has_as_many_streams_as_was_said() {
        let check = |words: &[&str], about: &str, streams| {
            let Asked { load, about: found, .. } = asked(words).unwrap();
            assert!(matches!(load.target.said, Said::Http2(_)));
            assert!(found.starts_with(about), "{found}");
            assert_eq!(load.streams.get(), streams);
        };
        check(&["9", "--http2"], "GET over HTTP/2, ", 1);
        check(&["https://a", "--http2", "-m", "100"], "GET over HTTP/2, ", 100);
        check(
            &["9", "--http2", "--streams", "7", "--body", "x"],
            "POST and a body over HTTP/2, ",
            7,
        );
    }

    #[test]
    fn a_load_ends_after_ten_seconds_if_nothing_is_said() {
        let check = |words: &[&str], expect| {
            assert_eq!(asked(words).unwrap().load.schedule.until, expect);
        };
        check(&["9"], Until::Time(Duration::from_secs(10)));
        check(&["9", "-d", "1m"], Until::Time(Duration::from_mins(1)));
        check(&["9", "-n", "7"], Until::Requests(7));
        check(&["9", "--simulate", "7"], Until::Requests(70));
        check(&["9", "--simulate", "7", "--rounds", "3"], Until::Requests(21));
    }

    #[test]
    fn there_are_no_more_connections_than_requests() {
        let check = |words: &[&str], expect| {
            assert_eq!(asked(words).unwrap().load.connections.get(), expect, "{words:?}");
        };
        check(&["9"], 50);
        check(&["9", "-n", "10"], 10);
        check(&["9", "-n", "10", "-c", "3"], 3);
        check(&["9", "-n", "1000"], 50);
        check(&["9", "-n", "10", "--http2", "-m", "4"], 3);
        check(&["9", "--simulate", "7"], 7);
    }

    #[test]
    fn a_simulation_calls_over_tcp_unless_told_otherwise() {
        let Asked { load, title, .. } = asked(&["9", "--simulate", "7"]).unwrap();
        assert_eq!(title, "tcp://127.0.0.1:9");
        assert_eq!((load.task, load.connections.get()), (Task::Talk { messages: 10 }, 7));
    }

    #[test]
    fn what_cannot_be_asked_for_is_refused() {
        let check = |words: &[&str], expect: &str| {
            let Err(Stop::Wrong(complaints)) = asked(words) else { panic!("{words:?} is taken") };
            let text = complaints[0].to_string();
            assert!(text.contains(expect), "{text}");
        };
        check(&["ws://a/b c"], "bad path \"/b c\"");
        check(&["8080", "--path", "b"], "bad path \"b\"");
        check(&["8080", "--path", "/b#c"], "bad path \"/b#c\"");
        check(&["8080/a", "--path", "/b"], "path \"/b\" beside \"/a\"");
        let check_expected = |words: &[&str], what: &str, expected: &str| {
            let Err(Stop::Wrong(complaints)) = asked(words) else { panic!("{words:?} is taken") };
            let wrong = &complaints[0].wrong;
            assert_eq!((wrong.what.as_str(), wrong.expected.as_deref()), (what, Some(expected)));
        };
        let http = "a TARGET of `http://…` or `https://…`";
        check_expected(&["tcp://a:9", "--http2"], "no HTTP/2 over tcp", http);
        check_expected(&["9", "--simulate", "3", "--http2"], "no HTTP/2 over tcp", http);
        check_expected(&["wss://a", "-m", "3"], "no HTTP/2 over wss", http);
        check_expected(&["9", "-m", "3"], "3 streams over HTTP/1.1, which has none", "`--http2`");
        check_expected(
            &["9", "--http2", "-m", "1000", "-c", "1001"],
            "1,000 streams on each of 1,001 connections",
            "1,000,000 streams in all",
        );
        check(&["9", "--http2", "-H", "Connection: close"], "header \"Connection\"");
        check(&["9", "--http2", "-H", "Host: u@a"], "bad host \"u@a\"");
        check(&["9/<", "--http2"], "bad path \"/<\"");
        check(&["tcp://a:9", "--pin", &"ab".repeat(32)], "nothing is done with `--pin`");
    }

    #[test]
    fn numbers_that_cannot_be_meant_are_refused() {
        for (flag, value) in [
            ("-c", "0"),
            ("-c", "1000001"),
            ("-r", "0"),
            ("-r", "10000001"),
            ("-n", "0"),
            ("-d", "0"),
            ("--timeout", "0s"),
            ("-t", "0"),
            ("-t", "1025"),
            ("-m", "0"),
            ("-m", "1001"),
            ("-m", "hi"),
            ("-H", "no colon"),
        ] {
            let words = ["load", "9", flag, value];
            assert!(Line::try_parse_from(words).is_err(), "{flag} {value}");
        }
    }
}
