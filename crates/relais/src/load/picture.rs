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

/// Draws the bins, a line each, in so many columns. In few of them shares and percentiles have no room.
pub(super) fn draw(out: &mut String, histogram: &Histogram, columns: usize, ink: Ink) {
    let bins = bins(histogram);
    let total = histogram.total().max(1);
    let highest = bins.iter().map(|bin| bin.count).max().unwrap_or(1).max(1);
    let is_wide = columns >= WIDE_COLUMNS + BAR_COLUMNS_MIN;
    let text_columns = if is_wide { WIDE_COLUMNS } else { NARROW_COLUMNS };
    let width = columns.saturating_sub(text_columns).min(60);
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
        let line = format!("{:>7} to {:<7}{:>12}", brief(*from), brief(*to), said_count(*count));
        let bar = ink.with(CYAN, &eighths(*count, highest, width));
        if is_wide {
            let share = format!("{:.1} %", precise(*count) * 100.0 / precise(total));
            let held = ink.with(FAINT, &held);
            _ = writeln!(out, "{line}{share:>9}  {bar}{held}");
        } else {
            _ = writeln!(out, "{line}  {bar}");
        }
    }
}

/// What stands before a bar, and the percentiles behind it.
const WIDE_COLUMNS: usize = 55;

/// What stands before a bar where there is no room for more.
const NARROW_COLUMNS: usize = 32;

/// What a bar has at least where all of that has room.
const BAR_COLUMNS_MIN: usize = 8;

/// A bar of `count` in `highest`, to an eighth of a column. What is there is seen, if there is room.
fn eighths(count: u64, highest: u64, width: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let width = u64::try_from(width).unwrap_or(u64::MAX);
    let eighths = u128::from(count) * u128::from(width) * 8 / u128::from(highest.max(1));
    let least = usize::from(count > 0 && width > 0);
    let eighths = usize::try_from(eighths).unwrap_or(usize::MAX).max(least);
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
        for (columns, told) in [(32, 0), (40, 0), (62, 0), (63, 1), (80, 1), (120, 1)] {
            let mut out = String::new();
            draw(&mut out, &histogram, columns, Ink::None);
            for line in out.lines() {
                assert!(line.chars().count() <= columns, "{line}");
            }
            assert_eq!(out.contains('█'), columns > 32, "{out}");
            assert_eq!(out.matches(" 50 %\n").count(), told, "{out}");
            assert_eq!(out.matches(" 75 to 99.9 %\n").count(), told, "{out}");
            assert!(!out.contains('\x1b'));
        }
    }
}
