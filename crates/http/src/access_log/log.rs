//! The handle to an access log.

use std::{io, sync::Arc, time::Duration};

use super::{entries::Entries, entry::Entry, format::Format, writer::EntryWriter};
use crate::line_log::{Closed, Out, Pen, Sink, Tally, Writing};

/// An access log that is being written. Clones write to the same.
///
/// Entries reach the sink at the latest 250 ms after they came, unless it is slow. When the last
/// clone is gone, what is left is still written, and nobody waits for it: see [`Self::shutdown`].
#[derive(Clone, Debug)]
pub struct AccessLog {
    writing: Arc<Writing<Entries>>,
}

impl AccessLog {
    /// Opens `sink` and starts a thread that writes to it.
    ///
    /// # Errors
    ///
    /// What the system says of the file, or of one more thread.
    pub fn start(sink: Sink, format: Format) -> io::Result<Self> {
        let tally = Arc::<Tally>::default();
        let pen = Pen::new("access log", Out::open(sink)?, Arc::clone(&tally));
        let writing = Writing::start(EntryWriter::new(pen, format), tally)?;
        Ok(Self { writing: Arc::new(writing) })
    }

    /// Has the file opened anew, for one that was moved away (SIGHUP after logrotate). Soon, not
    /// when this returns.
    pub fn reopen(&self) {
        self.writing.reopen();
    }

    /// What has become of entries.
    pub fn tally(&self) -> &Tally {
        self.writing.tally()
    }

    /// Ends the log: waits until all is written, but not longer than `patience`. Entries that come
    /// later are dropped.
    ///
    /// Blocks: to be called from outside the event loop.
    pub fn shutdown(&self, patience: Duration) -> Closed {
        self.writing.shutdown(patience)
    }

    /// Gives `entry` to the writer. Never waits.
    pub(super) fn push(&self, entry: Entry) {
        self.writing.push(|entries| entries.add(entry));
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::Write,
        sync::mpsc::{self, Receiver, RecvTimeoutError, Sender},
        time::UNIX_EPOCH,
    };

    use relais_net::Peer;

    use super::*;
    use crate::says::ask;

    const PATIENCE: Duration = Duration::from_secs(10);

    /// Sends on what is written, and waits for leave before each.
    struct Pipe {
        leave: Receiver<()>,
        lines: Sender<Vec<u8>>,
    }

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.leave.recv().map_err(io::Error::other)?;
            self.lines.send(bytes.to_vec()).map_err(io::Error::other)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn start() -> (AccessLog, Sender<()>, Receiver<Vec<u8>>) {
        let (leave, wait) = mpsc::channel();
        let (lines, written) = mpsc::channel();
        let sink = Sink::Writer(Box::new(Pipe { leave: wait, lines }));
        (AccessLog::start(sink, Format::Combined).unwrap(), leave, written)
    }

    fn entry() -> Entry {
        Entry::of(&ask(Peer::Local, "/", &[]), UNIX_EPOCH)
    }

    fn lines(bytes: &[u8]) -> usize {
        memchr::memchr_iter(b'\n', bytes).count()
    }

    #[test]
    fn an_entry_is_written_without_being_asked_for() {
        let (log, leave, written) = start();
        leave.send(()).unwrap();
        log.push(entry());
        assert_eq!(lines(&written.recv_timeout(PATIENCE).unwrap()), 1);
    }

    #[test]
    fn shutdown_writes_what_is_left() {
        let (log, leave, written) = start();
        leave.send(()).unwrap();
        for _ in 0..100 {
            log.push(entry());
        }
        assert_eq!(log.shutdown(PATIENCE), Closed::InTime);
        assert_eq!(lines(&written.try_recv().unwrap()), 100);
        assert_eq!(log.shutdown(PATIENCE), Closed::InTime, "a second time");
    }

    #[test]
    fn a_sink_that_stands_still_holds_up_neither_entries_nor_shutdown() {
        let (log, leave, _written) = start();
        for _ in 0..100_000 {
            log.push(entry());
        }
        assert_eq!(log.shutdown(Duration::from_millis(1)), Closed::TimedOut);
        drop(leave);
        assert_eq!(log.shutdown(PATIENCE), Closed::InTime);
        let Tally { written, dropped, lost } = log.tally();
        let [written, dropped, lost] =
            [written, dropped, lost].map(|count| count.load(std::sync::atomic::Ordering::Relaxed));
        assert_eq!((written, dropped + lost), (0, 100_000));
        assert!(dropped > 0, "{dropped}");
    }

    #[test]
    fn the_last_handle_takes_the_thread_along() {
        let (log, leave, written) = start();
        leave.send(()).unwrap();
        log.push(entry());
        drop(log);
        assert_eq!(lines(&written.recv_timeout(PATIENCE).unwrap()), 1);
        assert_eq!(written.recv_timeout(PATIENCE), Err(RecvTimeoutError::Disconnected));
    }

    #[test]
    fn a_file_in_a_folder_that_is_not_there_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let sink = Sink::File(dir.path().join("none/log"));
        let error = AccessLog::start(sink, Format::Json).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
