//! How what was found is shown.

use std::{
    io::{self, Write as _},
    num::NonZeroU64,
};

use clap::ColorChoice;
use relais_inspect::Findings;
use relais_wire::{
    exchange::Exchange,
    visible::{InJson, is_disturbing},
};

use super::table::Table;
use crate::{
    columns,
    output::{is_coloured, say},
};

/// How it is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A row for each.
    Table,
    /// The lines of the log.
    Json,
    /// How many there are.
    Count,
}

/// Why no more is to be looked for.
#[derive(Debug)]
pub(super) enum Done {
    /// As many were found as were wanted.
    Enough,
    /// Who read what is printed went away.
    NobodyReads,
    /// It cannot be printed.
    Unprintable(io::Error),
}

/// Shows what was found on standard output.
#[derive(Debug)]
pub(super) struct Show {
    how: How,
    table: Table,
    /// How many more may be shown; `None` for all.
    left: Option<u64>,
    /// How many were found.
    pub(super) count: u64,
}

impl Show {
    pub(super) fn new(how: How, limit: Option<NonZeroU64>, color: ColorChoice) -> Self {
        let out = io::stdout();
        let table = Table::new(columns::of_terminal(), is_coloured(color, &out));
        Self { how, table, left: limit.map(NonZeroU64::get), count: 0 }
    }

    /// Shows some. Gives why that is all.
    pub(super) fn take(&mut self, findings: &Findings) -> Option<Done> {
        if self.how == How::Count || findings.matched == 0 {
            self.count += findings.matched;
            return None;
        }
        let most = self.left.map_or(usize::MAX, |left| usize::try_from(left).unwrap_or(usize::MAX));
        let lines = findings.text.split_inclusive(|&byte| byte == b'\n').take(most);
        let mut out = String::new();
        let shown = match self.how {
            How::Table => {
                // They were read before, or they would not have been found.
                let exchanges: Vec<_> =
                    lines.filter_map(|line| Exchange::read(line).ok()).collect();
                self.table.print(&exchanges, &mut out);
                exchanges.len()
            }
            _ => lines.map(|line| print_json(line, &mut out)).count(),
        } as u64;
        self.count += shown;
        self.left = self.left.map(|left| left - shown);
        let mut stdout = io::stdout().lock();
        match stdout.write_all(out.as_bytes()).and_then(|()| stdout.flush()) {
            Ok(()) => (self.left == Some(0)).then_some(Done::Enough),
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Some(Done::NobodyReads),
            Err(error) => Some(Done::Unprintable(error)),
        }
    }

    /// Says what is known at the end alone.
    pub(super) fn end(&self) {
        if self.how == How::Count {
            say(self.count);
        }
    }
}

/// Appends a line as it is, but for what a terminal would obey. relais prints no such lines; of
/// others the meaning stays the same.
fn print_json(line: &[u8], out: &mut String) {
    let text = String::from_utf8_lossy(line);
    let text = text.trim_end();
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        out.push_str(text);
    } else {
        let mut bytes = [0; 4];
        for char in text.chars() {
            match char {
                // Between values: within, JSON has no such characters.
                '\t' | '\r' => out.push(' '),
                char if is_disturbing(char) => {
                    out.push_str(&InJson(char.encode_utf8(&mut bytes)).to_string());
                }
                char => out.push(char),
            }
        }
    }
    out.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_printed_as_they_are_but_for_what_disturbs() {
        let check = |line: &str, expect: &str| {
            let mut out = String::new();
            print_json(line.as_bytes(), &mut out);
            assert_eq!(out, expect);
        };
        check("{\"a\":\"\\u001b é\"}\n", "{\"a\":\"\\u001b é\"}\n");
        check("{\r\t\"a\":\"\u{9b}\u{7f}\\\\é\"}\r\n", "{  \"a\":\"\\u009b\\u007f\\\\é\"}\n");
    }
}
