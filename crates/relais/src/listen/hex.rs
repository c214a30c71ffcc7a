//! Bytes as lines of hexadecimal digits.

use std::fmt;

/// Prints sixteen bytes a line: where, the digits, and the text. Each line ends with a line end.
#[derive(Clone, Copy, Debug)]
pub(super) struct Hex<'a>(pub(super) &'a [u8]);

impl fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, line) in self.0.chunks(16).enumerate() {
            write!(f, "{:08x} ", place * 16)?;
            for at in 0..16 {
                let gap = if at == 8 { "  " } else { " " };
                match line.get(at) {
                    Some(byte) => write!(f, "{gap}{byte:02x}")?,
                    None => write!(f, "{gap}  ")?,
                }
            }
            let seen = |byte: &u8| matches!(byte, b' '..=b'~');
            let text = line.iter().map(|byte| if seen(byte) { char::from(*byte) } else { '.' });
            writeln!(f, "  |{}|", text.collect::<String>())?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_looks_like_hexdump() {
        let expect = "\
00000000  62 6f 6e 6a 6f 75 72 20  c3 a9 1b 5b 33 31 6d 00  |bonjour ...[31m.|
00000010  78                                                |x|
";
        assert_eq!(Hex(b"bonjour \xc3\xa9\x1b[31m\0x").to_string(), expect);
        assert_eq!(Hex(b"").to_string(), "");
    }
}
