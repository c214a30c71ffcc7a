//! A histogram in the letters of a terminal.

use std::fmt::Write as _;

use relais_talk::load::Histogram;

use super::{
    bins::{Bin, bins},
    figures::{brief, precise},
    report::PERCENTILES,
};
use crate::{
    ink::{CYAN, FAINT, Ink},
    measure::said_count,
};

/// Draws the bins, a line each, in so many columns.
pub(super) fn draw(out: &mut String, histogram: &Histogram, columns: usize, ink: Ink) {
    let bins = bins(histogram);
    let total = histogram.total().max(1);
    let highest = bins.iter().map(|bin| bin.count).max().unwrap_or(1).max(1);
    let width = columns.saturating_sub(TEXT_COLUMNS).clamp(8, 60);
    for Bin { from, to, count } in &bins {
        let held = PERCENTILES.iter().filter(|(_, share)| {
            histogram.within(*share).is_some_and(|time| (*from..*to).contains(&time))
        });
        let held: Vec<_> = held.map(|(name, _)| *name).collect();
        let held = match *held {
            [] => String::new(),
            [only] => format!(" {only} %"),
            [first, .., last] => format!(" {first} to {last} %"),
        };
        let share = format!("{:.1} %", precise(*count) * 100.0 / precise(total));
        let line = format!(
            "{:>7} to {:<7}{:>12}{share:>9}  ",
            brief(*from),
            brief(*to),
            said_count(*count)
        );
        let bar = ink.with(CYAN, &eighths(*count, highest, width));
        let held = ink.with(FAINT, &held);
        _ = writeln!(out, "{line}{bar}{held}");
    }
}

/// What stands before a bar, and the percentiles behind it.
const TEXT_COLUMNS: usize = 55;

/// A bar of `count` in `highest`, to an eighth of a column. What is there is seen.
fn eighths(count: u64, highest: u64, width: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let width = u64::try_from(width).unwrap_or(u64::MAX);
    let eighths = u128::from(count) * u128::from(width) * 8 / u128::from(highest.max(1));
    let eighths = usize::try_from(eighths).unwrap_or(usize::MAX).max(usize::from(count > 0));
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bar_is_as_long_as_its_share_and_never_gone() {
        for (count, expect) in [(0, ""), (1, "▏"), (40, "█▌"), (100, "████"), (63, "██▌")]
        {
            assert_eq!(eighths(count, 100, 4), expect);
        }
    }

    #[test]
    fn a_picture_fits_and_tells_where_percentiles_are() {
        let mut histogram = Histogram::default();
        (1..=1_000).for_each(|n| histogram.record(Duration::from_micros(n)));
        for columns in [80, 120] {
            let mut out = String::new();
            draw(&mut out, &histogram, columns, Ink::None);
            for line in out.lines() {
                assert!(line.chars().count() <= columns, "{line}");
            }
            assert_eq!(out.matches(" 50 %\n").count(), 1, "{out}");
            assert_eq!(out.matches(" 75 to 99.9 %\n").count(), 1, "{out}");
            assert!(!out.contains('\x1b'));
        }
    }
}
