//! What is stored, as rows for people, or as lines of JSON.

use std::{
    fmt::Write as _,
    io::{self, Write as _},
};

use clap::ColorChoice;
use serde_json::Value;

use super::told::text;
use crate::{
    columns::{self, clean, columns, fit},
    measure::column_bytes,
    output::is_coloured,
    stop::Stop,
};

/// Prints what is listed. A row is printed when it comes: nobody waits for the last.
#[derive(Debug)]
pub(super) struct Listed {
    is_json: bool,
    /// How wide the terminal is; `None` for what is as wide as need be.
    columns: Option<usize>,
    is_coloured: bool,
    /// How many there were.
    pub(super) count: u64,
    /// What is not printed yet.
    text: String,
    nobody_reads: bool,
}

/// The URL gets so many columns even where the row is too long for the terminal by that.
const URL_COLUMNS_MIN: usize = 16;

/// So many bytes are printed at once.
const PRINTED_AT_ONCE: usize = 8 << 10;

impl Listed {
    pub(super) fn new(color: ColorChoice, is_json: bool) -> Self {
        let columns = columns::of_terminal();
        let is_coloured = is_coloured(color, &io::stdout());
        Self { is_json, columns, is_coloured, count: 0, text: String::new(), nobody_reads: false }
    }

    /// Takes what was found. An error ends the asking.
    pub(super) fn take(&mut self, found: &Value) -> Result<(), Stop> {
        if self.is_json {
            writeln!(self.text, "{found}").expect("a string takes everything");
        } else {
            if self.count == 0 {
                self.names();
            }
            self.row(found);
        }
        self.count += 1;
        if self.text.len() < PRINTED_AT_ONCE { Ok(()) } else { self.end() }
    }

    /// Prints what is left.
    pub(super) fn end(&mut self) -> Result<(), Stop> {
        let mut out = io::stdout().lock();
        let printed = out.write_all(self.text.as_bytes()).and_then(|()| out.flush());
        self.text.clear();
        match printed {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe && !self.nobody_reads => {
                self.nobody_reads = true;
                Err(Stop::No)
            }
            Err(_) if self.nobody_reads => Ok(()),
            Err(error) => Err(anyhow::Error::from(error).context("printing").into()),
        }
    }

    /// Whether who read what is printed went away.
    pub(super) fn nobody_reads(&self) -> bool {
        self.nobody_reads
    }

    fn names(&mut self) {
        let names = format!("{:>8} {:>8} {:<4} {:>5} {}", "age", "ttl", "code", "size", "url");
        let (bold, plain) = if self.is_coloured { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
        writeln!(self.text, "{bold}{names}{plain}").expect("a string takes everything");
    }

    fn row(&mut self, found: &Value) {
        let number = |name: &str| found[name].as_i64().map_or("-".to_owned(), |it| it.to_string());
        let size = found["bytes"].as_u64().map_or("-".to_owned(), column_bytes);
        let before =
            format!("{:>8} {:>8} {:<4} {size:>5} ", number("age"), number("ttl"), number("status"));
        self.text.push_str(&before);
        let url = url_of(found);
        match self.columns {
            Some(all) => {
                let left = all.saturating_sub(columns(&before)).max(URL_COLUMNS_MIN);
                fit(&url, left, &mut self.text);
            }
            None => self.text.push_str(&url),
        }
        self.text.push('\n');
    }
}

/// With what tells variants apart.
fn url_of(found: &Value) -> String {
    let mut url = text(found, "url");
    for part in apart(found).into_iter().chain(values(found)) {
        write!(url, " ({part})").expect("a string takes everything");
    }
    url
}

/// What keeps it apart from others of its URL.
pub(super) fn apart(found: &Value) -> Vec<String> {
    let by = found["apart_by"].as_str().unwrap_or_default();
    by.lines().filter(|line| !line.is_empty()).map(clean).collect()
}

/// The values of the fields that `Vary` names: of the requests that it is for.
pub(super) fn values(found: &Value) -> Vec<String> {
    let Value::Object(values) = &found["for"] else { return Vec::new() };
    let said = |(name, value): (&String, &Value)| match value.as_str() {
        Some(value) => format!("{}: {}", clean(name), clean(value)),
        None => format!("no {}", clean(name)),
    };
    values.iter().map(said).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_stand_under_their_names_and_fit_the_terminal() {
        let listed = |columns| {
            let mut listed = Listed { columns, ..Listed::new(ColorChoice::Never, false) };
            let url = "http://127.0.0.1:9000/a/rather/long/path";
            let found = json!({
                "url": url, "age": 12, "ttl": -3, "status": 200, "bytes": 1536,
                "for": { "accept": "a/b", "x-a": null },
            });
            listed.take(&found).unwrap();
            let bad =
                json!({ "url": "http://a/\u{1b}[2J", "apart_by": "\nfield a: b\ndevice: tv" });
            listed.take(&bad).unwrap();
            std::mem::take(&mut listed.text)
        };
        let expect = "     age      ttl code  size url\n\
            \u{20}     12       -3 200   1.5K http://127.0.0.1:9000/a/rather/long/path (accept: a/b) (no x-a)\n\
            \u{20}      -        - -        - http://a/\\u{1b}[2J (field a: b) (device: tv)\n";
        assert_eq!(listed(None), expect);
        for line in listed(Some(60)).lines() {
            assert!(line.chars().count() <= 60, "{line}");
        }
    }
}
