//! The sniffer's log: who asked for what through the relay, and what came. A line of JSON for each
//! exchange, see [`relais_wire::exchange`].

mod note;
mod sniffed;

use std::{io, time::Duration};

use relais_wire::exchange::{Closing, Draft, Exchange};

pub use self::sniffed::Sniffed;
use crate::line_log::{Closed, LineLog, LogFile, Tally};

/// A sniffer's log that is being written. Clones write to the same. See [`LineLog`].
#[derive(Clone, Debug)]
pub struct SniffLog {
    log: LineLog,
}

impl SniffLog {
    /// Opens `file` and starts a thread that writes to it.
    ///
    /// # Errors
    ///
    /// What the system says of the file, or of one more thread.
    pub fn start(file: LogFile) -> io::Result<Self> {
        Ok(Self { log: LineLog::start("sniff log", file)? })
    }

    /// Notes `exchange`, which has ended. Never waits.
    ///
    /// *Cost*: what [`Exchange::print`] takes, and a copy under a lock that all cores share.
    pub fn note(&self, exchange: &Exchange<'_>) {
        self.log.note(|line| exchange.print(line));
    }

    /// Notes the exchange of `draft`, which has ended so. Never waits.
    fn note_closed(&self, draft: &Draft, closing: &Closing) {
        self.log.note(|line| draft.close(closing, line));
    }

    /// Has the file opened anew: see [`LineLog::reopen`].
    pub fn reopen(&self) {
        self.log.reopen();
    }

    /// What has become of exchanges.
    pub fn tally(&self) -> &Tally {
        self.log.tally()
    }

    /// Ends the log: see [`LineLog::shutdown`].
    pub fn shutdown(&self, patience: Duration) -> Closed {
        self.log.shutdown(patience)
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, time::UNIX_EPOCH};

    use super::*;

    #[test]
    fn exchanges_are_lines_that_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("sniff.jsonl");
        let log = SniffLog::start(LogFile::at(&path)).unwrap();
        let of = |url: &str| Exchange { url: url.to_owned().into(), ..Exchange::at(UNIX_EPOCH) };
        log.note(&of("http://a.org/"));
        log.clone().note(&of("http://b.org/\n"));
        assert_eq!(log.shutdown(Duration::from_secs(10)), Closed::InTime);
        let text = fs::read_to_string(path).unwrap();
        let read: Vec<_> =
            text.lines().map(|line| Exchange::read(line.as_bytes()).unwrap()).collect();
        assert_eq!(read, [of("http://a.org/"), of("http://b.org/\n")]);
    }
}
