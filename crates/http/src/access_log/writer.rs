//! Formats entries and has them written.

use super::{entries::Entries, format::Format};
use crate::line_log::{Batch, Pen, Writer};

/// So many bytes are written at once.
const BUFFER_BYTES: usize = 64 << 10;

/// The one who writes.
pub(super) struct EntryWriter {
    pen: Pen,
    format: Format,
    /// Whole lines that are not written yet.
    lines: Vec<u8>,
    /// How many `lines` there are.
    count: u64,
}

impl EntryWriter {
    pub(super) fn new(pen: Pen, format: Format) -> Self {
        Self { pen, format, lines: Vec::with_capacity(BUFFER_BYTES), count: 0 }
    }

    fn spill(&mut self) {
        self.pen.write(&self.lines, self.count);
        self.lines.clear();
        self.count = 0;
    }
}

impl Writer<Entries> for EntryWriter {
    fn write(&mut self, batch: &Batch<Entries>) {
        let Batch { load, dropped, reopen, closed: _ } = batch;
        self.pen.drop_entries(*dropped);
        self.pen.follow(*reopen);
        for entry in &load.list {
            self.format.print(entry, &mut self.lines);
            self.count += 1;
            if self.lines.len() >= BUFFER_BYTES {
                self.spill();
            }
        }
        self.spill();
    }

    fn tell_dropped(&mut self) {
        self.pen.tell_dropped();
    }
}

#[cfg(test)]
mod tests;
