//! What came of a load, in a terminal.

use std::{fmt::Write as _, iter};

use clap::ColorChoice;
use relais_talk::load::{Dialogues, Failed, Histogram, Kind, Task};

use super::{
    figures::{brief, per_second},
    picture::draw,
    report::{PERCENTILES, Report, count},
};
use crate::{
    columns,
    ink::{BOLD, FAINT, Ink, RED},
    measure::{said_bytes, said_count},
};

/// The columns of who has no terminal.
const COLUMNS: usize = 80;

/// `report` for people, with colours if that is their `choice`.
pub(super) fn text(report: &Report<'_>, choice: ColorChoice) -> String {
    let ink = Ink::of(choice, &std::io::stdout());
    Text { report, ink }.whole(columns::of_terminal().unwrap_or(COLUMNS))
}

struct Text<'a> {
    report: &'a Report<'a>,
    ink: Ink,
}

impl Text<'_> {
    fn whole(&self, columns: usize) -> String {
        let Self { report, ink } = self;
        let mut out = format!("{}\n{}\n", ink.with(BOLD, report.title), report.how());
        self.dialogues(&mut out);
        self.counts(&mut out);
        let ledger = &report.measured.outcome.ledger;
        if ledger.latency.total() > 0 {
            self.latencies(&mut out, columns);
            out.push('\n');
            draw(&mut out, &ledger.latency, columns, *ink);
        }
        out.truncate(out.trim_end().len());
        out
    }

    /// What came of dialogues, if there were any.
    fn dialogues(&self, out: &mut String) {
        if self.report.load.task == Task::Ask {
            return;
        }
        let Dialogues { right, samples, .. } = &self.report.measured.outcome.ledger.dialogues;
        let line =
            format!("{} of {} correct", said_count(*right), said_count(self.report.clients()));
        let is_right = *right == self.report.clients();
        _ = writeln!(
            out,
            "\n{}",
            if is_right { self.ink.with(BOLD, &line) } else { self.ink.with(RED, &line) }
        );
        for (number, failure) in samples {
            _ = writeln!(out, "  client {number}: {}: {failure}", failure.kind);
        }
        let untold =
            self.report.clients().saturating_sub(*right).saturating_sub(count(samples.len()));
        // Those that were never there have no failure of their own: their errors stand below.
        if untold > 0 && !samples.is_empty() {
            _ = writeln!(out, "  and {} more", said_count(untold));
        }
    }

    fn counts(&self, out: &mut String) {
        let outcome = &self.report.measured.outcome;
        let ledger = &outcome.ledger;
        let per_second = |count: u64| per_second(count, outcome.time);
        _ = writeln!(out);
        let line = |out: &mut String, name: &str, value: String, more: String| {
            _ = writeln!(out, "{}", format!("{name:<12}{value:>14}  {more}").trim_end());
        };
        let rate = said_count(per_second(ledger.in_time));
        line(out, "answers", said_count(ledger.answers()), format!("{rate} a second"));
        for (class, count) in ledger.statuses.iter().enumerate().filter(|(_, count)| **count > 0) {
            // Coloured as a whole: what has no width must not be counted as some.
            let text = format!("{:<12}{:>14}", format!("  {}xx", class + 1), said_count(*count));
            let is_error = class + 1 >= 4;
            _ = writeln!(out, "{}", if is_error { self.ink.with(RED, &text) } else { text });
        }
        let rate = format!("{} a second", said_bytes(per_second(ledger.received_in_time)));
        line(out, "received", said_bytes(ledger.received), rate);
        line(out, "connections", said_count(ledger.connects()), self.connecting());
        line(out, "errors", said_count(self.report.errors()), String::new());
        for (kind, failed) in ledger.failed_requests() {
            _ = writeln!(out, "{}", self.ink.with(RED, &error_line(kind, failed)));
        }
        for (kind, failed) in ledger.failed_calls() {
            _ = writeln!(out, "{}", self.ink.with(RED, &error_line_of_call(kind, failed)));
        }
        if outcome.unanswered > 0 {
            _ = writeln!(
                out,
                "{:<12}{:>14}  at the end",
                "unanswered",
                said_count(outcome.unanswered)
            );
        }
        if outcome.unsent > 0 {
            _ = writeln!(
                out,
                "{:<12}{:>14}  due, and never sent",
                "unsent",
                said_count(outcome.unsent)
            );
        }
    }

    fn connecting(&self) -> String {
        let connect = &self.report.measured.outcome.ledger.connect;
        match (connect.within(500_000), connect.most()) {
            (Some(half), Some(most)) => {
                format!("half of them made in {}, all in {}", brief(half), brief(most))
            }
            _ => String::new(),
        }
    }

    fn latencies(&self, out: &mut String, columns: usize) {
        let ledger = &self.report.measured.outcome.ledger;
        let rows: &[_] = if self.report.load.schedule.rate.is_some() {
            &[("since due", &ledger.latency), ("since sent", &ledger.since_sent)]
        } else {
            &[("", &ledger.latency)]
        };
        _ = writeln!(out);
        table(out, rows, columns, self.ink);
    }
}

/// Writes a line for each of `rows`, or a column if there is no room for such lines.
fn table(out: &mut String, rows: &[(&str, &Histogram)], columns: usize, ink: Ink) {
    let shares = PERCENTILES.iter().map(|(name, _)| format!("{name} %"));
    let titles = ["latency", "least"].map(str::to_owned).into_iter();
    let titles = titles.chain(shares).chain(["most".to_owned()]);
    let times = rows.iter().map(|(name, histogram)| {
        let shares = PERCENTILES.iter().map(|(_, share)| histogram.within(*share));
        let times = iter::once(histogram.least()).chain(shares).chain([histogram.most()]);
        let times = times.map(|time| time.map_or_else(String::new, brief));
        iter::once((*name).to_owned()).chain(times).collect()
    });
    let mut cells: Vec<Vec<String>> = iter::once(titles.collect()).chain(times).collect();
    let mut width = 9;
    if columns < NAME_COLUMNS + width * (cells[0].len() - 1) {
        cells = (0..cells[0].len())
            .map(|column| cells.iter().map(|row| row[column].clone()).collect())
            .collect();
        width = 12;
    }
    for (number, cells) in cells.iter().enumerate() {
        let mut line = format!("{:<NAME_COLUMNS$}", cells[0]);
        cells[1..].iter().for_each(|cell| _ = write!(line, "{cell:>width$}"));
        let line = line.trim_end();
        _ = writeln!(out, "{}", if number == 0 { ink.with(FAINT, line) } else { line.to_owned() });
    }
}

/// What the names before a table's times have.
const NAME_COLUMNS: usize = 12;

fn error_line(kind: Kind, Failed { count, sample }: &Failed) -> String {
    let sample = sample.as_deref().unwrap_or_default();
    format!("  {}  {sample}", counted_kind(kind, *count))
}

fn error_line_of_call(kind: Kind, Failed { count, sample }: &Failed) -> String {
    let sample = sample.as_deref().unwrap_or_default();
    format!("  {}  connecting: {sample}", counted_kind(kind, *count))
}

/// In the columns of the other counts, however long the kind is called.
fn counted_kind(kind: Kind, count: u64) -> String {
    let kind = kind.to_string();
    let left = 23_usize.saturating_sub(kind.len());
    format!("{kind} {:>left$}", said_count(count))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn kinds_of_errors_stand_in_one_column() {
        let check = |kind, count, expect: &str| {
            let failed = Failed { count, sample: Some("why".to_owned()) };
            assert_eq!(error_line(kind, &failed), expect);
        };
        check(Kind::Reset, 1, "  reset                  1  why");
        check(Kind::StreamRefused, 12_345, "  stream refused    12,345  why");
        check(Kind::Malformed, 12, "  malformed answer      12  why");
        let failed = Failed { count: 3, sample: None };
        let expect = "  no source port left here 3  connecting: ";
        assert_eq!(error_line_of_call(Kind::Ports, &failed), expect);
    }

    #[test]
    fn latencies_have_a_table_that_fits() {
        let of = |micros: &[u64]| {
            let mut histogram = Histogram::default();
            for micros in micros {
                histogram.record(Duration::from_micros(*micros));
            }
            histogram
        };
        let (due, sent) = (of(&[100, 2_000, 30_000]), of(&[50]));
        let check = |rows: &[(&str, &Histogram)], columns, expect: &[&str]| {
            let mut out = String::new();
            table(&mut out, rows, columns, Ink::None);
            assert_eq!(out.lines().collect::<Vec<_>>(), expect);
        };
        let both = [("since due", &due), ("since sent", &sent)];
        let wide = [
            "latency         least     50 %     75 %     90 %     99 %   99.9 %     most",
            "since due       100us      2ms     30ms     30ms     30ms     30ms     30ms",
            "since sent       50us     50us     50us     50us     50us     50us     50us",
        ];
        check(&both, 75, &wide);
        let narrow = [
            "latency        since due  since sent",
            "least              100us        50us",
            "50 %                 2ms        50us",
            "75 %                30ms        50us",
            "90 %                30ms        50us",
            "99 %                30ms        50us",
            "99.9 %              30ms        50us",
            "most                30ms        50us",
        ];
        check(&both, 74, &narrow);
        let one: Vec<_> = narrow.iter().map(|line| line[..24].trim_end()).collect();
        check(&[("", &due)], 40, &[&["latency"], &one[1..]].concat());
    }
}
