//! Points in time as years, months and days, and back.
//!
//! The time of day is always Greenwich's and the calendar always Gregorian, so no time crate is
//! needed: days are counted with Howard Hinnant's `days_from_civil` and its inverse
//! ([Date Algorithms]).
//!
//! [Date Algorithms]: https://howardhinnant.github.io/date_algorithms.html

use std::fmt;
use std::time::{Duration, SystemTime};

/// A second of the calendar. Ordered by time, as its fields are from the year down.
///
/// Printed as ISO 8601 has it, without its zone: `1994-11-06T08:49:37`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// At most 9999, if it is from [`Moment::of`].
    pub year: u16,
    /// From 1 to 12.
    pub month: u16,
    /// From 1.
    pub day: u16,
    /// From 0.
    pub hour: u16,
    /// From 0.
    pub minute: u16,
    /// From 0; 60 is a leap second.
    pub second: u16,
}

impl Moment {
    /// The second that `time` is in.
    ///
    /// A time before the year 0 or after 9999 becomes the nearest that is not.
    pub fn of(time: SystemTime) -> Self {
        let seconds = match time.duration_since(SystemTime::UNIX_EPOCH) {
            Ok(after) => i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
            Err(before) => {
                let before = before.duration();
                let whole = i64::try_from(before.as_secs()).unwrap_or(i64::MAX - 1);
                -whole - i64::from(before.subsec_nanos() > 0)
            }
        };
        // From the first second of the year 0 to the last of 9999.
        let seconds = seconds.clamp(-62_167_219_200, 253_402_300_799);
        let (year, month, day) = civil(seconds.div_euclid(DAY_SECONDS));
        let second = small(seconds.rem_euclid(DAY_SECONDS) % 60);
        let minute = small(seconds.rem_euclid(DAY_SECONDS) / 60 % 60);
        let hour = small(seconds.rem_euclid(DAY_SECONDS) / 3600);
        Self { year, month, day, hour, minute, second }
    }

    /// When it begins, if there is such a date.
    pub fn time(self) -> Option<SystemTime> {
        let Self { year, month, day, hour, minute, second } = self;
        let leap =
            year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
        let month_days = match month {
            1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
            4 | 6 | 9 | 11 => 30,
            2 if leap => 29,
            2 => 28,
            _ => return None,
        };
        if day == 0 || day > month_days || hour > 23 || minute > 59 || second > 60 {
            return None;
        }
        let clock = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second);
        let seconds = self.days() * DAY_SECONDS + clock;
        let distance = Duration::from_secs(seconds.unsigned_abs());
        if seconds < 0 {
            SystemTime::UNIX_EPOCH.checked_sub(distance)
        } else {
            SystemTime::UNIX_EPOCH.checked_add(distance)
        }
    }

    /// The month's name, in three letters of English.
    ///
    /// # Panics
    ///
    /// If there is no such month.
    pub fn month_name(self) -> &'static str {
        MONTHS[usize::from(self.month) - 1]
    }

    /// Days from 1970-01-01 on; of no use if there is no such month.
    pub(crate) fn days(self) -> i64 {
        // Years start in March here, so that the leap day is the last of its year.
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let month = (i64::from(self.month) + 9) % 12;
        let era = year.div_euclid(400);
        let year_of_era = year.rem_euclid(400);
        let day_of_year = (153 * month + 2) / 5 + i64::from(self.day) - 1;
        let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
        era * 146_097 + day_of_era - 719_468
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { year, month, day, hour, minute, second } = self;
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}")
    }
}

/// Year, month and day of the `days`th day from 1970-01-01 on.
fn civil(days: i64) -> (u16, u16, u16) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    let year = era * 400 + year_of_era + i64::from(month <= 2);
    (small(year), small(month), small(day))
}

fn small(number: i64) -> u16 {
    u16::try_from(number).expect("a part of a date between the years 0 and 9999")
}

/// The months' names, in three letters of English.
pub(crate) const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY_SECONDS: i64 = 86_400;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_as_calendars_have_them() {
        check(0, "1970-01-01T00:00:00");
        check(784_111_777, "1994-11-06T08:49:37");
        check(951_782_399, "2000-02-28T23:59:59");
        check(951_782_400, "2000-02-29T00:00:00");
        check(971_186_136, "2000-10-10T13:55:36");
        check(1_709_251_199, "2024-02-29T23:59:59");
        check(1_735_689_599, "2024-12-31T23:59:59");
        check(4_107_542_400, "2100-03-01T00:00:00");
    }

    #[test]
    fn a_part_of_a_second_before_1970_is_in_the_second_before() {
        let half = SystemTime::UNIX_EPOCH - Duration::from_millis(500);
        assert_eq!(Moment::of(half).to_string(), "1969-12-31T23:59:59");
    }

    #[test]
    fn only_days_of_the_calendar_have_a_time() {
        for (month, day, is_one) in [
            (1, 1, true),
            (12, 31, true),
            (2, 28, true),
            (2, 29, false),
            (4, 31, false),
            (1, 0, false),
            (1, 32, false),
            (0, 1, false),
            (13, 1, false),
            (15, 31, false),
            (u16::MAX, u16::MAX, false),
        ] {
            let moment = Moment { year: 2023, month, day, hour: 0, minute: 0, second: 0 };
            assert_eq!(moment.time().is_some(), is_one, "{moment}");
            moment.days();
        }
        for year in [0, u16::MAX] {
            let moment = Moment { year, month: 1, day: 1, hour: 23, minute: 59, second: 60 };
            assert!(moment.time().is_some(), "{moment}");
        }
        for (hour, minute, second) in [(24, 0, 0), (0, 60, 0), (0, 0, 61)] {
            let moment = Moment { year: 2023, month: 1, day: 1, hour, minute, second };
            assert_eq!(moment.time(), None, "{moment}");
        }
    }

    #[track_caller]
    fn check(seconds: u64, expect: &str) {
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let moment = Moment::of(time);
        assert_eq!(moment.to_string(), expect);
        assert_eq!(moment.time(), Some(time));
    }
}
