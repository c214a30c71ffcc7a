//! Chunks, written ([RFC 9112 §7.1]).
//!
//! [RFC 9112 §7.1]: https://www.rfc-editor.org/rfc/rfc9112#section-7.1

use std::num::NonZeroUsize;

/// What ends a chunked body that has no trailers.
pub const LAST_CHUNK: &[u8] = b"0\r\n\r\n";

/// What stands before a chunk's data: `1a\r\n`. Behind them comes `\r\n`.
#[derive(Clone, Copy, Debug)]
pub struct ChunkSize {
    text: [u8; Self::BYTES_MAX],
    /// Where it starts in the text.
    start: usize,
}

impl ChunkSize {
    /// How long it may be: 16 digits and the line's end.
    pub const BYTES_MAX: usize = 18;

    /// Of a chunk with so many bytes. One with none would be the last.
    pub fn of(len: NonZeroUsize) -> Self {
        let mut text = [0; Self::BYTES_MAX];
        text[16..].copy_from_slice(b"\r\n");
        let (mut start, mut left) = (16, len.get());
        while left > 0 {
            start -= 1;
            text[start] = b"0123456789abcdef"[left % 16];
            left /= 16;
        }
        Self { text, start }
    }
}

impl AsRef<[u8]> for ChunkSize {
    fn as_ref(&self) -> &[u8] {
        &self.text[self.start..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_hexadecimal() {
        check(1, "1\r\n");
        check(15, "f\r\n");
        check(16, "10\r\n");
        check(0xa0_b1c2, "a0b1c2\r\n");
        check(usize::MAX, "ffffffffffffffff\r\n");
    }

    #[track_caller]
    fn check(len: usize, expect: &str) {
        let size = ChunkSize::of(NonZeroUsize::new(len).unwrap());
        assert_eq!(str::from_utf8(size.as_ref()).unwrap(), expect);
    }
}
