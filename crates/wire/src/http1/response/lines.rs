//! The lines of a head or of trailers, out of a buffer that grows.

use std::ops::Range;

use crate::http1::{HeadLimits, head::split_field, refusal::Refusal};
use crate::list::trim;

/// Where a field stands in the buffer that it was read from.
///
/// Names are tokens; values are of visible bytes, those above ASCII, spaces and tabs, with no space
/// or tab around them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    // In 32 bits each, as the limits are.
    name_at: u32,
    name_len: u32,
    value_at: u32,
    value_len: u32,
}

/// A line without its end, and where it starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) at: usize,
    pub(super) bytes: &'a [u8],
}

/// A field's name and trimmed value, and where they stand.
#[derive(Clone, Copy, Debug)]
pub(super) struct Field<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    pub(super) span: Span,
}

/// Takes lines off the start of a buffer, which is the same at each call but for what came since.
///
/// *Cost*: linear in all that came, however many calls it took.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lines {
    limits: HeadLimits,
    /// How much was taken: where the line under way starts.
    taken: usize,
    /// How many bytes of that line were found to hold no LF.
    searched: usize,
    fields: u32,
}

impl Span {
    /// The name, in the sender's case.
    pub fn name(&self) -> Range<usize> {
        range(self.name_at, self.name_len)
    }

    /// The value, perhaps empty.
    pub fn value(&self) -> Range<usize> {
        range(self.value_at, self.value_len)
    }
}

fn range(at: u32, len: u32) -> Range<usize> {
    let at = usize::try_from(at).expect("a place in memory");
    at..at + usize::try_from(len).expect("a length in memory")
}

impl Lines {
    pub(super) fn new(limits: HeadLimits) -> Self {
        Self { limits, taken: 0, searched: 0, fields: 0 }
    }

    pub(super) fn taken(&self) -> usize {
        self.taken
    }

    pub(super) fn limits(&self) -> HeadLimits {
        self.limits
    }

    /// Takes the next line, or nothing if its end has not come.
    pub(super) fn next<'a>(&mut self, buffer: &'a [u8]) -> Result<Option<Line<'a>>, Refusal> {
        let (room, beyond) = self.room();
        let rest = buffer.get(self.taken..).unwrap_or_default();
        let window = &rest[..rest.len().min(room)];
        let unsearched = window.get(self.searched..).unwrap_or_default();
        let Some(newline) = memchr::memchr(b'\n', unsearched) else {
            self.searched = window.len();
            return if window.len() < room { Ok(None) } else { Err(beyond) };
        };
        let ended = &window[..=self.searched + newline];
        let bytes = ended.strip_suffix(b"\r\n").ok_or(Refusal::BareLf)?;
        let line = Line { at: self.taken, bytes };
        self.taken += ended.len();
        self.searched = 0;
        Ok(Some(line))
    }

    /// How long the line under way may become, its end included, and what to say if it is longer.
    fn room(&self) -> (usize, Refusal) {
        let HeadLimits { head_bytes_max, line_bytes_max, .. } = self.limits;
        let in_memory = |max| usize::try_from(max).unwrap_or(usize::MAX);
        let (line_max, left) =
            (in_memory(line_bytes_max), in_memory(head_bytes_max).saturating_sub(self.taken));
        if line_max <= left {
            (line_max, Refusal::LineTooLong { max: line_bytes_max })
        } else {
            (left, Refusal::HeadTooLarge { max: head_bytes_max })
        }
    }

    /// Reads `line` as a field.
    pub(super) fn field<'a>(&mut self, line: Line<'a>) -> Result<Field<'a>, Refusal> {
        if self.fields >= self.limits.fields_max {
            return Err(Refusal::TooManyFields { max: self.limits.fields_max });
        }
        self.fields += 1;
        let (name, untrimmed) = split_field(line.bytes)?;
        let value = trim(untrimmed);
        let before = untrimmed.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
        // All of it is within `head_bytes_max`.
        let place = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        let span = Span {
            name_at: place(line.at),
            name_len: place(name.len()),
            // Of an empty value with spaces around it, the end.
            value_at: place(line.at + name.len() + 1 + before),
            value_len: place(value.len()),
        };
        Ok(Field { name, value, span })
    }
}
