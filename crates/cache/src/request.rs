//! A request, as the rules look at it: read once.

use std::fmt;

use http::{
    HeaderMap, HeaderName, HeaderValue, Method,
    header::{
        AUTHORIZATION, CACHE_CONTROL, CONTENT_LENGTH, COOKIE, IF_MATCH, IF_MODIFIED_SINCE,
        IF_NONE_MATCH, IF_UNMODIFIED_SINCE, PRAGMA, RANGE, TRANSFER_ENCODING, UPGRADE,
    },
};
use relais_wire::list;

use crate::{
    directives::{Directives, Flag, read_cache_control},
    rules::{Rule, Storing},
};

/// A request as it came from its client, before anything is added or taken off.
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// The method.
    pub method: &'a Method,
    /// The fields.
    pub headers: &'a HeaderMap,
    /// What becomes of them on their way to who answers; `None` if they are sent on as they are. Two
    /// requests are the same to `Vary` if they are the same when they arrive.
    pub sent: Option<&'a dyn Sent>,
    /// What its directives say; `Pragma: no-cache` is one of them where there is no
    /// `Cache-Control`.
    pub directives: Directives,
    /// What it makes its answer depend on.
    pub condition: Condition,
    /// The `Range` field.
    pub range: Option<&'a HeaderValue>,
    /// Whom it names as its sender.
    pub sender: Sender,
    /// Whether it brings a body.
    pub content: Content,
    /// Whether it would have its connection speak another protocol.
    pub switch: Switch,
    /// What is said of requests for its path: set by the cache.
    pub rule: Option<&'a Rule>,
}

/// The fields of a request as they are sent on: some are set, others are taken off.
///
/// Who answers sees these alone, and means them by `Vary`. Most fields are sent on as they came, and
/// so most answers are chosen without [`headers`](Self::headers).
pub trait Sent: fmt::Debug {
    /// Whether the field `name` may be sent on as another than it came.
    fn rewrites(&self, name: &HeaderName) -> bool;

    /// All fields as they are sent on; `None` if that cannot be told before.
    fn headers(&self) -> Option<&HeaderMap>;
}

/// What a request makes its answer depend on ([RFC 9110 §13]).
///
/// [RFC 9110 §13]: https://www.rfc-editor.org/rfc/rfc9110#section-13
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// Nothing.
    None,
    /// What the client has: `If-None-Match`, `If-Modified-Since`. A cache can tell.
    Cached,
    /// What the origin has: `If-Match`, `If-Unmodified-Since`. A cache cannot.
    Origin,
}

/// Whom a request names as its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sender {
    /// Nobody.
    Nobody,
    /// Perhaps somebody: there are cookies.
    Cookie,
    /// Somebody: there is `Authorization`.
    Authorization,
}

/// Whether a request brings a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Content {
    /// It does not.
    None,
    /// It does, or may.
    Some,
}

/// Whether a request would have its connection speak another protocol ([RFC 9110 §7.8]).
///
/// [RFC 9110 §7.8]: https://www.rfc-editor.org/rfc/rfc9110#section-7.8
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Switch {
    /// It would not.
    None,
    /// It would: only its origin can answer.
    Wanted,
}

impl<'a> Request<'a> {
    /// Reads a request. A body that only its framing tells of (HTTP/2 without `Content-Length`) is
    /// to be set in `content` by who knows.
    pub fn of(method: &'a Method, headers: &'a HeaderMap) -> Self {
        let mut asked = Self {
            method,
            headers,
            sent: None,
            directives: Directives::default(),
            condition: Condition::None,
            range: None,
            sender: Sender::Nobody,
            content: Content::None,
            switch: Switch::None,
            rule: None,
        };
        let (mut has_control, mut has_pragma) = (false, false);
        // Once over the few that there are, rather than a hash for each that there might be.
        for (name, value) in headers {
            match *name {
                CACHE_CONTROL => has_control = true,
                PRAGMA => has_pragma = true,
                RANGE => asked.range = Some(value),
                AUTHORIZATION => asked.sender = Sender::Authorization,
                COOKIE if asked.sender == Sender::Nobody => asked.sender = Sender::Cookie,
                IF_MATCH | IF_UNMODIFIED_SINCE => asked.condition = Condition::Origin,
                IF_NONE_MATCH | IF_MODIFIED_SINCE if asked.condition == Condition::None => {
                    asked.condition = Condition::Cached;
                }
                CONTENT_LENGTH if value != "0" => asked.content = Content::Some,
                TRANSFER_ENCODING => asked.content = Content::Some,
                UPGRADE => asked.switch = Switch::Wanted,
                _ => (),
            }
        }
        if has_control {
            let lines = headers.get_all(CACHE_CONTROL).iter().map(HeaderValue::as_bytes);
            asked.directives = read_cache_control(lines);
        } else if has_pragma && says_no_cache(headers) {
            asked.directives.add(Flag::NoCache);
        }
        asked
    }

    /// Whether nothing is stored for it.
    pub(crate) fn is_bypassed(&self) -> bool {
        self.rule.is_some_and(|rule| rule.storing == Storing::Bypassed)
    }

    /// The fields in which `name` is as it is sent on; `None` if that cannot be told.
    pub(crate) fn headers_with(&self, name: &HeaderName) -> Option<&'a HeaderMap> {
        match self.sent {
            Some(sent) if sent.rewrites(name) => sent.headers(),
            _ => Some(self.headers),
        }
    }
}

/// Whether `Pragma` says so ([RFC 9111 §5.4]).
///
/// [RFC 9111 §5.4]: https://www.rfc-editor.org/rfc/rfc9111#section-5.4
fn says_no_cache(headers: &HeaderMap) -> bool {
    let lines = headers.get_all(PRAGMA).iter();
    let mut pragmas = lines.flat_map(|line| list::parts(line.as_bytes(), b','));
    pragmas.any(|pragma| pragma.eq_ignore_ascii_case(b"no-cache"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::fields;

    #[test]
    fn what_matters_is_found() {
        check("accept: */*\nuser-agent: x", (Condition::None, Sender::Nobody, Content::None));
        check("if-none-match: \"a\"", (Condition::Cached, Sender::Nobody, Content::None));
        check("if-modified-since: x", (Condition::Cached, Sender::Nobody, Content::None));
        check("if-match: *\nif-none-match: x", (Condition::Origin, Sender::Nobody, Content::None));
        check("if-none-match: x\nif-match: *", (Condition::Origin, Sender::Nobody, Content::None));
        check("cookie: a=b", (Condition::None, Sender::Cookie, Content::None));
        check(
            "authorization: x\ncookie: a",
            (Condition::None, Sender::Authorization, Content::None),
        );
        check(
            "cookie: a\nauthorization: x",
            (Condition::None, Sender::Authorization, Content::None),
        );
        check("content-length: 0", (Condition::None, Sender::Nobody, Content::None));
        check("content-length: 1", (Condition::None, Sender::Nobody, Content::Some));
        check("transfer-encoding: chunked", (Condition::None, Sender::Nobody, Content::Some));
    }

    #[test]
    fn pragma_counts_without_cache_control() {
        check_no_cache("", false);
        check_no_cache("pragma: no-cache", true);
        check_no_cache("pragma: x, No-Cache", true);
        check_no_cache("pragma: x", false);
        check_no_cache("pragma: no-cache\ncache-control: max-age=5", false);
        check_no_cache("cache-control: no-cache", true);
    }

    #[track_caller]
    fn check(lines: &str, expect: (Condition, Sender, Content)) {
        let headers = fields(lines);
        let asked = Request::of(&Method::GET, &headers);
        assert_eq!((asked.condition, asked.sender, asked.content), expect, "for {lines:?}");
    }

    #[track_caller]
    fn check_no_cache(lines: &str, expect: bool) {
        let headers = fields(lines);
        let asked = Request::of(&Method::GET, &headers);
        assert_eq!(asked.directives.has(Flag::NoCache), expect, "for {lines:?}");
    }
}
