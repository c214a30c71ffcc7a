//! How fast, how late and how much of it: rates, delays and shares.

use std::{fmt, str::FromStr, time::Duration};

use super::{Size, Time, read_from_string, write_as_string};

/// So many bytes a second: `1Mbit`, `1 Mbit/s`, `1mbps`, `64KiB`, `64KiB/s`. Bits are counted by thousands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(pub(crate) u64);

/// A time that differs: `50ms`, `50ms±10ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delay {
    pub(crate) mean: Time,
    pub(crate) jitter: Time,
}

/// A share: `0.1%`. Of a hundred thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share(u32);

/// The whole of a [`Share`].
const WHOLE: u32 = 100_000;

/// Why a text is not a [`Rate`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "bad rate {0:?}: expected bytes a second, or a number and bit, kbit, Mbit, Gbit, B, KiB, MiB, \
     GiB or TiB, e.g. \"1Mbit\""
)]
pub(crate) struct BadRate(String);

/// Why a text is not a [`Delay`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad delay {0:?}: expected a time, and how much it differs, e.g. \"50ms±10ms\"")]
pub(crate) struct BadDelay(String);

/// Why a text is not a [`Share`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad share {0:?}: expected 0% to 100%, e.g. \"0.1%\"")]
pub(crate) struct BadShare(String);

impl Share {
    /// As a part of 1.
    pub(crate) fn part(self) -> f64 {
        f64::from(self.0) / f64::from(WHOLE)
    }
}

impl FromStr for Rate {
    type Err = BadRate;

    fn from_str(text: &str) -> Result<Self, BadRate> {
        let bad = || BadRate(text.to_owned());
        let rate = text.strip_suffix("/s").unwrap_or(text);
        let end = rate.find(|c: char| !c.is_ascii_digit()).unwrap_or(rate.len());
        let (number, unit) = rate.split_at(end);
        let unit = unit.trim_start_matches(' ');
        let (each, of) = match unit.to_ascii_lowercase().as_str() {
            "bit" | "bps" => (1, 8),
            "kbit" | "kbps" => (1_000, 8),
            "mbit" | "mbps" => (1_000_000, 8),
            "gbit" | "gbps" => (1_000_000_000, 8),
            "" => (1, 1),
            // A small one may as well mean bits.
            "b" if unit == "B" => (1, 1),
            "kib" => (1 << 10, 1),
            "mib" => (1 << 20, 1),
            "gib" => (1 << 30, 1),
            "tib" => (1 << 40, 1),
            // `1M` is of bytes here and of bits there.
            _ => return Err(bad()),
        };
        let number = number.parse::<u64>().map_err(|_| bad())?;
        let bytes = number.checked_mul(each).ok_or_else(bad)? / of;
        if bytes == 0 { Err(bad()) } else { Ok(Self(bytes)) }
    }
}

impl FromStr for Delay {
    type Err = BadDelay;

    fn from_str(text: &str) -> Result<Self, BadDelay> {
        let bad = || BadDelay(text.to_owned());
        let (mean, jitter) = match text.split_once('±').or_else(|| text.split_once("+-")) {
            Some((mean, jitter)) => (mean, Some(jitter)),
            None => (text, None),
        };
        let unit = mean.trim_start_matches(|c: char| c.is_ascii_digit());
        let read = |text: &str| {
            // What differs has the unit of what it differs from, if it has none.
            let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
            let whole = if is_number { format!("{text}{unit}") } else { text.to_owned() };
            whole.parse::<Time>().map_err(|_| bad())
        };
        if unit.is_empty() {
            // Some take such a number for milliseconds, others for microseconds.
            return Err(bad());
        }
        let jitter = jitter.map_or(Ok(Time(Duration::ZERO)), read)?;
        Ok(Self { mean: mean.parse().map_err(|_| bad())?, jitter })
    }
}

impl FromStr for Share {
    type Err = BadShare;

    fn from_str(text: &str) -> Result<Self, BadShare> {
        let bad = || BadShare(text.to_owned());
        let number = text.strip_suffix('%').ok_or_else(bad)?;
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !is_number(whole) || !is_number(part) || part.len() > 3 {
            return Err(bad());
        }
        let share = format!("{whole}{part:0<3}").parse().map_err(|_| bad())?;
        if share > WHOLE { Err(bad()) } else { Ok(Self(share)) }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Size(self.0))
    }
}

impl fmt::Display for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.mean)?;
        if self.jitter.0.is_zero() { Ok(()) } else { write!(f, "±{}", self.jitter) }
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, part) = (self.0 / 1000, self.0 % 1000);
        if part == 0 {
            return write!(f, "{whole}%");
        }
        write!(f, "{whole}.{}%", format!("{part:03}").trim_end_matches('0'))
    }
}

read_from_string!(
    Rate: "a rate, e.g. \"1Mbit\"",
    Delay: "a delay, e.g. \"50ms±10ms\"",
    Share: "a share, e.g. \"0.1%\""
);

write_as_string!(Rate, Delay, Share);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_in_bits_or_bytes_a_second() {
        let check = |text: &str, expect: Option<u64>| {
            assert_eq!(text.parse::<Rate>().ok().map(|rate| rate.0), expect, "{text:?}");
        };
        check("1Mbit", Some(125_000));
        check("8bit", Some(1));
        check("64KiB", Some(65_536));
        check("100", Some(100));
        for text in ["1mbit", "1MBIT", "1Mbit/s", "1 mbit/s", "1mbps", "125000B/s"] {
            check(text, Some(125_000));
        }
        check("1kib/s", Some(1_024));
        for bad in [
            "",
            "0",
            "1bit",
            "1M",
            "1k",
            "8b",
            "1mb/s",
            "Mbit",
            "/s",
            "-1Mbit",
            "1.5Mbit",
            "99999999999999Gbit",
        ] {
            check(bad, None);
        }
        let told = "1MB".parse::<Rate>().unwrap_err().to_string();
        for taken in ["bit", "kbit", "Mbit", "Gbit", "B", "KiB", "MiB", "GiB", "TiB"] {
            assert!(told.split([' ', ',']).any(|word| word == taken), "{taken} is not in {told}");
            assert!(format!("8{taken}").parse::<Rate>().is_ok(), "{taken}");
        }
    }

    #[test]
    fn delays_differ_by_what_comes_after_the_sign() {
        let check = |text: &str, expect: Option<&str>| {
            let read = text.parse::<Delay>().ok().map(|delay| delay.to_string());
            assert_eq!(read.as_deref(), expect, "{text:?}");
        };
        check("50ms", Some("50ms"));
        check("50ms±10", Some("50ms±10ms"));
        check("2s+-500ms", Some("2s±500ms"));
        for bad in ["", "50", "50±10", "±10ms", "50ms±", "50ms±x", "50ms±1±1"] {
            check(bad, None);
        }
    }

    #[test]
    fn shares_are_of_a_hundred() {
        let check = |text: &str, expect: Option<u32>| {
            let read = text.parse::<Share>().ok();
            assert_eq!(read.map(|share| share.0), expect, "{text:?}");
            if let Some(share) = read {
                assert_eq!(share.to_string().parse(), Ok(share));
            }
        };
        check("0.1%", Some(100));
        check("100%", Some(WHOLE));
        check("0.001%", Some(1));
        check("12.5%", Some(12_500));
        for bad in ["", "1", "%", "101%", "0.0001%", "-1%", ".5%", "1e1%"] {
            check(bad, None);
        }
    }
}
