//! Fetch an origin whether a stored response is still good, and what its answer says ([RFC 9111
//! §4.3]).
//!
//! [RFC 9111 §4.3]: https://www.rfc-editor.org/rfc/rfc9111#section-4.3

use http::{
    HeaderMap, HeaderValue,
    header::{CONTENT_LENGTH, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED},
};
use relais_wire::etag::EntityTag;

/// What a stored response can be asked for by.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Precondition {
    /// For `If-None-Match`: its entity tag.
    pub tag: Option<HeaderValue>,
    /// For `If-Modified-Since`: its date of modification.
    pub modified: Option<HeaderValue>,
}

impl Precondition {
    /// Reads it from the fields of a stored response. A tag that is none is left out: what would
    /// come back about it could not be compared.
    pub(crate) fn of(stored: &HeaderMap) -> Self {
        let is_tag = |value: &&HeaderValue| EntityTag::parse(value.as_bytes()).is_ok();
        Self {
            tag: stored.get(ETAG).filter(is_tag).cloned(),
            modified: stored.get(LAST_MODIFIED).cloned(),
        }
    }

    /// Whether there is nothing to ask by.
    pub(crate) fn is_empty(&self) -> bool {
        self.tag.is_none() && self.modified.is_none()
    }

    /// Puts it into a request's `headers`, in the place of the client's own conditions: those are
    /// answered from what is stored, once it is known to be good.
    pub(crate) fn put(&self, headers: &mut HeaderMap) {
        headers.remove(IF_NONE_MATCH);
        headers.remove(IF_MODIFIED_SINCE);
        if let Some(tag) = &self.tag {
            headers.insert(IF_NONE_MATCH, tag.clone());
        }
        if let Some(modified) = &self.modified {
            headers.insert(IF_MODIFIED_SINCE, modified.clone());
        }
    }
}

/// What a 304 or the head of a 200 says of a stored response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// It is about that one: its fields are newer.
    Same,
    /// It is about another: nothing may be taken from it.
    Other,
}

/// Judges which response a 304 with these fields is about, where the stored one was asked for by
/// its [`Precondition`] ([RFC 9111 §4.3.4]).
///
/// A tag decides, before a date; the weak are compared weakly. A 304 with neither can only be about
/// what it was asked for by.
///
/// [RFC 9111 §4.3.4]: https://www.rfc-editor.org/rfc/rfc9111#section-4.3.4
pub(crate) fn judge_304(stored: &HeaderMap, newer: &HeaderMap) -> Word {
    let word = |is_same| if is_same { Word::Same } else { Word::Other };
    if let Some(tag) = newer.get(ETAG) {
        return word(stored.get(ETAG).is_some_and(|stored| is_same_tag(stored, tag)));
    }
    match newer.get(LAST_MODIFIED) {
        Some(modified) => word(stored.get(LAST_MODIFIED) == Some(modified)),
        None => Word::Same,
    }
}

/// Judges which response the 200 to a HEAD is about ([RFC 9111 §4.3.5]): the stored one, if nothing
/// that tells them apart differs. What differs is gone.
///
/// [RFC 9111 §4.3.5]: https://www.rfc-editor.org/rfc/rfc9111#section-4.3.5
pub(crate) fn judge_head(stored: &HeaderMap, size: Option<u64>, newer: &HeaderMap) -> Word {
    let tag = newer
        .get(ETAG)
        .is_none_or(|tag| stored.get(ETAG).is_some_and(|stored| is_same_tag(stored, tag)));
    let modified =
        newer.get(LAST_MODIFIED).is_none_or(|modified| stored.get(LAST_MODIFIED) == Some(modified));
    let length = newer.get(CONTENT_LENGTH).zip(size);
    let length =
        length.is_none_or(|(length, size)| length.as_bytes() == size.to_string().as_bytes());
    if tag && modified && length { Word::Same } else { Word::Other }
}

fn is_same_tag(stored: &HeaderValue, newer: &HeaderValue) -> bool {
    match (EntityTag::parse(stored.as_bytes()), EntityTag::parse(newer.as_bytes())) {
        (Ok(stored), Ok(newer)) if newer.weak => stored.same_weak(&newer),
        (Ok(stored), Ok(newer)) => stored.same_strong(&newer),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fields;

    #[test]
    fn a_stored_response_is_asked_for_by_what_it_has() {
        check_precondition("a: 1", "");
        check_precondition("etag: \"a\"", "if-none-match: \"a\"");
        check_precondition("etag: W/\"a\"", "if-none-match: W/\"a\"");
        check_precondition("etag: a", "");
        check_precondition("last-modified: x", "if-modified-since: x");
        let both = "if-none-match: \"a\"\nif-modified-since: x";
        check_precondition("etag: \"a\"\nlast-modified: x", both);
    }

    #[test]
    fn a_304_is_about_what_it_names() {
        check("etag: \"a\"", "etag: \"a\"", Word::Same);
        check("etag: \"a\"", "etag: \"b\"", Word::Other);
        check("etag: \"a\"", "etag: W/\"a\"", Word::Same);
        check("etag: W/\"a\"", "etag: W/\"a\"", Word::Same);
        check("etag: W/\"a\"", "etag: \"a\"", Word::Other);
        check("etag: \"a\"", "etag: a", Word::Other);
        check("last-modified: x", "etag: \"a\"\nlast-modified: x", Word::Other);
        check("last-modified: x", "last-modified: x", Word::Same);
        check("last-modified: x", "last-modified: y", Word::Other);
        check("etag: \"a\"\nlast-modified: x", "etag: \"a\"\nlast-modified: y", Word::Same);
        check("etag: \"a\"", "", Word::Same);
        check("last-modified: x", "", Word::Same);
    }

    #[test]
    fn a_head_is_about_what_it_does_not_contradict() {
        let stored = "etag: \"a\"\nlast-modified: x";
        check_head(stored, "", Word::Same);
        check_head(stored, "etag: \"a\"\nlast-modified: x\ncontent-length: 10", Word::Same);
        check_head(stored, "etag: \"b\"", Word::Other);
        check_head(stored, "etag: \"a\"\nlast-modified: y", Word::Other);
        check_head(stored, "content-length: 11", Word::Other);
        check_head("", "etag: \"a\"", Word::Other);
    }

    #[track_caller]
    fn check_precondition(stored: &str, expect: &str) {
        let mut request = fields("if-none-match: \"mine\"\nif-modified-since: mine");
        let precondition = Precondition::of(&fields(stored));
        assert_eq!(precondition.is_empty(), expect.is_empty());
        precondition.put(&mut request);
        assert_eq!(request, fields(expect), "for {stored:?}");
    }

    #[track_caller]
    fn check(stored: &str, newer: &str, expect: Word) {
        let word = judge_304(&fields(stored), &fields(newer));
        assert_eq!(word, expect, "for {stored:?} and {newer:?}");
    }

    #[track_caller]
    fn check_head(stored: &str, newer: &str, expect: Word) {
        let word = judge_head(&fields(stored), Some(10), &fields(newer));
        assert_eq!(word, expect, "for {stored:?} and {newer:?}");
    }
}
