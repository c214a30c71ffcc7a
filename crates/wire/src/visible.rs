//! Strangers' texts, made fit to be looked at, and to stand in JSON.

use std::fmt;

/// Whether a terminal would obey `char`, or a reader would not see it, or it would move the text
/// around it: controls, those of C1 too; what has no width; line and paragraph separators; and all
/// with the Unicode property `Bidi_Control`.
///
/// Texts are shown with such characters escaped. The joiners are among them, so that two names that
/// look alike are alike; some emoji are shown in parts for that.
pub fn is_disturbing(char: char) -> bool {
    if char.is_ascii() {
        return char.is_ascii_control();
    }
    char.is_control()
        || matches!(char,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e007f}')
}

/// Prints a text as the inside of a JSON string ([RFC 8259 §7]): what is disturbing is escaped as
/// `\uHHHH`, so that it stays what it was, and disturbs nobody who looks at the JSON.
///
/// [RFC 8259 §7]: https://www.rfc-editor.org/rfc/rfc8259#section-7
#[derive(Clone, Copy, Debug)]
pub struct InJson<'a>(pub &'a str);

impl fmt::Display for InJson<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_special = |char| matches!(char, '"' | '\\') || is_disturbing(char);
        let mut text = self.0;
        while let Some(at) = text.find(is_special) {
            let (plain, rest) = text.split_at(at);
            f.write_str(plain)?;
            let mut rest = rest.chars();
            match rest.next().expect("the found character") {
                char @ ('"' | '\\') => write!(f, "\\{char}")?,
                char => escape(char, f)?,
            }
            text = rest.as_str();
        }
        f.write_str(text)
    }
}

/// As one unit of UTF-16, or as the two of a pair.
fn escape(char: char, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    char.encode_utf16(&mut [0; 2]).iter().try_for_each(|unit| write!(f, "\\u{unit:04x}"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_disturbs_is_escaped_and_what_is_seen_is_not() {
        check("plain ~ é 語 😀\u{a0}\u{202f}", "plain ~ é 語 😀\u{a0}\u{202f}");
        check("", "");
        check("a\"b\\c", r#"a\"b\\c"#);
        check("\0\t\n\r\u{1b}\u{7f}", r"\u0000\u0009\u000a\u000d\u001b\u007f");
        check("a\u{80}\u{85}\u{9b}b", r"a\u0080\u0085\u009bb");
        check("\u{ad}\u{61c}\u{180e}", r"\u00ad\u061c\u180e");
        check("\u{200b}\u{200d}\u{200e}\u{200f}", r"\u200b\u200d\u200e\u200f");
        check("\u{2028}\u{2029}\u{202a}\u{202e}", r"\u2028\u2029\u202a\u202e");
        check("\u{2060}\u{2066}\u{2069}\u{206f}", r"\u2060\u2066\u2069\u206f");
        check("\u{feff}\u{fff9}\u{fffb}", r"\ufeff\ufff9\ufffb");
        check("\u{e0001}\u{e007f}", r"\udb40\udc01\udb40\udc7f");
    }

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(InJson(text).to_string(), expect);
        for char in text.chars().filter(|char| !matches!(char, '"' | '\\')) {
            assert_eq!(is_disturbing(char), !expect.contains(char), "{char:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(text: String) {
            let printed = format!("\"{}\"", InJson(&text));
            prop_assert!(!printed.contains(is_disturbing));
            prop_assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), text);
        }
    }
}
