//! Dates in HTTP ([RFC 9110 §5.6.7]): three spellings read, one written.
//!
//! [RFC 9110 §5.6.7]: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.7

use std::fmt;
use std::time::SystemTime;

use crate::calendar::{MONTHS, Moment};

/// Reads a date as HTTP spells it.
///
/// *Shape*: `Sun, 06 Nov 1994 08:49:37 GMT` (the one in use), `Sunday, 06-Nov-94 08:49:37 GMT`
/// (RFC 850) or `Sun Nov  6 08:49:37 1994` (C's `asctime`). Letters may be in any case, and the day's
/// name may be the wrong one; nothing else is forgiven. A leap second is the second after it.
///
/// A year of two digits is the latest one that puts the date at most 50 years after `now`.
///
/// Gives `None` for anything else, which a recipient takes as if the field were absent.
pub fn parse_http_date(value: &[u8], now: SystemTime) -> Option<SystemTime> {
    let comma = value.iter().position(|&byte| byte == b',');
    let moment = match comma {
        Some(3) => imf_fixdate(value)?,
        Some(comma) => rfc850(&value[..comma], &value[comma + 1..], now)?,
        None => asctime(value)?,
    };
    moment.time()
}

/// Writes `time` as `Sun, 06 Nov 1994 08:49:37 GMT`.
///
/// Parts of a second are dropped. A time before the year 0 or after 9999, which has no spelling,
/// becomes the nearest that has one.
pub fn print_http_date(time: SystemTime) -> HttpDate {
    let moment = Moment::of(time);
    let mut text = *b"Day, 00 Mon 0000 00:00:00 GMT";
    let day = usize::try_from((moment.days() + 4).rem_euclid(7)).unwrap_or(0);
    text[..3].copy_from_slice(&DAYS[day].as_bytes()[..3]);
    digits(&mut text[5..7], moment.day);
    text[8..11].copy_from_slice(moment.month_name().as_bytes());
    digits(&mut text[12..16], moment.year);
    digits(&mut text[17..19], moment.hour);
    digits(&mut text[20..22], moment.minute);
    digits(&mut text[23..25], moment.second);
    HttpDate { text }
}

/// A date, written. 29 bytes of ASCII.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct HttpDate {
    /// ASCII.
    text: [u8; 29],
}

impl HttpDate {
    /// The text, as a field's value.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.text).expect("printed from ASCII")
    }

    /// The text's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.text
    }
}

impl fmt::Display for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for HttpDate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpDate({self})")
    }
}

const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// `Sun, 06 Nov 1994 08:49:37 GMT`
fn imf_fixdate(value: &[u8]) -> Option<Moment> {
    let value: &[u8; 29] = value.try_into().ok()?;
    day_name(&value[..3], 3)?;
    let spaced = value[3..5] == *b", " && value[7] == b' ' && value[11] == b' ';
    if !spaced || value[16] != b' ' || !value[25..].eq_ignore_ascii_case(b" GMT") {
        return None;
    }
    let (hour, minute, second) = clock(&value[17..25])?;
    let (year, month, day) =
        (number(&value[12..16])?, month(&value[8..11])?, number(&value[5..7])?);
    Some(Moment { year, month, day, hour, minute, second })
}

/// `Sunday`, ` 06-Nov-94 08:49:37 GMT`
fn rfc850(name: &[u8], value: &[u8], now: SystemTime) -> Option<Moment> {
    let value: &[u8; 23] = value.try_into().ok()?;
    day_name(name, usize::MAX)?;
    let dashed = value[3] == b'-' && value[7] == b'-';
    if value[0] != b' '
        || !dashed
        || value[10] != b' '
        || !value[19..].eq_ignore_ascii_case(b" GMT")
    {
        return None;
    }
    let (hour, minute, second) = clock(&value[11..19])?;
    let (month, day) = (month(&value[4..7])?, number(&value[1..3])?);
    let now = Moment::of(now);
    let latest = Moment { year: now.year + 50, ..now };
    let year = latest.year / 100 * 100 + number(&value[8..10])?;
    let moment = Moment { year, month, day, hour, minute, second };
    // Nothing is before the year 0: there is no century to go back to.
    Some(if moment > latest { Moment { year: year.saturating_sub(100), ..moment } } else { moment })
}

/// `Sun Nov  6 08:49:37 1994`
fn asctime(value: &[u8]) -> Option<Moment> {
    let value: &[u8; 24] = value.try_into().ok()?;
    day_name(&value[..3], 3)?;
    let spaced = value[3] == b' ' && value[7] == b' ' && value[10] == b' ' && value[19] == b' ';
    if !spaced {
        return None;
    }
    let day = if value[8] == b' ' { &value[9..10] } else { &value[8..10] };
    let (hour, minute, second) = clock(&value[11..19])?;
    let (year, month, day) = (number(&value[20..24])?, month(&value[4..7])?, number(day)?);
    Some(Moment { year, month, day, hour, minute, second })
}

/// Finds `name` among the names of days, cut to `letters`.
fn day_name(name: &[u8], letters: usize) -> Option<()> {
    let cut = |day: &'static str| &day.as_bytes()[..day.len().min(letters)];
    DAYS.iter().any(|day| cut(day).eq_ignore_ascii_case(name)).then_some(())
}

fn month(name: &[u8]) -> Option<u16> {
    let at = MONTHS.iter().position(|month| month.as_bytes().eq_ignore_ascii_case(name))?;
    u16::try_from(at + 1).ok()
}

/// `08:49:37`
fn clock(value: &[u8]) -> Option<(u16, u16, u16)> {
    if value[2] != b':' || value[5] != b':' {
        return None;
    }
    Some((number(&value[..2])?, number(&value[3..5])?, number(&value[6..])?))
}

/// Reads up to four digits.
fn number(digits: &[u8]) -> Option<u16> {
    digits.iter().try_fold(0, |number, digit| {
        digit.is_ascii_digit().then(|| number * 10 + u16::from(digit - b'0'))
    })
}

/// Writes `number` over `place`, with leading zeros.
fn digits(place: &mut [u8], mut number: u16) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + u8::try_from(number % 10).expect("a digit");
        number /= 10;
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    const THEN: i64 = 784_111_777;

    #[test]
    fn the_three_spellings_mean_the_same() {
        check("Sun, 06 Nov 1994 08:49:37 GMT", Some(THEN));
        check("Sunday, 06-Nov-94 08:49:37 GMT", Some(THEN));
        check("Sun Nov  6 08:49:37 1994", Some(THEN));
        check("Sun Nov 06 08:49:37 1994", Some(THEN));
    }

    #[test]
    fn case_and_wrong_weekdays_are_forgiven() {
        check("sUN, 06 nOV 1994 08:49:37 gmt", Some(THEN));
        check("SUNDAY, 06-NOV-94 08:49:37 Gmt", Some(THEN));
        check("sun nov  6 08:49:37 1994", Some(THEN));
        check("Mon, 06 Nov 1994 08:49:37 GMT", Some(THEN));
        check("Wednesday, 06-Nov-94 08:49:37 GMT", Some(THEN));
    }

    #[test]
    fn nothing_else_is_forgiven() {
        for text in [
            "",
            "0",
            ",",
            "Sun,",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun,  06 Nov 1994 08:49:37 GMT",
            "Sun, 06  Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994  8:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun,  6 Nov 1994 08:49:37 GMT",
            "Sun, 06-Nov-1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06-Nov-94 08:49:37 GMT",
            "Sunday, 06 Nov 94 08:49:37 GMT",
            "Sunday, 06-Nov-1994 08:49:37 GMT",
            "Sunday 06-Nov-94 08:49:37 GMT",
            "Sunda, 06-Nov-94 08:49:37 GMT",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 EST",
            "Sun, 06 Nov 1994 08:49:37 +00",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            " Sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 1994 08.49.37 GMT",
            "Sun, 06 Nov 1994 08:49:+7 GMT",
            "Son, 06 Nov 1994 08:49:37 GMT",
            "Sun, 06 Now 1994 08:49:37 GMT",
            "Sun Nov 6 08:49:37 1994",
            "Sun Nov  6 08:49:37 1994 GMT",
            "Sun  Nov 6 08:49:37 1994",
            "Sun Nov   08:49:37 1994",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn impossible_dates_are_none() {
        check("Sun, 00 Nov 1994 08:49:37 GMT", None);
        check("Sun, 31 Nov 1994 08:49:37 GMT", None);
        check("Sun, 29 Feb 1995 08:49:37 GMT", None);
        check("Sun, 29 Feb 1900 08:49:37 GMT", None);
        check("Sun, 32 Jan 1995 08:49:37 GMT", None);
        check("Sun, 06 Nov 1994 24:00:00 GMT", None);
        check("Sun, 06 Nov 1994 08:60:37 GMT", None);
        check("Sun, 06 Nov 1994 08:49:61 GMT", None);
        check("Tue, 29 Feb 2000 00:00:00 GMT", Some(951_782_400));
        check("Sat, 31 Dec 2016 23:59:60 GMT", Some(1_483_228_800));
    }

    #[test]
    fn the_ends_of_time_are_read() {
        check("Thu, 01 Jan 1970 00:00:00 GMT", Some(0));
        check("Wed, 31 Dec 1969 23:59:59 GMT", Some(-1));
        check("Sat, 01 Jan 0000 00:00:00 GMT", Some(-62_167_219_200));
        check("Fri, 31 Dec 9999 23:59:59 GMT", Some(253_402_300_799));
    }

    #[test]
    fn two_digits_are_the_latest_year_at_most_fifty_years_ahead() {
        // `check` lives on 2026-07-01 12:00:00.
        check("Sunday, 06-Nov-26 08:49:37 GMT", Some(1_793_954_977));
        check("Wednesday, 01-Jul-76 12:00:00 GMT", Some(3_360_830_400));
        check("Wednesday, 01-Jul-76 12:00:01 GMT", Some(205_070_401));
        check("Wednesday, 01-Jan-77 00:00:00 GMT", Some(220_924_800));
        check("Tuesday, 29-Feb-00 00:00:00 GMT", Some(951_782_400));
        let late = at(3_944_678_400); // 2095
        let date = parse_http_date(b"Monday, 05-Jan-05 00:00:00 GMT", late).map(print_http_date);
        assert_eq!(date.unwrap().as_str(), "Mon, 05 Jan 2105 00:00:00 GMT");
    }

    #[test]
    fn times_without_a_spelling_become_the_nearest() {
        let print = |seconds| print_http_date(at(seconds)).as_str().to_owned();
        assert_eq!(print(THEN), "Sun, 06 Nov 1994 08:49:37 GMT");
        assert_eq!(print(i64::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
        assert_eq!(print(i64::MIN + 1), "Sat, 01 Jan 0000 00:00:00 GMT");
        let half = SystemTime::UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(print_http_date(half).as_str(), "Wed, 31 Dec 1969 23:59:59 GMT");
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back(seconds in -62_167_219_200..253_402_300_799_i64) {
            let date = print_http_date(at(seconds));
            prop_assert_eq!(parse_http_date(date.as_bytes(), at(0)), Some(at(seconds)));
        }

        #[test]
        fn nothing_panics(value: Vec<u8>, now: i64) {
            parse_http_date(&value, at(now));
            let _ = print_http_date(at(now));
        }

        #[test]
        fn nothing_almost_right_panics(
            value in "[SM][uo]n(day)?,? [0-9]{2}[ -](Nov|Feb)[ -][0-9]{2,4} [0-9:]{8} GMT",
            now: i64,
        ) {
            parse_http_date(value.as_bytes(), at(now));
        }
    }

    #[track_caller]
    fn check(text: &str, expect: Option<i64>) {
        let now = at(1_782_907_200);
        assert_eq!(parse_http_date(text.as_bytes(), now), expect.map(at), "for {text:?}");
    }

    fn at(seconds: i64) -> SystemTime {
        let distance = Duration::from_secs(seconds.unsigned_abs());
        let epoch = SystemTime::UNIX_EPOCH;
        let time =
            if seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
        time.unwrap_or(epoch)
    }
}
