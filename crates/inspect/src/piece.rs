//! Takes a source apart at the ends of its lines.

use std::{io, ops::Range};

use crate::source::Source;

/// How long a line is read, in bytes. relais prints none that is longer than 64 KiB.
const LINE_BYTES_MAX: usize = 256 << 10;

/// How much is read at once to find the end of the last line.
const STEP_BYTES: usize = 16 << 10;

/// Reads the lines that begin within `places` of `source`, whole, into `buffer`.
///
/// Each line is in the piece that it begins in, so pieces that follow each other have each line
/// once. The last one may lack its end: that of the file, or one that is too long.
///
/// # Errors
///
/// What the system says when it is read.
pub(crate) fn read<'b>(
    source: &Source,
    places: Range<u64>,
    buffer: &'b mut Vec<u8>,
) -> io::Result<&'b [u8]> {
    // The byte before tells whether a line begins where the piece does.
    let from = places.start.saturating_sub(1);
    let size = usize::try_from(places.end - from).expect("a piece fits into memory");
    buffer.resize(size, 0);
    let filled = source.read_at(buffer, from)?;
    buffer.truncate(filled);
    let start = match (places.start, memchr::memchr(b'\n', buffer)) {
        (0, _) => 0,
        (_, Some(end)) => end + 1,
        (_, None) => buffer.len(),
    };
    if start < buffer.len() {
        end_line(source, from, buffer)?;
    }
    Ok(&buffer[start..])
}

/// Reads on until the last line of `buffer`, which begins at `from` of `source`, is whole.
fn end_line(source: &Source, from: u64, buffer: &mut Vec<u8>) -> io::Result<()> {
    let line = memchr::memrchr(b'\n', buffer).map_or(0, |end| end + 1);
    while !buffer.ends_with(b"\n") && buffer.len() - line < LINE_BYTES_MAX {
        let (len, at) = (buffer.len(), from + buffer.len() as u64);
        let left = usize::try_from(source.len().saturating_sub(at)).unwrap_or(STEP_BYTES);
        buffer.resize(len + left.min(STEP_BYTES), 0);
        let filled = source.read_at(&mut buffer[len..], at)?;
        let end = memchr::memchr(b'\n', &buffer[len..len + filled]);
        buffer.truncate(len + end.map_or(filled, |end| end + 1));
        if filled == 0 {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use proptest::prelude::*;

    use super::*;

    /// All pieces of `size` bytes of a file with this text.
    fn pieces(text: &[u8], size: usize) -> Vec<Vec<u8>> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, text).unwrap();
        let source = Source::open(&path).unwrap();
        let mut buffer = Vec::new();
        let starts = (0..source.len()).step_by(size);
        let places = starts.map(|start| start..(start + size as u64).min(source.len()));
        places.map(|places| read(&source, places, &mut buffer).unwrap().to_vec()).collect()
    }

    #[test]
    fn lines_are_in_the_piece_they_begin_in() {
        let check = |size, expect: &[&str]| {
            let found = pieces(b"one\ntwo\n\nfour", size);
            let found: Vec<_> = found.iter().map(|piece| str::from_utf8(piece).unwrap()).collect();
            assert_eq!(found, expect, "in pieces of {size}");
        };
        check(100, &["one\ntwo\n\nfour"]);
        check(8, &["one\ntwo\n", "\nfour"]);
        check(4, &["one\n", "two\n", "\nfour", ""]);
        check(5, &["one\ntwo\n", "\nfour", ""]);
        check(3, &["one\n", "two\n", "\n", "four", ""]);
    }

    #[test]
    fn a_line_that_is_too_long_is_cut_and_its_rest_passed_over() {
        let long = "a".repeat(3 * LINE_BYTES_MAX);
        let found = pieces(format!("one\n{long}\ntwo\n").as_bytes(), LINE_BYTES_MAX);
        let cut = found[0].len() - 4;
        assert!((LINE_BYTES_MAX..LINE_BYTES_MAX + STEP_BYTES).contains(&cut), "{cut}");
        assert_eq!(found[1..].concat(), b"two\n");
    }

    proptest! {
        #[test]
        fn pieces_have_each_line_once(text in "[ab\n]{0,60}", size in 1..30_usize) {
            prop_assert_eq!(pieces(text.as_bytes(), size).concat(), text.as_bytes());
        }
    }
}
