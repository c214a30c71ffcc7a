//! A log whose lines are printed by those who note them.

use std::{
    cell::Cell,
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use relais_wire::exchange::Dropped;

use super::{
    pen::{Pen, Tally},
    queue::{Batch, Full, Load},
    rotation::LogFile,
    sink::{Out, Sink},
    writing::{Closed, Writer, Writing},
};
use crate::clock::{coarse_now, coarse_time};

/// How many bytes of lines wait at most.
const BYTES_MAX: usize = 1 << 20;

/// How long it is between two warnings of dropped lines, in milliseconds.
const WARNING_MILLIS: u64 = 5_000;

/// A log that is being written. Clones write to the same.
///
/// Lines reach the file at the latest 250 ms after they came, unless the disk is slow. Nobody waits
/// for it: with more than 1 MiB on their way, new ones are dropped and counted, and so are those
/// that a full disk refuses. Where lines are missing, the file has a line that says so: see
/// [`Dropped`]. When the last clone is gone, what is left is still written: see [`Self::shutdown`].
#[derive(Clone, Debug)]
pub struct LineLog {
    writing: Arc<Writing<Lines>>,
}

impl LineLog {
    /// Opens `file` and starts a thread that writes to it. A line that was torn in it, by a crash
    /// for example, is ended first. `name` is what messages call it, e.g. `sniff log`.
    ///
    /// # Errors
    ///
    /// What the system says of the file, or of one more thread.
    pub fn start(name: &'static str, file: LogFile) -> io::Result<Self> {
        Self::start_with(name, Out::open_rotated(file)?)
    }

    /// The same for a file that is never full, or no file at all.
    ///
    /// # Errors
    ///
    /// What the system says of the file, or of one more thread.
    pub fn start_to(name: &'static str, sink: Sink) -> io::Result<Self> {
        Self::start_with(name, Out::open(sink)?)
    }

    fn start_with(name: &'static str, out: Out) -> io::Result<Self> {
        let tally = Arc::<Tally>::default();
        let pen = Pen::new(name, out, Arc::clone(&tally));
        let writer = LineWriter::new(pen, coarse_time);
        Ok(Self { writing: Arc::new(Writing::start(writer, tally)?) })
    }

    /// Notes the line that `print` appends, with its end. Never waits.
    ///
    /// *Cost*: that of `print`, and a copy of the line under a lock that all cores share.
    pub fn note(&self, print: impl FnOnce(&mut Vec<u8>)) {
        thread_local! {
            /// Where lines are printed, so that the lock is not held for it.
            static SCRATCH: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
        }
        let mut line = SCRATCH.take();
        line.clear();
        print(&mut line);
        debug_assert_eq!(memchr::memchr(b'\n', &line), line.len().checked_sub(1), "one line");
        self.writing.push(|lines| lines.add(&line));
        SCRATCH.set(line);
    }

    /// Has the file opened anew, for one that was moved away (SIGHUP after logrotate). Soon, not
    /// when this returns.
    pub fn reopen(&self) {
        self.writing.reopen();
    }

    /// What has become of lines.
    pub fn tally(&self) -> &Tally {
        self.writing.tally()
    }

    /// Ends the log: waits until all is written, but not longer than `patience`. Lines that come
    /// later are dropped.
    ///
    /// Blocks: to be called from outside the event loop.
    pub fn shutdown(&self, patience: Duration) -> Closed {
        self.writing.shutdown(patience)
    }
}

/// Lines on their way to the writer.
#[derive(Debug, Default)]
struct Lines {
    /// At most `BYTES_MAX`.
    text: Vec<u8>,
    /// How many they are.
    count: u64,
}

impl Lines {
    fn add(&mut self, line: &[u8]) -> Result<(), Full> {
        if self.text.len() + line.len() > BYTES_MAX {
            return Err(Full);
        }
        self.text.extend_from_slice(line);
        self.count += 1;
        Ok(())
    }
}

impl Load for Lines {
    fn bytes(&self) -> usize {
        self.text.len()
    }

    fn is_roomy(&self) -> bool {
        self.text.len() < BYTES_MAX / 2
    }

    fn clear(&mut self) {
        self.text.clear();
        self.count = 0;
    }
}

/// Writes lines, and between them what is missing.
struct LineWriter {
    pen: Pen,
    clock: fn() -> SystemTime,
    /// How many lines are missing, and the file does not say so yet.
    missing: u64,
    /// When dropped lines were told of last, as [`coarse_now`] has it.
    told_at: Option<u64>,
    /// Whether the last batch has come.
    closed: bool,
}

impl LineWriter {
    fn new(pen: Pen, clock: fn() -> SystemTime) -> Self {
        Self { pen, clock, missing: 0, told_at: None, closed: false }
    }

    fn note_missing(&mut self) {
        if self.missing == 0 {
            return;
        }
        let mut line = Vec::new();
        Dropped { lines: self.missing, at: (self.clock)() }.print(&mut line);
        if self.pen.remark(&line) {
            self.missing = 0;
        }
    }

    /// Tells of dropped lines, but not too often.
    fn tell_dropped_at(&mut self, now: u64) {
        let told = self.told_at.filter(|_| !self.closed);
        let is_quiet = told.is_none_or(|at| now.saturating_sub(at) >= WARNING_MILLIS);
        if self.pen.has_dropped() && is_quiet {
            self.told_at = Some(now);
            self.pen.tell_dropped();
        }
    }
}

impl Writer<Lines> for LineWriter {
    fn write(&mut self, batch: &Batch<Lines>) {
        let Batch { load: Lines { text, count }, dropped, reopen, closed } = batch;
        self.closed = *closed;
        self.pen.follow(*reopen);
        self.pen.drop_entries(*dropped);
        // What a full disk refused is missing before these lines, what was dropped after them.
        self.note_missing();
        let lost = self.pen.write(text, *count);
        self.missing += lost + dropped;
        if lost == 0 {
            self.note_missing();
        }
    }

    fn tell_dropped(&mut self) {
        self.tell_dropped_at(coarse_now());
    }
}

#[cfg(test)]
mod tests;
