//! How many, how much and how long, in few letters.

use std::time::Duration;

use relais_wire::plural::plural;

/// Bytes in a column, of 1024 each: `512`, `1.5K`, `200M`.
pub(crate) fn column_bytes(bytes: u64) -> String {
    const UNITS: &[u8] = b"KMGTPE";
    let unit = (0..UNITS.len()).rev().find(|unit| bytes >> (10 * (unit + 1)) > 0);
    let Some(unit) = unit else { return bytes.to_string() };
    // Tenths, cut: 64 bits hold them up to a sixteenth of all that there is.
    let tenths = (u128::from(bytes) * 10) >> (10 * (unit + 1));
    let letter = char::from(UNITS[unit]);
    if tenths < 100 {
        format!("{}.{}{letter}", tenths / 10, tenths % 10)
    } else {
        format!("{}{letter}", tenths / 10)
    }
}

/// A time in a column: `340us`, `12ms`, `1.23s`.
pub(crate) fn column_time(time: Duration) -> String {
    let (micros, millis, seconds) = (time.as_micros(), time.as_millis(), time.as_secs());
    match seconds {
        0 if millis == 0 => format!("{micros}us"),
        0 => format!("{millis}ms"),
        1..10 => format!("{seconds}.{:02}s", time.subsec_millis() / 10),
        10..100 => format!("{seconds}.{}s", time.subsec_millis() / 100),
        _ => format!("{seconds}s"),
    }
}

/// Bytes in a sentence, of 1024 each as in columns: `2.1 GiB`.
pub(crate) fn said_bytes(bytes: u64) -> String {
    const UNITS: [&str; 6] = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];
    let unit = (1..=UNITS.len()).rev().find(|unit| bytes >> (10 * unit) > 0);
    let Some(unit) = unit else { return format!("{bytes} B") };
    let tenths = (u128::from(bytes) * 10) >> (10 * unit);
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit - 1])
}

/// A time in a sentence: `1.4 s`, `340 µs`.
pub(crate) fn said_time(time: Duration) -> String {
    match (time.as_secs(), time.as_millis()) {
        (0, 0) => format!("{} µs", time.as_micros()),
        (0, millis) => format!("{millis} ms"),
        (seconds, _) => format!("{seconds}.{} s", time.subsec_millis() / 100),
    }
}

/// A time in whole seconds, as a guess is told: `13 s`, `2 min 5 s`.
pub(crate) fn said_seconds(time: Duration) -> String {
    match time.as_secs() {
        seconds @ 0..60 => format!("{seconds} s"),
        seconds => format!("{} min {} s", said_count(seconds / 60), seconds % 60),
    }
}

/// So many bytes, to the last one: `48210 bytes`.
pub(crate) fn exact_bytes(count: u64) -> String {
    format!("{count} byte{}", plural(count))
}

/// `1 object`, `48,210 objects`
pub(crate) fn counted(count: u64, what: &str) -> String {
    format!("{} {what}{}", said_count(count), plural(count))
}

/// `48,210`
pub(crate) fn said_count(count: u64) -> String {
    let digits = count.to_string();
    let mut said = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            said.push(',');
        }
        said.push(digit);
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_narrow() {
        for (bytes, expect) in [
            (0, "0"),
            (1023, "1023"),
            (1024, "1.0K"),
            (1536, "1.5K"),
            (10 * 1024 - 1, "9.9K"),
            (10 * 1024, "10K"),
            ((1 << 20) - 1, "1023K"),
            (5 << 20, "5.0M"),
            (u64::MAX, "15E"),
        ] {
            assert_eq!(column_bytes(bytes), expect);
        }
        for (micros, expect) in [
            (0, "0us"),
            (999, "999us"),
            (1_000, "1ms"),
            (999_999, "999ms"),
            (1_239_999, "1.23s"),
            (12_390_000, "12.3s"),
            (5_400_000_000, "5400s"),
        ] {
            assert_eq!(column_time(Duration::from_micros(micros)), expect);
        }
    }

    #[test]
    fn sentences_have_units() {
        for (bytes, expect) in [
            (999, "999 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            ((1 << 20) - 1, "1023.9 KiB"),
            (2_150_000_000, "2.0 GiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(said_bytes(bytes), expect);
        }
        assert_eq!(said_time(Duration::from_micros(999)), "999 µs");
        assert_eq!(said_time(Duration::from_millis(7)), "7 ms");
        assert_eq!(said_time(Duration::from_millis(1_470)), "1.4 s");
        assert_eq!(said_seconds(Duration::from_millis(13_900)), "13 s");
        assert_eq!(said_seconds(Duration::from_secs(125)), "2 min 5 s");
        for (count, expect) in [(0, "0"), (999, "999"), (1_000, "1,000"), (48_210, "48,210")] {
            assert_eq!(said_count(count), expect);
        }
    }
}
