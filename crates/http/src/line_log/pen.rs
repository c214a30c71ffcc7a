//! Writes lines to where they go, and says what is lost.

use std::{
    fmt, io,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use tracing::{error, info, warn};

use super::sink::{Out, Stopped};

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

/// Writes the lines of one log.
pub(crate) struct Pen {
    /// Which log, for messages: `access log`.
    log: &'static str,
    out: Out,
    /// How many entries were lost since writing began to fail; `None` while it does not.
    failing: Option<u64>,
    /// Whether it was said that the file cannot be opened again, or that there is no new one.
    stuck: bool,
    /// How many entries were dropped since that was said last.
    dropped: u64,
    tally: Arc<Tally>,
}

impl Pen {
    pub(crate) fn new(log: &'static str, out: Out, tally: Arc<Tally>) -> Self {
        Self { log, out, failing: None, stuck: false, dropped: 0, tally }
    }

    /// Has the file opened anew where that was asked for, or where it was moved away.
    pub(crate) fn follow(&mut self, reopen: bool) {
        if reopen || self.out.is_gone() {
            let (opened, log) = (self.out.reopen(), self.log);
            let so = format_args!("cannot open the {log} again; writing to the old file");
            self.tell_stuck(&opened, so);
        }
    }

    /// Counts entries that found no room.
    pub(crate) fn drop_entries(&mut self, dropped: u64) {
        self.dropped += dropped;
        self.tally.dropped.fetch_add(dropped, Ordering::Relaxed);
    }

    /// Writes `count` whole lines. Gives how many of them were lost.
    pub(crate) fn write(&mut self, lines: &[u8], count: u64) -> u64 {
        let lost = self.put(lines);
        if lost == 0 && count > 0 {
            self.recover();
        }
        if let Some(before) = &mut self.failing {
            *before += lost;
        }
        self.tally.written.fetch_add(count - lost, Ordering::Relaxed);
        self.tally.lost.fetch_add(lost, Ordering::Relaxed);
        lost
    }

    /// Writes a line that is no entry. Gives whether it was written.
    pub(crate) fn remark(&mut self, line: &[u8]) -> bool {
        self.put(line) == 0
    }

    /// Whether entries that were dropped are not told of yet.
    pub(crate) fn has_dropped(&self) -> bool {
        self.dropped > 0
    }

    /// Says how many entries were dropped, if any.
    pub(crate) fn tell_dropped(&mut self) {
        let dropped = std::mem::take(&mut self.dropped);
        if dropped > 0 {
            warn!(dropped, "{} entries dropped: more came than could be written", self.log);
        }
    }

    /// Gives how many lines were not written.
    fn put(&mut self, lines: &[u8]) -> u64 {
        let mut rest = lines;
        while !rest.is_empty() {
            let (now, later) = rest.split_at(self.out.fitting(rest));
            if now.is_empty() {
                let (begun, log) = (self.out.rotate(), self.log);
                let so = format_args!("cannot begin a new {log}; writing on to the old one");
                self.tell_stuck(&begun, so);
                continue;
            }
            if let Err(Stopped { written, error }) = self.out.write(now) {
                self.fail(&error);
                return memchr::memchr_iter(b'\n', &rest[written..]).count() as u64;
            }
            rest = later;
        }
        0
    }

    /// Loud once; then silent until it passes.
    fn fail(&mut self, error: &io::Error) {
        if self.failing.is_none() {
            error!(%error, "cannot write the {}; dropping entries until it passes", self.log);
            self.failing = Some(0);
        }
    }

    fn recover(&mut self) {
        if let Some(lost) = self.failing.take() {
            info!(lost, "writing the {} again", self.log);
        }
    }

    /// Loud once; then silent until it was done.
    fn tell_stuck(&mut self, done: &io::Result<()>, so: fmt::Arguments<'_>) {
        if let Err(error) = done
            && !self.stuck
        {
            error!(%error, "{so}");
        }
        self.stuck = done.is_err();
    }
}
