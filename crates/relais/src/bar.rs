//! How far something is, as a bar that fills.

/// How many columns a bar has.
pub(crate) const COLUMNS: usize = 24;

/// A bar that is full if `done` is all `of` it; `rest` is what is not filled.
pub(crate) fn bar(done: u64, of: u64, rest: char) -> String {
    let columns = u128::try_from(COLUMNS).unwrap_or_default();
    let full = u128::from(done.min(of)) * columns;
    let full = full.checked_div(u128::from(of)).unwrap_or_default();
    let full = usize::try_from(full).unwrap_or(COLUMNS);
    let empty = std::iter::repeat_n(rest, COLUMNS - full);
    "█".repeat(full).chars().chain(empty).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bar_fills_up_and_no_further() {
        let check = |done, of, expect: usize| {
            let bar = bar(done, of, '░');
            let full = bar.chars().filter(|char| *char == '█').count();
            assert_eq!((full, bar.chars().count()), (expect, COLUMNS));
        };
        check(0, 10, 0);
        check(5, 10, 12);
        check(10, 10, 24);
        check(11, 10, 24);
        check(0, 0, 0);
        check(u64::MAX, u64::MAX, 24);
    }
}
