//! Responses by their statuses.

use std::{ops::RangeInclusive, str::FromStr};

use super::ParseFilterError;

/// A status, or those between two.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statuses(pub RangeInclusive<u16>);

impl Statuses {
    /// The status, if it is but one.
    pub(super) fn only(&self) -> Option<u16> {
        (self.0.start() == self.0.end()).then_some(*self.0.start())
    }
}

impl FromStr for Statuses {
    type Err = ParseFilterError;

    /// Reads `404`, `4xx` or `400-499`.
    fn from_str(text: &str) -> Result<Self, ParseFilterError> {
        let bad = || ParseFilterError::Status(text.to_owned());
        let class = text.strip_suffix("xx").or_else(|| text.strip_suffix("XX"));
        let range = match (class, text.split_once('-')) {
            (Some(class), _) => {
                let [class @ b'1'..=b'5'] = class.as_bytes() else { return Err(bad()) };
                let from = u16::from(class - b'0') * 100;
                from..=from + 99
            }
            (_, Some((from, to))) => number(from).ok_or_else(bad)?..=number(to).ok_or_else(bad)?,
            _ => {
                let status = number(text).ok_or_else(bad)?;
                status..=status
            }
        };
        if range.is_empty() {
            return Err(bad());
        }
        Ok(Self(range))
    }
}

/// Three digits, the first no zero. Beyond 599 there are some that no RFC knows.
fn number(text: &str) -> Option<u16> {
    let is_one = text.len() == 3 && text.bytes().all(|digit| digit.is_ascii_digit());
    text.parse().ok().filter(|status| is_one && *status >= 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_are_one_a_class_or_a_range() {
        let check = |text: &str, expect| {
            assert_eq!(text.parse::<Statuses>().map(|s| s.0).ok(), expect, "{text:?}");
        };
        check("404", Some(404..=404));
        check("4xx", Some(400..=499));
        check("5XX", Some(500..=599));
        check("400-404", Some(400..=404));
        check("999", Some(999..=999));
        for text in [
            "", "4", "xx", "44xx", "+4xx", "4x", "404-400", "404-", "-404", "+04", "a", "6xx",
            "0xx", "099",
        ] {
            check(text, None);
        }
    }
}
