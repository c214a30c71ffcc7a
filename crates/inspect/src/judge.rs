//! Tells which lines are wanted.

use relais_wire::{
    exchange::{Broken, Dropped, Exchange},
    timestamp::Timestamp,
};

use crate::{filter::Filter, needle::Needle};

/// How many broken lines of a piece are told of one by one.
const BROKEN_MAX: usize = 20;

/// Tells which lines are wanted, as a [`Filter`] says.
///
/// A text that every wanted line has is looked for in all lines at once, and only lines that have
/// it are read. So lines that are broken within are noticed only among those; lines that do not
/// begin and end as an exchange does are noticed always.
#[derive(Debug)]
pub struct Judge {
    filter: Filter,
    needle: Option<Needle>,
    since: Option<Timestamp>,
    until: Option<Timestamp>,
}

/// What is kept of lines that are wanted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// All of each.
    Lines,
    /// How many they are.
    Count,
}

/// What was found in some lines.
#[derive(Debug, Default)]
pub struct Findings {
    /// How many lines there were.
    pub lines: u64,
    /// How many bytes they were.
    pub bytes: u64,
    /// How many of them are exchanges.
    pub exchanges: u64,
    /// How many of these are wanted.
    pub matched: u64,
    /// Those that are wanted, each with its end, if they were to be kept.
    pub text: Vec<u8>,
    /// How many lines the log itself says are missing.
    pub dropped: u64,
    /// How many lines are something else than exchanges.
    pub broken: u64,
    /// The first 20 of these: which line, from 0, and why.
    pub broken_first: Vec<(u64, NoExchange)>,
}

/// Why a line is no exchange.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoExchange {
    /// It lacks its beginning or its end, or is something else altogether.
    #[error("torn: expected {{…}}")]
    Torn,
    /// It cannot be read.
    #[error(transparent)]
    Broken(#[from] Broken),
}

/// What a line looks like.
enum Look {
    Nothing,
    Dropped,
    Exchange,
    Torn,
}

impl Judge {
    /// Judges as `filter` says.
    pub fn new(filter: Filter) -> Self {
        let (since, until) = (filter.since.map(Timestamp::of), filter.until.map(Timestamp::of));
        Self { needle: filter.needle(), filter, since, until }
    }

    /// Judges `lines`, of which the last may lack its end.
    ///
    /// *Cost*: one pass over all, and reading the lines that may be wanted.
    pub fn judge(&self, lines: &[u8], keep: Keep) -> Findings {
        let mut findings = Findings { bytes: lines.len() as u64, ..Findings::default() };
        let (mut start, mut candidate) = (0, self.candidate(lines, 0));
        while start < lines.len() {
            let rest = &lines[start..];
            let len = memchr::memchr(b'\n', rest).unwrap_or(rest.len());
            let (line, end) = (&rest[..len], start + len);
            let is_candidate = candidate.is_some_and(|at| at < end);
            match look(line) {
                Look::Nothing => (),
                Look::Torn => findings.add_broken(NoExchange::Torn),
                Look::Dropped => match Dropped::read(line) {
                    Ok(dropped) => findings.dropped += dropped.lines,
                    Err(broken) => findings.add_broken(broken.into()),
                },
                Look::Exchange if is_candidate => self.judge_one(line, keep, &mut findings),
                Look::Exchange => findings.exchanges += 1,
            }
            if is_candidate {
                candidate = self.candidate(lines, end);
            }
            findings.lines += 1;
            start = end + 1;
        }
        findings
    }

    /// Where the next line is that may be wanted.
    fn candidate(&self, lines: &[u8], from: usize) -> Option<usize> {
        match &self.needle {
            Some(needle) => needle.find(&lines[from..]).map(|at| from + at),
            None => Some(from),
        }
    }

    fn judge_one(&self, line: &[u8], keep: Keep, findings: &mut Findings) {
        if self.is_out_of_time(line) {
            findings.exchanges += 1;
            return;
        }
        let exchange = match Exchange::read(line) {
            Ok(exchange) => exchange,
            Err(broken) => return findings.add_broken(broken.into()),
        };
        findings.exchanges += 1;
        if self.filter.matches(&exchange) {
            findings.matched += 1;
            if keep == Keep::Lines {
                findings.text.extend_from_slice(line);
                findings.text.push(b'\n');
            }
        }
    }

    /// Whether a line's time alone tells that it is not wanted, which is known without reading it
    /// if it begins as relais prints it.
    fn is_out_of_time(&self, line: &[u8]) -> bool {
        let Some(time) = line.strip_prefix(b"{\"time\":\"").and_then(|line| line.first_chunk())
        else {
            return false;
        };
        let is_printed = |time: &[u8; 27]| {
            time[19] == b'.' && time[26] == b'Z' && time.is_ascii() && time[10] == b'T'
        };
        is_printed(time)
            && (self.since.is_some_and(|since| time < since.as_bytes())
                || self.until.is_some_and(|until| time > until.as_bytes()))
    }
}

impl Findings {
    fn add_broken(&mut self, why: NoExchange) {
        self.broken += 1;
        if self.broken_first.len() < BROKEN_MAX {
            self.broken_first.push((self.lines, why));
        }
    }
}

fn look(line: &[u8]) -> Look {
    match line.trim_ascii_end() {
        [] => Look::Nothing,
        line if line.starts_with(Dropped::START) => Look::Dropped,
        [b'{', .., b'}'] => Look::Exchange,
        _ => Look::Torn,
    }
}

#[cfg(test)]
mod tests;
