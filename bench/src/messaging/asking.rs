//! One client that asks one thing after the other of a hub that has much to look through.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, ensure};

use super::{entering, tongue::Tongue};
use crate::{client, launch, stats::percentile, words::Words};

/// After how many milliseconds so many of a hundred answers were there: of LOGIN with a token, of
/// HISTORY, of SEARCH. Logins are of one account after the other, as each has a pace of its own.
pub(super) fn ask(port: u16, tokens: &[String], (first, last): (u64, u64)) -> Result<Vec<f64>> {
    let mut who = tokens.iter().cycle();
    let login = times(LOGINS, || {
        let token = who.next().context("nobody is there")?;
        let begin = Instant::now();
        let stream = entering::enter(port, Tongue::Hub, (0, token))?;
        let took = begin.elapsed();
        drop(stream);
        Ok(took)
    })?;
    let mut caller = Caller::call(port, tokens.last().context("nobody is there")?)?;
    let mut words = Words::new(11);
    let history = times(PAGES, || {
        let before = first + words.below(last - first);
        caller.ask(&format!(
            "{{\"cmd\":\"HISTORY\",\"id\":3,\"room\":\"#all\",\"before\":{before},\"limit\":50}}\n"
        ))
    })?;
    let search = times(SEARCHES, || {
        let (one, other) = (words.word(), words.word());
        caller.ask(&format!("{{\"cmd\":\"SEARCH\",\"id\":3,\"q\":\"{one} {other}\"}}\n"))
    })?;
    let usual = times(SEARCHES, || {
        let word = words.said();
        let word = word.split(' ').next().unwrap_or("ar");
        caller.ask(&format!("{{\"cmd\":\"SEARCH\",\"id\":3,\"q\":\"{word}\"}}\n"))
    })?;
    Ok([login, history, search, usual].iter().map(|times| percentile(times, 99)).collect())
}

fn times(many: usize, mut ask: impl FnMut() -> Result<Duration>) -> Result<Vec<f64>> {
    let mut times = Vec::with_capacity(many);
    for _ in 0..many {
        times.push(ask()?.as_secs_f64() * 1e3);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}

#[derive(Debug)]
struct Caller {
    stream: BufReader<TcpStream>,
    line: Vec<u8>,
}

impl Caller {
    fn call(port: u16, token: &str) -> Result<Self> {
        let mut stream = client::connect(port)?;
        let (login, _) = Tongue::Hub.entrance(0, token);
        stream.write_all(login.as_bytes())?;
        let mut caller = Self { stream: BufReader::new(stream), line: Vec::new() };
        caller.hear()?;
        Ok(caller)
    }

    /// How long the answer took. Who is told to ask more slowly does, and that is not timed.
    fn ask(&mut self, frame: &str) -> Result<Duration> {
        for _ in 0..TIMES_MAX {
            let begin = Instant::now();
            self.stream.get_mut().write_all(frame.as_bytes())?;
            self.read()?;
            let took = begin.elapsed();
            if memchr::memmem::find(&self.line, b"\"RATE_LIMITED\"").is_none() {
                return self.judge().map(|()| took);
            }
            launch::pause(SLOWER);
        }
        self.judge().map(|()| Duration::ZERO)
    }

    fn hear(&mut self) -> Result<()> {
        self.read()?;
        self.judge()
    }

    fn read(&mut self) -> Result<()> {
        self.line.clear();
        self.stream.read_until(b'\n', &mut self.line)?;
        Ok(())
    }

    /// Whether what was read last is an answer.
    fn judge(&self) -> Result<()> {
        let is_answer = memchr::memmem::find(&self.line, b"\"ok\":true").is_some();
        ensure!(is_answer, "refused: {}", String::from_utf8_lossy(&self.line));
        Ok(())
    }
}

/// How long is waited where the hub wants one to ask more slowly, and how often at most.
const SLOWER: Duration = Duration::from_millis(50);
const TIMES_MAX: usize = 100;
const LOGINS: usize = 500;
const PAGES: usize = 1000;
const SEARCHES: usize = 300;
