//! `log`: a line of JSON for each connection that is over, written by threads of their own.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender},
    },
    thread,
    time::{Instant, SystemTime},
};

use relais_http::line_log::{Closed, LineLog, LogFile, Sink};
use relais_tap::{Detail, Ending, Ends, Event, FlowId, Tap, Watcher};
use relais_wire::timestamp::Timestamp;
use serde::Serialize;
use tokio::{runtime::Builder, sync::Notify};
use tracing::warn;

use crate::complaint::{KeyPath, Problem, Wrong};

/// How many connections are known of at once; of more, those that began first are forgotten, and
/// their lines say less.
const OPEN_MAX: usize = 65_536;

/// A log that is being written. It ends when its tap is gone, or when it is told to.
#[derive(Debug)]
pub(crate) struct FlowLog {
    path: PathBuf,
    lines: LineLog,
    end: Arc<Notify>,
    /// Closed by the thread that listens once it has heard all.
    heard: Mutex<Receiver<()>>,
}

impl FlowLog {
    /// What keeps the log at `path` from being opened, as far as that can be told without making it.
    pub(super) fn unwritable(path: &Path, key: &KeyPath) -> Option<Problem> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let (what, expected) = if folder.is_some_and(|folder| !folder.is_dir()) {
            (format!("no folder for the log {:?}", path.display()), "a folder that exists")
        } else if path.is_dir() {
            (format!("the log {:?} is a folder", path.display()), "a file")
        } else {
            return None;
        };
        Some(key.key("log").wrong(Wrong::expected(what, expected).at_home(path)))
    }

    /// Opens the file at `path`, and begins to write down what `tap` tells.
    pub(super) fn start(path: &Path, tap: &Tap, key: &KeyPath) -> Result<Self, Problem> {
        Self::open(path, tap).map_err(|error| {
            let why = Wrong::from_error(&error).what;
            let what = format!("cannot write the log {:?}: {why}", path.display());
            key.key("log").wrong(Wrong { what, expected: None, hint: None })
        })
    }

    fn open(path: &Path, tap: &Tap) -> io::Result<Self> {
        let lines = if path.as_os_str() == "-" {
            LineLog::start_to("relay log", Sink::Writer(Box::new(io::stdout())))?
        } else {
            LineLog::start("relay log", LogFile::at(path))?
        };
        let (end, watcher) = (Arc::<Notify>::default(), tap.watch(Detail::Flows));
        let runtime = Builder::new_current_thread().build()?;
        let listen = listen(watcher, lines.clone(), Arc::clone(&end));
        let (listening, heard) = mpsc::channel();
        thread::Builder::new().name("relais-flows".to_owned()).spawn(move || {
            runtime.block_on(listen);
            drop::<Sender<()>>(listening);
        })?;
        Ok(Self { path: path.to_owned(), lines, end, heard: Mutex::new(heard) })
    }

    /// Has the file opened anew, for one that was moved away.
    pub(crate) fn reopen(&self) {
        self.lines.reopen();
    }

    /// Waits until all that was told is written, but not beyond `deadline`. Blocks.
    pub(crate) fn shutdown(&self, deadline: Instant) {
        self.end.notify_one();
        let left = || deadline.saturating_duration_since(Instant::now());
        let heard = self.heard.lock().unwrap_or_else(PoisonError::into_inner).recv_timeout(left());
        if self.lines.shutdown(left()) == Closed::TimedOut
            || heard == Err(RecvTimeoutError::Timeout)
        {
            let log = self.path.display();
            warn!(%log, "the end of the log is lost: it takes too long");
        }
    }
}

async fn listen(mut watcher: Watcher, lines: LineLog, end: Arc<Notify>) {
    let mut open = Open::default();
    loop {
        let event = tokio::select! {
            // What was told is written first.
            biased;
            event = watcher.next() => event,
            () = end.notified() => return,
        };
        match event {
            Some(event) => open.hear(event, &lines),
            None => return,
        }
    }
}

/// Connections that are open, as far as was told. At most [`OPEN_MAX`].
#[derive(Debug, Default)]
struct Open {
    flows: BTreeMap<FlowId, Begun>,
}

#[derive(Debug)]
struct Begun {
    ends: Ends,
    at: SystemTime,
    name: Option<String>,
}

/// A line.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Line<'l> {
    Over {
        at: &'l str,
        client: Option<&'l str>,
        server: Option<&'l str>,
        #[serde(skip_serializing_if = "Option::is_none")]
        name: Option<&'l str>,
        millis: Option<u64>,
        by: Option<&'l str>,
        why: &'l str,
        to_server: u64,
        to_client: u64,
    },
    Missed {
        missed: u64,
    },
}

impl Open {
    fn hear(&mut self, event: Event, lines: &LineLog) {
        match event {
            Event::Opened { flow, ends, at } => {
                if self.flows.len() == OPEN_MAX {
                    self.flows.pop_first();
                }
                self.flows.insert(flow, Begun { ends, at, name: None });
            }
            Event::Note { flow, what, text } => {
                let Some(begun) = self.flows.get_mut(&flow) else { return };
                match what {
                    "relay.upstream" => begun.ends.server = text,
                    "relay.name" => begun.name = Some(text),
                    _ => (),
                }
            }
            Event::Closed { flow, ending } => {
                over(self.flows.remove(&flow).as_ref(), ending, lines);
            }
            Event::Missed { events } => print(lines, &Line::Missed { missed: events }),
            Event::Bytes { .. } => (),
        }
    }
}

fn over(begun: Option<&Begun>, ending: Option<Ending>, lines: &LineLog) {
    // Who reports was cut off: a connection that did not come to an end of its own before ours.
    let Some(Ending { at, by, why, to_server, to_client }) = ending else { return };
    let lasted = begun.and_then(|begun| at.duration_since(begun.at).ok());
    let written = Timestamp::of(at);
    let line = Line::Over {
        at: written.as_str(),
        client: begun.map(|begun| &*begun.ends.client),
        server: begun.map(|begun| &*begun.ends.server),
        name: begun.and_then(|begun| begun.name.as_deref()),
        millis: lasted.and_then(|lasted| u64::try_from(lasted.as_millis()).ok()),
        by: Some(by.name()),
        why: &why,
        to_server,
        to_client,
    };
    print(lines, &line);
}

fn print(lines: &LineLog, line: &Line<'_>) {
    lines.note(|out| {
        serde_json::to_writer(&mut *out, line).expect("memory takes texts and numbers");
        out.push(b'\n');
    });
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
        time::{Duration, UNIX_EPOCH},
    };

    use relais_tap::By;

    use super::*;

    #[test]
    fn a_connection_is_a_line_and_the_end_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.jsonl");
        let tap = Tap::new(8);
        let log = FlowLog::open(&path, &tap).unwrap();
        let ends = || Ends { client: "192.0.2.1:5".to_owned(), server: "two".to_owned() };
        let flow = tap.open(ends, UNIX_EPOCH);
        flow.note("relay.upstream", || "tcp://a:1".to_owned());
        flow.note("relay.name", || "a.example".to_owned());
        flow.close(Ending {
            at: UNIX_EPOCH + Duration::from_millis(1500),
            by: By::Client,
            why: "closed".into(),
            to_server: 3,
            to_client: 4,
        });
        drop(tap.open(ends, UNIX_EPOCH));
        log.shutdown(Instant::now() + Duration::from_secs(5));
        let expect = "{\"at\":\"1970-01-01T00:00:01.500000Z\",\"client\":\"192.0.2.1:5\",\
            \"server\":\"tcp://a:1\",\"name\":\"a.example\",\"millis\":1500,\"by\":\"client\",\
            \"why\":\"closed\",\"to_server\":3,\"to_client\":4}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), expect);
    }

    #[test]
    fn where_the_log_cannot_be_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPath::of(["relay", "front"]);
        let check = |path: &Path, expect: bool| {
            assert_eq!(FlowLog::unwritable(path, &key).is_some(), expect, "{path:?}");
        };
        check(folder.path(), true);
        check(&folder.path().join("none/log"), true);
        check(&folder.path().join("log"), false);
        check(Path::new("-"), false);
    }
}
