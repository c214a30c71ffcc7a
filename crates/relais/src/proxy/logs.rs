//! The logs of proxies that are open. They outlive a reload, and proxies that name the same share it.

use std::{
    collections::{HashMap, HashSet},
    io,
    time::{Duration, Instant},
};

use relais_http::line_log::{Closed, LineLog, LogFile as File};
use tracing::warn;

use super::log_file::LogFile;
use crate::complaint::{KeyPath, Problem, Wrong};

/// Those that are open.
#[derive(Debug, Default)]
pub(super) struct Logs {
    open: HashMap<LogFile, LineLog>,
}

impl Logs {
    /// The log that is `planned` in the table at `key`, opened if it is not open yet.
    pub(super) fn open(&mut self, planned: &LogFile, key: &KeyPath) -> Result<LineLog, Problem> {
        if let Some(log) = self.open.get(planned) {
            return Ok(log.clone());
        }
        let LogFile { path, size_max, keep } = planned.clone();
        let file = File { path, size_max: size_max.0, keep };
        let log = LineLog::start(NAME, file).map_err(|error: io::Error| {
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

    /// Waits until all is written, but for all logs together not longer than `patience`.
    ///
    /// Blocks: to be called from outside the event loop.
    pub(super) fn shutdown(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        for (planned, log) in &self.open {
            let left = deadline.saturating_duration_since(Instant::now());
            if log.shutdown(left) == Closed::TimedOut {
                let log = planned.path.display();
                warn!(%log, "the end of the log is lost: it takes too long");
            }
        }
    }
}

/// What messages call them.
const NAME: &str = "log";
