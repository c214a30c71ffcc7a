//! A stream of bytes cut into lines, as messages. No sockets: bytes go in, messages come out.

use std::time::Duration;

/// How long to wait for the end of a line that has begun, of a peer that never ended one: then it
/// counts as a message without one. Programs that send no line ends are answered, too.
///
/// Longer than TCP waits until it sends again what was lost: at least 200 ms, so that a line in two
/// segments stays one.
pub(crate) const SILENCE: Duration = Duration::from_millis(300);

/// What a peer said at once: a line, a datagram, a message of a WebSocket. Without its line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Message<'a> {
    pub(crate) bytes: &'a [u8],
    /// How it ended; the answer ends likewise.
    pub(crate) end: LineEnd,
    /// Whether it is all that was said.
    pub(crate) extent: Extent,
}

/// What stands behind a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// Nothing.
    None,
    /// A line feed.
    Lf,
    /// A carriage return and a line feed, as HTTP, SMTP and others have it.
    Crlf,
}

/// How much of a message there is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Extent {
    Whole,
    /// It was longer than it may be: this is its begin, and the rest was dropped.
    Cut,
}

/// Cuts a stream into lines of at most `bytes_max`.
///
/// `taken <= pending.len()`, and so is `searched`. What was pushed is taken before more is pushed, unless
/// there is room, so that `pending` never holds more than a line and what was pushed last.
#[derive(Debug)]
pub(crate) struct Lines {
    pending: Vec<u8>,
    taken: usize,
    /// Up to there no line ends: what comes byte by byte is not searched again and again.
    searched: usize,
    bytes_max: usize,
    state: State,
    /// Whether the peer ever ended a line.
    has_ended: bool,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// The begin of a line, or more of it.
    Line,
    /// What is too much of a line: dropped.
    Skip,
    /// As `Line`; but a line end that comes first belongs to what was taken for whole without it.
    AfterRest,
}

impl<'a> Message<'a> {
    /// The whole message that `bytes` are, with no line end but what is in them.
    pub(crate) fn unended(bytes: &'a [u8]) -> Self {
        Self { bytes, end: LineEnd::None, extent: Extent::Whole }
    }

    /// The whole message that `bytes` are, whose line end is told apart.
    pub(crate) fn of(bytes: &'a [u8]) -> Self {
        let (bytes, end) = match bytes {
            [line @ .., b'\r', b'\n'] => (line, LineEnd::Crlf),
            [line @ .., b'\n'] => (line, LineEnd::Lf),
            line => (line, LineEnd::None),
        };
        Self { bytes, end, extent: Extent::Whole }
    }
}

impl LineEnd {
    /// Its bytes.
    pub fn bytes(self) -> &'static [u8] {
        match self {
            Self::None => b"",
            Self::Lf => b"\n",
            Self::Crlf => b"\r\n",
        }
    }
}

impl Lines {
    pub(crate) fn new(bytes_max: usize) -> Self {
        let (pending, state) = (Vec::new(), State::Line);
        Self { pending, taken: 0, searched: 0, bytes_max, state, has_ended: false }
    }

    /// Adds what was read.
    pub(crate) fn push(&mut self, mut read: &[u8]) {
        self.has_ended = self.has_ended || memchr::memchr(b'\n', read).is_some();
        if self.state == State::Skip {
            let Some(end) = memchr::memchr(b'\n', read) else { return };
            read = &read[end + 1..];
            self.state = State::Line;
        }
        if self.state == State::AfterRest && !read.is_empty() {
            self.state = State::Line;
            read = read.strip_prefix(b"\r\n").or(read.strip_prefix(b"\n")).unwrap_or(read);
        }
        self.pending.drain(..self.taken);
        self.searched = self.searched.saturating_sub(self.taken);
        self.taken = 0;
        self.pending.extend_from_slice(read);
    }

    /// The next line, if its end has come, or if it is too long.
    pub(crate) fn next(&mut self) -> Option<Message<'_>> {
        let start = self.taken;
        let rest = &self.pending[start..];
        let window = &rest[..rest.len().min(self.bytes_max + END_BYTES_MAX)];
        let searched = self.searched.saturating_sub(start);
        if let Some(end) = memchr::memchr(b'\n', &window[searched..]) {
            let end = searched + end;
            self.taken += end + 1;
            let line = Message::of(&self.pending[start..=start + end]);
            // Of a line end of two bytes the first may be what is too much.
            return Some(self.bounded(line));
        }
        if rest.len() < self.bytes_max + END_BYTES_MAX {
            self.searched = self.pending.len();
            return None;
        }
        let cut = start..start + self.bytes_max;
        if let Some(end) = memchr::memchr(b'\n', rest) {
            self.taken += end + 1;
        } else {
            self.taken = self.pending.len();
            self.state = State::Skip;
        }
        let bytes = &self.pending[cut];
        Some(Message { bytes, end: LineEnd::Lf, extent: Extent::Cut })
    }

    fn bounded<'a>(&self, line: Message<'a>) -> Message<'a> {
        match line.bytes.get(..self.bytes_max) {
            Some(bytes) if bytes.len() < line.bytes.len() => {
                Message { bytes, extent: Extent::Cut, ..line }
            }
            _ => line,
        }
    }

    /// Whether something came that is no line yet.
    pub(crate) fn has_rest(&self) -> bool {
        self.taken < self.pending.len()
    }

    /// Whether what is no line yet is a message, if nothing follows it for a while: a peer that ends
    /// its lines will end this one, too.
    pub(crate) fn may_be_whole(&self) -> bool {
        self.has_rest() && !self.has_ended
    }

    /// Whether more may be pushed before what is there is taken.
    pub(crate) fn has_room(&self) -> bool {
        self.pending.len() - self.taken < self.bytes_max
    }

    /// What came and is no line, as a message: nothing more will come, or has come for a while.
    pub(crate) fn rest(&mut self) -> Option<Message<'_>> {
        if !self.has_rest() {
            return None;
        }
        let start = self.taken;
        self.taken = self.pending.len();
        self.state = State::AfterRest;
        let message = Message::of(&self.pending[start..]);
        let bytes = message.bytes.strip_suffix(b"\r").unwrap_or(message.bytes);
        Some(self.bounded(Message { bytes, ..message }))
    }

    /// Gives memory back while nothing is held: most callers say nothing most of the time.
    pub(crate) fn shrink(&mut self) {
        if !self.has_rest() {
            self.pending = Vec::new();
            (self.taken, self.searched) = (0, 0);
        }
    }
}

/// How long a line end is at most.
const END_BYTES_MAX: usize = 2;

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines of what comes in these parts, of at most 8 bytes, and at last the rest.
    fn lines(parts: &[&str]) -> Vec<(String, LineEnd, Extent)> {
        let mut lines = Lines::new(8);
        let mut found = Vec::new();
        let own = |Message { bytes, end, extent }: Message<'_>| {
            (String::from_utf8_lossy(bytes).into_owned(), end, extent)
        };
        for part in parts {
            lines.push(part.as_bytes());
            while let Some(line) = lines.next() {
                found.push(own(line));
            }
            assert!(lines.pending.len() <= 8 + END_BYTES_MAX + part.len());
        }
        found.extend(lines.rest().map(own));
        found
    }

    #[track_caller]
    fn check(parts: &[&str], expect: &[(&str, LineEnd, Extent)]) {
        let expect: Vec<_> =
            expect.iter().map(|(text, end, extent)| ((*text).to_owned(), *end, *extent)).collect();
        assert_eq!(lines(parts), expect);
        // However it comes.
        let whole = parts.concat();
        let bytes: Vec<_> = whole.split("").filter(|part| !part.is_empty()).collect();
        assert_eq!(lines(&bytes), expect, "byte for byte");
    }

    use Extent::{Cut, Whole};
    use LineEnd::{Crlf, Lf, None as NoEnd};

    #[test]
    fn a_stream_is_cut_into_lines() {
        check(
            &["a\nb\r\n\nc"],
            &[("a", Lf, Whole), ("b", Crlf, Whole), ("", Lf, Whole), ("c", NoEnd, Whole)],
        );
        check(&["a", "b\r", "\nc"], &[("ab", Crlf, Whole), ("c", NoEnd, Whole)]);
        check(&["a\rb\n"], &[("a\rb", Lf, Whole)]);
        check(&["12345678\n12345678\r\n"], &[("12345678", Lf, Whole), ("12345678", Crlf, Whole)]);
        check(&[], &[]);
        check(&["a\r"], &[("a", NoEnd, Whole)]);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_what_follows_is_not() {
        check(&["123456789\nnext\n"], &[("12345678", Lf, Cut), ("next", Lf, Whole)]);
        check(&["1234567890123\nnext\n"], &[("12345678", Lf, Cut), ("next", Lf, Whole)]);
        check(&["1234567890123"], &[("12345678", Lf, Cut)]);
        check(&["a\n123456789"], &[("a", Lf, Whole), ("12345678", NoEnd, Cut)]);
        check(&["1234567890", "123", "45\nnext"], &[("12345678", Lf, Cut), ("next", NoEnd, Whole)]);
    }

    #[test]
    fn a_line_without_an_end_takes_no_more_memory_than_one_that_is_too_long() {
        let mut lines = Lines::new(1 << 10);
        let (mut cut, part) = (0, [b'x'; 4 << 10]);
        for _ in 0..1_000 {
            lines.push(&part);
            while lines.next().is_some() {
                cut += 1;
            }
            assert!(lines.pending.capacity() <= 16 << 10);
        }
        assert_eq!(cut, 1);
    }

    #[test]
    fn who_ends_lines_ends_the_next_one_too() {
        let mut lines = Lines::new(8);
        lines.push(b"hel");
        assert!(lines.may_be_whole() && lines.has_room());
        lines.push(b"lo\nand");
        assert!(!lines.has_room());
        while lines.next().is_some() {}
        assert!(lines.has_rest() && !lines.may_be_whole() && lines.has_room());
    }

    #[test]
    fn what_has_no_line_end_may_be_taken_for_a_message() {
        let mut lines = Lines::new(8);
        lines.push(b"hello");
        assert_eq!(lines.next(), None);
        assert_eq!(lines.rest().unwrap().bytes, b"hello");
        // Its line end, late.
        lines.push(b"\nnext\n");
        assert_eq!(lines.next().unwrap().bytes, b"next");
        assert!(!lines.has_rest() && lines.rest().is_none());
        lines.shrink();
        lines.push(b"more\n");
        assert_eq!(lines.next().unwrap().bytes, b"more");
    }
}
