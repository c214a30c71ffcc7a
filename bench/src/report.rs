//! Results as Markdown.

use std::fmt::Write as _;

use crate::{
    origin,
    row::{Column, Row, Series},
    site::{CERTIFY, OPENSSL_CONF, Served, Urls},
    stats::Spread,
    subject::{Place, Program, Setup, Subject},
    target::{Outcome, Target, Verdict},
};

/// Everything measured, with everything it was measured with.
#[derive(Debug)]
pub(crate) struct Report {
    pub(crate) facts: Vec<(&'static str, String)>,
    /// How many rounds of how many seconds.
    pub(crate) effort: String,
    pub(crate) rows: Vec<Row>,
}

impl Report {
    /// Whether every target was measured and holds.
    pub(crate) fn all_pass(&self) -> bool {
        self.verdicts().all(|(_, verdict)| verdict.outcome == Outcome::Pass)
    }

    /// The results alone.
    pub(crate) fn results(&self) -> String {
        let mut text = String::new();
        self.targets(&mut text);
        for row in &self.rows {
            write_row(&mut text, row);
        }
        text
    }

    /// The page to keep: results, and how to repeat them.
    pub(crate) fn page(&self) -> String {
        let mut text = String::from(
            "# relais and its peers\n\nWritten by `relais-bench --write`; what the rows mean and \
             how to run them: [README.md](README.md). Servers, proxies, relays and caches are in \
             [RESULTS.md](RESULTS.md), hubs in [RESULTS-HUB.md](RESULTS-HUB.md).\n\n",
        );
        for (what, value) in &self.facts {
            line(&mut text, &format!("- {what}: {value}"));
        }
        line(&mut text, &format!("- effort: {}\n", self.effort));
        text += &self.results();
        write_setup(&mut text, &self.rows);
        text
    }

    fn verdicts(&self) -> impl Iterator<Item = (&Row, Verdict)> {
        let judge = |row| move |target: &Target| (row, target.judge(row));
        self.rows.iter().flat_map(move |row| row.targets.iter().map(judge(row)))
    }

    fn targets(&self, text: &mut String) {
        line(text, "## Targets\n");
        line(text, "| row | target | measured | min–max | |");
        line(text, "|---|---|--:|--:|---|");
        for (row, Verdict { promise, measured, outcome }) in self.verdicts() {
            let (median, range) = measured.map_or(("–".into(), "–".into()), show_apart);
            let outcome = match outcome {
                Outcome::Pass => "pass".to_owned(),
                Outcome::Fail => "**fail**".to_owned(),
                Outcome::Unknown(why) => format!("**not measured**: {why}"),
            };
            let title = row.title;
            line(text, &format!("| {title} | {promise} | {median} | {range} | {outcome} |"));
        }
        line(text, "");
    }
}

fn show_apart(spread: Spread) -> (String, String) {
    let Spread { median, min, max } = spread;
    (format!("{median:.2}"), format!("{min:.2}–{max:.2}"))
}

fn write_row(text: &mut String, row: &Row) {
    line(text, &format!("## {}\n\n{}\n", row.title, row.how));
    let mut names: Vec<&str> = row.columns.iter().map(|column| column.name).collect();
    let ratio_name = format!("first column, {} / it", row.ours.name());
    names.push(&ratio_name);
    line(text, &format!("| median (min–max) | {} |", names.join(" | ")));
    line(text, &format!("|---|{}", "--:|".repeat(names.len())));
    for series in &row.series {
        let shown = |(index, column): (usize, &Column)| {
            Some(Spread::of(series.column(index))?.show(column.digits))
        };
        let mut cells: Vec<String> = row.columns.iter().enumerate().filter_map(shown).collect();
        cells.push(ratio(row, series).map_or("–".to_owned(), |ratio| ratio.show(2)));
        line(text, &format!("| {} | {} |", series.subject.name(), cells.join(" | ")));
    }
    for (subject, why) in &row.skipped {
        line(text, &format!("\nskipped: {}: {}", subject.name(), why.replace('\n', " / ")));
    }
    line(text, "");
}

/// The first column of ours over that of a peer.
fn ratio(row: &Row, peer: &Series) -> Option<Spread> {
    let ours = row.series_of(row.ours)?;
    if peer.subject == row.ours { None } else { Spread::of(ours.over(peer, 0)) }
}

fn write_setup(text: &mut String, rows: &[Row]) {
    line(text, "## Commands and configurations\n");
    line(
        text,
        "Servers run on core 0, load generators and the origin on core 1. The certificate:\n",
    );
    block(text, &format!("openssl {} -out CERT -keyout KEY", CERTIFY.join(" ")));
    line(text, "`OPENSSL_CONF` of wrk and h2load; the clients of our own offer the same:\n");
    block(text, OPENSSL_CONF);
    line(
        text,
        "What the origin answers, a thread of this program, with the bytes of a file after it:\n",
    );
    block(text, &origin::head(Served::Small.len(), "DATE"));
    line(text, "nginx with `tcp_nopush on` differs in that word alone.\n");
    for subject in subjects(rows) {
        write_subject(text, subject);
    }
}

/// Who is in any of the rows; of nginx that differ by a word, one.
fn subjects(rows: &[Row]) -> Vec<Subject> {
    let mut subjects = Vec::new();
    for row in rows {
        let measured = row.series.iter().map(|series| series.subject);
        for subject in measured.chain(row.skipped.iter().map(|(subject, _)| *subject)) {
            let is_other =
                matches!(subject.program, Program::NginxNopush | Program::NginxHalfClose);
            if !subjects.contains(&subject) && !is_other {
                subjects.push(subject);
            }
        }
    }
    subjects
}

fn write_subject(text: &mut String, subject: Subject) {
    let Setup { command, env, files, folders: _ } = subject.setup(&shown_place());
    line(text, &format!("### {}\n", subject.heading()));
    let mut words: Vec<String> =
        env.iter().map(|(name, value)| format!("{name}={value}")).collect();
    words.extend(command);
    block(text, &words.join(" "));
    for (name, says) in files {
        line(text, &format!("`{name}`:\n"));
        block(text, &says);
    }
}

fn shown_place() -> Place {
    Place {
        relais: "relais".into(),
        bench: "relais-bench".into(),
        root: "FILES".into(),
        cert: "CERT".into(),
        key: "KEY".into(),
        rules: "RULES".into(),
        log: "LOG".into(),
        exact: Urls::Same.script().into(),
        scratch: "SCRATCH".into(),
        http: "PORT".into(),
        https: "TLS_PORT".into(),
        origin: "ORIGIN".into(),
    }
}

fn block(text: &mut String, inside: &str) {
    line(text, &format!("```\n{}\n```\n", inside.trim_end()));
}

fn line(text: &mut String, line: &str) {
    writeln!(text, "{line}").expect("a string that takes everything");
}
