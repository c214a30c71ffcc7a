//! In which form a stored response is sent, given what its client has and wants of it ([RFC 9110
//! §13, §14]).
//!
//! [RFC 9110 §13, §14]: https://www.rfc-editor.org/rfc/rfc9110#section-13

use std::{
    sync::Arc,
    time::{Duration, SystemTime},
};

use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, IF_RANGE, LAST_MODIFIED},
};
use relais_wire::{
    date::parse_http_date,
    etag::{EntityTag, matches_weak},
    range::{ByteRange, RangeVerdict, parse_range},
};

use crate::{
    age::{date_in, read_date},
    request::{Condition, Request},
};

/// In which form a stored response is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// As it is.
    Whole,
    /// 304: the client has it.
    NotModified,
    /// 206: these bytes of it.
    Part(ByteRange),
    /// 206: these bytes of it, as `multipart/byteranges`. At least two ranges, with gaps between them.
    Parts(Arc<[ByteRange]>),
    /// 206: the part that is stored, as it was told to who asked for the same.
    Again,
    /// 416: the bytes that the client wants are none of its.
    Unsatisfiable,
}

/// What tells a stored response from another of the same resource.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Validators<'a> {
    /// Its entity tag, if it has one in good form.
    pub tag: Option<EntityTag<'a>>,
    /// Its date of modification.
    pub modified: Option<SystemTime>,
    /// Its `Date`.
    pub date: SystemTime,
}

impl<'a> Validators<'a> {
    /// Those in the fields of a response that came at `received`.
    pub(crate) fn of(headers: &'a HeaderMap, received: SystemTime) -> Self {
        let tag = headers.get(ETAG).and_then(|tag| EntityTag::parse(tag.as_bytes()).ok());
        let modified = date_in(headers, LAST_MODIFIED, received);
        Self { tag, modified, date: read_date(headers, received) }
    }

    /// The date of modification, if it is strong: two changes in one second have one date
    /// ([RFC 9110 §8.8.2.2]).
    ///
    /// [RFC 9110 §8.8.2.2]: https://www.rfc-editor.org/rfc/rfc9110#section-8.8.2.2
    pub(crate) fn strong_date(&self) -> Option<SystemTime> {
        self.modified.filter(|&modified| modified + Duration::from_secs(1) <= self.date)
    }
}

/// Judges in which form a stored response of `len` bytes answers `asked`.
pub(crate) fn judge_form(
    asked: &Request<'_>,
    status: StatusCode,
    (validators, len): (Validators<'_>, u64),
    now: SystemTime,
) -> Form {
    // Conditions are about what would be sent without them (RFC 9110 §13.2.1).
    if !status.is_success() {
        return Form::Whole;
    }
    if asked.condition == Condition::Cached && has_it(asked.headers, validators, now) {
        return Form::NotModified;
    }
    let Some(range) = asked.range else { return Form::Whole };
    if status != StatusCode::OK || asked.method != Method::GET {
        return Form::Whole;
    }
    if !range_counts(asked.headers, validators, now) {
        return Form::Whole;
    }
    match parse_range(range.as_bytes(), len, RANGES_MAX) {
        RangeVerdict::One(part) => Form::Part(part),
        RangeVerdict::Unsatisfiable => Form::Unsatisfiable,
        RangeVerdict::Many(parts) => Form::Parts(parts.into()),
        RangeVerdict::Ignore => Form::Whole,
    }
}

/// Who names more ranges is not listened to.
pub(crate) const RANGES_MAX: usize = 16;

/// Whether the client has what is stored ([RFC 9111 §4.3.2]). Tags count before dates.
///
/// [RFC 9111 §4.3.2]: https://www.rfc-editor.org/rfc/rfc9111#section-4.3.2
pub(crate) fn has_it(headers: &HeaderMap, validators: Validators<'_>, now: SystemTime) -> bool {
    let tag = validators.tag.as_ref();
    let mut lists = headers.get_all(IF_NONE_MATCH).iter().map(HeaderValue::as_bytes).peekable();
    if lists.peek().is_some() {
        // `*` is met by whatever there is, with a tag or without.
        return lists
            .any(|list| list.trim_ascii() == b"*" || matches_weak(list, tag).unwrap_or_default());
    }
    let modified = validators.modified.unwrap_or(validators.date);
    date_in(headers, IF_MODIFIED_SINCE, now).is_some_and(|since| modified <= since)
}

/// Whether `Range` counts, going by `If-Range` ([RFC 9110 §13.1.5]): a date has to be exactly that
/// of the modification, and a second older than the response, as two changes in one second have one
/// date.
///
/// [RFC 9110 §13.1.5]: https://www.rfc-editor.org/rfc/rfc9110#section-13.1.5
pub(crate) fn range_counts(
    headers: &HeaderMap,
    validators: Validators<'_>,
    now: SystemTime,
) -> bool {
    let Some(value) = headers.get(IF_RANGE) else { return true };
    if let Ok(tag) = EntityTag::parse(value.as_bytes()) {
        return validators.tag.is_some_and(|current| current.same_strong(&tag));
    }
    let Some(modified) = validators.strong_date() else { return false };
    parse_http_date(value.as_bytes(), now) == Some(modified)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{at, date, fields};

    #[test]
    fn who_has_it_is_told_so() {
        check("", "whole");
        check("if-none-match: \"a\"", "304");
        check("if-none-match: W/\"a\"", "304");
        check("if-none-match: \"b\", \"a\"", "304");
        check("if-none-match: \"b\"\nif-none-match: \"a\"", "304");
        check("if-none-match: *", "304");
        check("if-none-match: \"b\"", "whole");
        check("if-none-match: a", "whole");
        check(&date("if-modified-since", 500), "304");
        check(&date("if-modified-since", 501), "304");
        check(&date("if-modified-since", 499), "whole");
        check("if-modified-since: now", "whole");
    }

    #[test]
    fn tags_count_before_dates() {
        let since = |seconds| date("if-modified-since", seconds);
        check(&format!("if-none-match: \"b\"\n{}", since(9999)), "whole");
        check(&format!("if-none-match: \"a\"\n{}", since(0)), "304");
    }

    #[test]
    fn without_a_modification_the_date_counts() {
        let bare = Validators { tag: None, modified: None, date: at(1000) };
        check_with(bare, &date("if-modified-since", 999), "whole");
        check_with(bare, &date("if-modified-since", 1000), "304");
        check_with(bare, "if-none-match: \"a\"", "whole");
        check_with(bare, "if-none-match: *", "304");
    }

    #[test]
    fn parts_are_cut_out() {
        check("range: bytes=0-1", "0-1");
        check("range: bytes=5-", "5-9");
        check("range: bytes=-1", "9-9");
        check("range: bytes=10-", "416");
        check("range: bytes=0-0,2-2", "0-0 2-2");
        check("range: bytes=0-4,5-6", "0-6");
        check("range: lines=1-2", "whole");
        check("range: bytes=0-1\nif-none-match: \"a\"", "304");
        check("range: bytes=0-1\nif-none-match: \"b\"", "0-1");
    }

    #[test]
    fn parts_are_of_what_the_client_has() {
        check("range: bytes=0-1\nif-range: \"a\"", "0-1");
        check("range: bytes=0-1\nif-range: \"b\"", "whole");
        check("range: bytes=0-1\nif-range: W/\"a\"", "whole");
        check(&format!("range: bytes=0-1\n{}", date("if-range", 500)), "0-1");
        check(&format!("range: bytes=0-1\n{}", date("if-range", 501)), "whole");
        check("range: bytes=0-1\nif-range: x", "whole");
        let weak = EntityTag { weak: true, opaque: b"a" };
        let weak = Validators { tag: Some(weak), ..validators() };
        check_with(weak, "range: bytes=0-1\nif-range: W/\"a\"", "whole");
        let young = Validators { date: at(500), ..validators() };
        check_with(young, &format!("range: bytes=0-1\n{}", date("if-range", 500)), "whole");
    }

    #[test]
    fn only_some_methods_and_statuses_have_parts() {
        let headers = fields("range: bytes=0-1");
        let form = |method: &Method, status| {
            judge_form(&Request::of(method, &headers), status, (validators(), 10), at(1000))
        };
        assert_eq!(form(&Method::HEAD, StatusCode::OK), Form::Whole);
        assert_eq!(form(&Method::GET, StatusCode::NOT_FOUND), Form::Whole);
        let headers = fields("if-none-match: *");
        let asked = Request::of(&Method::GET, &headers);
        let form = judge_form(&asked, StatusCode::NOT_FOUND, (validators(), 10), at(1000));
        assert_eq!(form, Form::Whole);
    }

    fn validators() -> Validators<'static> {
        let tag = EntityTag { weak: false, opaque: b"a" };
        Validators { tag: Some(tag), modified: Some(at(500)), date: at(1000) }
    }

    #[track_caller]
    fn check(request: &str, expect: &str) {
        check_with(validators(), request, expect);
    }

    #[track_caller]
    fn check_with(validators: Validators<'_>, request: &str, expect: &str) {
        let headers = fields(request);
        let asked = Request::of(&Method::GET, &headers);
        let text = |part: &ByteRange| format!("{}-{}", part.first, part.last);
        let form = match judge_form(&asked, StatusCode::OK, (validators, 10), at(1000)) {
            Form::Whole => "whole".to_owned(),
            Form::NotModified => "304".to_owned(),
            Form::Part(part) => text(&part),
            Form::Parts(parts) => parts.iter().map(text).collect::<Vec<_>>().join(" "),
            Form::Again => panic!("only a part is told again"),
            Form::Unsatisfiable => "416".to_owned(),
        };
        assert_eq!(form, expect, "for {request:?}");
    }
}
