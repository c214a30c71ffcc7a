//! The lines in what a hub says.

/// What came and was not taken yet.
///
/// `searched <= pending.len()`.
#[derive(Debug, Default)]
pub(super) struct Lines {
    pending: Vec<u8>,
    /// How far there is no line end for certain.
    searched: usize,
}

/// A line has no end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line without an end: expected at most {LINE_BYTES_MAX} bytes")]
pub(super) struct Endless;

/// The longest line: a page of the longest messages, and much more.
pub(super) const LINE_BYTES_MAX: usize = 32 << 20;

impl Lines {
    /// Adds what came.
    ///
    /// # Errors
    ///
    /// [`Endless`], if no line ends in all that waits.
    pub(super) fn add(&mut self, bytes: &[u8]) -> Result<(), Endless> {
        self.pending.extend_from_slice(bytes);
        let is_endless = self.pending.len() > LINE_BYTES_MAX && !self.pending.contains(&b'\n');
        if is_endless { Err(Endless) } else { Ok(()) }
    }

    /// Takes the next line off, without its end; `None` if it is not all there.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        let found = self.pending[self.searched..].iter().position(|&byte| byte == b'\n');
        let Some(at) = found else {
            self.searched = self.pending.len();
            return None;
        };
        let rest = self.pending.split_off(self.searched + at + 1);
        let mut line = std::mem::replace(&mut self.pending, rest);
        self.searched = 0;
        line.pop();
        line.pop_if(|last| *last == b'\r');
        Some(line)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_however_they_come() {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for piece in ["a\r\nb", "c", "\n\nd"] {
            lines.add(piece.as_bytes()).unwrap();
            found.extend(std::iter::from_fn(|| lines.next()));
        }
        assert_eq!(found, [b"a".to_vec(), b"bc".to_vec(), b"".to_vec()]);
    }

    #[test]
    fn a_line_without_an_end_is_refused() {
        let mut lines = Lines::default();
        lines.add(&vec![b'a'; LINE_BYTES_MAX]).unwrap();
        assert_eq!(lines.next(), None);
        assert_eq!(lines.add(b"a"), Err(Endless));
    }
}
