//! The logs of proxies that are open. They outlive a reload, and proxies that name the same share it.

use std::{
    collections::{HashMap, HashSet},
    io,
    time::{Duration, Instant},
};

use relais_http::{
    line_log::{Closed, LineLog, LogFile as File},
    sniff::SniffLog,
};
use tracing::warn;

use super::log_file::LogFile;
use crate::complaint::{KeyPath, Problem, Wrong};

/// Those of one kind that are open.
#[derive(Clone, Debug)]
pub(super) struct Logs<L> {
    open: HashMap<LogFile, L>,
}

/// A kind of log.
pub(super) trait Log: Clone {
    /// Opens it.
    fn start(file: File) -> io::Result<Self>;

    /// Opens it anew.
    fn reopen(&self);

    /// Waits until all is written, but not longer than `patience`.
    fn shutdown(&self, patience: Duration) -> Closed;
}

impl Log for SniffLog {
    fn start(file: File) -> io::Result<Self> {
        Self::start(file)
    }

    fn reopen(&self) {
        self.reopen();
    }

    fn shutdown(&self, patience: Duration) -> Closed {
        self.shutdown(patience)
    }
}

/// Of what was blocked.
impl Log for LineLog {
    fn start(file: File) -> io::Result<Self> {
        Self::start("block log", file)
    }

    fn reopen(&self) {
        self.reopen();
    }

    fn shutdown(&self, patience: Duration) -> Closed {
        self.shutdown(patience)
    }
}

impl<L: Log> Logs<L> {
    /// None yet.
    pub(super) fn new() -> Self {
        Self { open: HashMap::new() }
    }

    /// The log that is `planned` in the table at `key`, opened if it is not open yet.
    pub(super) fn open(&mut self, planned: &LogFile, key: &KeyPath) -> Result<L, Problem> {
        if let Some(log) = self.open.get(planned) {
            return Ok(log.clone());
        }
        let LogFile { path, size_max, keep } = planned.clone();
        let log = L::start(File { path, size_max: size_max.0, keep }).map_err(|error| {
            let why = Wrong::from_error(&error).what;
            let what = format!("cannot write the log {:?}: {why}", planned.path.display());
            key.key("log").wrong(Wrong { what, expected: None, hint: None })
        })?;
        self.open.insert(planned.clone(), log.clone());
        Ok(log)
    }

    /// Opens the files of these anew, and forgets the others.
    pub(super) fn keep<'p>(&mut self, planned: impl Iterator<Item = &'p LogFile>) {
        let planned: HashSet<_> = planned.collect();
        self.open.retain(|log, _| planned.contains(log));
        for log in self.open.values() {
            log.reopen();
        }
    }

    /// Waits until all is written, but for all logs together not beyond `deadline`.
    ///
    /// Blocks: to be called from outside the event loop.
    pub(super) fn shutdown(&self, deadline: Instant) {
        for (planned, log) in &self.open {
            let left = deadline.saturating_duration_since(Instant::now());
            if log.shutdown(left) == Closed::TimedOut {
                let log = planned.path.display();
                warn!(%log, "the end of the log is lost: it takes too long");
            }
        }
    }
}
