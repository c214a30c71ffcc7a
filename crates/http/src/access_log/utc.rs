//! Points in time as people write them, in UTC.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

/// A point in time, taken apart. Before 1970 it is 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Utc {
    year: u64,
    /// From 1.
    month: u64,
    /// From 1.
    day: u64,
    /// Of the day.
    second: u64,
    millis: u32,
}

impl Utc {
    pub(super) fn of(time: SystemTime) -> Self {
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (days, second) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
        // Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", civil_from_days, for days
        // after 1970: eras of 400 years, and years that begin in March.
        let days = days + 719_468;
        let (era, day) = (days / 146_097, days % 146_097);
        let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
        let day = day - (365 * year + year / 4 - year / 100);
        let shifted = (5 * day + 2) / 153;
        let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
        Self {
            year: year + era * 400 + u64::from(month <= 2),
            month,
            day: day - (153 * shifted + 2) / 5 + 1,
            second,
            millis: since.subsec_millis(),
        }
    }

    /// As the combined format has it: `10/Oct/2000:13:55:36 +0000`.
    pub(super) fn combined(self) -> impl fmt::Display {
        const MONTHS: &[u8; 36] = b"JanFebMarAprMayJunJulAugSepOctNovDec";
        let Self { year, month, day, .. } = self;
        let name = usize::try_from(month - 1).expect("a month") * 3;
        let name = str::from_utf8(&MONTHS[name..name + 3]).expect("letters");
        let (hour, minute, second) = self.clock();
        fmt::from_fn(move |f| {
            write!(f, "{day:02}/{name}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000")
        })
    }

    /// As RFC 3339 has it, with milliseconds: `2000-10-10T13:55:36.123Z`.
    pub(super) fn rfc3339(self) -> impl fmt::Display {
        let Self { year, month, day, millis, .. } = self;
        let (hour, minute, second) = self.clock();
        fmt::from_fn(move |f| {
            write!(
                f,
                "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z"
            )
        })
    }

    fn clock(self) -> (u64, u64, u64) {
        (self.second / 3600, self.second / 60 % 60, self.second % 60)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn check(millis: u64, combined: &str, rfc3339: &str) {
        let utc = Utc::of(UNIX_EPOCH + Duration::from_millis(millis));
        assert_eq!(utc.combined().to_string(), combined);
        assert_eq!(utc.rfc3339().to_string(), rfc3339);
    }

    #[test]
    fn times_are_written_as_calendars_have_them() {
        check(0, "01/Jan/1970:00:00:00 +0000", "1970-01-01T00:00:00.000Z");
        check(951_782_399_999, "28/Feb/2000:23:59:59 +0000", "2000-02-28T23:59:59.999Z");
        check(951_782_400_000, "29/Feb/2000:00:00:00 +0000", "2000-02-29T00:00:00.000Z");
        check(971_186_136_123, "10/Oct/2000:13:55:36 +0000", "2000-10-10T13:55:36.123Z");
        check(1_709_251_199_000, "29/Feb/2024:23:59:59 +0000", "2024-02-29T23:59:59.000Z");
        check(1_798_761_599_001, "31/Dec/2026:23:59:59 +0000", "2026-12-31T23:59:59.001Z");
        check(4_107_542_400_000, "01/Mar/2100:00:00:00 +0000", "2100-03-01T00:00:00.000Z");
    }

    #[test]
    fn what_was_before_1970_is_1970() {
        let utc = Utc::of(UNIX_EPOCH - Duration::from_secs(1));
        assert_eq!(utc.rfc3339().to_string(), "1970-01-01T00:00:00.000Z");
    }
}
