//! Strangers' bytes, made fit for a terminal: shown, never obeyed.

mod escaped;

use std::fmt;

use relais_wire::visible::is_disturbing;

pub(crate) use escaped::Escaped;

/// Makes text of bytes as they come, however they are cut.
///
/// Line ends and tabs stay, a carriage return before a line end goes. What a terminal would obey is
/// escaped (`\u{1b}`), and so is what is no UTF-8 (`\xff`).
#[derive(Clone, Debug, Default)]
pub(crate) struct Visible {
    /// The start of a character, or a carriage return, whose rest may follow: at most 3 bytes.
    rest: Vec<u8>,
}

impl Visible {
    /// Appends what `bytes` look like to `out`. A character whose end has not come waits for it.
    pub(crate) fn show(&mut self, bytes: &[u8], out: &mut String) {
        let mut all = std::mem::take(&mut self.rest);
        all.extend_from_slice(bytes);
        let mut chunks = all.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            let (valid, invalid) = (chunk.valid(), chunk.invalid());
            let is_last = chunks.peek().is_none();
            // At the end it may be no more than cut: a character's first bytes.
            let is_cut = is_last && !invalid.is_empty() && is_beginning(invalid);
            let valid = match valid.strip_suffix('\r') {
                Some(before) if is_last && invalid.is_empty() => {
                    self.rest.push(b'\r');
                    before
                }
                _ => valid,
            };
            show_text(valid, out);
            if is_cut {
                self.rest.extend_from_slice(invalid);
            } else {
                escape_bytes(invalid, out);
            }
        }
    }

    /// Appends what is left: nothing more comes.
    pub(crate) fn end(&mut self, out: &mut String) {
        match &*std::mem::take(&mut self.rest) {
            b"\r" => out.push_str("\\r"),
            rest => escape_bytes(rest, out),
        }
    }
}

/// All of `bytes`, at once.
pub(crate) fn visible(bytes: &[u8]) -> String {
    let (mut visible, mut out) = (Visible::default(), String::new());
    visible.show(bytes, &mut out);
    visible.end(&mut out);
    out
}

fn show_text(text: &str, out: &mut String) {
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\r' if chars.peek() == Some(&'\n') => {}
            '\r' => out.push_str("\\r"),
            '\n' | '\t' => out.push(char),
            char if is_disturbing(char) => out.extend(char.escape_unicode()),
            char => out.push(char),
        }
    }
}

fn escape_bytes(bytes: &[u8], out: &mut String) {
    let escaped = bytes.iter().try_for_each(|byte| escape_byte(*byte, out));
    escaped.expect("a string takes everything");
}

/// Writes a byte that is no text.
fn escape_byte(byte: u8, out: &mut impl fmt::Write) -> fmt::Result {
    write!(out, "\\x{byte:02x}")
}

/// Whether more bytes could make a character of them.
fn is_beginning(bytes: &[u8]) -> bool {
    let length = match bytes.first() {
        Some(0xc2..=0xdf) => 2,
        Some(0xe0..=0xef) => 3,
        Some(0xf0..=0xf4) => 4,
        _ => return false,
    };
    bytes.len() < length
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        check(b"plain \xc3\xa9\tx\r\n", "plain é\tx\n");
        check(b"\x1b[2J\x07", "\\u{1b}[2J\\u{7}");
        check(b"a\rb\r", "a\\rb\\r");
        check(b"\xff\xc3(", "\\xff\\xc3(");
        check(b"\xc2\x9b31m", "\\u{9b}31m");
        check("\u{202e}x".as_bytes(), "\\u{202e}x");
        check(b"end \xe2\x82", "end \\xe2\\x82");
    }

    #[test]
    fn how_it_is_cut_makes_no_difference() {
        let all = "é\r\n€ \u{1f600}\r".as_bytes();
        for at in 0..all.len() {
            let (mut visible, mut out) = (Visible::default(), String::new());
            visible.show(&all[..at], &mut out);
            visible.show(&all[at..], &mut out);
            visible.end(&mut out);
            assert_eq!(out, "é\n€ \u{1f600}\\r", "{at}");
        }
    }

    #[track_caller]
    fn check(bytes: &[u8], expect: &str) {
        assert_eq!(visible(bytes), expect);
    }
}
