//! What came of a load, as a page that stands alone: no script, nothing from a network.

use std::fmt::{self, Write as _};

use relais_talk::load::Task;

use super::{
    figures::{brief, per_second},
    plots,
    report::Report,
};
use crate::measure::{said_bytes, said_count};

/// `report` as a page.
pub(super) fn html(report: &Report<'_>) -> String {
    let ledger = &report.measured.outcome.ledger;
    let title = InHtml(report.title);
    let mut out = format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n<meta name=\"viewport\" \
         content=\"width=device-width, initial-scale=1\">\n<meta \
         http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src \
         'unsafe-inline'\">\n<title>Load of {title}</title>\n<style>\n{STYLE}</style></head><body>\n\
         <header><h1>{title}</h1><p>{}</p></header>\n<main>\n",
        InHtml(&report.how())
    );
    figures(report, &mut out);
    errors(report, &mut out);
    if ledger.latency.total() > 0 {
        let lines = [("since due", &ledger.latency), ("since sent", &ledger.since_sent)];
        let lines = if report.load.schedule.rate.is_some() {
            &lines[..]
        } else {
            &[("latency", &ledger.latency)]
        };
        plots::percentiles(lines).print(&mut out);
        plots::distribution(&ledger.latency).print(&mut out);
        let time = report.measured.outcome.time;
        plots::answers_over_time(&ledger.timeline, time).print(&mut out);
        plots::longest_over_time(&ledger.timeline, time).print(&mut out);
    }
    notes(report, &mut out);
    out.push_str("</main></body></html>\n");
    out
}

const STYLE: &str = include_str!("page.css");

/// The numbers that are looked for first.
fn figures(report: &Report<'_>, out: &mut String) {
    let outcome = &report.measured.outcome;
    let ledger = &outcome.ledger;
    let within = |share| ledger.latency.within(share).map_or_else(|| "–".to_owned(), brief);
    let mut figures = vec![
        ("answers a second", said_count(per_second(ledger.in_time, outcome.time)), ""),
        ("answers", said_count(ledger.answers()), ""),
        ("received", said_bytes(ledger.received), ""),
        ("errors", said_count(ledger.failures()), if ledger.failures() > 0 { "bad" } else { "" }),
        ("half within", within(500_000), ""),
        ("99 % within", within(990_000), ""),
        ("99.9 % within", within(999_000), ""),
        ("longest", within(1_000_000), ""),
    ];
    if report.load.task != Task::Ask {
        let right = ledger.dialogues.right;
        let class = if right < report.clients() { "bad" } else { "" };
        let said = format!("{} of {}", said_count(right), said_count(report.clients()));
        figures.insert(0, ("correct dialogues", said, class));
    }
    out.push_str("<dl>");
    for (name, value, class) in figures {
        _ = write!(out, "<div><dt>{name}</dt><dd class=\"{class}\">{value}</dd></div>");
    }
    out.push_str("</dl>\n");
}

/// What went wrong, if something did.
fn errors(report: &Report<'_>, out: &mut String) {
    let ledger = &report.measured.outcome.ledger;
    let requests = ledger.failed_requests().map(|(kind, failed)| ("asking", kind, failed));
    let calls = ledger.failed_calls().map(|(kind, failed)| ("connecting", kind, failed));
    let statuses = (1..).zip(ledger.statuses).filter(|(class, count)| *class > 3 && *count > 0);
    let mut rows = String::new();
    for (class, count) in statuses {
        let count = said_count(count);
        _ = writeln!(
            rows,
            "<tr><td>status {class}xx</td><td>{count}</td><td class=\"text\"></td></tr>"
        );
    }
    for (doing, kind, failed) in requests.chain(calls) {
        let (count, sample) =
            (said_count(failed.count), failed.sample.as_deref().unwrap_or_default());
        let sample = InHtml(sample);
        _ = writeln!(
            rows,
            "<tr><td>{kind}, {doing}</td><td>{count}</td><td class=\"text\">{sample}</td></tr>"
        );
    }
    for (number, failure) in &ledger.dialogues.samples {
        let (kind, what) = (failure.kind, InHtml(&failure.what));
        _ = writeln!(
            rows,
            "<tr><td>client {number}</td><td>{kind}</td><td class=\"text\">{what}</td></tr>"
        );
    }
    if !rows.is_empty() {
        _ = write!(
            out,
            "<section><h2>What went wrong</h2><table class=\"wrong\"><thead><tr><th scope=\"col\">kind</th><th scope=\"col\">how \
             many</th><th scope=\"col\" class=\"text\">for example</th></tr></thead><tbody>\n{rows}</tbody></table></section>\n"
        );
    }
}

fn notes(report: &Report<'_>, out: &mut String) {
    let notes = report.notes();
    if notes.is_empty() {
        return;
    }
    out.push_str("<section><h2>To read this right</h2><ul class=\"notes\">");
    for note in notes {
        _ = write!(out, "<li>{}</li>", InHtml(&note));
    }
    out.push_str("</ul></section>\n");
}

/// A text that is only a text in HTML.
struct InHtml<'a>(&'a str);

impl fmt::Display for InHtml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.chars().try_for_each(|char| match char {
            '&' => f.write_str("&amp;"),
            '<' => f.write_str("&lt;"),
            '>' => f.write_str("&gt;"),
            '"' => f.write_str("&quot;"),
            char => f.write_char(char),
        })
    }
}
