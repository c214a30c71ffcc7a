//! How old a response is ([RFC 9111 §4.2.3]).
//!
//! Every sum here saturates: the numbers in it are strangers'.
//!
//! [RFC 9111 §4.2.3]: https://www.rfc-editor.org/rfc/rfc9111#section-4.2.3

use std::time::{Duration, SystemTime};

use http::{
    HeaderMap, HeaderName,
    header::{AGE, DATE},
};
use relais_wire::{date::parse_http_date, list};

use crate::directives::parse_seconds;

/// When a response was asked for, and when its head came, by our clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// When the request was sent.
    pub requested: SystemTime,
    /// When the response's head came.
    pub received: SystemTime,
}

/// What `Age` says: its first member, if that is a number of seconds ([RFC 9111 §5.1]).
///
/// [RFC 9111 §5.1]: https://www.rfc-editor.org/rfc/rfc9111#section-5.1
pub(crate) fn read_age(headers: &HeaderMap) -> Option<Duration> {
    let value = headers.get(AGE)?.as_bytes();
    parse_seconds(list::trim(value.split(|&byte| byte == b',').next()?))
}

/// When the response was made: its `Date`, or when it came, if it has none that can be read.
pub(crate) fn read_date(headers: &HeaderMap, received: SystemTime) -> SystemTime {
    date_in(headers, DATE, received).unwrap_or(received)
}

/// The date in the field called `name`.
pub(crate) fn date_in(
    headers: &HeaderMap,
    name: HeaderName,
    now: SystemTime,
) -> Option<SystemTime> {
    parse_http_date(headers.get(name)?.as_bytes(), now)
}

/// How old a response with these `headers` was when it came: what is called
/// `corrected_initial_age`.
///
/// An age that comes of its `Date` alone counts from `skew` on: below, it says that clocks differ.
pub(crate) fn initial_age(headers: &HeaderMap, times: Times, skew: Duration) -> Duration {
    let since = |earlier| times.received.duration_since(earlier).unwrap_or_default();
    // Dates are whole seconds; so is what can be told from them.
    let apparent = Duration::from_secs(since(read_date(headers, times.received)).as_secs());
    let apparent = if apparent > skew { apparent } else { Duration::ZERO };
    let delay = since(times.requested);
    apparent.max(read_age(headers).unwrap_or_default().saturating_add(delay))
}

/// How old a response is `now` that was `initial` old when it came at `received`.
///
/// `None` if our clock was set back since, by more than `skew`: then nobody knows.
pub(crate) fn current_age(
    initial: Duration,
    received: SystemTime,
    now: SystemTime,
    skew: Duration,
) -> Option<Duration> {
    match now.duration_since(received) {
        Ok(resident) => Some(initial.saturating_add(resident)),
        Err(back) if back.duration() <= skew => Some(initial),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::tests::{at, date, fields};

    #[test]
    fn the_first_member_of_age_counts() {
        check_field("", None);
        check_field("age: 7200", Some(7200));
        check_field("age: 0, 7200", Some(0));
        check_field("age: 7200, 0", Some(7200));
        check_field("age: 7200\nage: 0", Some(7200));
        check_field("age: x, 0", None);
        check_field("age: 99999999999999999999999", Some(1 << 31));
        for value in ["abc", "-1", "7200.0", "7200;foo=bar", "", ",1", "\"1\"", "+1", "1 2"] {
            check_field(&format!("age: {value}"), None);
        }
    }

    #[test]
    fn the_greater_of_date_and_age_counts() {
        // Request for at 1000, came at 1002.
        check("", 2);
        check(&date("date", 1002), 2);
        check(&date("date", 1001), 2);
        check(&date("date", 990), 12);
        check(&format!("{}\nage: 5", date("date", 990)), 12);
        check(&format!("{}\nage: 30", date("date", 990)), 32);
        check("age: 30", 32);
        check("date: foo\nage: 30", 32);
    }

    #[test]
    fn a_clock_that_is_ahead_makes_nothing_younger() {
        check(&date("date", 2000), 2);
        check(&format!("{}\nage: 30", date("date", 2000)), 32);
    }

    #[test]
    fn a_little_skew_is_no_age() {
        let times = Times { requested: at(1000), received: at(1000) };
        let headers = fields(&date("date", 995));
        assert_eq!(initial_age(&headers, times, Duration::from_secs(5)), Duration::ZERO);
        assert_eq!(initial_age(&headers, times, Duration::from_secs(4)), Duration::from_secs(5));
    }

    #[test]
    fn time_passes_and_clocks_are_set_back() {
        let age = |now| {
            let (initial, skew) = (Duration::from_secs(10), Duration::from_secs(1));
            current_age(initial, at(1000), at(now), skew).map(|age| age.as_secs())
        };
        assert_eq!(age(1000), Some(10));
        assert_eq!(age(1007), Some(17));
        assert_eq!(age(999), Some(10));
        assert_eq!(age(998), None);
    }

    #[test]
    fn no_sum_overflows() {
        let age = current_age(Duration::MAX, at(0), at(1 << 40), Duration::ZERO);
        assert_eq!(age, Some(Duration::MAX));
        let headers = fields("age: 18446744073709551615");
        let times = Times { requested: at(0), received: at(1 << 40) };
        assert_eq!(initial_age(&headers, times, Duration::ZERO).as_secs(), (1 << 31) + (1 << 40));
    }

    proptest! {
        #[test]
        fn nothing_panics(value in "[0-9, ]{0,24}", requested: u32, received: u32) {
            let times = Times { requested: at(requested.into()), received: at(received.into()) };
            initial_age(&fields(&format!("age: {value}")), times, Duration::ZERO);
        }
    }

    #[track_caller]
    fn check_field(lines: &str, expect: Option<u64>) {
        let age = read_age(&fields(lines)).map(|age| age.as_secs());
        assert_eq!(age, expect, "for {lines:?}");
    }

    #[track_caller]
    fn check(lines: &str, expect: u64) {
        let times = Times { requested: at(1000), received: at(1002) };
        let age = initial_age(&fields(lines), times, Duration::from_secs(1));
        assert_eq!(age.as_secs(), expect, "for {lines:?}");
    }
}
