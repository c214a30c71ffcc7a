//! Strangers' bytes as one line.

use std::fmt::{self, Write as _};

use relais_wire::visible::is_disturbing;

use super::escape_byte;

/// Prints bytes as text of one line: what a terminal would obey is escaped (`\u{1b}`), line ends and tabs
/// too, and so is what is no UTF-8 (`\xff`).
#[derive(Clone, Copy, Debug)]
pub(crate) struct Escaped<'a>(pub(crate) &'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for chunk in self.0.utf8_chunks() {
            for char in chunk.valid().chars() {
                if is_disturbing(char) {
                    write!(f, "{}", char.escape_default())?;
                } else {
                    f.write_char(char)?;
                }
            }
            chunk.invalid().iter().try_for_each(|byte| escape_byte(*byte, f))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_terminal_would_obey_is_left() {
        check(b"bonjour \xc3\xa9 \\ \"", "bonjour é \\ \"");
        check(b"\x1b[31mred\x07\x9b", "\\u{1b}[31mred\\u{7}\\x9b");
        check(b"a\tb\rc\nd\0", "a\\tb\\rc\\nd\\u{0}");
        check("\u{202e}x\u{85}".as_bytes(), "\\u{202e}x\\u{85}");
        check(b"\xff\xfe", "\\xff\\xfe");
    }

    #[track_caller]
    fn check(bytes: &[u8], expect: &str) {
        assert_eq!(Escaped(bytes).to_string(), expect);
    }
}
