//! Bytes in hexadecimal digits.

use std::fmt::{self, Write as _};

/// How many bytes stand in a line.
pub(crate) const LINE_BYTES: usize = 16;

/// Prints lines of sixteen bytes: where they stand, the digits, and the text, as `hexdump -C` does.
/// Each line ends with a line end.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Dump<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Dump<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, line) in self.0.chunks(LINE_BYTES).enumerate() {
            let (left, right) = line.split_at(line.len().min(LINE_BYTES / 2));
            let (left, right) = (Pairs(left).to_string(), Pairs(right).to_string());
            writeln!(f, "{:08x}  {left:<23}  {right:<23}  |{}|", place * LINE_BYTES, Ascii(line))?;
        }
        Ok(())
    }
}

/// Prints bytes as digits alone, which can be typed again: `48 69 0a`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pairs<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Pairs<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            let gap = if at == 0 { "" } else { " " };
            write!(f, "{gap}{byte:02x}")?;
        }
        Ok(())
    }
}

/// Prints up to sixteen bytes as digits with the text beside them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WithText<'a>(pub(crate) &'a [u8]);

impl fmt::Display for WithText<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<48} {}", Pairs(self.0).to_string(), Ascii(self.0))
    }
}

/// Bytes as ASCII, a dot for what cannot be seen.
struct Ascii<'a>(&'a [u8]);

impl fmt::Display for Ascii<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| {
            f.write_char(if matches!(byte, b' '..=b'~') { char::from(*byte) } else { '.' })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dump_looks_like_hexdump() {
        let expect = "\
00000000  62 6f 6e 6a 6f 75 72 20  c3 a9 1b 5b 33 31 6d 00  |bonjour ...[31m.|
00000010  78                                                |x|
";
        assert_eq!(Dump(b"bonjour \xc3\xa9\x1b[31m\0x").to_string(), expect);
        assert_eq!(Dump(b"").to_string(), "");
    }

    #[test]
    fn digits_can_stand_alone_or_beside_the_text() {
        assert_eq!(Pairs(b"Hi\n").to_string(), "48 69 0a");
        assert_eq!(Pairs(b"").to_string(), "");
        let beside = format!("48 69 0a{}Hi.", " ".repeat(41));
        assert_eq!(WithText(b"Hi\n").to_string(), beside);
    }
}
