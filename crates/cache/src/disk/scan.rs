//! The records of a segment, one after the other.

use std::{io, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;

use super::{
    record::{self, ALIGN, Front, HEADER_BYTES, Place},
    secret::Secret,
    segment::Segment,
};

/// Reads the fronts of a segment's records in their order. What cannot be read is stepped over: the
/// next that is a record is found by its mark and its sum.
#[derive(Debug)]
pub(super) struct Scan<'a> {
    segment: Arc<Segment>,
    secret: &'a Secret,
    at: u64,
    end: u64,
    /// Behind the last whole record.
    whole_end: u64,
    /// How many stretches could not be read.
    gaps: u64,
    in_gap: bool,
    /// Whether the last record was a long one: then so is the next, mostly.
    is_far: bool,
    window: Bytes,
    window_at: u64,
}

/// How much is read at a time, where records are short.
const WINDOW_BYTES: u64 = 128 << 10;
/// The same where the next front is further away than that is worth.
const FRONT_BYTES: u64 = 4 << 10;
const FAR: u64 = 16 << 10;

impl<'a> Scan<'a> {
    /// Scans from `offset` on to the end.
    pub(super) fn new(segment: Arc<Segment>, offset: u64, secret: &'a Secret) -> Self {
        let end = segment.end();
        Self {
            segment,
            secret,
            at: offset.next_multiple_of(ALIGN),
            end,
            whole_end: offset,
            gaps: 0,
            in_gap: false,
            is_far: false,
            window: Bytes::new(),
            window_at: 0,
        }
    }

    /// Behind the last whole record that was read.
    pub(super) fn whole_end(&self) -> u64 {
        self.whole_end
    }

    /// How many stretches could not be read so far.
    pub(super) fn gaps(&self) -> u64 {
        self.gaps + u64::from(self.in_gap)
    }

    /// The next record's place and front.
    ///
    /// # Errors
    ///
    /// What the system says of reading; the scan is over then.
    pub(super) fn next(&mut self) -> io::Result<Option<(Place, Front)>> {
        while self.at + HEADER_BYTES as u64 <= self.end {
            if let Some(front) = self.front()? {
                let place = Place::new(self.segment.id, self.at);
                self.at += front.record_len();
                self.is_far = front.record_len() > FAR;
                self.whole_end = self.at;
                self.gaps += u64::from(std::mem::take(&mut self.in_gap));
                return Ok(Some((place, front)));
            }
            (self.in_gap, self.is_far) = (true, false);
            self.at += ALIGN;
        }
        self.in_gap |= self.at < self.end;
        self.at = self.end;
        Ok(None)
    }

    /// The front that stands here, if its record is whole as far as lengths tell.
    fn front(&mut self) -> io::Result<Option<Front>> {
        let Some(header) = self.bytes(HEADER_BYTES)? else { return Ok(None) };
        let Some((front_len, record_len)) = record::lens(&header) else { return Ok(None) };
        if self.at.checked_add(record_len).is_none_or(|end| end > self.end) {
            return Ok(None);
        }
        let Some(bytes) = self.bytes(front_len)? else { return Ok(None) };
        Ok(record::parse(&bytes, Place::new(self.segment.id, self.at), self.secret))
    }

    /// `len` bytes from here on, if there are so many.
    fn bytes(&mut self, len: usize) -> io::Result<Option<Bytes>> {
        let start = self.at.checked_sub(self.window_at).and_then(|at| usize::try_from(at).ok());
        if let Some(start) = start.filter(|start| start + len <= self.window.len()) {
            return Ok(Some(self.window.slice(start..start + len)));
        }
        self.fill(len)?;
        Ok((len <= self.window.len()).then(|| self.window.slice(..len)))
    }

    /// Reads a window of at least `len` bytes from here on.
    fn fill(&mut self, len: usize) -> io::Result<()> {
        let usual = if self.is_far { FRONT_BYTES } else { WINDOW_BYTES };
        let len = usual.max(len as u64).min(self.end - self.at);
        let len = usize::try_from(len).expect("a window");
        let (mut bytes, mut filled) = (vec![0; len], 0);
        while filled < len {
            match self.segment.file.read_at(&mut bytes[filled..], self.at + filled as u64) {
                Ok(0) => break,
                Ok(count) => filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        if filled < len {
            // Somebody has cut it.
            self.end = self.at + filled as u64;
        }
        bytes.truncate(filled);
        (self.window, self.window_at) = (bytes.into(), self.at);
        Ok(())
    }
}
