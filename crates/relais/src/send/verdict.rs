//! What `--verify` says.

use relais_talk::send::{Comparison, Difference, Unit};

use super::heard::unprinted;
use crate::{hex::WithText, output::print, stop::Stop};

/// Says whether what came back is what was said.
pub(super) fn conclude(mut comparison: Comparison) -> Result<(), Stop> {
    comparison.end();
    match comparison.difference() {
        None => print(b"identical\n").map_err(unprinted),
        Some(difference) => {
            let told = told(difference, comparison.unit());
            print(format!("{told}\n").as_bytes()).map_err(unprinted)?;
            Err(Stop::No)
        }
    }
}

/// Where it differs, in hexadecimal and text. Only of datagrams may anything be lost.
fn told(difference: &Difference, unit: Unit) -> String {
    let (at, expected, got) = match difference {
        Difference::Other { at, expected, got } => (at, Some(expected), got.as_slice()),
        Difference::Surplus { at, got } => (at, None, got.as_slice()),
        Difference::Missing { at, expected, .. } => (at, Some(expected), &[][..]),
    };
    let expected = match expected {
        None => "nothing more".to_owned(),
        Some(bytes) if bytes.is_empty() => "an empty message".to_owned(),
        Some(bytes) => WithText(bytes).to_string(),
    };
    let got = match (difference, got) {
        (Difference::Missing { message: Some(_), .. }, _) => "nothing".to_owned(),
        (Difference::Missing { message: None, .. }, _) => "nothing more".to_owned(),
        (_, []) => "the end of the message".to_owned(),
        (_, bytes) => WithText(bytes).to_string(),
    };
    let of = match difference {
        Difference::Missing { message: Some(message), .. } => {
            let lost =
                if unit == Unit::Datagrams { ", which may be lost, or its answer" } else { "" };
            format!(": nothing came back to message {message}{lost}")
        }
        _ => String::new(),
    };
    format!("different at byte {at}, counted from 0{of}\n  expected  {expected}\n  got       {got}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_shown_in_hexadecimal_and_text() {
        let check_in = |unit, difference: &Difference, expect: &str| {
            let found: Vec<_> = told(difference, unit).lines().map(str::to_owned).collect();
            let found: Vec<_> = found
                .iter()
                .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
                .collect();
            assert_eq!(found.join("|"), expect);
        };
        let check = |difference: &Difference, expect: &str| {
            check_in(Unit::Bytes, difference, expect);
        };
        let other = Difference::Other { at: 3, expected: b"cou\n".into(), got: b"COU\x1b".into() };
        let expect =
            "different at byte 3, counted from 0|expected 63 6f 75 0a cou.|got 43 4f 55 1b COU.";
        check(&other, expect);
        let missing = Difference::Missing { at: 0, expected: b"a".into(), message: None };
        check(&missing, "different at byte 0, counted from 0|expected 61 a|got nothing more");
        let lost = Difference::Missing { at: 4, expected: Vec::new(), message: Some(2) };
        check_in(
            Unit::Datagrams,
            &lost,
            "different at byte 4, counted from 0: nothing came back to message 2, which may be lost, \
             or its answer|expected an empty message|got nothing",
        );
        // Nothing is lost on the way of a WebSocket.
        check_in(
            Unit::Messages,
            &lost,
            "different at byte 4, counted from 0: nothing came back to message 2|expected an empty \
             message|got nothing",
        );
        let surplus = Difference::Surplus { at: 9, got: b"a".into() };
        check(&surplus, "different at byte 9, counted from 0|expected nothing more|got 61 a");
    }
}
