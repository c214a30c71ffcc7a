//! Where a 206 says that its bytes stand, and which response it is a part of.

use std::sync::Arc;

use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{CONTENT_RANGE, CONTENT_TYPE},
};
use relais_wire::range::{Extent, parse_content_range};

use super::parts::Told;
use crate::{conditional::Validators, freshness::Head, request::Request, room::Room};

/// What is known of a part before its bytes come.
#[derive(Debug)]
pub(crate) struct Part {
    pub extent: Extent,
    pub told: Told,
    /// Where it is joined with others.
    pub room: Arc<Room>,
}

/// Nobody can tell where a part stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoPlace;

/// Where the bytes of the 206 `head` stand, which was asked for with `range`; `None` for a response of
/// another status, which is whole.
///
/// # Errors
///
/// [`NoPlace`] for a 206 that says it in no way, in two, or in its body.
pub(crate) fn place_of(
    asked: &Request<'_>,
    head: Head<'_>,
) -> Result<Option<(Extent, Told)>, NoPlace> {
    if head.status != StatusCode::PARTIAL_CONTENT {
        return Ok(None);
    }
    let range = asked.range.ok_or(NoPlace)?;
    let content_range = only_value(head.headers).ok_or(NoPlace)?;
    let extent = parse_content_range(content_range.as_bytes()).ok_or(NoPlace)?;
    if head.headers.get(CONTENT_TYPE).is_some_and(is_multipart) {
        return Err(NoPlace);
    }
    let told = Told { range: range.clone(), content_range: content_range.clone() };
    Ok(Some((extent, told)))
}

fn only_value(headers: &HeaderMap) -> Option<&HeaderValue> {
    let mut values = headers.get_all(CONTENT_RANGE).iter();
    values.next().filter(|_| values.next().is_none())
}

fn is_multipart(media: &HeaderValue) -> bool {
    let name = b"multipart/byteranges";
    media.as_bytes().get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name))
}

/// Whether both are of the same bytes, by a validator that says so ([RFC 9110 §8.8.1]): strong tags
/// where there is one, else dates of modification a second or more before each response.
///
/// [RFC 9110 §8.8.1]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.1
pub(crate) fn is_same_strong(one: Validators<'_>, two: Validators<'_>) -> bool {
    match (one.tag, two.tag) {
        (Some(one), Some(two)) => one.same_strong(&two),
        (None, None) => one.strong_date().is_some() && one.strong_date() == two.strong_date(),
        _ => false,
    }
}

/// Whether `newer` says that it is of other bytes than `stored`: by another tag, however weak, or where
/// one has none, by a later date of modification. Who says nothing of that, may be of the same.
pub(crate) fn is_of_other(stored: Validators<'_>, newer: Validators<'_>) -> bool {
    match (stored.tag, newer.tag) {
        (Some(stored), Some(newer)) => !stored.same_weak(&newer),
        _ => stored.modified.zip(newer.modified).is_some_and(|(stored, newer)| stored < newer),
    }
}

#[cfg(test)]
mod tests {
    use http::Method;

    use super::*;
    use crate::tests::{at, date, fields};

    #[test]
    fn a_part_says_where_it_stands() {
        check("range: bytes=0-4", "content-range: bytes 0-4/10", "0-4/Some(10)");
        check("range: bytes=0-4", "content-range: bytes 0-4/*", "0-4/None");
        check("range: bytes=0-4", "content-range: bytes 2-4/10", "2-4/Some(10)");
        let two = "content-range: bytes 0-4/10\ncontent-range: bytes 0-4/10";
        for none in ["", "content-range: bytes 4-0/10", "content-range: bytes */10", two] {
            check("range: bytes=0-4", none, "none");
        }
        check("", "content-range: bytes 0-4/10", "none");
        let several = "content-type: Multipart/ByteRanges; boundary=x";
        check("range: bytes=0-1,3-4", several, "none");
        let both = format!("{several}\ncontent-range: bytes 0-4/10");
        check("range: bytes=0-1,3-4", &both, "none");
    }

    #[test]
    fn only_strong_validators_make_parts_of_one() {
        let day = 86_400;
        let (dated, old) = (date("last-modified", 0), date("date", day));
        let (young, other) = (date("date", 0), date("last-modified", 5));
        same("etag: \"a\"", "etag: \"a\"", true);
        same("etag: \"a\"", "etag: \"b\"", false);
        same("etag: W/\"a\"", "etag: W/\"a\"", false);
        same("etag: \"a\"", "etag: W/\"a\"", false);
        same("", "", false);
        same("etag: \"a\"", "", false);
        let modified = format!("{dated}\n{old}");
        same(&modified, &modified, true);
        same(&modified, &format!("{dated}\n{young}"), false);
        same(&modified, &format!("{other}\n{old}"), false);
        same(&modified, &format!("{modified}\netag: \"a\""), false);
        same(&format!("{modified}\netag: \"a\""), &format!("{modified}\netag: \"a\""), true);
        same(&format!("{modified}\netag: W/\"a\""), &format!("{modified}\netag: W/\"a\""), false);
    }

    #[test]
    fn what_says_so_is_of_other_bytes() {
        let (dated, later) = (date("last-modified", 0), date("last-modified", 5));
        other("etag: \"a\"", "etag: \"b\"", true);
        other("etag: W/\"a\"", "etag: \"b\"", true);
        other("etag: W/\"a\"", "etag: W/\"a\"", false);
        other("etag: \"a\"", "etag: W/\"a\"", false);
        other(&format!("etag: \"a\"\n{dated}"), &format!("etag: \"a\"\n{later}"), false);
        other(&dated, &later, true);
        other(&dated, &format!("etag: \"a\"\n{later}"), true);
        other(&later, &dated, false);
        other("etag: \"a\"", &later, false);
        other("", "etag: \"a\"", false);
        other("etag: \"a\"", "", false);
    }

    #[track_caller]
    fn other(stored: &str, newer: &str, expect: bool) {
        let (one, two) = (fields(stored), fields(newer));
        let other =
            is_of_other(Validators::of(&one, at(100_000)), Validators::of(&two, at(100_000)));
        assert_eq!(other, expect, "for {stored:?} and {newer:?}");
    }

    #[track_caller]
    fn check(request: &str, response: &str, expect: &str) {
        let (request, response) = (fields(request), fields(response));
        let asked = Request::of(&Method::GET, &request);
        let status = StatusCode::PARTIAL_CONTENT;
        let head = Head { status, headers: &response, received: at(0) };
        let text = match place_of(&asked, head) {
            Ok(Some((Extent { part, size }, _))) => {
                format!("{}-{}/{size:?}", part.first, part.last)
            }
            Ok(None) => panic!("a 206 is a part"),
            Err(NoPlace) => "none".to_owned(),
        };
        assert_eq!(text, expect, "for {request:?} and {response:?}");
    }

    #[track_caller]
    fn same(one: &str, two: &str, expect: bool) {
        let (one, two) = (fields(one), fields(two));
        let same =
            is_same_strong(Validators::of(&one, at(100_000)), Validators::of(&two, at(100_000)));
        assert_eq!(same, expect, "for {one:?} and {two:?}");
    }
}
