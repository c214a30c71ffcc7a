//! Patterns in which `*` stands for anything.

use memchr::memmem;

/// Whether all of `text` looks as `pattern` says: each `*` stands for any bytes, or none, slashes
/// included; all else stands for itself. `?` does, too: in URLs it begins the query.
///
/// *Cost*: linear in the text and the pattern together, whatever they are: between two `*`, the first
/// place that fits is as good as any other, so none is tried twice.
pub(crate) fn matches(pattern: &[u8], text: &[u8]) -> bool {
    let Some(star) = memchr::memchr(b'*', pattern) else { return text == pattern };
    let (first, rest) = (&pattern[..star], &pattern[star + 1..]);
    let (middle, last) = match memchr::memrchr(b'*', rest) {
        Some(star) => (&rest[..star], &rest[star + 1..]),
        None => (&[][..], rest),
    };
    let inside = text.strip_prefix(first).and_then(|left| left.strip_suffix(last));
    let Some(mut left) = inside else { return false };
    for part in middle.split(|&byte| byte == b'*') {
        let Some(at) = memmem::find(left, part) else { return false };
        left = &left[at + part.len()..];
    }
    true
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn stars_stand_for_anything() {
        for (pattern, text, expect) in [
            ("http://a/", "http://a/", true),
            ("http://a/", "http://a/b", false),
            ("*", "", true),
            ("*", "http://a/", true),
            ("http://a/*", "http://a/", true),
            ("http://a/*", "http://a/b/c?d", true),
            ("*.png", "http://a/b.png", true),
            ("*.png", "http://a/b.png?x", false),
            ("*/img/*.png*", "http://a/img/b/c.png?x", true),
            ("*/img/*.png*", "http://a/b.png/img/", false),
            ("*?x=*", "http://a/?x=1", true),
            ("*?x=*", "http://a/yx=1", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("ab*ba", "aba", false),
            ("**a**", "xay", true),
            ("*ü*", "http://a/ü", true),
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("*", "a/b", true),
            ("a", "a", true),
            ("a", "b", false),
            ("a?", "a", false),
            ("a?", "ab", false),
            ("*a?x=*", "http://a?x=1", true),
            ("*.css", "http://a/b.css", true),
            ("*.css", "http://a/b.css?x", false),
            ("http://a/*/c", "http://a/b/c/d", false),
            ("http://a/*/c", "http://a/b/d/c", true),
            ("*a*b*", "xxaxxbxx", true),
            ("*a*b*", "xxbxxaxx", false),
            ("a*a", "a", false),
            ("**", "ab", true),
        ] {
            let matched = matches(pattern.as_bytes(), text.as_bytes());
            assert_eq!(matched, expect, "{pattern} and {text}");
        }
    }

    /// A matcher that tried all ways would be at this for longer than there are stars.
    #[test]
    fn bombs_do_not_go_off() {
        let text = "a".repeat(100_000);
        let check = |pattern: String, expect: bool| {
            assert_eq!(matches(pattern.as_bytes(), text.as_bytes()), expect);
        };
        check(format!("{}b", "a*".repeat(2000)), false);
        check(format!("{}*", "*a".repeat(2000)), true);
        check(format!("*{}b{}*", "a".repeat(2000), "a".repeat(2000)), false);
    }

    proptest! {
        #[test]
        fn it_matches_what_the_plain_way_matches(pattern in "[ab*]{1,9}", text in "[ab]{0,12}") {
            let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
            prop_assert_eq!(matches(pattern, text), plain(pattern, text));
        }
    }

    fn plain(pattern: &[u8], text: &[u8]) -> bool {
        match pattern {
            [] => text.is_empty(),
            [b'*', rest @ ..] => (0..=text.len()).any(|at| plain(rest, &text[at..])),
            [byte, rest @ ..] => text.first() == Some(byte) && plain(rest, &text[1..]),
        }
    }
}
