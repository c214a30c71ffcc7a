//! Patterns of URLs, in which `*` stands for anything.

use std::str::FromStr;

use super::{BadPattern, within_limits};

/// A pattern in which each `*` stands for any text, or none, slashes included; all else stands for
/// itself. `?` does, too: in URLs it begins the query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Glob(String);

impl Glob {
    /// Whether all of `text` looks so.
    ///
    /// *Cost*: linear in the text and the pattern together, whatever they are: between two `*`, the
    /// first place that fits is as good as any other, so none is tried twice.
    pub fn matches(&self, text: &str) -> bool {
        let Some((first, rest)) = self.0.split_once('*') else { return text == self.0 };
        let (middle, last) = rest.rsplit_once('*').unwrap_or(("", rest));
        let Some(mut left) = text.strip_prefix(first).and_then(|left| left.strip_suffix(last))
        else {
            return false;
        };
        for part in middle.split('*') {
            // Two-way search of the standard library: linear.
            let Some(at) = left.find(part) else { return false };
            left = &left[at + part.len()..];
        }
        true
    }

    /// As it is spelled.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Glob {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        within_limits(text).map(|text| Self(text.to_owned()))
    }
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
        ] {
            let glob: Glob = pattern.parse().unwrap();
            assert_eq!(glob.matches(text), expect, "{pattern} and {text}");
        }
    }

    /// A matcher that tried all ways would be at this for longer than there are stars.
    #[test]
    fn bombs_do_not_go_off() {
        let text = "a".repeat(100_000);
        let glob: Glob = format!("{}b", "a*".repeat(2000)).parse().unwrap();
        assert!(!glob.matches(&text));
        let glob: Glob = format!("{}*", "*a".repeat(2000)).parse().unwrap();
        assert!(glob.matches(&text));
        let glob: Glob = format!("*{}b{}*", "a".repeat(2000), "a".repeat(2000)).parse().unwrap();
        assert!(!glob.matches(&text));
    }

    proptest! {
        #[test]
        fn it_matches_what_the_plain_way_matches(pattern in "[ab*]{1,9}", text in "[ab]{0,12}") {
            let glob: Glob = pattern.parse().unwrap();
            prop_assert_eq!(glob.matches(&text), plain(pattern.as_bytes(), text.as_bytes()));
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
