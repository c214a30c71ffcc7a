//! `log`: a line of JSON for each connection that is over, written by threads of their own.

use std::{
    collections::BTreeMap,
    io,
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError, Sender, TryRecvError},
    },
    thread,
    time::{Instant, SystemTime},
};

use relais_http::line_log::Closed;
use relais_tap::{Detail, Ending, Ends, Event, FlowId, Tap, Watcher};
use relais_wire::timestamp::Timestamp;
use serde::Serialize;
use tokio::{runtime::Builder, sync::Notify};
use tracing::warn;

use super::lines::Lines;
use crate::{
    complaint::{KeyPath, Problem, Wrong},
    proxy::LogFile,
};

/// How many connections are known of at once; of more, those that began first are forgotten, and
/// their lines say less.
const OPEN_MAX: usize = 65_536;

/// The logs that are being written, by their files: a relay that was changed writes on to the same, as
/// long as its older self has connections. A clone has the same, and what is added to it is its own.
#[derive(Clone, Debug, Default)]
pub(crate) struct FlowLogs {
    open: BTreeMap<PathBuf, Arc<FlowLog>>,
}

/// A log that is being written, perhaps by several.
#[derive(Debug)]
pub(super) struct FlowLog {
    lines: Arc<Lines>,
    writers: Mutex<Vec<Writer>>,
}

/// Who writes down what a tap tells. It ends when that is gone, or when it is told to.
#[derive(Debug)]
struct Writer {
    end: Arc<Notify>,
    /// Closed by the thread that listens once it has heard all.
    heard: Receiver<()>,
}

impl FlowLogs {
    /// Has what `tap` tells written to `file`, which is opened if none at its path is yet.
    pub(super) fn watch(
        &mut self,
        file: &LogFile,
        tap: &Tap,
        key: &KeyPath,
    ) -> Result<(), Problem> {
        let watched = self.open(file).and_then(|log| log.watch(tap));
        watched.map_err(|error| {
            let why = Wrong::from_error(&error).what;
            let what = format!("cannot write the log {:?}: {why}", file.path.display());
            key.key("log").wrong(Wrong { what, expected: None, hint: None })
        })
    }

    fn open(&mut self, file: &LogFile) -> io::Result<Arc<FlowLog>> {
        if let Some(log) = self.open.get(&file.path) {
            return Ok(Arc::clone(log));
        }
        let log = Arc::new(FlowLog::open(file)?);
        self.open.insert(file.path.clone(), Arc::clone(&log));
        Ok(log)
    }

    /// Opens the files anew, for those that were moved away, each as it is `planned` now, and forgets
    /// those to which nobody writes.
    pub(super) fn keep(&mut self, planned: impl Iterator<Item = LogFile>) {
        self.open.retain(|_, log| log.is_written());
        self.open.values().for_each(|log| log.lines.reopen());
        for file in planned {
            if let Some(log) = self.open.get(&file.path) {
                log.lines.become_as(&file);
            }
        }
    }

    /// Waits until all that was told is written, but not beyond `deadline`. Blocks.
    pub(crate) fn shutdown(&self, deadline: Instant) {
        for (path, log) in &self.open {
            if log.shutdown(deadline) == Closed::TimedOut {
                let log = path.display();
                warn!(%log, "the end of the log is lost: it takes too long");
            }
        }
    }
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

    fn open(file: &LogFile) -> io::Result<Self> {
        Ok(Self { lines: Arc::new(Lines::open(file)?), writers: Mutex::default() })
    }

    /// Begins to write down what `tap` tells.
    fn watch(&self, tap: &Tap) -> io::Result<()> {
        let (end, watcher) = (Arc::<Notify>::default(), tap.watch(Detail::Flows));
        let runtime = Builder::new_current_thread().build()?;
        let listen = listen(watcher, Arc::clone(&self.lines), Arc::clone(&end));
        let (listening, heard) = mpsc::channel();
        thread::Builder::new().name("relais-flows".to_owned()).spawn(move || {
            runtime.block_on(listen);
            drop::<Sender<()>>(listening);
        })?;
        self.writers().push(Writer { end, heard });
        Ok(())
    }

    /// Those that are not over.
    fn writers(&self) -> MutexGuard<'_, Vec<Writer>> {
        let mut writers = self.writers.lock().unwrap_or_else(PoisonError::into_inner);
        writers.retain(|writer| writer.heard.try_recv() == Err(TryRecvError::Empty));
        writers
    }

    fn is_written(&self) -> bool {
        !self.writers().is_empty()
    }

    fn shutdown(&self, deadline: Instant) -> Closed {
        let writers = self.writers();
        writers.iter().for_each(|writer| writer.end.notify_one());
        let left = || deadline.saturating_duration_since(Instant::now());
        let is_late =
            |writer: &Writer| writer.heard.recv_timeout(left()) == Err(RecvTimeoutError::Timeout);
        // All of them are waited for, whoever is late.
        let late = writers.iter().filter(|writer| is_late(writer)).count();
        match self.lines.shutdown(left()) {
            Closed::InTime if late == 0 => Closed::InTime,
            _ => Closed::TimedOut,
        }
    }
}

async fn listen(mut watcher: Watcher, lines: Arc<Lines>, end: Arc<Notify>) {
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
    fn hear(&mut self, event: Event, lines: &Lines) {
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

fn over(begun: Option<&Begun>, ending: Option<Ending>, lines: &Lines) {
    // Who reports was cut off: a connection that did not come to an end of its own before ours.
    let Some(Ending { at, by, why, to_server, to_client }) = ending else { return };
    let lasted = begun.and_then(|begun| at.duration_since(begun.at).ok());
    let written = Timestamp::of(at);
    let line = Line::Over {
        at: written.as_str(),
        client: begun.map(|begun| &*begun.ends.client),
        // Of several upstreams none was reached.
        server: begun.map(|begun| &*begun.ends.server).filter(|server| !server.is_empty()),
        name: begun.and_then(|begun| begun.name.as_deref()),
        millis: lasted.and_then(|lasted| u64::try_from(lasted.as_millis()).ok()),
        by: Some(by.name()),
        why: &why,
        to_server,
        to_client,
    };
    print(lines, &line);
}

fn print(lines: &Lines, line: &Line<'_>) {
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
    use crate::spelling::Size;

    fn ends() -> Ends {
        Ends { client: "192.0.2.1:5".to_owned(), server: "two".to_owned() }
    }

    fn ending(to_server: u64) -> Ending {
        let at = UNIX_EPOCH + Duration::from_millis(1500);
        Ending { at, by: By::Client, why: "closed".into(), to_server, to_client: 4 }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[test]
    fn a_connection_is_a_line_and_the_end_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.jsonl");
        let (tap, mut logs) = (Tap::new(8), FlowLogs::default());
        logs.watch(&LogFile::at(path.clone()), &tap, &KeyPath::of(["relay", "front"])).unwrap();
        let flow = tap.open(ends, UNIX_EPOCH);
        flow.note("relay.upstream", || "tcp://a:1".to_owned());
        flow.note("relay.name", || "a.example".to_owned());
        flow.close(ending(3));
        drop(tap.open(ends, UNIX_EPOCH));
        logs.shutdown(soon());
        let expect = "{\"at\":\"1970-01-01T00:00:01.500000Z\",\"client\":\"192.0.2.1:5\",\
            \"server\":\"tcp://a:1\",\"name\":\"a.example\",\"millis\":1500,\"by\":\"client\",\
            \"why\":\"closed\",\"to_server\":3,\"to_client\":4}\n";
        assert_eq!(fs::read_to_string(&path).unwrap(), expect);
    }

    /// What a reload makes of a relay: another one that writes to the same file.
    #[test]
    fn who_has_connections_left_writes_on_beside_who_comes_after() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("relay.jsonl");
        let key = KeyPath::of(["relay", "front"]);
        let file = LogFile::at(path.clone());
        let smaller = LogFile { size_max: Size(64 << 10), ..file.clone() };
        let (old, new, mut logs) = (Tap::new(8), Tap::new(8), FlowLogs::default());
        logs.watch(&file, &old, &key).unwrap();
        let flow = old.open(ends, UNIX_EPOCH);
        let mut reloaded = logs.clone();
        reloaded.watch(&smaller, &new, &key).unwrap();
        reloaded.keep(std::iter::once(smaller));
        assert_eq!(reloaded.open.len(), 1);
        drop(logs);
        new.open(ends, UNIX_EPOCH).close(ending(1));
        flow.close(ending(2));
        reloaded.shutdown(soon());
        let text = fs::read_to_string(&path).unwrap();
        let mut lines: Vec<_> = text.lines().collect();
        lines.sort_unstable();
        assert_eq!(lines.len(), 2, "{text}");
        assert!(lines[0].contains("\"to_server\":1,") && lines[1].contains("\"to_server\":2,"));
    }

    #[test]
    fn a_log_that_is_full_is_renamed_as_it_is_planned_now() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let key = KeyPath::of(["relay", "front"]);
        let file = LogFile { keep: 0, ..LogFile::at(path.clone()) };
        let (tap, mut logs) = (Tap::new(8192), FlowLogs::default());
        logs.watch(&file, &tap, &key).unwrap();
        logs.keep(std::iter::once(LogFile { size_max: Size(64 << 10), keep: 1, ..file }));
        for _ in 0..1000 {
            tap.open(ends, UNIX_EPOCH).close(ending(1));
        }
        logs.shutdown(soon());
        let size = |path: &Path| fs::metadata(path).unwrap().len();
        assert!((1..=64 << 10).contains(&size(&path)));
        assert!((32 << 10..=64 << 10).contains(&size(&path.with_extension("1"))));
    }

    #[test]
    fn a_log_is_forgotten_once_nobody_writes_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let (tap, mut logs) = (Tap::new(8), FlowLogs::default());
        let file = LogFile::at(folder.path().join("log"));
        logs.watch(&file, &tap, &KeyPath::of(["relay", "front"])).unwrap();
        logs.keep(std::iter::empty());
        assert_eq!(logs.open.len(), 1);
        let log = logs.open.values().next().unwrap();
        drop(tap);
        // Its thread ends by itself.
        let heard = log.writers.lock().unwrap()[0].heard.recv_timeout(Duration::from_secs(5));
        assert_eq!(heard, Err(RecvTimeoutError::Disconnected));
        logs.keep(std::iter::empty());
        assert_eq!(logs.open.len(), 0);
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
