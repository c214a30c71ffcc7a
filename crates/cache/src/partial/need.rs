//! What a request needs of which parts are stored.

use std::time::SystemTime;

use http::Method;
use relais_wire::range::{ByteRange, RangeVerdict, parse_range};

use super::Parts;
use crate::{
    conditional::{Form, RANGES_MAX, Validators, has_it, range_counts},
    request::{Condition, Request},
};

/// What a request needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Need {
    /// What is stored, in this form.
    Met(Form),
    /// These bytes, besides what is stored.
    Missing(ByteRange),
    /// Nothing of what is stored would spare anybody anything.
    Else,
}

/// Judges what `asked` needs, if `parts` are stored of a response with these validators, and no more
/// than `bytes_max` bytes of it ever will be.
pub(crate) fn judge_need(
    asked: &Request<'_>,
    (parts, validators): (&Parts, Validators<'_>),
    bytes_max: u64,
    now: SystemTime,
) -> Need {
    if asked.method != Method::GET {
        return Need::Else;
    }
    if asked.condition == Condition::Cached && has_it(asked.headers, validators, now) {
        return Need::Met(Form::NotModified);
    }
    let counted = asked.range.filter(|_| range_counts(asked.headers, validators, now));
    let Some(range) = counted else { return whole(parts, bytes_max) };
    if parts.answered(range) {
        return Need::Met(Form::Again);
    }
    // Where the size is unknown, a range is met that says both its ends.
    match parse_range(range.as_bytes(), parts.size().unwrap_or(u64::MAX), RANGES_MAX) {
        RangeVerdict::One(wanted) => one(parts, wanted, bytes_max),
        RangeVerdict::Many(wanted) => {
            let has_all = wanted.iter().all(|&range| parts.missing(range).is_none());
            if has_all { Need::Met(Form::Parts(wanted.into())) } else { Need::Else }
        }
        RangeVerdict::Unsatisfiable if parts.size().is_some() => Need::Met(Form::Unsatisfiable),
        RangeVerdict::Unsatisfiable => Need::Else,
        RangeVerdict::Ignore => whole(parts, bytes_max),
    }
}

fn whole(parts: &Parts, bytes_max: u64) -> Need {
    let Some(size) = parts.size().filter(|&size| size <= bytes_max) else { return Need::Else };
    let all = ByteRange { first: 0, last: size.saturating_sub(1) };
    parts.missing(all).map_or(Need::Else, Need::Missing)
}

fn one(parts: &Parts, wanted: ByteRange, bytes_max: u64) -> Need {
    match parts.missing(wanted) {
        None => Need::Met(Form::Part(wanted)),
        // Nothing of it is there, or too much is not to be waited for: it is passed on as it comes.
        Some(missing) if missing == wanted || wanted.len() > bytes_max => Need::Else,
        Some(missing) => Need::Missing(missing),
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use relais_wire::range::Extent;

    use super::*;
    use crate::{
        partial::parts::Told,
        stored_body::StoredBody,
        tests::{at, fields},
    };

    const PARTS: &[(u64, &str)] = &[(2, "23"), (6, "67")];

    #[test]
    fn ranges_are_met_by_parts_that_have_them() {
        check("range: bytes=2-3", Some(10), "part 2-3");
        check("range: bytes=7-7", Some(10), "part 7-7");
        check("range: bytes=3-3, 6-7", Some(10), "parts 3-3 6-7");
        check("range: bytes=10-", Some(10), "416");
        check("range: bytes=2-3\nif-range: \"a\"", Some(10), "part 2-3");
        check("if-none-match: \"a\"", Some(10), "304");
        check("range: bytes=2-3", None, "part 2-3");
    }

    #[test]
    fn what_is_missing_between_and_beside_them_is_named() {
        check("", Some(10), "missing 0-9");
        check("range: bytes=3-6", Some(10), "missing 4-5");
        check("range: bytes=1-7", Some(10), "missing 1-5");
        check("range: bytes=3-4", Some(10), "missing 4-4");
        check("range: bytes=7-", Some(10), "missing 8-9");
        check("range: bytes=-3", Some(10), "missing 8-9");
        check("range: bytes=2-3\nif-range: \"b\"", Some(10), "missing 0-9");
        check("range: lines=2-3", Some(10), "missing 0-9");
    }

    #[test]
    fn what_they_do_not_help_with_is_asked_for_as_it_was() {
        check("range: bytes=4-5", Some(10), "else");
        check("range: bytes=2-3, 5-5", Some(10), "else");
        check("", None, "else");
        check("range: bytes=7-", None, "else");
        check("range: bytes=-1", None, "else");
        check("", Some(1001), "else");
        check("range: bytes=7-1007", Some(5000), "else");
    }

    #[test]
    fn the_same_range_is_told_the_same() {
        let parts = Parts::of(extent(2, 9, None), body("23"), told()).unwrap();
        let headers = fields("range: bytes=-8");
        let need = need(&headers, &parts);
        assert_eq!(need, Need::Met(Form::Again));
    }

    #[test]
    fn what_was_told_of_another_place_is_not_told_again() {
        let check = |range: &'static str, first: u64, expect: Need| {
            let told = Told { range: HeaderValue::from_static(range), ..told() };
            let parts = Parts::of(extent(first, first + 1, Some(10)), body("xx"), told).unwrap();
            let headers = fields(&format!("range: {range}"));
            assert_eq!(need(&headers, &parts), expect, "{range} {first}");
        };
        check("bytes=0-1", 5, Need::Else);
        check("bytes=9-", 5, Need::Else);
        check("bytes=0-1", 0, Need::Met(Form::Again));
        check("bytes=0-4", 0, Need::Met(Form::Again));
        check("bytes=-1", 5, Need::Met(Form::Again));
    }

    #[track_caller]
    fn check(request: &str, size: Option<u64>, expect: &str) {
        let parts = PARTS.iter().map(|&(first, text)| {
            let last = first + text.len() as u64 - 1;
            Parts::of(extent(first, last, size), body(text), told()).unwrap()
        });
        let parts = parts.reduce(|older, newer| newer.joined(&older)).unwrap();
        let text = |range: &ByteRange| format!("{}-{}", range.first, range.last);
        let found = match need(&fields(request), &parts) {
            Need::Met(Form::NotModified) => "304".to_owned(),
            Need::Met(Form::Unsatisfiable) => "416".to_owned(),
            Need::Met(Form::Part(range)) => format!("part {}", text(&range)),
            Need::Met(Form::Parts(ranges)) => {
                format!("parts {}", ranges.iter().map(text).collect::<Vec<_>>().join(" "))
            }
            Need::Met(form) => format!("{form:?}"),
            Need::Missing(range) => format!("missing {}", text(&range)),
            Need::Else => "else".to_owned(),
        };
        assert_eq!(found, expect, "for {request:?} of {size:?}");
    }

    fn need(headers: &http::HeaderMap, parts: &Parts) -> Need {
        let (method, stored) = (Method::GET, fields("etag: \"a\""));
        let asked = Request::of(&method, headers);
        judge_need(&asked, (parts, Validators::of(&stored, at(0))), 1000, at(0))
    }

    fn extent(first: u64, last: u64, size: Option<u64>) -> Extent {
        Extent { part: ByteRange { first, last }, size }
    }

    fn told() -> Told {
        let value = HeaderValue::from_static;
        Told { range: value("bytes=-8"), content_range: value("bytes 2-9/*") }
    }

    fn body(text: &str) -> StoredBody {
        StoredBody::guarded(text.as_bytes().to_vec(), ())
    }
}
