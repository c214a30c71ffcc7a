//! Points in time as access logs have them, in UTC.

use std::{
    fmt,
    time::{SystemTime, UNIX_EPOCH},
};

use relais_wire::calendar::Moment;

/// As the combined format has it: `10/Oct/2000:13:55:36 +0000`. Before 1970 it is 1970.
pub(super) fn combined(time: SystemTime) -> impl fmt::Display {
    let moment = Moment::of(time.max(UNIX_EPOCH));
    let name = moment.month_name();
    fmt::from_fn(move |f| {
        let Moment { year, month: _, day, hour, minute, second } = moment;
        write!(f, "{day:02}/{name}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000")
    })
}

/// As RFC 3339 has it, with milliseconds: `2000-10-10T13:55:36.123Z`. Before 1970 it is 1970.
pub(super) fn rfc3339(time: SystemTime) -> impl fmt::Display {
    let time = time.max(UNIX_EPOCH);
    let moment = Moment::of(time);
    let millis = time.duration_since(UNIX_EPOCH).unwrap_or_default().subsec_millis();
    fmt::from_fn(move |f| write!(f, "{moment}.{millis:03}Z"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[track_caller]
    fn check(millis: u64, combined: &str, rfc3339: &str) {
        let time = UNIX_EPOCH + Duration::from_millis(millis);
        assert_eq!(super::combined(time).to_string(), combined);
        assert_eq!(super::rfc3339(time).to_string(), rfc3339);
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
        let time = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(combined(time).to_string(), "01/Jan/1970:00:00:00 +0000");
        assert_eq!(rfc3339(time).to_string(), "1970-01-01T00:00:00.000Z");
    }
}
