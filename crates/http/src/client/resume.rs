//! Going on with a download that broke off (RFC 9110 §14).

use std::time::{Duration, SystemTime};

use http::{
    HeaderValue,
    header::{IF_RANGE, RANGE},
};
use relais_wire::{
    date::parse_http_date,
    etag::EntityTag,
    range::{Extent, parse_content_range},
};

use super::{Head, Request};

/// From how long before its answer on a date is taken for strong (RFC 9110 §8.8.2.2).
const STRONG_AFTER: Duration = Duration::from_mins(1);

/// What is there of a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// So many bytes, from the first on.
    pub bytes: u64,
    /// How many all of it has, if that was told when these came.
    pub size: Option<u64>,
    /// What all of it is known by: a [`validator`].
    pub validator: Vec<u8>,
}

/// What an answer means to a [`Part`] that was asked to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resumed {
    /// What comes belongs behind it.
    GoesOn,
    /// All of it comes anew: what is there is of something else, or parts are not given.
    Anew,
    /// It was whole.
    Whole,
    /// What comes is no part of it, but says why there is none.
    Refused,
    /// Nothing that could be put together comes. It has to be asked for without a range.
    AskAgain,
}

/// What a body is known by, byte for byte, if its head says so: a strong tag, or a date that is
/// strong.
pub fn validator(head: &Head, now: SystemTime) -> Option<&[u8]> {
    let tag = head.field("etag").filter(|tag| EntityTag::parse(tag).is_ok_and(|tag| !tag.weak));
    let modified = head.field("last-modified").filter(|modified| {
        let said = |value| parse_http_date(value, now);
        let ages = said(modified).zip(head.field("date").and_then(said));
        ages.and_then(|(modified, date)| date.duration_since(modified).ok())
            .is_some_and(|age| age >= STRONG_AFTER)
    });
    tag.or(modified)
}

impl Part {
    /// Has `request` ask for the rest, if it is still of the same.
    pub fn ask_on(&self, request: &mut Request) {
        let Ok(validator) = HeaderValue::from_bytes(&self.validator) else { return };
        let range = HeaderValue::try_from(format!("bytes={}-", self.bytes));
        request.fields.insert(RANGE, range.expect("digits are visible"));
        request.fields.insert(IF_RANGE, validator);
    }

    /// What the answer means.
    pub fn resumed(&self, head: &Head) -> Resumed {
        let range = head.field("content-range");
        match head.status {
            206 => match range.and_then(parse_content_range) {
                // Without a size it could not be told whether it is whole then.
                Some(Extent { part, size: Some(size) })
                    if part.first == self.bytes && self.is_of_same(head, size) =>
                {
                    Resumed::GoesOn
                }
                _ => Resumed::AskAgain,
            },
            // It says nothing of `If-Range`: what has so many bytes may be something else.
            416 => match range.and_then(unsatisfied_size) {
                Some(size) if size == self.bytes && self.is_of_same(head, size) => Resumed::Whole,
                _ => Resumed::AskAgain,
            },
            200 => Resumed::Anew,
            _ => Resumed::Refused,
        }
    }
}

impl Part {
    /// Whether an answer that tells this size does not say that it is of something else (RFC 9110
    /// §15.3.7.3): one that says nothing was given for what it was asked with.
    fn is_of_same(&self, head: &Head, size: u64) -> bool {
        if self.size.is_some_and(|told| told != size) {
            return false;
        }
        let is_tag = self.validator.starts_with(b"\"");
        let said = head.field(if is_tag { "etag" } else { "last-modified" });
        said.is_none_or(|said| said == self.validator)
    }
}

/// The size in `bytes */SIZE`.
fn unsatisfied_size(value: &[u8]) -> Option<u64> {
    let size = str::from_utf8(value).ok()?.strip_prefix("bytes */")?;
    let is_number = !size.is_empty() && size.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { size.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use http::Version;

    use super::*;

    fn head(status: u16, fields: &[(&str, &str)]) -> Head {
        let fields = fields.iter();
        let fields = fields.map(|(name, value)| ((*name).to_owned(), value.as_bytes().to_vec()));
        Head { version: Version::HTTP_11, status, reason: Vec::new(), fields: fields.collect() }
    }

    #[test]
    fn only_what_is_strong_is_a_validator() {
        let modified = ("Last-Modified", "Sun, 06 Nov 1994 08:49:37 GMT");
        let check = |fields: &[(&str, &str)], expect: Option<&str>| {
            let head = head(200, fields);
            assert_eq!(validator(&head, SystemTime::UNIX_EPOCH), expect.map(str::as_bytes));
        };
        check(&[("ETag", "\"a\"")], Some("\"a\""));
        check(&[("ETag", "W/\"a\"")], None);
        check(&[("ETag", "a")], None);
        check(&[modified, ("Date", "Sun, 06 Nov 1994 08:50:37 GMT")], Some(modified.1));
        check(&[modified, ("Date", "Sun, 06 Nov 1994 08:50:36 GMT")], None);
        check(&[modified], None);
        check(&[], None);
    }

    #[test]
    fn what_comes_is_put_behind_only_if_it_belongs_there() {
        let part = Part { bytes: 10, size: None, validator: b"\"a\"".to_vec() };
        let check = |status, range: &str, expect| {
            assert_eq!(part.resumed(&head(status, &[("Content-Range", range)])), expect);
        };
        check(206, "bytes 10-19/20", Resumed::GoesOn);
        check(206, "bytes 0-19/20", Resumed::AskAgain);
        check(206, "bytes 11-19/20", Resumed::AskAgain);
        check(206, "nonsense", Resumed::AskAgain);
        check(200, "", Resumed::Anew);
        check(404, "", Resumed::Refused);
        check(416, "bytes */10", Resumed::Whole);
        check(416, "bytes */9", Resumed::AskAgain);
        check(416, "bytes */+10", Resumed::AskAgain);
        check(206, "bytes 10-19/*", Resumed::AskAgain);
        assert_eq!(part.resumed(&head(206, &[])), Resumed::AskAgain);
    }

    #[test]
    fn what_comes_of_something_else_is_not_put_behind() {
        let check = |validator: &str, name, value, expect| {
            let part = Part { bytes: 10, size: None, validator: validator.as_bytes().to_vec() };
            let head = |status, range| head(status, &[("Content-Range", range), (name, value)]);
            let more = part.resumed(&head(206, "bytes 10-19/20"));
            assert_eq!(more, expect, "{validator} {value}");
            let none = part.resumed(&head(416, "bytes */10"));
            let expect = if expect == Resumed::GoesOn { Resumed::Whole } else { expect };
            assert_eq!(none, expect, "{validator} {value}");
        };
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        check("\"a\"", "ETag", "\"a\"", Resumed::GoesOn);
        check("\"a\"", "ETag", "\"b\"", Resumed::AskAgain);
        check("\"a\"", "ETag", "W/\"a\"", Resumed::AskAgain);
        check("\"a\"", "Last-Modified", date, Resumed::GoesOn);
        check(date, "Last-Modified", date, Resumed::GoesOn);
        check(date, "Last-Modified", "Sun, 06 Nov 1994 08:49:38 GMT", Resumed::AskAgain);
        check(date, "ETag", "\"a\"", Resumed::GoesOn);
    }

    #[test]
    fn what_has_another_size_than_was_told_is_something_else() {
        let check = |size, status, range, expect| {
            let part = Part { bytes: 10, size: Some(size), validator: b"\"a\"".to_vec() };
            assert_eq!(part.resumed(&head(status, &[("Content-Range", range)])), expect);
        };
        check(20, 206, "bytes 10-19/20", Resumed::GoesOn);
        check(20, 206, "bytes 10-18/19", Resumed::AskAgain);
        check(20, 416, "bytes */10", Resumed::AskAgain);
        check(20, 416, "bytes */20", Resumed::AskAgain);
        check(10, 416, "bytes */10", Resumed::Whole);
    }
}
