//! Entity tags ([RFC 9110 §8.8.3]), and the lists of them in `If-Match` and `If-None-Match`.
//!
//! [RFC 9110 §8.8.3]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3

use std::fmt;

use crate::class::TAG;
use crate::list;

/// Why bytes are no entity tag, or no list of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTag {
    /// Something else stands where a tag should.
    #[error("no entity tag: expected \"...\" or W/\"...\"")]
    NotATag,
    /// A byte that no tag may hold.
    #[error("{:?} in an entity tag: expected visible characters", char::from(*.0))]
    Byte(u8),
    /// Neither `*` nor a single tag.
    #[error("empty list of entity tags: expected * or at least one")]
    Empty,
}

/// An entity tag, borrowed from the field it was read from.
///
/// *Shape*: `"opaque"`, or `W/"opaque"` for a weak one. There are no escapes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EntityTag<'a> {
    /// Whether equal tags promise no more than equal meaning.
    pub weak: bool,
    /// What stands between the quotes.
    pub opaque: &'a [u8],
}

impl<'a> EntityTag<'a> {
    /// Reads a tag that is all of `value`, as in `ETag` and `If-Range`.
    ///
    /// # Errors
    ///
    /// [`BadTag`] if `value` is anything but one tag.
    pub fn parse(value: &'a [u8]) -> Result<Self, BadTag> {
        match take_tag(value)? {
            (tag, []) => Ok(tag),
            _ => Err(BadTag::NotATag),
        }
    }

    /// The tag as it is sent.
    pub fn print(&self) -> Vec<u8> {
        let mut text = Vec::with_capacity(self.opaque.len() + 4);
        text.extend_from_slice(if self.weak { b"W/\"" } else { b"\"" });
        text.extend_from_slice(self.opaque);
        text.push(b'"');
        text
    }

    /// Whether both tags are of the same bytes ([RFC 9110 §8.8.3.2]): neither may be weak.
    ///
    /// [RFC 9110 §8.8.3.2]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.3.2
    pub fn same_strong(&self, other: &EntityTag<'_>) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    /// Whether both tags are of the same meaning.
    pub fn same_weak(&self, other: &EntityTag<'_>) -> bool {
        self.opaque == other.opaque
    }
}

impl fmt::Debug for EntityTag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weak = if self.weak { "W/" } else { "" };
        write!(f, "{weak}\"{}\"", self.opaque.escape_ascii())
    }
}

/// The tags of a list, in order; ends after the first error.
///
/// Empty elements are passed over, as the list rule of HTTP wants. Commas inside a tag belong to
/// it.
struct Tags<'a> {
    rest: &'a [u8],
}

impl<'a> Iterator for Tags<'a> {
    type Item = Result<EntityTag<'a>, BadTag>;

    fn next(&mut self) -> Option<Self::Item> {
        while let [b' ' | b'\t' | b',', rest @ ..] = self.rest {
            self.rest = rest;
        }
        if self.rest.is_empty() {
            return None;
        }
        let taken = take_tag(self.rest);
        self.rest = taken.map_or(&[], |(_, rest)| list::trim(rest));
        // Between two tags there has to be a comma.
        if !matches!(self.rest, [] | [b',', ..]) {
            self.rest = &[];
            return Some(Err(BadTag::NotATag));
        }
        Some(taken.map(|(tag, _)| tag))
    }
}

/// Whether `current` is among the tags of `value` by strong comparison: what `If-Match` asks.
///
/// `current` is `None` if there is nothing now; then nothing matches. `*` matches whatever there
/// is.
///
/// # Errors
///
/// [`BadTag`] if any part of `value` is malformed, even after a tag that matches.
pub fn matches_strong(value: &[u8], current: Option<&EntityTag<'_>>) -> Result<bool, BadTag> {
    matches(value, current.is_some(), |tag| current.is_some_and(|current| tag.same_strong(current)))
}

/// Whether `current` is among the tags of `value` by weak comparison: what `If-None-Match` asks.
///
/// # Errors
///
/// Like [`matches_strong`], which see for `current`, too.
pub fn matches_weak(value: &[u8], current: Option<&EntityTag<'_>>) -> Result<bool, BadTag> {
    matches(value, current.is_some(), |tag| current.is_some_and(|current| tag.same_weak(current)))
}

fn matches(
    value: &[u8],
    anything: bool,
    same: impl Fn(&EntityTag<'_>) -> bool,
) -> Result<bool, BadTag> {
    if list::trim(value) == b"*" {
        return Ok(anything);
    }
    let mut found = Err(BadTag::Empty);
    for tag in (Tags { rest: value }) {
        let same = same(&tag?);
        found = Ok(same || found == Ok(true));
    }
    found
}

/// Takes a tag off the start of `bytes`; gives what follows it, too.
fn take_tag(bytes: &[u8]) -> Result<(EntityTag<'_>, &[u8]), BadTag> {
    let (weak, quoted) = match bytes.strip_prefix(b"W/") {
        Some(quoted) => (true, quoted),
        None => (false, bytes),
    };
    let inside = quoted.strip_prefix(b"\"").ok_or(BadTag::NotATag)?;
    let (opaque, rest) = inside.split_at(TAG.count(inside));
    match rest {
        [b'"', rest @ ..] => Ok((EntityTag { weak, opaque }, rest)),
        [byte, ..] => Err(BadTag::Byte(*byte)),
        [] => Err(BadTag::NotATag),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tags_are_strong_or_weak() {
        check_tag(r#""a""#, Ok((false, "a")));
        check_tag(r#""""#, Ok((false, "")));
        check_tag(r#"W/"a,b\""#, Ok((true, r"a,b\")));
    }

    #[test]
    fn what_is_no_tag_says_why() {
        for text in ["", "a", "\"", "\"a", "w/\"a\"", "W \"a\"", "W/a", "W/", "\"a\"b", " \"a\""] {
            check_tag(text, Err(BadTag::NotATag));
        }
        check_tag("\"a b\"", Err(BadTag::Byte(b' ')));
        check_tag("\"a\0\"", Err(BadTag::Byte(0)));
        check_tag("\"a\x7f\"", Err(BadTag::Byte(0x7F)));
    }

    #[test]
    fn a_list_holds_the_tag_strongly_and_weakly() {
        check("\"a\"", (Ok(true), Ok(true)));
        check("\"b\"", (Ok(false), Ok(false)));
        check("W/\"a\"", (Ok(false), Ok(true)));
        check("\"b\", \"a\"", (Ok(true), Ok(true)));
        check("\"b\",\t\"a\" ,W/\"a\"", (Ok(true), Ok(true)));
        check("\"x,\"a\"", (Err(BadTag::NotATag), Err(BadTag::NotATag)));
        check("\"x,\",\"a\"", (Ok(true), Ok(true)));
        check("\"A\"", (Ok(false), Ok(false)));
    }

    #[test]
    fn a_star_is_anything_there_is() {
        check("*", (Ok(true), Ok(true)));
        check(" * ", (Ok(true), Ok(true)));
        assert_eq!(matches_strong(b"*", None), Ok(false));
        assert_eq!(matches_weak(b"\"a\"", None), Ok(false));
        check("*, \"a\"", (Err(BadTag::NotATag), Err(BadTag::NotATag)));
        check("\"a\", *", (Err(BadTag::NotATag), Err(BadTag::NotATag)));
    }

    #[test]
    fn empty_elements_are_passed_over_but_not_empty_lists() {
        check(",, \"a\" ,\t,", (Ok(true), Ok(true)));
        check("", (Err(BadTag::Empty), Err(BadTag::Empty)));
        check(" , ", (Err(BadTag::Empty), Err(BadTag::Empty)));
    }

    #[test]
    fn one_bad_element_spoils_the_list() {
        check("\"a\", b", (Err(BadTag::NotATag), Err(BadTag::NotATag)));
        check("\"a\" \"b\"", (Err(BadTag::NotATag), Err(BadTag::NotATag)));
        check("\"a\"; \"b\"", (Err(BadTag::NotATag), Err(BadTag::NotATag)));
        check("\"a\", \"b", (Err(BadTag::NotATag), Err(BadTag::NotATag)));
        check("\"a\", \"b c\"", (Err(BadTag::Byte(b' ')), Err(BadTag::Byte(b' '))));
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(weak: bool, opaque: Vec<u8>) {
            let opaque: Vec<u8> = opaque.into_iter().filter(|&byte| TAG.has(byte)).collect();
            let tag = EntityTag { weak, opaque: &opaque };
            let text = tag.print();
            prop_assert_eq!(EntityTag::parse(&text), Ok(tag));
            let list = [&text[..], b",", &text].concat();
            prop_assert_eq!(matches_weak(&list, Some(&tag)), Ok(true));
        }

        #[test]
        fn nothing_panics(value: Vec<u8>, text in "[W/\", a*]{0,20}") {
            let current = EntityTag { weak: false, opaque: b"a" };
            for value in [&value, text.as_bytes()] {
                let _ = EntityTag::parse(value);
                let _ = matches_strong(value, Some(&current));
                let _ = matches_weak(value, Some(&current));
            }
        }
    }

    #[track_caller]
    fn check(value: &str, expect: (Result<bool, BadTag>, Result<bool, BadTag>)) {
        let current = EntityTag { weak: false, opaque: b"a" };
        let strong = matches_strong(value.as_bytes(), Some(&current));
        let weak = matches_weak(value.as_bytes(), Some(&current));
        assert_eq!((strong, weak), expect, "for {value:?}");
    }

    #[track_caller]
    fn check_tag(value: &str, expect: Result<(bool, &str), BadTag>) {
        let expect = expect.map(|(weak, opaque)| EntityTag { weak, opaque: opaque.as_bytes() });
        assert_eq!(EntityTag::parse(value.as_bytes()), expect, "for {value:?}");
    }
}
