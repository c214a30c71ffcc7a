//! For how long a response is fresh ([RFC 9111 §4.2.1, §4.2.2]).
//!
//! [RFC 9111 §4.2.1, §4.2.2]: https://www.rfc-editor.org/rfc/rfc9111#section-4.2.1

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderValue, StatusCode,
    header::{EXPIRES, LAST_MODIFIED, PRAGMA},
};

use crate::{
    age::{date_in, read_date},
    directives::{Control, ControlSource, Flag},
    settings::Settings,
};

/// For how long a response is fresh, counted from when its origin made it, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lifetime {
    /// How long. Zero if it never is.
    pub duration: Duration,
    /// Why.
    pub basis: Basis,
}

/// What a lifetime was told by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Basis {
    /// `s-maxage`
    SharedMaxAge,
    /// `max-age`
    MaxAge,
    /// `Expires`, less `Date`.
    Expires,
    /// A part of the time since `Last-Modified`.
    Heuristic,
    /// [`Settings::default_ttl`]
    Default,
    /// [`Settings::negative_ttl`]
    Negative,
    /// What is said here of its path, as it says nothing itself.
    Rule,
    /// What is said here, whatever it says itself.
    Imposed,
    /// Nothing: a status that is not stored unless it says so, or `Pragma: no-cache`.
    Nothing,
}

impl Basis {
    /// Whether it was us who said how long, for want of a word of the origin's.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, Self::Default | Self::Rule | Self::Negative)
    }

    /// Whether the origin said how long ([RFC 9111 §4.2.1]).
    ///
    /// [RFC 9111 §4.2.1]: https://www.rfc-editor.org/rfc/rfc9111#section-4.2.1
    pub fn is_explicit(self) -> bool {
        matches!(self, Self::SharedMaxAge | Self::MaxAge | Self::Expires)
    }
}

/// Whether a response of `status` may be stored without saying so ([RFC 9110 §15.1]).
///
/// [RFC 9110 §15.1]: https://www.rfc-editor.org/rfc/rfc9110#section-15.1
pub(crate) fn is_heuristically_cacheable(status: StatusCode) -> bool {
    matches!(status.as_u16(), 200 | 203 | 204 | 206 | 300 | 301 | 308 | 404 | 405 | 410 | 414 | 501)
}

/// Whether `status` says that there is nothing, or that its origin fails.
fn is_negative(status: StatusCode) -> bool {
    matches!(status.as_u16(), 404 | 405 | 410 | 414 | 500..=504)
}

/// A response's head, as the rules look at it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Head<'a> {
    /// Its status.
    pub status: StatusCode,
    /// Its fields.
    pub headers: &'a HeaderMap,
    /// When it came, by our clock.
    pub received: SystemTime,
}

/// For how long `head`, which has these directives, is fresh.
pub(crate) fn lifetime(head: Head<'_>, control: &Control, settings: &Settings) -> Lifetime {
    let directives = &control.directives;
    let told = |duration, basis| Lifetime { duration, basis };
    let negative_ttl = settings.negative_ttl.filter(|_| is_negative(head.status));
    if control.source == ControlSource::Rule {
        let ruled = control.ttl.filter(|_| is_heuristically_cacheable(head.status));
        return match negative_ttl.or(ruled) {
            Some(ttl) => told(ttl, Basis::Imposed),
            None => told(Duration::ZERO, Basis::Nothing),
        };
    }
    if let Some(duration) = directives.s_maxage {
        return told(duration, Basis::SharedMaxAge);
    }
    if let Some(duration) = directives.max_age {
        return told(duration, Basis::MaxAge);
    }
    let date = read_date(head.headers, head.received);
    if head.headers.contains_key(EXPIRES) && !control.is_targeted() {
        // What cannot be read is in the past (RFC 9111 §5.3).
        let expires = date_in(head.headers, EXPIRES, head.received);
        let duration = expires.and_then(|expires| expires.duration_since(date).ok());
        return told(duration.unwrap_or_default(), Basis::Expires);
    }
    let may_guess = is_heuristically_cacheable(head.status)
        || directives.has(Flag::Public)
        || negative_ttl.is_some();
    if !may_guess || is_forbidden_of_old(head.headers, control) {
        return told(Duration::ZERO, Basis::Nothing);
    }
    // Before what a rule says: that is meant for what is there.
    if let Some(ttl) = negative_ttl {
        return told(ttl, Basis::Negative);
    }
    if let Some(ttl) = control.ttl {
        return told(ttl, Basis::Rule);
    }
    let Some(modified) = date_in(head.headers, LAST_MODIFIED, head.received) else {
        return told(settings.default_ttl, Basis::Default);
    };
    let since = date.duration_since(modified).unwrap_or_default();
    let part = since.checked_mul(settings.heuristic_percent).map_or(since, |part| part / 100);
    told(part.min(settings.heuristic_max), Basis::Heuristic)
}

/// Whether a response says `Pragma: no-cache` and no more. That has no meaning in a response
/// ([RFC 9111 §5.4]); but who wrote it did not mean that anybody should guess.
///
/// [RFC 9111 §5.4]: https://www.rfc-editor.org/rfc/rfc9111#section-5.4
fn is_forbidden_of_old(headers: &HeaderMap, control: &Control) -> bool {
    let is_no_cache = |value: &HeaderValue| value.as_bytes().eq_ignore_ascii_case(b"no-cache");
    control.source == ControlSource::Nowhere && headers.get(PRAGMA).is_some_and(is_no_cache)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tests::{at, date, fields};

    #[test]
    fn the_most_specific_lifetime_counts() {
        check(200, "cache-control: max-age=60", (60, Basis::MaxAge));
        check(200, "cache-control: max-age=60, s-maxage=5", (5, Basis::SharedMaxAge));
        check(200, "cache-control: max-age=0, s-maxage=99", (99, Basis::SharedMaxAge));
        let expires = date("expires", 1200);
        check(200, &expires, (200, Basis::Expires));
        check(200, &format!("{expires}\ncache-control: max-age=60"), (60, Basis::MaxAge));
        check(200, &format!("{expires}\ncache-control: max-age=0"), (0, Basis::MaxAge));
        check(599, "cache-control: max-age=60", (60, Basis::MaxAge));
    }

    #[test]
    fn expires_counts_from_date() {
        let both = |expires, made| format!("{}\n{}", date("expires", expires), date("date", made));
        check(200, &both(1300, 1400), (0, Basis::Expires));
        check(200, &both(1400, 1300), (100, Basis::Expires));
        check(200, &both(1400, 1400), (0, Basis::Expires));
        check(200, &format!("{}\ndate: foo", date("expires", 1010)), (10, Basis::Expires));
    }

    #[test]
    fn expires_that_cannot_be_read_is_past() {
        for value in ["0", "-1", "now", "", "Thu, 01-Jan-2037 00:00:00 GMT"] {
            check(200, &format!("expires: {value}"), (0, Basis::Expires));
        }
        let first = format!("{}\n{}", date("expires", 1100), date("expires", 1));
        check(200, &first, (100, Basis::Expires));
    }

    #[test]
    fn a_targeted_field_counts_instead_of_all_else() {
        let rest = format!("cache-control: max-age=60\n{}", date("expires", 9000));
        check(200, &format!("{rest}\ncdn-cache-control: max-age=5"), (5, Basis::MaxAge));
        check(200, &format!("{rest}\ncdn-cache-control: public"), (60, Basis::Default));
        check(200, &format!("{rest}\ncdn-cache-control: max-age='5'"), (60, Basis::MaxAge));
    }

    #[test]
    fn what_says_nothing_is_guessed() {
        check(200, "", (60, Basis::Default));
        check(404, "", (60, Basis::Default));
        check(200, &date("last-modified", 0), (100, Basis::Heuristic));
        check(200, &date("last-modified", -1_000_000_000), (86_400, Basis::Heuristic));
        check(200, &date("last-modified", 1000), (0, Basis::Heuristic));
        check(200, &date("last-modified", 2000), (0, Basis::Heuristic));
        check(200, "last-modified: long ago", (60, Basis::Default));
        check(200, "cache-control: no-cache", (60, Basis::Default));
        check(200, "pragma: No-Cache", (0, Basis::Nothing));
        check(200, "pragma: x", (60, Basis::Default));
        check(200, "pragma: no-cache\ncache-control: max-age=5", (5, Basis::MaxAge));
        check(200, "pragma: no-cache\ncache-control: public", (60, Basis::Default));
    }

    #[test]
    fn only_some_statuses_may_be_guessed() {
        for status in [200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501] {
            check(status, &date("last-modified", 0), (100, Basis::Heuristic));
        }
        for status in [201, 202, 302, 303, 307, 400, 403, 500, 502, 503, 504, 599] {
            check(status, &date("last-modified", 0), (0, Basis::Nothing));
            check(status, "", (0, Basis::Nothing));
            let public = format!("cache-control: public\n{}", date("last-modified", 0));
            check(status, &public, (100, Basis::Heuristic));
        }
    }

    #[track_caller]
    fn check(status: u16, lines: &str, (seconds, basis): (u64, Basis)) {
        let settings = Settings::default();
        let headers = fields(lines);
        let status = StatusCode::from_u16(status).unwrap();
        let head = Head { status, headers: &headers, received: at(1000) };
        let control = Control::of(&headers, &settings.targets);
        let expect = Lifetime { duration: Duration::from_secs(seconds), basis };
        assert_eq!(lifetime(head, &control, &settings), expect, "for {status} {lines:?}");
    }
}
