//! What a client says, line by line. Holds no memory where nothing is half said.

use std::{
    cell::RefCell,
    fmt, io,
    task::{Context, Poll, ready},
};

use tokio::io::ReadBuf;

use crate::wire::Wire;

/// What a client said that was not heard yet.
///
/// `taken <= pending.len()`.
pub(crate) struct Lines {
    pending: Vec<u8>,
    taken: usize,
    /// How far there is no line end for certain.
    searched: usize,
    bytes_max: usize,
    /// What comes belongs to a line that was too long.
    skips: bool,
}

/// A line, without its end.
#[derive(PartialEq, Eq)]
pub(super) enum Line {
    Whole(Vec<u8>),
    /// It was longer than it may be, and dropped.
    TooLong,
}

impl Line {
    /// How long it is; of what was dropped, longer than any.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Whole(line) => line.len() + 1,
            Self::TooLong => usize::MAX,
        }
    }
}

/// Without what is said: there may be a password in it.
impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bytes = self.pending.len() - self.taken;
        f.debug_struct("Lines").field("bytes", &bytes).finish_non_exhaustive()
    }
}

/// The same.
impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(line) => write!(f, "Whole({} bytes)", line.len()),
            Self::TooLong => f.write_str("TooLong"),
        }
    }
}

/// How much is read at once.
const READ_BYTES: usize = 16 << 10;

thread_local! {
    /// Clients of one core read into the same memory, one after the other.
    static ROOM: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_BYTES].into());
}

impl Lines {
    pub(super) fn new(bytes_max: usize) -> Self {
        Self { pending: Vec::new(), taken: 0, searched: 0, bytes_max, skips: false }
    }

    /// Reads what is there. Gives how many bytes; none at the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        wire: &Wire,
    ) -> Poll<io::Result<usize>> {
        ROOM.with_borrow_mut(|room| {
            let mut room = ReadBuf::new(room);
            ready!(wire.poll_read(cx, &mut room))?;
            self.push(room.filled());
            Poll::Ready(Ok(room.filled().len()))
        })
    }

    fn push(&mut self, read: &[u8]) {
        self.pending.drain(..self.taken);
        self.searched -= self.taken;
        self.taken = 0;
        self.pending.extend_from_slice(read);
    }

    /// What the first byte is that was not heard.
    pub(super) fn first_byte(&self) -> Option<u8> {
        self.pending[self.taken..].first().copied()
    }

    /// The next line, if its end has come, or if it is too long.
    pub(super) fn next(&mut self) -> Option<Line> {
        let from = self.searched.max(self.taken);
        let Some(end) = self.pending[from..].iter().position(|byte| *byte == b'\n') else {
            self.searched = self.pending.len();
            return self.unended();
        };
        let (start, end) = (self.taken, from + end);
        self.taken = end + 1;
        self.searched = self.taken;
        if std::mem::take(&mut self.skips) {
            return self.next();
        }
        let line = &self.pending[start..end];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        let line =
            if line.len() > self.bytes_max { Line::TooLong } else { Line::Whole(line.to_vec()) };
        self.let_go();
        Some(line)
    }

    /// What has no end yet: dropped, once it is too long.
    fn unended(&mut self) -> Option<Line> {
        if self.pending.len() - self.taken <= self.bytes_max && !self.skips {
            self.let_go();
            return None;
        }
        (self.pending, self.taken, self.searched) = (Vec::new(), 0, 0);
        (!std::mem::replace(&mut self.skips, true)).then_some(Line::TooLong)
    }

    /// Gives memory back where nothing is left in it.
    fn let_go(&mut self) {
        if self.taken == self.pending.len() {
            (self.pending, self.taken, self.searched) = (Vec::new(), 0, 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(parts: &[&str], bytes_max: usize) -> Vec<Option<String>> {
        let (mut lines, mut heard) = (Lines::new(bytes_max), Vec::new());
        for part in parts {
            lines.push(part.as_bytes());
            while let Some(line) = lines.next() {
                heard.push(match line {
                    Line::Whole(line) => Some(String::from_utf8(line).unwrap()),
                    Line::TooLong => None,
                });
            }
        }
        heard
    }

    #[track_caller]
    fn check(parts: &[&str], expect: &[Option<&str>]) {
        let expect: Vec<_> = expect.iter().map(|line| line.map(str::to_owned)).collect();
        assert_eq!(lines(parts, 8), expect, "{parts:?}");
    }

    #[test]
    fn lines_are_whole_however_they_come() {
        check(&["a\nb\r\n\nc"], &[Some("a"), Some("b"), Some("")]);
        check(&["a", "b", "\r", "\nc\n"], &[Some("ab"), Some("c")]);
        check(&["12345678\n"], &[Some("12345678")]);
    }

    #[test]
    fn of_a_line_that_is_too_long_nothing_is_heard_but_that() {
        check(&["123456789\nb\n"], &[None, Some("b")]);
        check(&["1234", "56789", "0000000000", "00\nb\n"], &[None, Some("b")]);
        check(&["123456789", "\n", "b\n"], &[None, Some("b")]);
    }

    #[test]
    fn what_is_said_is_not_shown_when_it_is_debugged() {
        let mut lines = Lines::new(100);
        lines.push(b"secret\nsecret");
        let shown = format!("{:?} {lines:?}", lines.next().unwrap());
        assert_eq!(shown, "Whole(6 bytes) Lines { bytes: 6, .. }");
    }

    #[test]
    fn what_is_heard_holds_no_memory() {
        let mut lines = Lines::new(100);
        lines.push(b"hello\n");
        lines.next();
        assert_eq!(lines.pending.capacity(), 0);
    }
}
