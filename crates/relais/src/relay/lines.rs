//! A file of lines that a reload may make another size.

use std::{
    io,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use relais_http::line_log::{self, Closed, LineLog, Sink};
use tracing::warn;

use crate::proxy::LogFile;

/// A file of lines, or another one with the same name.
#[derive(Debug)]
pub(super) struct Lines(Mutex<(LogFile, LineLog)>);

impl Lines {
    /// Opens `file`.
    pub(super) fn open(file: &LogFile) -> io::Result<Self> {
        Ok(Self(Mutex::new((file.clone(), start(file)?))))
    }

    /// Notes the line that `print` appends, with its end.
    pub(super) fn note(&self, print: impl FnOnce(&mut Vec<u8>)) {
        self.now().1.note(print);
    }

    /// Has the file opened anew, for one that was moved away.
    pub(super) fn reopen(&self) {
        self.now().1.reopen();
    }

    /// Waits until all is written, but not longer than `patience`. Blocks.
    pub(super) fn shutdown(&self, patience: Duration) -> Closed {
        self.now().1.shutdown(patience)
    }

    /// Ends what is written as it was until now, and goes on as `file` says. Blocks.
    pub(super) fn become_as(&self, file: &LogFile) {
        let mut now = self.now();
        if now.0 == *file {
            return;
        }
        let log = file.path.display();
        if now.1.shutdown(CHANGE_MAX) == Closed::TimedOut {
            warn!(%log, "the log does not change its size: what is to be written takes too long");
        }
        match start(file) {
            Ok(lines) => *now = (file.clone(), lines),
            Err(error) => warn!(%log, %error, "the log ends: it cannot be opened anew"),
        }
    }

    fn now(&self) -> MutexGuard<'_, (LogFile, LineLog)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long a reload waits for what is still to be written.
const CHANGE_MAX: Duration = Duration::from_secs(1);

fn start(file: &LogFile) -> io::Result<LineLog> {
    const NAME: &str = "relay log";
    if file.path.as_os_str() == "-" {
        return LineLog::start_to(NAME, Sink::Writer(Box::new(io::stdout())));
    }
    let LogFile { path, size_max, keep } = file.clone();
    LineLog::start(NAME, line_log::LogFile { path, size_max: size_max.0, keep })
}
