//! Exchanges as rows for people.

use std::fmt::Write as _;

use relais_wire::{
    exchange::{End, Exchange},
    timestamp::Timestamp,
};

use crate::{
    columns::{CUT, clean, columns, fit},
    measure::{column_bytes, column_time},
};

/// On a narrower terminal the year is left out.
const WIDE_COLUMNS: usize = 110;

/// And on one still narrower the day.
const NARROW_COLUMNS: usize = 80;

/// The URL gets so many columns even where the row is too long for the terminal by that.
const URL_COLUMNS_MIN: usize = 8;

/// Clients are cut until the URL has so many, but for these few columns of their own.
const URL_COLUMNS_FAIR: usize = 20;
const CLIENT_COLUMNS_MIN: usize = 9;

/// Rows under each other. Columns grow with what comes, and never shrink.
#[derive(Debug)]
pub(super) struct Table {
    /// How wide the terminal is; `None` for what is as wide as need be.
    columns: Option<usize>,
    is_coloured: bool,
    /// Whether the names of the columns were printed.
    is_begun: bool,
    /// How wide the columns of client, method and cache are.
    widths: [usize; 3],
}

/// A row, cell by cell. None of them disturbs a terminal.
struct Row<'r> {
    time: &'r str,
    client: &'r str,
    method: &'r str,
    /// Three digits and a mark, or a name.
    code: &'r str,
    size: &'r str,
    took: &'r str,
    cache: &'r str,
    url: &'r str,
}

/// The names of the columns.
const NAMES: Row<'_> = Row {
    time: "time (UTC)",
    client: "client",
    method: "method",
    code: "code",
    size: "size",
    took: "took",
    cache: "cache",
    url: "url",
};

/// How a status looks, or the names of the columns: what ANSI terminals call it.
#[derive(Clone, Copy)]
struct Paint(&'static str);

impl Table {
    pub(super) fn new(columns: Option<usize>, is_coloured: bool) -> Self {
        // A client of this machine.
        let widths = ["127.0.0.1".len(), NAMES.method.len(), NAMES.cache.len()];
        Self { columns, is_coloured, is_begun: false, widths }
    }

    /// Appends the rows of `exchanges` to `out`; before the first, the names of the columns.
    pub(super) fn print(&mut self, exchanges: &[Exchange<'_>], out: &mut String) {
        for exchange in exchanges {
            self.widen(exchange);
        }
        if !self.is_begun && !exchanges.is_empty() {
            self.is_begun = true;
            self.print_row(&NAMES, Some(Paint("1")), out);
        }
        for exchange in exchanges {
            let row = Row {
                time: &self.time(exchange),
                client: &client(exchange),
                method: &clean(&exchange.method),
                code: &code(exchange),
                size: &size(exchange),
                took: &exchange.timings.total.map_or("-".to_owned(), column_time),
                cache: cache(exchange),
                url: &clean(&exchange.url),
            };
            self.print_row(&row, exchange.status.and_then(paint), out);
        }
    }

    /// Makes room for the row of `exchange`.
    fn widen(&mut self, exchange: &Exchange<'_>) {
        let cells = [&*client(exchange), &*clean(&exchange.method), cache(exchange)];
        for (width, cell) in self.widths.iter_mut().zip(cells) {
            *width = columns(cell).max(*width);
        }
    }

    fn print_row(&self, row: &Row<'_>, paint: Option<Paint>, out: &mut String) {
        let Row { time, client, method, code, size, took, cache, url } = row;
        let [client_width, method_width, cache_width] = self.widths;
        let time_width = self.time_width();
        let client_width = client_width.min(self.client_columns_max());
        let client = cut_within(client, client_width);
        let before =
            format!("{time:<time_width$} {client:<client_width$} {method:<method_width$} ");
        let after = format!(" {size:>5} {took:>6} {cache:<cache_width$} ");
        out.push_str(&before);
        match paint.filter(|_| self.is_coloured) {
            Some(Paint(paint)) => {
                write!(out, "\x1b[{paint}m{code:<4}\x1b[0m").expect("a string takes everything");
            }
            None => write!(out, "{code:<4}").expect("a string takes everything"),
        }
        out.push_str(&after);
        let used = columns(&before) + 4 + columns(&after);
        match self.columns {
            Some(all) => fit(url, all.saturating_sub(used).max(URL_COLUMNS_MIN), out),
            None => out.push_str(url),
        }
        out.push('\n');
    }

    /// How wide the client may be, so that something of the URL is seen beside it.
    fn client_columns_max(&self) -> usize {
        let [_, method, cache] = self.widths;
        let others = self.time_width() + method + "code size_ _took_".len() + cache + 5;
        let left = |all: usize| all.saturating_sub(others + URL_COLUMNS_FAIR);
        self.columns.map_or(usize::MAX, |all| left(all).max(CLIENT_COLUMNS_MIN))
    }

    /// To the second: `2026-01-31 13:55:36`, `01-31 13:55:36` or `13:55:36`.
    fn time(&self, exchange: &Exchange<'_>) -> String {
        let time = Timestamp::of(exchange.at);
        let (date, clock) = (&time.as_str()[..10], &time.as_str()[11..19]);
        let time = format!("{date} {clock}");
        time[time.len() - self.time_width()..].to_owned()
    }

    fn time_width(&self) -> usize {
        match self.columns {
            Some(columns) if columns < NARROW_COLUMNS => "13:55:36".len(),
            Some(columns) if columns < WIDE_COLUMNS => "01-31 13:55:36".len(),
            _ => "2026-01-31 13:55:36".len(),
        }
    }
}

fn client(exchange: &Exchange<'_>) -> String {
    exchange.client.map_or("-".to_owned(), |client| client.ip().to_string())
}

/// Of the response; `-` where nothing was measured.
fn size(exchange: &Exchange<'_>) -> String {
    match (exchange.timings.total, exchange.response.bytes) {
        (None, 0) => "-".to_owned(),
        (_, bytes) => column_bytes(bytes),
    }
}

fn cache(exchange: &Exchange<'_>) -> &'static str {
    match (&exchange.blocked, exchange.cached) {
        (Some(_), _) => "blocked",
        (None, Some(cached)) => cached.as_str(),
        (None, None) => "-",
    }
}

/// The status; `!` after it says that the response was broken off.
fn code(exchange: &Exchange<'_>) -> String {
    let mark = match exchange.end {
        End::Whole | End::Refused => "",
        End::CutByClient | End::CutByUpstream | End::CutByUs => "!",
    };
    match exchange.status {
        Some(status) => format!("{status}{mark}"),
        None => format!("-{mark}"),
    }
}

fn paint(status: u16) -> Option<Paint> {
    match status {
        200..300 => Some(Paint("32")),
        300..400 => Some(Paint("36")),
        400..500 => Some(Paint("33")),
        500..600 => Some(Paint("31")),
        _ => None,
    }
}

/// A client's address, without its middle if it has more columns: networks begin alike, and the
/// clients in them end differently.
fn cut_within(client: &str, columns_max: usize) -> String {
    let len = client.len();
    if len <= columns_max || !client.is_ascii() {
        return client.to_owned();
    }
    let (first, last) = ((columns_max - 1) / 2, columns_max / 2);
    format!("{}{CUT}{}", &client[..first], &client[len - last..])
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use relais_wire::exchange::{Cached, Content, Timings};

    use super::*;
    use crate::columns::columns as columns_of;

    fn exchange(url: &str) -> Exchange<'_> {
        Exchange {
            client: Some("192.0.2.1:4711".parse().unwrap()),
            method: "GET".into(),
            url: url.into(),
            status: Some(200),
            response: Content { bytes: 2326, media_type: None },
            timings: Timings { total: Some(Duration::from_micros(12_034)), ..Timings::default() },
            cached: Some(Cached::Hit),
            end: End::Whole,
            ..Exchange::at(UNIX_EPOCH + Duration::from_secs(971_186_136))
        }
    }

    #[track_caller]
    fn check(mut table: Table, exchanges: &[Exchange<'_>], expect: &str) {
        let mut out = String::new();
        table.print(exchanges, &mut out);
        assert_eq!(out, expect);
    }

    #[test]
    fn columns_are_named_and_stand_under_each_other() {
        let second = Exchange {
            client: Some("[2001:db8::1]:4711".parse().unwrap()),
            method: "OPTIONS".into(),
            status: None,
            cached: None,
            end: End::CutByClient,
            ..exchange("")
        };
        let third =
            Exchange { blocked: Some("*.b".into()), status: Some(403), ..exchange("http://a.b/") };
        // As a block log has it.
        let fourth =
            Exchange { response: Content::default(), timings: Timings::default(), ..third.clone() };
        check(
            Table::new(None, false),
            &[exchange("http://a.org/"), second, third, fourth],
            "\
time (UTC)          client      method  code  size   took cache   url
2000-10-10 13:55:36 192.0.2.1   GET     200   2.2K   12ms hit     http://a.org/
2000-10-10 13:55:36 2001:db8::1 OPTIONS -!    2.2K   12ms -       -
2000-10-10 13:55:36 192.0.2.1   GET     403   2.2K   12ms blocked http://a.b/
2000-10-10 13:55:36 192.0.2.1   GET     403      -      - blocked http://a.b/
",
        );
    }

    #[test]
    fn rows_fit_the_terminal() {
        let long = format!("http://a.org/{}", "é".repeat(100));
        let rows = |columns, url: &str| {
            let mut out = String::new();
            Table::new(Some(columns), false).print(&[exchange(url)], &mut out);
            out.lines().last().unwrap().to_owned()
        };
        for columns in [72, 80, 81, 120, 200] {
            let row = rows(columns, &long);
            let used = columns_of(&row) - columns_of("…") + 1;
            assert!((columns - 1..=columns).contains(&used), "{used} of {columns}: {row}");
            assert!(row.ends_with("é…"), "{row}");
        }
        assert!(rows(80, &long).starts_with("10-10 13:55:36 192.0.2.1"));
        assert!(rows(120, &long).starts_with("2000-10-10 13:55:36 192.0.2.1"));
        assert!(rows(10, "http://a").ends_with(" http://a"));
        assert!(rows(10, "http://a.org/12").ends_with(" a.org/12"));
        assert!(rows(10, "http://a.org/123").ends_with(" a.org/1…"));
        assert!(rows(72, "http://a/").starts_with("13:55:36 192.0.2.1 "));
    }

    #[test]
    fn long_addresses_leave_room_for_urls() {
        let client = Some("[2001:db8:1111:2222:3333:4444:5555:6666]:1".parse().unwrap());
        let blocked = Some("casino".into());
        let row = |columns| {
            let mut out = String::new();
            let url = "http://a.org/a/rather/long/path";
            let exchange = Exchange { client, blocked: blocked.clone(), ..exchange(url) };
            Table::new(Some(columns), false).print(&[exchange], &mut out);
            for line in out.lines() {
                assert!(line.chars().count() <= columns, "{columns}: {line}");
            }
            out.lines().last().unwrap().to_owned()
        };
        assert!(row(60).starts_with("13:55:36 2001…6666 GET "), "{}", row(60));
        assert!(row(80).contains("6666 GET    200   2.2K   12ms blocked a.org/"), "{}", row(80));
        assert!(row(140).contains(" 2001:db8:1111:2222:3333:4444:5555:6666 GET "), "{}", row(140));
    }

    #[test]
    fn colours_are_for_the_code_alone() {
        let rows = |status| {
            let mut out = String::new();
            let exchange = Exchange { status: Some(status), ..exchange("/") };
            Table::new(None, true).print(&[exchange], &mut out);
            out
        };
        assert!(rows(200).contains(" \x1b[1mcode\x1b[0m "));
        for (status, paint) in [(200, 32), (304, 36), (404, 33), (502, 31)] {
            assert!(rows(status).contains(&format!(" \x1b[{paint}m{status} \x1b[0m ")), "{status}");
        }
        assert!(rows(999).contains(" 999  "));
    }

    #[test]
    fn nothing_that_a_terminal_would_obey_gets_there() {
        let url = "http://a/\x1b[2J\n\u{9b}\u{202e}é";
        let exchange = Exchange { method: "G\rT".into(), ..exchange(url) };
        let mut out = String::new();
        Table::new(None, false).print(&[exchange], &mut out);
        assert!(out.contains(" G\\u{d}T "), "{out}");
        assert!(out.ends_with("http://a/\\u{1b}[2J\\u{a}\\u{9b}\\u{202e}é\n"), "{out}");
        assert_eq!(out.matches(char::is_control).count(), 2, "its two line ends");
    }
}
