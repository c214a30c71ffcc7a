//! The order in which people expect names: numbers by their value, letters whatever their case.

use std::cmp::Ordering;

/// Compares names so that `file 2` comes before `file 10`, and `b` between `A` and `C`. Names that
/// are equal so far are in the order of their bytes, so none are equal but the same.
pub(super) fn compare(one: &[u8], other: &[u8]) -> Ordering {
    let (mut left, mut right) = (one, other);
    while let (Some(&a), Some(&b)) = (left.first(), right.first()) {
        let by = if a.is_ascii_digit() && b.is_ascii_digit() {
            by_value(take_digits(&mut left), take_digits(&mut right))
        } else {
            (left, right) = (&left[1..], &right[1..]);
            a.to_ascii_lowercase().cmp(&b.to_ascii_lowercase())
        };
        if by.is_ne() {
            return by;
        }
    }
    left.len().cmp(&right.len()).then_with(|| one.cmp(other))
}

fn take_digits<'a>(text: &mut &'a [u8]) -> &'a [u8] {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    *text = rest;
    digits
}

/// Compares numbers of any length.
fn by_value(one: &[u8], other: &[u8]) -> Ordering {
    let zeros = |digits: &[u8]| digits.iter().take_while(|&&digit| digit == b'0').count();
    let (one, other) = (&one[zeros(one)..], &other[zeros(other)..]);
    one.len().cmp(&other.len()).then_with(|| one.cmp(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_count_and_case_does_not() {
        check(&["", "1", "2", "10", "a"]);
        check(&["file 2", "file 10", "file 010 b"]);
        check(&["v1.9.0", "v1.10.0", "v1.10.0-rc", "v2"]);
        check(&["A", "a", "b", "C", "c1", "C02"]);
        check(&["x00", "x0y", "x1"]);
        check(&["n99999999999999999999999998", "n99999999999999999999999999"]);
        check(&["é".as_bytes(), "ê".as_bytes()]);
    }

    /// Checks that `names` are in strictly ascending order, and so all of them differ.
    #[track_caller]
    fn check<T: AsRef<[u8]> + std::fmt::Debug>(names: &[T]) {
        for (at, one) in names.iter().enumerate() {
            for (other_at, other) in names.iter().enumerate() {
                let (one, other) = (one.as_ref(), other.as_ref());
                assert_eq!(compare(one, other), at.cmp(&other_at), "{one:?} and {other:?}");
            }
        }
    }
}
