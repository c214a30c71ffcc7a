//! Conditional requests ([RFC 9110 §13]): whether a file is sent, given what its reader has.
//!
//! [RFC 9110 §13]: https://www.rfc-editor.org/rfc/rfc9110#section-13

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderName, HeaderValue,
    header::{IF_MATCH, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, IF_UNMODIFIED_SINCE},
};
use relais_wire::{
    date::parse_http_date,
    etag::{EntityTag, matches_strong, matches_weak},
};

/// What tells one state of a file from another to its readers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Validators<'a> {
    pub tag: EntityTag<'a>,
    /// A whole second. `None` if it is not known, or not past.
    pub modified: Option<SystemTime>,
}

/// What a GET or HEAD gets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The file.
    Send,
    /// 304: the reader has it.
    NotModified,
    /// 412: it is not what the reader wants to go on with.
    Unmet,
}

/// Judges the conditions in `headers` in the order of [RFC 9110 §13.2.2], without `If-Range`.
///
/// A date that does not parse is as if it were absent. A list of tags that does not parse holds
/// none.
///
/// [RFC 9110 §13.2.2]: https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2
pub(super) fn judge(headers: &HeaderMap, current: Validators<'_>, now: SystemTime) -> Verdict {
    let date = |name: HeaderName| headers.get(name).and_then(|value| date_of(value, now));
    let tag = Some(&current.tag);
    if let Some(matches) = any(headers, IF_MATCH, |value| matches_strong(value, tag).ok()) {
        if !matches {
            return Verdict::Unmet;
        }
    } else if let (Some(date), Some(modified)) = (date(IF_UNMODIFIED_SINCE), current.modified)
        && modified > date
    {
        return Verdict::Unmet;
    }
    if let Some(matches) = any(headers, IF_NONE_MATCH, |value| matches_weak(value, tag).ok()) {
        if matches {
            return Verdict::NotModified;
        }
    } else if let (Some(date), Some(modified)) = (date(IF_MODIFIED_SINCE), current.modified)
        && modified <= date
    {
        return Verdict::NotModified;
    }
    Verdict::Send
}

/// Whether a `Range` counts, going by `If-Range` ([RFC 9110 §13.1.5]): its tag is the current one,
/// both strong, or its date is exactly the current one, and at least a second old: two changes in
/// one second have the same date.
///
/// [RFC 9110 §13.1.5]: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
pub(super) fn range_counts(headers: &HeaderMap, current: Validators<'_>, now: SystemTime) -> bool {
    let Some(value) = headers.get(IF_RANGE) else { return true };
    if let Ok(tag) = EntityTag::parse(value.as_bytes()) {
        return tag.same_strong(&current.tag);
    }
    let Some(modified) = current.modified else { return false };
    let second_ago = now.checked_sub(Duration::from_secs(1));
    date_of(value, now) == Some(modified) && second_ago.is_some_and(|ago| modified <= ago)
}

fn date_of(value: &HeaderValue, now: SystemTime) -> Option<SystemTime> {
    parse_http_date(value.as_bytes(), now)
}

/// Whether `matches` says so of any field called `name`; `None` if there is no such field.
fn any(
    headers: &HeaderMap,
    name: HeaderName,
    matches: impl Fn(&[u8]) -> Option<bool>,
) -> Option<bool> {
    let mut values = headers.get_all(name).iter().peekable();
    values.peek()?;
    Some(values.any(|value| matches(value.as_bytes()) == Some(true)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";
    const THEN: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
    const AFTER: &str = "Sun, 06 Nov 1994 08:49:38 GMT";

    #[test]
    fn each_condition_is_judged() {
        check("", Verdict::Send);
        check("if-match: \"a\"", Verdict::Send);
        check("if-match: *", Verdict::Send);
        check("if-match: \"b\"", Verdict::Unmet);
        check("if-match: W/\"a\"", Verdict::Unmet);
        check("if-match: nonsense", Verdict::Unmet);
        check("if-none-match: \"a\"", Verdict::NotModified);
        check("if-none-match: W/\"a\"", Verdict::NotModified);
        check("if-none-match: \"b\", \"a\"", Verdict::NotModified);
        check("if-none-match: *", Verdict::NotModified);
        check("if-none-match: \"b\"", Verdict::Send);
        check("if-none-match: nonsense", Verdict::Send);
        check(&format!("if-modified-since: {THEN}"), Verdict::NotModified);
        check(&format!("if-modified-since: {AFTER}"), Verdict::NotModified);
        check(&format!("if-modified-since: {BEFORE}"), Verdict::Send);
        check("if-modified-since: yesterday", Verdict::Send);
        check(&format!("if-unmodified-since: {THEN}"), Verdict::Send);
        check(&format!("if-unmodified-since: {BEFORE}"), Verdict::Unmet);
        check("if-unmodified-since: yesterday", Verdict::Send);
    }

    #[test]
    fn fields_that_come_twice_are_one_list() {
        check("if-none-match: \"b\"\nif-none-match: \"a\"", Verdict::NotModified);
        check("if-match: \"b\"\nif-match: \"a\"", Verdict::Send);
    }

    #[test]
    fn tags_count_before_dates() {
        check(&format!("if-none-match: \"b\"\nif-modified-since: {AFTER}"), Verdict::Send);
        check(&format!("if-match: \"a\"\nif-unmodified-since: {BEFORE}"), Verdict::Send);
    }

    #[test]
    fn what_must_hold_counts_before_what_is_had() {
        check("if-match: \"b\"\nif-none-match: \"a\"", Verdict::Unmet);
        check("if-match: \"a\"\nif-none-match: \"a\"", Verdict::NotModified);
        let both = format!("if-unmodified-since: {BEFORE}\nif-modified-since: {THEN}");
        check(&both, Verdict::Unmet);
    }

    #[test]
    fn without_a_date_conditions_on_dates_are_absent() {
        let headers = headers(&format!("if-modified-since: {AFTER}"));
        let current = Validators { modified: None, ..validators() };
        assert_eq!(judge(&headers, current, now()), Verdict::Send);
    }

    #[test]
    fn a_range_counts_for_what_is_had_exactly() {
        check_range("", true);
        check_range("if-range: \"a\"", true);
        check_range("if-range: \"b\"", false);
        check_range("if-range: W/\"a\"", false);
        check_range(&format!("if-range: {THEN}"), true);
        check_range(&format!("if-range: {AFTER}"), false);
        check_range(&format!("if-range: {BEFORE}"), false);
        check_range("if-range: nonsense", false);
        let headers = headers(&format!("if-range: {THEN}"));
        let young = parse_http_date(THEN.as_bytes(), now()).unwrap() + Duration::from_millis(900);
        assert!(!range_counts(&headers, validators(), young));
    }

    #[track_caller]
    fn check(fields: &str, expect: Verdict) {
        assert_eq!(judge(&headers(fields), validators(), now()), expect, "for {fields:?}");
    }

    #[track_caller]
    fn check_range(fields: &str, expect: bool) {
        assert_eq!(range_counts(&headers(fields), validators(), now()), expect, "for {fields:?}");
    }

    fn validators() -> Validators<'static> {
        let modified = parse_http_date(THEN.as_bytes(), now());
        Validators { tag: EntityTag { weak: false, opaque: b"a" }, modified }
    }

    fn now() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000)
    }

    fn headers(fields: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for field in fields.lines() {
            let (name, value) = field.split_once(": ").unwrap();
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        headers
    }
}
