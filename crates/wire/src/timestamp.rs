//! Points in time in logs and on command lines ([RFC 3339]): written in UTC with microseconds, read
//! from any place on earth.
//!
//! [RFC 3339]: https://www.rfc-editor.org/rfc/rfc3339

use std::{
    fmt,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use crate::calendar::Moment;

/// A point in time, written: `2000-10-10T13:55:36.123456Z`, 27 bytes of ASCII.
///
/// Of two of them the later one is the greater as bytes, too.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp {
    /// ASCII.
    text: [u8; 27],
}

impl Timestamp {
    /// Writes `time`. What was before 1970 becomes 1970, what comes after 9999 its last second.
    pub fn of(time: SystemTime) -> Self {
        let time = time.max(UNIX_EPOCH);
        let Moment { year, month, day, hour, minute, second } = Moment::of(time);
        let mut text = *b"0000-00-00T00:00:00.000000Z";
        for (place, number) in
            [(0, year / 100), (2, year % 100), (5, month), (8, day), (11, hour), (14, minute)]
        {
            two_digits(&mut text, place, u32::from(number));
        }
        two_digits(&mut text, 17, u32::from(second));
        let mut timestamp = Self { text };
        timestamp.set_micros(since_1970(time).subsec_micros());
        timestamp
    }

    /// Writes another part of the same second.
    fn set_micros(&mut self, micros: u32) {
        for (place, number) in [(20, micros / 10_000), (22, micros / 100 % 100), (24, micros % 100)]
        {
            two_digits(&mut self.text, place, number);
        }
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        str::from_utf8(&self.text).expect("printed from ASCII")
    }

    /// The text's bytes.
    pub fn as_bytes(&self) -> &[u8; 27] {
        &self.text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Timestamp({self})")
    }
}

/// Writes points in time as [`Timestamp::of`] does. One in the same second as the one before costs a
/// fraction of that.
#[derive(Clone, Copy, Debug)]
pub struct Stamper {
    /// The one before.
    last: Timestamp,
    /// Its second since 1970.
    second: u64,
}

impl Default for Stamper {
    fn default() -> Self {
        Self { last: Timestamp::of(UNIX_EPOCH), second: 0 }
    }
}

impl Stamper {
    /// Writes `time`.
    pub fn stamp(&mut self, time: SystemTime) -> Timestamp {
        let since = since_1970(time);
        if since.as_secs() == self.second {
            self.last.set_micros(since.subsec_micros());
        } else {
            *self = Self { last: Timestamp::of(time), second: since.as_secs() };
        }
        self.last
    }
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// Reads a point in time.
///
/// *Shape*: `2000-10-10T13:55:36`, parts of a second if there are any, and `Z` or how far the clock
/// was ahead of it: `+02:00`. A space may stand for the `T`. A leap second is the second after it;
/// what is finer than a nanosecond is dropped.
///
/// Gives `None` for anything else.
pub fn parse_timestamp(text: &str) -> Option<SystemTime> {
    let (clock, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let is_parted = clock[4] == b'-' && clock[7] == b'-' && matches!(clock[10], b'T' | b't' | b' ');
    if !is_parted || clock[13] != b':' || clock[16] != b':' {
        return None;
    }
    let part = |from, to| u16::try_from(number(&clock[from..to])?).ok();
    let moment = Moment {
        year: part(0, 4)?,
        month: part(5, 7)?,
        day: part(8, 10)?,
        hour: part(11, 13)?,
        minute: part(14, 16)?,
        second: part(17, 19)?,
    };
    let (nanos, zone) = fraction(rest)?;
    let time = moment.time()?.checked_add(Duration::from_nanos(u64::from(nanos)))?;
    match zone {
        [b'Z' | b'z'] => Some(time),
        [b'+', ahead @ ..] => time.checked_sub(offset(ahead)?),
        [b'-', behind @ ..] => time.checked_add(offset(behind)?),
        _ => None,
    }
}

/// Takes `.123` off: its nanoseconds, and what follows.
fn fraction(text: &[u8]) -> Option<(u32, &[u8])> {
    let Some(digits) = text.strip_prefix(b".") else { return Some((0, text)) };
    let len = digits.iter().take_while(|digit| digit.is_ascii_digit()).count();
    let (digits, rest) = digits.split_at(len);
    let kept = &digits[..len.min(9)];
    let unit = 10_u32.pow(9 - u32::try_from(kept.len()).ok()?);
    Some((number(kept)? * unit, rest))
}

/// `02:00`
fn offset(text: &[u8]) -> Option<Duration> {
    let &[h, hh, b':', m, mm] = text else { return None };
    let (hours, minutes) = (number(&[h, hh])?, number(&[m, mm])?);
    let is_one = hours < 24 && minutes < 60;
    is_one.then(|| Duration::from_secs(u64::from(hours * 3600 + minutes * 60)))
}

/// Reads one to nine digits.
fn number(digits: &[u8]) -> Option<u32> {
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0'))
    })
}

/// Writes a number below 100.
fn two_digits(text: &mut [u8; 27], at: usize, number: u32) {
    let digit = |number: u32| b'0' + u8::try_from(number % 10).expect("a digit");
    (text[at], text[at + 1]) = (digit(number / 10), digit(number));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const THEN: u64 = 971_186_136_123_456;

    #[test]
    fn times_are_written_in_utc_with_microseconds() {
        for (micros, expect) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (951_782_399_999_999, "2000-02-28T23:59:59.999999Z"),
            (THEN, "2000-10-10T13:55:36.123456Z"),
            (1_798_761_599_000_001, "2026-12-31T23:59:59.000001Z"),
        ] {
            assert_eq!(Timestamp::of(at(micros)).as_str(), expect);
            assert_eq!(parse_timestamp(expect), Some(at(micros)));
        }
        let before = UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(Timestamp::of(before).as_str(), "1970-01-01T00:00:00.000000Z");
        assert_eq!(Timestamp::of(at(u64::MAX)).as_str(), "9999-12-31T23:59:59.551615Z");
    }

    #[test]
    fn times_are_read_from_any_place() {
        check("2000-10-10T13:55:36.123456Z", Some(THEN));
        check("2000-10-10t13:55:36.123456z", Some(THEN));
        check("2000-10-10 15:55:36.123456+02:00", Some(THEN));
        check("2000-10-10T03:25:36.123456000-10:30", Some(THEN));
        check("2000-10-10T13:55:36Z", Some(971_186_136_000_000));
        check("2000-10-10T13:55:36.5Z", Some(971_186_136_500_000));
        check("2000-10-10T13:55:36.500000000999999999999Z", Some(971_186_136_500_000));
        check("2016-12-31T23:59:60Z", Some(1_483_228_800_000_000));
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in [
            "",
            "Z",
            "2000-10-10",
            "2000-10-10T13:55Z",
            "2000-10-10T13:55:36",
            "2000-10-10T13:55:36.Z",
            "2000-10-10T13:55:36.1",
            "2000-10-10T13:55:36ZZ",
            "2000-10-10T13:55:36+02",
            "2000-10-10T13:55:36+0200",
            "2000-10-10T13:55:36+24:00",
            "2000-10-10T13:55:36+02:60",
            "2000-10-10T24:55:36Z",
            "2000-02-30T13:55:36Z",
            "2000/10/10T13:55:36Z",
            "2000-10-10T13.55.36Z",
            "+000-10-10T13:55:36Z",
            "2000-10-10T13:55:36é",
        ] {
            check(text, None);
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_and_keeps_its_order(
            one in 0..253_402_300_799_000_000_u64,
            other in 0..253_402_300_799_000_000_u64,
        ) {
            let (first, second) = (Timestamp::of(at(one)), Timestamp::of(at(other)));
            prop_assert_eq!(parse_timestamp(first.as_str()), Some(at(one)));
            prop_assert_eq!(first.as_bytes().cmp(second.as_bytes()), one.cmp(&other));
        }

        #[test]
        fn one_after_the_other_they_are_written_as_each_by_itself(
            micros in prop::collection::vec(THEN - 2_000_000..THEN + 2_000_000, 1..20),
        ) {
            let mut stamper = Stamper::default();
            for time in micros.into_iter().chain([0, 1, u64::MAX, u64::MAX - 1]).map(at) {
                prop_assert_eq!(stamper.stamp(time), Timestamp::of(time));
            }
            let before = UNIX_EPOCH - Duration::from_millis(500);
            prop_assert_eq!(stamper.stamp(before), Timestamp::of(before));
        }

        #[test]
        fn nothing_panics(text: String) {
            parse_timestamp(&text);
        }

        #[test]
        fn nothing_almost_right_panics(
            text in "[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}:[0-9]{2}(\\.[0-9]{0,12})?[Z+-][0-9:]{0,6}"
        ) {
            parse_timestamp(&text);
        }
    }

    #[track_caller]
    fn check(text: &str, expect: Option<u64>) {
        assert_eq!(parse_timestamp(text), expect.map(at), "for {text:?}");
    }

    fn at(micros: u64) -> SystemTime {
        UNIX_EPOCH + Duration::from_micros(micros)
    }
}
