//! What becomes of strangers' text before it is kept or shown to others.
//!
//! Cleaned text has no character that a terminal would obey, and none that reaches out of its line
//! and moves what stands around it. It says what it said: scripts that join or run from right to
//! left stay as they are. What is merely not seen stays, too; names are held to more.

mod bidi;

use unicode_normalization::UnicodeNormalization;

use self::bidi::Balanced;
use crate::visible::is_disturbing;

/// How much text there may be, when it is clean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most bytes of UTF-8.
    pub bytes_max: usize,
    /// The most lines, of which the last need not end.
    pub lines_max: usize,
}

/// Why a text is not kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unclean {
    /// A NUL, at which others would take the text to end.
    #[error("a NUL at byte {at}: expected text without")]
    Nul {
        /// How many bytes are before it.
        at: usize,
    },
    /// More bytes than there may be.
    #[error("a text of {found} bytes: expected at most {allowed}")]
    TooLong {
        /// How many it comes to.
        found: usize,
        /// How many there may be.
        allowed: usize,
    },
    /// More lines than there may be.
    #[error("a text of {found} lines: expected at most {allowed}")]
    TooManyLines {
        /// How many it has.
        found: usize,
        /// How many there may be.
        allowed: usize,
    },
}

/// How many combining marks may stand on one character. No language needs more; a tower of
/// hundreds covers the lines above it.
const MARKS_MAX: usize = 8;

/// What `text` becomes before it is kept or shown: in normalization form C ([UAX #15]), its lines
/// ended by LF, without controls but LF and TAB, byte order marks and tag characters, with at most
/// eight combining marks on a character, and with what changes its direction ended where its line
/// ends ([UAX #9]).
///
/// Clean text comes back as it is. *Cost*: that of reading `text`, however small `limits` are.
///
/// # Errors
///
/// If there is a NUL in `text`, or if it is beyond `limits` when it is clean.
///
/// [UAX #9]: https://www.unicode.org/reports/tr9/
/// [UAX #15]: https://www.unicode.org/reports/tr15/
pub fn clean(text: &str, limits: Limits) -> Result<String, Unclean> {
    let text = without_harm(text, &['\n', '\t'])?;
    let found = text.lines().count();
    if found > limits.lines_max {
        return Err(Unclean::TooManyLines { found, allowed: limits.lines_max });
    }
    within(text, limits.bytes_max)
}

/// What `text` becomes where one line is wanted, as for a topic or the name of a device: as
/// [`clean`], and each LF or TAB is a space.
///
/// # Errors
///
/// If there is a NUL in `text`, or if it has more than `bytes_max` bytes when it is clean.
pub fn clean_line(text: &str, bytes_max: usize) -> Result<String, Unclean> {
    within(without_harm(text, &[])?, bytes_max)
}

fn within(text: String, bytes_max: usize) -> Result<String, Unclean> {
    let (found, allowed) = (text.len(), bytes_max);
    if found <= allowed { Ok(text) } else { Err(Unclean::TooLong { found, allowed }) }
}

/// `text` without all that is dropped; LF and TAB become spaces where they are not in `kept`.
fn without_harm(text: &str, kept: &[char]) -> Result<String, Unclean> {
    if let Some(at) = memchr::memchr(0, text.as_bytes()) {
        return Err(Unclean::Nul { at });
    }
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return Ok(text.to_owned());
    }
    let mut balanced = Balanced::with_capacity(text.len());
    for char in text.chars().filter_map(|char| passed(char, kept)) {
        balanced.push(char);
    }
    // Only what is dropped first can bring characters together that compose. Marks come last, as
    // they are counted as composed.
    Ok(with_few_marks(balanced.end().nfc()))
}

/// What stands for `char`; nothing if it is dropped.
fn passed(char: char, kept: &[char]) -> Option<char> {
    match char {
        // The end of a line or of a paragraph, as Unicode has them; some programs obey.
        '\u{2028}' | '\u{2029}' => passed('\n', kept),
        '\n' | '\t' if kept.contains(&char) => Some(char),
        '\n' | '\t' => Some(' '),
        '\u{feff}' | '\u{e0000}'..='\u{e007f}' => None,
        // CR is one, so CRLF is LF.
        _ => (!char.is_control()).then_some(char),
    }
}

/// All but the marks that are too many on their character. What has no width of its own is nothing
/// that a mark could stand on: the count goes on beyond it.
fn with_few_marks(chars: impl Iterator<Item = char>) -> String {
    let mut marks = 0;
    chars
        .filter(|&char| {
            if is_mark(char) {
                marks += 1;
                return marks <= MARKS_MAX;
            }
            if matches!(char, '\n' | '\t') || !is_disturbing(char) {
                marks = 0;
            }
            true
        })
        .collect()
}

/// Whether `char` stands on the one before it: a combining mark, of no width or of some.
pub fn is_mark(char: char) -> bool {
    unicode_normalization::char::is_combining_mark(char)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: Limits = Limits { bytes_max: 16 * 1024, lines_max: 400 };

    #[test]
    fn what_people_write_stays_as_it_is() {
        for text in [
            "",
            "salut tout le monde",
            "a\tb\n\nc\n",
            "déjà vu, 日本語, Ελλάδα, Привет, नमस्ते, ภาษาไทย",
            "مُحَمَّد and שָׁלוֹם",
            "👩\u{200d}❤\u{fe0f}\u{200d}👨 👍🏽 🇫🇷",
            "می\u{200c}خواهم",
            "left\u{200e}right\u{200f}",
            "\u{2067}abc\u{2069} \u{202b}def\u{202c}",
        ] {
            check(text, text);
        }
    }

    #[test]
    fn what_terminals_obey_is_dropped() {
        check("a\u{1b}[31mb", "a[31mb");
        check("a\u{7}\u{8}\u{b}\u{c}\u{7f}b", "ab");
        check("a\u{80}\u{85}\u{9b}31mb", "a31mb");
        check("a\r\nb\r\n", "a\nb\n");
        check("a\rb\r\r\nc", "ab\nc");
        check("a\u{2028}b\u{2029}c", "a\nb\nc");
        check("\u{feff}a\u{feff}", "a");
        check("a\u{e0001}\u{e0041}\u{e007f}b", "ab");
    }

    #[test]
    fn characters_are_composed() {
        check("e\u{301}", "é");
        check("\u{212b}", "Å");
        check("e\u{7}\u{301}", "é");
        check("e\u{202c}\u{301}", "é");
        check("\u{1112}\u{1161}\u{11ab}", "한");
    }

    #[test]
    fn no_more_than_eight_marks_stand_on_a_character() {
        let tower = |marks| format!("{}b", "\u{316}".repeat(marks));
        check(&format!("a{}", tower(8)), &format!("a{}", tower(8)));
        check(&format!("a{}", tower(9)), &format!("a{}", tower(8)));
        check(&format!("a\u{200d}{}", tower(9)), &format!("a\u{200d}{}", tower(8)));
        let parted = format!("a{}\u{200d}{}", "\u{316}".repeat(5), tower(5));
        check(&parted, &format!("a{}\u{200d}{}", "\u{316}".repeat(5), tower(3)));
        check(&tower(10_000), &tower(8));
        check(&format!("{}\n{}", tower(9), tower(9)), &format!("{}\n{}", tower(8), tower(8)));
    }

    #[test]
    fn what_turns_text_around_ends_with_its_line() {
        check("\u{202e}abc", "\u{202e}abc\u{202c}");
        check("\u{202e}abc\r\ndef", "\u{202e}abc\u{202c}\ndef");
        check("abc\u{202c}\u{2069}", "abc");
        check("\u{2067}a\u{202e}b\u{2069}c", "\u{2067}a\u{202e}b\u{202c}\u{2069}c");
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(clean(text, LIMITS).as_deref(), Ok(expect), "for {text:?}");
    }

    #[test]
    fn lines_are_one_line() {
        let check = |text, expect| assert_eq!(clean_line(text, 390).as_deref(), Ok(expect));
        check("a topic", "a topic");
        check("a\r\nb\tc\u{2029}d\u{1b}", "a b c d");
        check("\u{202e}a\nb", "\u{202e}a b\u{202c}");
    }

    #[test]
    fn what_is_not_kept_says_why() {
        let limits = Limits { bytes_max: 8, lines_max: 2 };
        let check = |text, expect| match clean(text, limits) {
            Ok(clean) => assert_eq!(clean, expect),
            Err(error) => assert_eq!(error.to_string(), expect),
        };
        check("ab\0c", "a NUL at byte 2: expected text without");
        check("abcdefgh", "abcdefgh");
        check("abcdefghi", "a text of 9 bytes: expected at most 8");
        check("\u{1b}\u{1b}abcdefgh", "abcdefgh");
        check("\u{202e}abcde", "a text of 11 bytes: expected at most 8");
        check("a\nb\n", "a\nb\n");
        check("a\nb\nc", "a text of 3 lines: expected at most 2");
        let error = clean_line("abc", 2).unwrap_err();
        assert_eq!(error, Unclean::TooLong { found: 3, allowed: 2 });
        assert_eq!(clean_line("\0", 2), Err(Unclean::Nul { at: 0 }));
    }

    /// Text of what cleaning is about, more often than chance would have it.
    fn odd_text() -> impl Strategy<Value = String> {
        let odd = "[a\u{e9}\u{301}\u{316}\u{1161}\u{1112}\u{9c7}\u{9be}\u{344}\u{1d160}\r\n\t\u{1b}\
            \u{9b}\u{200d}\u{feff}\u{e0041}\u{2028}\u{202a}-\u{202e}\u{2066}-\u{2069}]{0,60}";
        prop_oneof![odd, any::<String>(), "\\PC{0,60}"]
    }

    proptest! {
        #[test]
        fn nothing_panics_and_nothing_harmful_comes_out(text in odd_text()) {
            let limits = Limits { bytes_max: 80, lines_max: 4 };
            match clean(&text, limits) {
                Ok(clean) => {
                    prop_assert!(clean.len() <= limits.bytes_max);
                    prop_assert!(clean.lines().count() <= limits.lines_max);
                    prop_assert!(!clean.replace(['\n', '\t'], "").contains(char::is_control));
                    prop_assert!(clean.split('\n').all(bidi::tests::is_balanced));
                }
                Err(Unclean::Nul { at }) => prop_assert_eq!(text.as_bytes()[at], 0),
                Err(Unclean::TooLong { found, .. }) => prop_assert!(found > limits.bytes_max),
                Err(Unclean::TooManyLines { found, .. }) => prop_assert!(found > limits.lines_max),
            }
        }

        #[test]
        fn clean_text_is_cleaned_to_itself(text in odd_text()) {
            let limits = Limits { bytes_max: usize::MAX, lines_max: usize::MAX };
            if let Ok(clean) = clean(&text, limits) {
                prop_assert!(unicode_normalization::is_nfc(&clean));
                prop_assert_eq!(super::clean(&clean, limits), Ok(clean));
            }
            if let Ok(line) = clean_line(&text, usize::MAX) {
                prop_assert!(!line.contains(char::is_control));
                prop_assert!(bidi::tests::is_balanced(&line));
                prop_assert_eq!(clean_line(&line, usize::MAX), Ok(line));
            }
        }
    }
}
