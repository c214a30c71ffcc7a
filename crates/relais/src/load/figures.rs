//! How counts and times are written where some digits are enough.

use std::time::Duration;

/// In microseconds.
pub(super) fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

/// How many of `count` there were in a second of `time`.
pub(super) fn a_second(count: u64, time: Duration) -> f64 {
    if time.is_zero() { 0.0 } else { precise(count) / time.as_secs_f64() }
}

/// A count to calculate with: enough digits to be looked at.
#[expect(clippy::cast_precision_loss, reason = "what is counted stays far below 2^53")]
pub(super) fn precise(count: u64) -> f64 {
    count as f64
}

/// The same as [`a_second`], without what is behind the point.
pub(super) fn per_second(count: u64, time: Duration) -> u64 {
    let nanos = time.as_nanos();
    let rate = (u128::from(count) * 1_000_000_000).checked_div(nanos).unwrap_or_default();
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// A time in three digits: `31.2us`, `4.01ms`, `1.2s`.
pub(super) fn brief(time: Duration) -> String {
    let nanos = time.as_nanos();
    let (unit, name) = match nanos {
        0..1_000 => return format!("{nanos}ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let whole = nanos / unit;
    let digits = match whole {
        0..10 => 2,
        10..100 => 1,
        _ => return format!("{whole}{name}"),
    };
    let rest = nanos % unit * 10_u128.pow(digits) / unit;
    let rest = format!("{rest:0>width$}", width = usize::try_from(digits).unwrap_or_default());
    let rest = rest.trim_end_matches('0');
    let point = if rest.is_empty() { "" } else { "." };
    format!("{whole}{point}{rest}{name}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_three_digits() {
        for (nanos, expect) in [
            (0, "0ns"),
            (999, "999ns"),
            (1_000, "1us"),
            (1_234, "1.23us"),
            (31_249, "31.2us"),
            (401_999, "401us"),
            (2_000_000, "2ms"),
            (2_050_000, "2.05ms"),
            (1_200_000_000, "1.2s"),
            (4_398_000_000_000, "4398s"),
        ] {
            assert_eq!(brief(Duration::from_nanos(nanos)), expect);
        }
    }

    #[test]
    fn no_time_has_no_rate() {
        assert_eq!(per_second(7, Duration::ZERO), 0);
        assert_eq!(per_second(7, Duration::from_millis(500)), 14);
        assert!(a_second(7, Duration::ZERO).abs() < f64::EPSILON);
        assert!((a_second(7, Duration::from_millis(500)) - 14.0).abs() < f64::EPSILON);
    }
}
