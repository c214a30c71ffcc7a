//! Formats entries and writes them, and says what is lost.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{error, info, warn};

use super::{
    format::Format,
    queue::Batch,
    sink::{Out, Stopped},
};

/// So many bytes are written at once.
const BUFFER_BYTES: usize = 64 << 10;

/// What has become of entries, each a count since the start.
#[derive(Debug, Default)]
pub struct Tally {
    /// Written.
    pub written: AtomicU64,
    /// Dropped because too many waited to be written.
    pub dropped: AtomicU64,
    /// Lost because they could not be written.
    pub lost: AtomicU64,
}

/// The one who writes.
pub(super) struct Writer {
    out: Out,
    format: Format,
    /// Whole lines that are not written yet.
    lines: Vec<u8>,
    /// How many `lines` there are.
    count: u64,
    /// How many entries were lost since writing began to fail; `None` while it does not.
    failing: Option<u64>,
    /// Whether it was said that the file cannot be opened again.
    stuck: bool,
    /// How many entries were dropped since that was said last.
    dropped: u64,
    tally: Arc<Tally>,
}

impl Writer {
    pub(super) fn new(out: Out, format: Format, tally: Arc<Tally>) -> Self {
        let lines = Vec::with_capacity(BUFFER_BYTES);
        Self { out, format, lines, count: 0, failing: None, stuck: false, dropped: 0, tally }
    }

    /// Writes all of `batch`.
    pub(super) fn write(&mut self, batch: &Batch) {
        let Batch { entries, dropped, reopen, closed: _ } = batch;
        self.dropped += dropped;
        self.tally.dropped.fetch_add(*dropped, Ordering::Relaxed);
        if *reopen || self.out.is_gone() {
            self.reopen();
        }
        for entry in entries {
            self.format.print(entry, &mut self.lines);
            self.count += 1;
            if self.lines.len() >= BUFFER_BYTES {
                self.spill();
            }
        }
        self.spill();
    }

    /// Says how many entries were dropped, if any.
    pub(super) fn tell_dropped(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            warn!(dropped, "access log entries dropped: more came than could be written");
        }
    }

    fn reopen(&mut self) {
        match self.out.reopen() {
            Ok(()) => self.stuck = false,
            Err(error) if !self.stuck => {
                error!(%error, "cannot open the access log again; writing to the old file");
                self.stuck = true;
            }
            Err(_) => (),
        }
    }

    fn spill(&mut self) {
        let lost = match self.out.write(&self.lines) {
            Ok(()) => 0,
            Err(Stopped { written, error }) => {
                let lost = memchr::memchr_iter(b'\n', &self.lines[written..]).count();
                self.fail(lost as u64, &error);
                lost as u64
            }
        };
        if lost == 0 && self.count > 0 {
            self.recover();
        }
        self.tally.written.fetch_add(self.count - lost, Ordering::Relaxed);
        self.lines.clear();
        self.count = 0;
    }

    /// Loud once; then silent until it passes.
    fn fail(&mut self, lost: u64, error: &io::Error) {
        if self.failing.is_none() {
            error!(%error, "cannot write the access log; dropping entries until it passes");
        }
        *self.failing.get_or_insert(0) += lost;
        self.tally.lost.fetch_add(lost, Ordering::Relaxed);
    }

    fn recover(&mut self) {
        if let Some(lost) = self.failing.take() {
            info!(lost, "writing the access log again");
        }
    }
}

#[cfg(test)]
mod tests;
