//! `relais cache warm`: URLs fetched through a cache before anybody asks for them.

use std::{
    fs::File,
    io::{self, BufRead, BufReader, IsTerminal as _, Read as _},
    num::NonZeroUsize,
    path::Path,
    sync::{Mutex, PoisonError},
    thread,
    time::{Duration, Instant},
};

use serde_json::{Value, json};

use super::{
    asking::{Asking, Whom},
    at_rest,
    flags::Fields,
    told::text,
    trying::COMING,
};
use crate::{
    columns::clean,
    complaint::{Complaint, Wrong},
    control::OfCaches,
    measure::{column_bytes, said_bytes, said_count, said_time},
    output::{say, tell, tell_over},
    stop::Stop,
};

/// A longer line is no URL.
const LINE_BYTES_MAX: u64 = 8 << 10;

/// How often progress is told of at most.
const TOLD_EVERY: Duration = Duration::from_millis(200);

/// Has every URL of `list` fetched, with these fields, so many at once.
pub(super) fn warm(
    asking: &Asking<'_>,
    list: &Path,
    (fields, jobs, is_json): (&Fields, NonZeroUsize, bool),
) -> Result<(), Stop> {
    if let Whom::Folder(_) = asking.whom {
        return Err(at_rest::answers_no_requests());
    }
    let lines = Mutex::new(open(list)?);
    let warmed = Mutex::new(Warmed::new(is_json));
    let work = || loop {
        let line = next(&mut **lock(&lines));
        let url = match line {
            Ok(Some(url)) => url,
            Ok(None) => return Ok(()),
            Err(error) => {
                return Err(anyhow::Error::from(error).context("reading the list").into());
            }
        };
        let request = fields.of(url.clone());
        if let Err(wrong) = request.read() {
            let expected = wrong.expected.map_or(String::new(), |it| format!(": expected {it}"));
            lock(&warmed).take(&failed(&url, &(wrong.what + &expected)));
            continue;
        }
        asking.ask(OfCaches::Fetch { request }, |found| {
            lock(&warmed).take(&found);
            Ok(())
        })?;
    };
    let ended: Result<(), Stop> = thread::scope(|scope| {
        let start = |_| thread::Builder::new().spawn_scoped(scope, work).ok();
        let workers: Vec<_> = (0..jobs.get()).filter_map(start).collect();
        // Where the system has no thread for it, this one works.
        if workers.is_empty() {
            return work();
        }
        let ended = workers.into_iter().map(|worker| worker.join().expect("a worker that ends"));
        ended.collect::<Vec<_>>().into_iter().collect()
    });
    let warmed = warmed.into_inner().unwrap_or_else(PoisonError::into_inner);
    // What could not even be asked is told of by the error.
    if ended.is_ok() || warmed.all() > 0 {
        warmed.end();
    }
    ended?;
    if warmed.failed > 0 { Err(Stop::No) } else { Ok(()) }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(url: &str, why: &str) -> Value {
    json!({ "url": url, "outcome": "failed", "why": why })
}

fn open(list: &Path) -> Result<Box<dyn BufRead + Send>, Stop> {
    if list == Path::new("-") {
        return Ok(Box::new(BufReader::new(io::stdin())));
    }
    match File::open(list) {
        Ok(file) => Ok(Box::new(BufReader::new(file))),
        Err(error) => {
            let wrong = Wrong::reading("the list", list, &error);
            Err(Stop::Wrong(vec![Complaint::of_flag("LIST", wrong)]))
        }
    }
}

/// The next URL of a list.
fn next(lines: &mut dyn BufRead) -> io::Result<Option<String>> {
    loop {
        let mut line = Vec::new();
        if lines.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)? == 0 {
            return Ok(None);
        }
        if line.len() as u64 == LINE_BYTES_MAX && !line.ends_with(b"\n") {
            let what = format!("a line of more than {LINE_BYTES_MAX} bytes: expected a URL a line");
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        let line = String::from_utf8_lossy(&line);
        let line = line.trim();
        if !line.is_empty() && !line.starts_with('#') {
            return Ok(Some(line.to_owned()));
        }
    }
}

/// What came of it so far.
#[derive(Debug)]
struct Warmed {
    is_json: bool,
    stored: u64,
    hits: u64,
    not_stored: u64,
    failed: u64,
    bytes: u64,
    begun: Instant,
    /// When progress was told of last; `None` where nobody watches.
    told: Option<Instant>,
}

impl Warmed {
    fn new(is_json: bool) -> Self {
        let begun = Instant::now();
        // Rows on the same terminal are progress enough.
        let watched = io::stderr().is_terminal() && !io::stdout().is_terminal();
        let told = watched.then_some(begun);
        Self { is_json, stored: 0, hits: 0, not_stored: 0, failed: 0, bytes: 0, begun, told }
    }

    fn take(&mut self, found: &Value) {
        let outcome = found["outcome"].as_str().unwrap_or_default();
        if outcome == COMING {
            return;
        }
        let (count, word) = match outcome {
            "stored" => (&mut self.stored, "stored"),
            "hit" => (&mut self.hits, "there"),
            "not_stored" => (&mut self.not_stored, "not"),
            _ => (&mut self.failed, "failed"),
        };
        *count += 1;
        let bytes = found["bytes"].as_u64();
        self.bytes += bytes.unwrap_or_default();
        if self.is_json {
            say(found);
        } else {
            let status = found["status"].as_u64().map_or("-".to_owned(), |code| code.to_string());
            let size = bytes.map_or("-".to_owned(), column_bytes);
            let why = match found["why"].as_str() {
                Some(why) => format!(": {}", clean(why)),
                None => String::new(),
            };
            say(format_args!("{word:<6} {status:<4} {size:>5} {}{why}", text(found, "url")));
        }
        if self.told.is_some_and(|told| told.elapsed() >= TOLD_EVERY) {
            self.told = Some(Instant::now());
            tell_over(self.sum());
        }
    }

    fn all(&self) -> u64 {
        self.stored + self.hits + self.not_stored + self.failed
    }

    fn sum(&self) -> String {
        let Self { stored, hits, not_stored, failed, bytes, begun, .. } = self;
        let count = |count: &u64| said_count(*count);
        format!(
            "{} of {} stored, {} there before, {} not stored, {} failed, {} in {}",
            count(stored),
            count(&self.all()),
            count(hits),
            count(not_stored),
            count(failed),
            said_bytes(*bytes),
            said_time(begun.elapsed())
        )
    }

    fn end(&self) {
        if self.told.is_some() {
            tell_over("");
        }
        tell(self.sum());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_line_by_line() {
        let text = "\n# a list\nhttp://a/1\r\n  http://a/2  \n\nhttp://a/3";
        let mut lines = text.as_bytes();
        for expect in [Some("http://a/1"), Some("http://a/2"), Some("http://a/3"), None] {
            assert_eq!(next(&mut lines).unwrap().as_deref(), expect);
        }
        let long = "x".repeat(9000);
        assert!(next(&mut long.as_bytes()).unwrap_err().to_string().contains("8192 bytes"));
    }
}
