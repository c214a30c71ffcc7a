//! What a certificate says, made fit to be seen: bounded, and harmless to a terminal.

use std::fmt::Write as _;

use relais_wire::visible::is_disturbing;

/// The most characters that one text out of a certificate keeps.
const TEXT_CHARS_MAX: usize = 256;

/// The first bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8], between: char) -> String {
    let mut text = String::new();
    for (index, byte) in bytes.iter().take(TEXT_CHARS_MAX).enumerate() {
        if index > 0 {
            text.push(between);
        }
        write!(text, "{byte:02x}").expect("a string takes everything");
    }
    text
}

/// The first characters, with everything escaped that is not plainly visible.
pub(super) fn clean(text: &str) -> String {
    let mut cleaned = String::new();
    for (index, char) in text.chars().enumerate() {
        if index == TEXT_CHARS_MAX {
            cleaned.push('…');
            break;
        }
        if is_disturbing(char) {
            cleaned.extend(char.escape_unicode());
        } else if char == '\\' {
            cleaned.push_str("\\\\");
        } else {
            cleaned.push(char);
        }
    }
    cleaned
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_cannot_disturb_a_terminal() {
        check_clean("plain, visible: é 語", "plain, visible: é 語");
        check_clean("\u{1b}[2J", "\\u{1b}[2J");
        check_clean("a\nb\0", "a\\u{a}b\\u{0}");
        check_clean("\u{202e}gro.elpmaxe", "\\u{202e}gro.elpmaxe");
        check_clean("\\u{1b}", "\\\\u{1b}");
        check_clean(&"x".repeat(1000), &format!("{}…", "x".repeat(TEXT_CHARS_MAX)));
    }

    #[track_caller]
    fn check_clean(text: &str, expect: &str) {
        assert_eq!(clean(text), expect);
    }
}
