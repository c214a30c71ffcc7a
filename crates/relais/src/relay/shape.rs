//! `limits.rate_up`, `limits.rate_down` and `impair = { delay, … }`: what is done to bytes and
//! datagrams besides passing them on.

use std::{fmt, str::FromStr, time::Duration};

use clap::Args;
use relais_relay::{Cuts, Noise, datagrams::Losses};
use serde::{Deserialize, Serialize};

use crate::{
    complaint::{KeyPath, Problem, Wrong},
    spelling::{Size, Time, read_from_string},
};

/// So many bytes a second: `1Mbit`, `64KiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Rate(pub(super) u64);

/// A time that differs: `50ms`, `50ms±10ms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Delay {
    mean: Time,
    jitter: Time,
}

/// A share: `0.1%`. Of a hundred thousand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Share(u32);

/// The whole of a [`Share`].
const WHOLE: u32 = 100_000;

/// Why a text is not a [`Rate`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad rate {0:?}: expected bits or bytes a second, e.g. \"1Mbit\" or \"64KiB\"")]
pub(crate) struct BadRate(String);

/// Why a text is not a [`Delay`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad delay {0:?}: expected a time, and how much it differs, e.g. \"50ms±10ms\"")]
pub(crate) struct BadDelay(String);

/// Why a text is not a [`Share`].
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad share {0:?}: expected 0% to 100%, e.g. \"0.1%\"")]
pub(crate) struct BadShare(String);

/// `impair`, word for word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a table, e.g. `{ delay = \"50ms±10ms\" }`")]
pub(crate) struct Table {
    /// How much later bytes arrive, each way.
    delay: Option<Delay>,
    /// After how many bytes of one direction both sides are reset.
    reset_after: Option<Size>,
    /// The same, closed.
    close_after: Option<Size>,
    /// The share of bytes that are changed.
    corrupt: Option<Share>,
    /// How many bytes are written at a time.
    slice: Option<Size>,
    /// What is random is drawn from this.
    seed: Option<u64>,
    /// The share of datagrams that are lost.
    loss: Option<Share>,
    /// The share of datagrams that arrive twice.
    duplicate: Option<Share>,
    /// The share of datagrams that others overtake.
    reorder: Option<Share>,
}

/// The flags that say the same.
#[derive(Clone, Copy, Debug, Args)]
#[group(skip)]
#[command(next_help_heading = "A bad network, for tests")]
pub(crate) struct Flags {
    /// Have bytes arrive later, each way, e.g. 50ms±10ms
    #[arg(long, value_name = "TIME")]
    delay: Option<Delay>,
    /// Reset both sides after so many bytes of one direction
    #[arg(long, value_name = "SIZE")]
    reset_after: Option<Size>,
    /// Close both sides after so many bytes of one direction, as if that were the end
    #[arg(long, value_name = "SIZE")]
    close_after: Option<Size>,
    /// Change this share of bytes, e.g. 0.1%
    #[arg(long, value_name = "SHARE")]
    corrupt: Option<Share>,
    /// Write at most so many bytes at a time
    #[arg(long, value_name = "SIZE")]
    slice: Option<Size>,
    /// Draw what is random from this number: the same each time [default: 0]
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Lose this share of datagrams, each way, e.g. 1%
    #[arg(long, value_name = "SHARE")]
    loss: Option<Share>,
    /// Pass this share of datagrams on twice
    #[arg(long, value_name = "SHARE")]
    duplicate: Option<Share>,
    /// Pass this share of datagrams on 20 ms later, behind those that follow
    #[arg(long, value_name = "SHARE")]
    reorder: Option<Share>,
}

/// What makes a good network like a bad one, resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Impair {
    delay: Option<Delay>,
    reset_after: Option<Size>,
    close_after: Option<Size>,
    corrupt: Option<Share>,
    slice: Option<Size>,
    seed: u64,
    loss: Option<Share>,
    duplicate: Option<Share>,
    reorder: Option<Share>,
}

/// Longer, and it is no network.
const DELAY_MAX: Time = Time(Duration::from_mins(1));

impl Flags {
    /// The table that says the same.
    pub(super) fn table(self) -> Table {
        let Self { delay, reset_after, close_after, corrupt, slice, seed, .. } = self;
        let Self { loss, duplicate, reorder, .. } = self;
        Table { delay, reset_after, close_after, corrupt, slice, seed, loss, duplicate, reorder }
    }
}

impl Table {
    /// Resolves itself, which stands at `key`.
    pub(super) fn plan(self, key: &KeyPath) -> Result<Impair, Vec<Problem>> {
        let Self { delay, reset_after, close_after, corrupt, slice, seed, .. } = self;
        let Self { loss, duplicate, reorder, .. } = self;
        let mut problems = Vec::new();
        if let Some(delay) = delay.filter(|delay| delay.mean.max(delay.jitter) > DELAY_MAX) {
            let what = format!("`delay` is too long: {:?}", delay.to_string());
            let wrong = Wrong::expected(what, format!("{DELAY_MAX} or less"));
            problems.push(key.key("delay").wrong(wrong));
        }
        if slice == Some(Size(0)) {
            let wrong = Wrong::expected("`slice` is 0: nothing would be written", "1 or more");
            problems.push(key.key("slice").wrong(wrong));
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let seed = seed.unwrap_or_default();
        Ok(Impair {
            delay,
            reset_after,
            close_after,
            corrupt,
            slice,
            seed,
            loss,
            duplicate,
            reorder,
        })
    }

    /// Whether the keys are given that mean something for datagrams alone: loss, duplicate, reorder.
    pub(super) fn of_datagrams(&self) -> (bool, bool, bool) {
        (self.loss.is_some(), self.duplicate.is_some(), self.reorder.is_some())
    }

    /// The same for streams: `reset_after`, `close_after`, `slice`.
    pub(super) fn of_streams(&self) -> (bool, bool, bool) {
        (self.reset_after.is_some(), self.close_after.is_some(), self.slice.is_some())
    }
}

impl Impair {
    /// How late, and how badly, what passes arrives.
    pub(super) fn noise(&self) -> Noise {
        Noise {
            delay: self.time(|delay| delay.mean),
            jitter: self.time(|delay| delay.jitter),
            corrupt: part(self.corrupt),
            seed: self.seed,
        }
    }

    /// What else is done to streams.
    pub(super) fn cuts(&self) -> Cuts {
        Cuts {
            reset_after: self.reset_after.map(|size| size.0),
            close_after: self.close_after.map(|size| size.0),
            slice: self.slice.map(|size| usize::try_from(size.0).unwrap_or(usize::MAX)),
        }
    }

    /// What else is done to datagrams.
    pub(super) fn losses(&self) -> Losses {
        Losses {
            loss: part(self.loss),
            duplicate: part(self.duplicate),
            reorder: part(self.reorder),
        }
    }

    fn time(&self, of: fn(Delay) -> Time) -> Duration {
        self.delay.map_or(Duration::ZERO, |delay| of(delay).0)
    }
}

/// A share as a part of 1.
fn part(share: Option<Share>) -> f64 {
    share.map_or(0.0, |share| f64::from(share.0) / f64::from(WHOLE))
}

impl FromStr for Rate {
    type Err = BadRate;

    fn from_str(text: &str) -> Result<Self, BadRate> {
        let bad = || BadRate(text.to_owned());
        let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
        let (number, unit) = text.split_at(end);
        let bits_each = match unit {
            "bit" => 1,
            "kbit" => 1_000,
            "Mbit" => 1_000_000,
            "Gbit" => 1_000_000_000,
            _ => 0,
        };
        let bytes = match bits_each {
            0 => text.parse::<Size>().map_err(|_| bad())?.0,
            _ => {
                number.parse::<u64>().ok().and_then(|n| n.checked_mul(bits_each)).ok_or_else(bad)?
                    / 8
            }
        };
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

impl Serialize for Rate {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Delay {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Share {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

read_from_string!(
    Rate: "a rate, e.g. \"1Mbit\"",
    Delay: "a delay, e.g. \"50ms±10ms\"",
    Share: "a share, e.g. \"0.1%\""
);

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
        for bad in ["", "0", "1bit", "1mbit", "Mbit", "-1Mbit", "1.5Mbit", "99999999999999Gbit"] {
            check(bad, None);
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
        for bad in ["", "50", "±10ms", "50ms±", "50ms±x", "50ms±1±1"] {
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
