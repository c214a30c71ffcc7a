//! How far a download is, on a terminal.

use std::{
    io::{self, IsTerminal as _},
    time::{Duration, Instant},
};

use crate::{
    bar::bar,
    measure::{said_bytes, said_seconds, said_time},
    output::{Telling, tell_over},
};

/// How often it is told of at most.
const TOLD_EVERY: Duration = Duration::from_millis(100);

/// How far a download is.
#[derive(Debug)]
pub(super) struct Progress {
    begun: Instant,
    told: Option<Instant>,
    /// What was there before.
    before: u64,
    there: u64,
    total: Option<u64>,
    is_shown: bool,
}

impl Progress {
    /// Of one of which so much was there before, and that is to have so much, if that is known.
    pub(super) fn new(before: u64, total: Option<u64>, telling: Telling) -> Self {
        let is_shown = telling != Telling::Less && io::stderr().is_terminal();
        Self { begun: Instant::now(), told: None, before, there: before, total, is_shown }
    }

    /// So much more is there.
    pub(super) fn more(&mut self, bytes: usize) {
        self.there += bytes as u64;
        let is_due = self.told.is_none_or(|told| told.elapsed() >= TOLD_EVERY);
        if self.is_shown && is_due {
            self.told = Some(Instant::now());
            tell_over(self.text(self.begun.elapsed()));
        }
    }

    /// Takes it off the terminal.
    pub(super) fn clear(&self) {
        if self.told.is_some() {
            tell_over("");
        }
    }

    /// How long it took, and how fast that was.
    pub(super) fn summary(&self) -> String {
        self.summed(self.begun.elapsed())
    }

    fn summed(&self, took: Duration) -> String {
        let rate = self.rate(took);
        format!(
            "{} in {}, {}/s",
            said_bytes(self.there - self.before),
            said_time(took),
            said_bytes(rate)
        )
    }

    /// In bytes a second.
    fn rate(&self, took: Duration) -> u64 {
        let came = u128::from(self.there - self.before);
        // 64 bits of bytes and 30 of nanoseconds fit.
        let rate = came * 1_000_000_000 / took.as_nanos().max(1);
        u64::try_from(rate).unwrap_or(u64::MAX)
    }

    fn text(&self, took: Duration) -> String {
        let (there, rate) = (said_bytes(self.there), self.rate(took));
        let rate_said = said_bytes(rate);
        let Some(total) = self.total.filter(|total| *total >= self.there && *total > 0) else {
            return format!("{there}, {rate_said}/s");
        };
        let percent = u128::from(self.there) * 100 / u128::from(total);
        let left = Duration::from_secs((total - self.there) / rate.max(1));
        format!(
            "▕{}▏ {percent:>3} %  {there} of {}, {rate_said}/s, {} left",
            bar(self.there, total, ' '),
            said_bytes(total),
            said_seconds(left)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_says_how_far_it_is_and_how_long_it_takes() {
        let check = |before, there, total, expect: &str| {
            let progress = Progress { there, ..Progress::new(before, total, Telling::Usual) };
            assert_eq!(progress.text(Duration::from_secs(2)), expect);
        };
        let mib = 1 << 20;
        let bar = format!("▕{}{}▏  50 %  ", "█".repeat(12), " ".repeat(12));
        let rest = "4.0 MiB of 8.0 MiB, 1.0 MiB/s, 4 s left";
        check(2 * mib, 4 * mib, Some(8 * mib), &format!("{bar}{rest}"));
        check(0, 4 * mib, None, "4.0 MiB, 2.0 MiB/s");
        // Who sends more than was said is not waited for in percent.
        check(0, 4 * mib, Some(mib), "4.0 MiB, 2.0 MiB/s");
        check(0, 0, Some(0), "0 B, 0 B/s");
    }

    #[test]
    fn how_fast_it_was_is_of_the_time_that_it_took() {
        let check = |micros, expect: &str| {
            let progress =
                Progress { there: 1 << 20, ..Progress::new(1 << 19, None, Telling::Usual) };
            assert_eq!(progress.summed(Duration::from_micros(micros)), expect);
        };
        check(2_000_000, "512.0 KiB in 2.0 s, 256.0 KiB/s");
        check(1_000, "512.0 KiB in 1 ms, 500.0 MiB/s");
        check(500, "512.0 KiB in 500 µs, 1000.0 MiB/s");
    }
}
