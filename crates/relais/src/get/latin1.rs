//! Text of which each byte is a character, where the answer says so.

use std::borrow::Cow;

use relais_http::client::Head;

/// What windows-1252 has from 0x80 to 0x9f, which browsers take for ISO-8859-1, too (Encoding
/// Standard, §9.1).
const HIGH: [char; 32] = [
    '€', '\u{81}', '‚', 'ƒ', '„', '…', '†', '‡', 'ˆ', '‰', 'Š', '‹', 'Œ', '\u{8d}', 'Ž', '\u{8f}',
    '\u{90}', '‘', '’', '“', '”', '•', '–', '—', '˜', '™', 'š', '›', 'œ', '\u{9d}', 'ž', 'Ÿ',
];

/// A body's bytes as UTF-8, if its head says that each of them is a character; else as they are.
pub(super) fn text_of<'a>(head: &Head, bytes: &'a [u8]) -> Cow<'a, [u8]> {
    if !is_latin1(head) || bytes.is_ascii() {
        return Cow::Borrowed(bytes);
    }
    let chars = bytes.iter().map(|byte| match byte {
        0x80..=0x9f => HIGH[usize::from(byte - 0x80)],
        byte => char::from(*byte),
    });
    Cow::Owned(chars.collect::<String>().into_bytes())
}

fn is_latin1(head: &Head) -> bool {
    let said = String::from_utf8_lossy(head.field("content-type").unwrap_or_default());
    let charset = said.split(';').skip(1).find_map(|parameter| {
        let (name, value) = parameter.split_once('=')?;
        let is_it = name.trim().eq_ignore_ascii_case("charset");
        is_it.then(|| value.trim().trim_matches('"').to_ascii_lowercase())
    });
    matches!(charset.as_deref(), Some("iso-8859-1" | "latin1" | "windows-1252" | "cp1252"))
}

#[cfg(test)]
mod tests {
    use http::Version;

    use super::*;

    #[test]
    fn each_byte_is_a_character_only_if_the_answer_says_so() {
        let check = |kind: &str, expect: &[u8]| {
            let fields = vec![("Content-Type".to_owned(), kind.as_bytes().to_vec())];
            let head = Head { version: Version::HTTP_11, status: 200, reason: Vec::new(), fields };
            assert_eq!(&*text_of(&head, b"caf\xe9 \x80"), expect, "{kind}");
        };
        check("text/plain; charset=ISO-8859-1", "café €".as_bytes());
        check("text/plain;x=y; Charset=\"windows-1252\"", "café €".as_bytes());
        check("text/plain; charset=utf-8", b"caf\xe9 \x80");
        check("text/plain", b"caf\xe9 \x80");
    }
}
