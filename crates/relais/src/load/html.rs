//! What came of a load, as a page that stands alone: no script, nothing from a network.

use std::fmt::{self, Write as _};

use relais_talk::load::{Ledger, Task};

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
         <header><h1>{title}</h1><p>{}</p><p>{}</p></header>\n<main>\n",
        InHtml(&report.how()),
        InHtml(report.about)
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
        ("errors", said_count(report.errors()), bad_if(report.errors() > 0)),
        ("half within", within(500_000), ""),
        ("99 % within", within(990_000), ""),
        ("99.9 % within", within(999_000), ""),
        ("longest", within(1_000_000), ""),
        ("connections", connections(ledger), bad_if(ledger.connects() < report.clients())),
    ];
    if outcome.unsent > 0 {
        figures.push(("due, and never sent", said_count(outcome.unsent), "bad"));
    }
    // Last: it may be long, and the last one is as wide as there is room.
    if let Some((statuses, class)) = statuses(ledger) {
        figures.push(("statuses", statuses, class));
    }
    if report.load.task != Task::Ask {
        let right = ledger.dialogues.right;
        let class = bad_if(right < report.clients());
        let said = format!("{} of {}", said_count(right), said_count(report.clients()));
        figures.insert(0, ("correct dialogues", said, class));
    }
    out.push_str("<dl>");
    for (name, value, class) in figures {
        _ = write!(out, "<div><dt>{name}</dt><dd class=\"{class}\">{value}</dd></div>");
    }
    out.push_str("</dl>\n");
}

fn bad_if(is_bad: bool) -> &'static str {
    if is_bad { "bad" } else { "" }
}

fn connections(ledger: &Ledger) -> String {
    let half = ledger.connect.within(500_000).map(|half| format!(", half in {}", brief(half)));
    format!("{}{}", said_count(ledger.connects()), half.unwrap_or_default())
}

/// How many answers were of which class, if they have one.
fn statuses(ledger: &Ledger) -> Option<(String, &'static str)> {
    let all = (1..).zip(ledger.statuses).filter(|(_, count)| *count > 0);
    let all: Vec<_> =
        all.map(|(class, count)| format!("{class}xx: {}", said_count(count))).collect();
    let [.., of_client, of_server] = ledger.statuses;
    (!all.is_empty()).then(|| (all.join(", "), bad_if(of_client + of_server > 0)))
}

/// What went wrong, if something did.
fn errors(report: &Report<'_>, out: &mut String) {
    let ledger = &report.measured.outcome.ledger;
    let requests = ledger.failed_requests().map(|(kind, failed)| ("asking", kind, failed));
    let calls = ledger.failed_calls().map(|(kind, failed)| ("connecting", kind, failed));
    let statuses = (1..).zip(ledger.statuses).filter(|(class, count)| *class > 3 && *count > 0);
    let samples = &ledger.dialogues.samples;
    let mut rows: Vec<_> = statuses
        .map(|(class, count)| [format!("status {class}xx"), said_count(count), String::new()])
        .collect();
    rows.extend(requests.chain(calls).map(|(doing, kind, failed)| {
        let sample = failed.sample.as_deref().unwrap_or_default();
        // What a client says of itself is not told twice.
        let is_told = samples.iter().any(|(_, failure)| failure.what == sample);
        let sample = if is_told { "" } else { sample };
        [format!("{kind}, {doing}"), said_count(failed.count), sample.to_owned()]
    }));
    table("What went wrong", ["kind", "how many", "for example"], &rows, out);
    let clients = samples.iter().map(|(number, failure)| {
        [format!("client {number}"), failure.kind.to_string(), failure.what.clone()]
    });
    let head = ["who", "what", "in detail"];
    table("Dialogues that went wrong", head, &clients.collect::<Vec<_>>(), out);
}

/// A table of what went wrong; nothing if it has no rows.
fn table(title: &str, [one, two, three]: [&str; 3], rows: &[[String; 3]], out: &mut String) {
    if rows.is_empty() {
        return;
    }
    _ = writeln!(
        out,
        "<section><h2>{title}</h2><table class=\"wrong\"><thead><tr><th scope=\"col\">{one}</th><th \
         scope=\"col\">{two}</th><th scope=\"col\" class=\"text\">{three}</th></tr></thead><tbody>"
    );
    for row in rows {
        let [one, two, three] = row.each_ref().map(|text| InHtml(text));
        _ = writeln!(out, "<tr><td>{one}</td><td>{two}</td><td class=\"text\">{three}</td></tr>");
    }
    out.push_str("</tbody></table></section>\n");
}

fn notes(report: &Report<'_>, out: &mut String) {
    let notes = report.notes();
    if notes.is_empty() {
        return;
    }
    out.push_str("<section><h2>To read this right</h2><ul class=\"notes\">");
    for note in notes {
        _ = write!(out, "<li>{}</li>", Prose(&note));
    }
    out.push_str("</ul></section>\n");
}

/// A text in HTML, with what stands between backticks as code.
struct Prose<'a>(&'a str);

impl fmt::Display for Prose<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, part) in self.0.split('`').enumerate() {
            match place % 2 {
                0 => write!(f, "{}", InHtml(part))?,
                _ => write!(f, "<code>{}</code>", InHtml(part))?,
            }
        }
        Ok(())
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_between_backticks_is_code() {
        let check = |text: &str, expect: &str| assert_eq!(Prose(text).to_string(), expect);
        check("with `--rate` <b>", "with <code>--rate</code> &lt;b&gt;");
        check("`a&b` and `c`", "<code>a&amp;b</code> and <code>c</code>");
        check("none", "none");
    }
}
