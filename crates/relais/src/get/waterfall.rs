//! How long each part of an exchange took, as a picture of blocks.

use std::{fmt::Write as _, io, time::Duration};

use relais_http::client::Timings;
use serde_json::{Value, json};

use crate::columns;

/// How wide a bar's picture is at most.
const BAR_COLUMNS_MAX: usize = 40;

/// Narrower ones tell nothing.
const BAR_COLUMNS_MIN: usize = 8;

/// What stands before a picture, around it, and behind it.
const TEXT_COLUMNS: usize = 26;

/// The parts of an exchange, one after another.
#[derive(Clone, Debug)]
pub(super) struct Waterfall {
    parts: Vec<(&'static str, Duration)>,
}

impl Waterfall {
    /// Of these, and of a body that took so long, if there can be one.
    pub(super) fn new(timings: Timings, body: Option<Duration>) -> Self {
        let Timings { call, tunnel, first_byte } = timings;
        let parts = vec![
            ("name", call.resolve),
            ("connect", call.connect),
            ("tunnel", tunnel),
            ("tls", call.handshake),
            ("first byte", first_byte),
            ("body", body.unwrap_or_default()),
        ];
        // What was not done took no time.
        let is_done = |name: &str, took: &Duration| match name {
            "tunnel" | "tls" => !took.is_zero(),
            "name" => *took > Duration::from_micros(50),
            "body" => body.is_some(),
            _ => true,
        };
        Self { parts: parts.into_iter().filter(|(name, took)| is_done(name, took)).collect() }
    }

    /// In milliseconds.
    pub(super) fn json(&self) -> Value {
        let parts = self.parts.iter();
        let mut all: serde_json::Map<_, _> =
            parts.map(|(name, took)| (name.replace(' ', "_"), json!(millis(*took)))).collect();
        all.insert("total".to_owned(), json!(millis(self.total())));
        Value::Object(all)
    }

    fn total(&self) -> Duration {
        self.parts.iter().map(|(_, took)| *took).sum()
    }

    /// The picture, for who reads standard error.
    pub(super) fn drawn(&self) -> String {
        self.drawn_in(columns::of(&io::stderr()).unwrap_or(usize::MAX))
    }

    /// The picture, or the times alone if it has no room in so many columns.
    fn drawn_in(&self, columns: usize) -> String {
        let wide = columns.saturating_sub(TEXT_COLUMNS).min(BAR_COLUMNS_MAX);
        let is_shown = wide >= BAR_COLUMNS_MIN;
        let total = self.total().max(Duration::from_nanos(1));
        let (mut text, mut begin) = (String::new(), Duration::ZERO);
        for (name, took) in &self.parts {
            let bar = if is_shown { bar(begin, *took, total, wide) } else { String::new() };
            _ = writeln!(text, "{name:<10} {bar}{:>9.2} ms", millis(*took));
            begin += *took;
        }
        let room = if is_shown { wide + " ▕▏".chars().count() } else { 0 };
        _ = write!(text, "{:<10} {:room$}{:>9.2} ms", "total", "", millis(self.total()));
        text
    }
}

/// In milliseconds, to the microsecond.
fn millis(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}

/// The bar of what began at `begin` and took `took`, where `total` is `wide` columns.
fn bar(begin: Duration, took: Duration, total: Duration, wide: usize) -> String {
    let from = column(begin, total, wide).min(wide - 1);
    let to = column(begin + took, total, wide).max(from + 1);
    let bar = format!("{}{}", " ".repeat(from), "█".repeat(to - from));
    format!("▕{bar:<wide$}▏ ")
}

/// Which column a moment is in, rounded.
fn column(at: Duration, total: Duration, wide: usize) -> usize {
    let (at, total) = (at.as_nanos(), total.as_nanos());
    usize::try_from((at * wide as u128 + total / 2) / total).unwrap_or(wide)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_stand_where_they_began_and_none_is_invisible() {
        let ms = Duration::from_millis;
        let call = relais_net::Timings { resolve: ms(10), connect: ms(10), handshake: ms(0) };
        let timings = Timings { call, tunnel: ms(0), first_byte: ms(60) };
        let waterfall = Waterfall::new(timings, Some(Duration::from_micros(10)));
        let drawn = waterfall.drawn_in(200);
        let rows: Vec<_> = drawn.lines().collect();
        let row = |from, blocks| format!("{}{}", " ".repeat(from), "█".repeat(blocks));
        for (index, (name, from, blocks)) in
            [("name", 0, 5), ("connect", 5, 5), ("first byte", 10, 30), ("body", 39, 1)]
                .into_iter()
                .enumerate()
        {
            let bar = format!("{name:<10} ▕{:<40}▏", row(from, blocks));
            assert!(rows[index].starts_with(&bar), "{}", rows[index]);
        }
        assert!(rows[4].ends_with("    80.01 ms"), "{}", rows[4]);
        let rows = |body| Waterfall::new(Timings::default(), body).drawn_in(80).lines().count();
        assert_eq!((rows(Some(ms(0))), rows(None)), (4, 3));
    }

    #[test]
    fn a_picture_is_as_wide_as_it_may_be_and_none_is_too_narrow() {
        let timings = Timings { first_byte: Duration::from_millis(60), ..Timings::default() };
        let waterfall = Waterfall::new(timings, Some(Duration::from_millis(20)));
        for (columns, expect) in [(80, 66), (66, 66), (65, 65), (40, 40), (34, 34), (33, 23)] {
            let drawn = waterfall.drawn_in(columns);
            for row in drawn.lines() {
                assert_eq!(row.chars().count(), expect, "{row}");
            }
            assert_eq!(drawn.contains('█'), columns > 33, "{drawn}");
        }
        assert!(waterfall.drawn_in(33).starts_with("connect         0.00 ms\n"));
    }

    #[test]
    fn programs_are_told_of_microseconds_and_no_less() {
        let timings = Timings { first_byte: Duration::from_nanos(450_088), ..Timings::default() };
        let told = Waterfall::new(timings, None).json();
        assert_eq!(told.to_string(), r#"{"connect":0.0,"first_byte":0.45,"total":0.45}"#);
        for nanos in [1, 1_499, 450_088, 2_300_000_019] {
            let text = json!(millis(Duration::from_nanos(nanos))).to_string();
            let digits = text.split_once('.').map_or("", |(_, digits)| digits);
            assert!(digits.len() <= 3, "{text}");
        }
    }
}
