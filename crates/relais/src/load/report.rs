//! What came of a load, for people and for programs.

use std::{fmt::Write as _, time::Duration};

use clap::ColorChoice;
use relais_talk::load::{Failed, Histogram, Kind, Load, Until};
use serde_json::{Map, Value, json};

use super::{
    Ended, Measured,
    bins::{Bin, bins},
};
use crate::{
    columns,
    measure::{counted, said_bytes, said_count},
    output::is_coloured,
    stop::Stop,
};

/// A load, and what came of it.
#[derive(Debug)]
pub(super) struct Report<'a> {
    /// What the target is called.
    pub(super) title: &'a str,
    pub(super) load: &'a Load,
    pub(super) measured: &'a Measured,
}

/// The shares that are told of: their names, and parts of a million.
pub(super) const PERCENTILES: [(&str, u32); 5] =
    [("50", 500_000), ("75", 750_000), ("90", 900_000), ("99", 990_000), ("99.9", 999_000)];

/// Above this share of its threads, what was measured is relais, too.
const BUSY: f64 = 0.9;

impl Report<'_> {
    /// For people.
    pub(super) fn text(&self, color: ColorChoice) -> String {
        let ink = if is_coloured(color, &std::io::stdout()) { Ink::Colour } else { Ink::None };
        let mut out = format!("{}\n{}\n", ink.bold(self.title), self.how());
        self.counts(&mut out, ink);
        let ledger = &self.measured.outcome.ledger;
        if ledger.latency.total() > 0 {
            self.latencies(&mut out, ink);
            out.push('\n');
            draw(&mut out, &ledger.latency, columns::of_terminal().unwrap_or(COLUMNS), ink);
        }
        out.truncate(out.trim_end().len());
        out
    }

    /// In one line, what was done.
    fn how(&self) -> String {
        let Load { connections, threads, schedule, .. } = self.load;
        let count = |count: usize| u64::try_from(count).unwrap_or(u64::MAX);
        let connections = counted(count(connections.get()), "connection");
        let threads = counted(count(threads.get().min(self.load.connections.get())), "thread");
        let pace = match schedule.rate {
            Some(rate) => format!("{} due each second", counted(rate.get(), "request")),
            None => "each asks again once it is answered".to_owned(),
        };
        let until = match schedule.until {
            Until::Time(time) => brief(time),
            Until::Requests(count) => counted(count, "request"),
        };
        format!("{connections} on {threads}, {until}, {pace}")
    }

    fn counts(&self, out: &mut String, ink: Ink) {
        let outcome = &self.measured.outcome;
        let ledger = &outcome.ledger;
        let per_second = |count: u64| per_second(count, outcome.time);
        _ = writeln!(out);
        let mut line = |name: &str, value: String, more: String| {
            _ = writeln!(out, "{name:<12}{value:>14}  {more}");
        };
        let rate = said_count(per_second(ledger.in_time));
        line("answers", said_count(ledger.answers()), format!("{rate} a second"));
        for (class, count) in ledger.statuses.iter().enumerate().filter(|(_, count)| **count > 0) {
            line(&format!("  {}xx", class + 1), said_count(*count), String::new());
        }
        let rate = format!("{} a second", said_bytes(per_second(ledger.received)));
        line("received", said_bytes(ledger.received), rate);
        line("connections", said_count(ledger.connects()), self.connecting());
        line("errors", said_count(ledger.failures()), String::new());
        for (kind, failed) in ledger.failed_requests() {
            _ = writeln!(out, "{}", ink.bad(&error_line(kind, failed)));
        }
        for (kind, failed) in ledger.failed_calls() {
            _ = writeln!(out, "{}", ink.bad(&error_line_of_call(kind, failed)));
        }
        if outcome.unanswered > 0 {
            _ = writeln!(out, "{:<12}{:>14}  at the end", "unanswered", outcome.unanswered);
        }
        if outcome.unsent > 0 {
            _ = writeln!(out, "{:<12}{:>14}  due, and never sent", "unsent", outcome.unsent);
        }
    }

    fn connecting(&self) -> String {
        let connect = &self.measured.outcome.ledger.connect;
        match (connect.within(500_000), connect.most()) {
            (Some(half), Some(most)) => {
                format!("made in {} each, {} at most", brief(half), brief(most))
            }
            _ => String::new(),
        }
    }

    fn latencies(&self, out: &mut String, ink: Ink) {
        let ledger = &self.measured.outcome.ledger;
        _ = writeln!(out);
        let mut head = format!("{:<12}{:>9}", "latency", "least");
        for (name, _) in PERCENTILES {
            _ = write!(head, "{:>9}", format!("{name} %"));
        }
        _ = writeln!(out, "{}", ink.faint(&format!("{head}{:>9}", "most")));
        let mut line = |name: &str, histogram: &Histogram| {
            let shares = PERCENTILES.iter().map(|(_, share)| histogram.within(*share));
            let times = std::iter::once(histogram.least()).chain(shares).chain([histogram.most()]);
            _ = write!(out, "{name:<12}");
            times.for_each(|time| _ = write!(out, "{:>9}", time.map_or_else(String::new, brief)));
            _ = writeln!(out);
        };
        match self.load.schedule.rate {
            None => line("", &ledger.latency),
            Some(_) => {
                line("since due", &ledger.latency);
                line("since sent", &ledger.since_sent);
            }
        }
    }

    /// What has to be known to read the numbers right.
    pub(super) fn notes(&self) -> Vec<String> {
        let Measured { outcome, cores_busy, ended } = self.measured;
        let mut notes = Vec::new();
        if *ended == Ended::Interrupted {
            notes.push("interrupted: what was measured until then is shown".to_owned());
        }
        for (kind, hint) in HINTS {
            let all = outcome.ledger.failed_calls();
            if all.into_iter().any(|(found, _)| found == *kind) {
                notes.push((*hint).to_owned());
            }
        }
        if self.load.schedule.rate.is_none() && outcome.ledger.answers() > 0 {
            notes.push(CLOSED.to_owned());
        }
        if outcome.unsent > 0 {
            let unsent = counted(outcome.unsent, "request");
            notes.push(format!(
                "{unsent} due and never sent: the target does not keep up with {} a second",
                self.rate()
            ));
        }
        let threads = self.load.threads.get().min(self.load.connections.get());
        let busy = cores_busy / f64::from(u32::try_from(threads).unwrap_or(u32::MAX));
        if busy > BUSY {
            notes.push(format!(
                "relais itself was busy {:.0} % of the time: what was measured is relais, too",
                busy * 100.0
            ));
        }
        notes
    }

    fn rate(&self) -> String {
        said_count(self.load.schedule.rate.map_or(0, std::num::NonZeroU64::get))
    }

    /// Whether anything was measured.
    pub(super) fn verdict(&self) -> Result<(), Stop> {
        let outcome = &self.measured.outcome;
        if outcome.ledger.answers() > 0 || self.measured.ended == Ended::Interrupted {
            return Ok(());
        }
        let calls = outcome.ledger.failed_calls().find_map(|(_, failed)| failed.sample.clone());
        let requests = outcome.ledger.failed_requests().find_map(|(_, f)| f.sample.clone());
        let why = if outcome.reached == 0 { calls.or(requests) } else { requests.or(calls) };
        let why = why.unwrap_or_else(|| "nothing was asked".to_owned());
        Err(anyhow::anyhow!("no request was answered: {why}").into())
    }

    /// For programs. Times are in microseconds where the name ends so.
    pub(super) fn json(&self) -> String {
        let Load { connections, threads, schedule, timeout, .. } = self.load;
        let Measured { outcome, cores_busy, ended } = self.measured;
        let ledger = &outcome.ledger;
        let statuses = (1..).zip(ledger.statuses).filter(|(_, count)| *count > 0);
        let statuses: Map<_, _> =
            statuses.map(|(class, count)| (format!("{class}xx"), json!(count))).collect();
        let value = json!({
            "target": self.title,
            "connections": connections,
            "threads": threads,
            "rate": schedule.rate,
            "timeout_s": timeout.as_secs_f64(),
            "warmup_s": schedule.warmup.as_secs_f64(),
            "time_s": outcome.time.as_secs_f64(),
            "interrupted": *ended == Ended::Interrupted,
            "answers": ledger.answers(),
            "answers_in_time": ledger.in_time,
            "answers_per_s": a_second(ledger.in_time, outcome.time),
            "received_bytes": ledger.received,
            "sent_bytes": ledger.sent,
            "statuses": statuses,
            "connects": ledger.connects(),
            "errors": errors_json(ledger.failed_requests()),
            "connect_errors": errors_json(ledger.failed_calls()),
            "unanswered": outcome.unanswered,
            "unsent": outcome.unsent,
            "latency_us": times_json(&ledger.latency),
            "since_sent_us": schedule.rate.map(|_| times_json(&ledger.since_sent)),
            "connect_us": times_json(&ledger.connect),
            "histogram": histogram_json(&ledger.latency),
            "timeline": self.timeline_json(),
            "cores_busy": (cores_busy * 100.0).round() / 100.0,
            "notes": self.notes(),
        });
        format!("{value:#}")
    }

    fn timeline_json(&self) -> Value {
        let timeline = &self.measured.outcome.ledger.timeline;
        let steps = timeline.steps().iter().map(|step| {
            json!({ "answers": step.answered, "errors": step.failed, "most_us": micros(step.most) })
        });
        json!({ "step_s": timeline.step().as_secs_f64(), "steps": steps.collect::<Vec<_>>() })
    }
}

/// What is told of percentiles without a rate.
const CLOSED: &str = "latencies are those of a closed loop: who waits for an answer does not ask \
                      meanwhile; with `--rate` they are told as users would see them";

/// What to do about what was missing here.
const HINTS: &[(Kind, &str)] = &[
    (
        Kind::Descriptors,
        "no descriptor is left: `ulimit -n` and `sysctl fs.file-max` show the limits",
    ),
    (
        Kind::Ports,
        "no source port is left: one address can call one target some 28,000 times; \
         `sysctl net.ipv4.ip_local_port_range` shows the ports, and those of closed connections \
         are free again after a minute",
    ),
];

fn error_line(kind: Kind, Failed { count, sample }: &Failed) -> String {
    let sample = sample.as_deref().unwrap_or_default();
    format!("  {:<10}{:>14}  {sample}", kind.to_string(), said_count(*count))
}

fn error_line_of_call(kind: Kind, Failed { count, sample }: &Failed) -> String {
    let sample = sample.as_deref().unwrap_or_default();
    format!("  {:<10}{:>14}  connecting: {sample}", kind.to_string(), said_count(*count))
}

fn errors_json<'a>(errors: impl Iterator<Item = (Kind, &'a Failed)>) -> Value {
    let each = errors.map(|(kind, Failed { count, sample })| {
        (kind.name().to_owned(), json!({ "count": count, "sample": sample }))
    });
    Value::Object(each.collect())
}

fn times_json(histogram: &Histogram) -> Value {
    let shares = PERCENTILES.iter().map(|(name, share)| {
        (
            format!("p{name}"),
            histogram.within(*share).map_or(Value::Null, |time| json!(micros(time))),
        )
    });
    let mut times: Map<_, _> = shares.collect();
    let rest =
        [("least", histogram.least()), ("mean", histogram.mean()), ("most", histogram.most())];
    times.extend(rest.map(|(name, time)| (name.to_owned(), json!(time.map(micros)))));
    Value::Object(times)
}

fn histogram_json(histogram: &Histogram) -> Vec<Value> {
    let bins = bins(histogram).into_iter();
    bins.map(|Bin { from, to, count }| {
        json!({ "from_us": micros(from), "to_us": micros(to), "count": count })
    })
    .collect()
}

fn micros(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn a_second(count: u64, time: Duration) -> f64 {
    let millis = u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
    if millis == 0 { 0.0 } else { precise(count) * 1e3 / precise(millis) }
}

/// A count to calculate with: enough digits to be looked at.
#[expect(clippy::cast_precision_loss, reason = "what is counted stays far below 2^53")]
pub(super) fn precise(count: u64) -> f64 {
    count as f64
}

fn per_second(count: u64, time: Duration) -> u64 {
    let nanos = time.as_nanos();
    let rate = (u128::from(count) * 1_000_000_000).checked_div(nanos).unwrap_or_default();
    u64::try_from(rate).unwrap_or(u64::MAX)
}

/// A time in three digits: `31.2us`, `4.01ms`, `1.2s`.
pub(super) fn brief(time: Duration) -> String {
    let nanos = time.as_nanos();
    let (unit, name) = match nanos {
        0..1_000 => return format!("{nanos}ns"),
        1_000..1_000_000 => (1_000, "us"),
        1_000_000..1_000_000_000 => (1_000_000, "ms"),
        _ => (1_000_000_000, "s"),
    };
    let whole = nanos / unit;
    let digits = match whole {
        0..10 => 2,
        10..100 => 1,
        _ => return format!("{whole}{name}"),
    };
    let rest = nanos % unit * 10_u128.pow(digits) / unit;
    let rest = format!("{rest:0>width$}", width = usize::try_from(digits).unwrap_or_default());
    let rest = rest.trim_end_matches('0');
    let point = if rest.is_empty() { "" } else { "." };
    format!("{whole}{point}{rest}{name}")
}

/// The columns of who has no terminal.
const COLUMNS: usize = 80;

/// Whether there are colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ink {
    None,
    Colour,
}

impl Ink {
    fn with(self, code: &str, text: &str) -> String {
        match self {
            Self::None => text.to_owned(),
            Self::Colour => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }

    fn bold(self, text: &str) -> String {
        self.with("1", text)
    }

    fn faint(self, text: &str) -> String {
        self.with("2", text)
    }

    fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    fn bar(self, text: &str) -> String {
        self.with("36", text)
    }
}

/// Draws the bins, a line each, in so many columns.
fn draw(out: &mut String, histogram: &Histogram, columns: usize, ink: Ink) {
    let bins = bins(histogram);
    let total = histogram.total().max(1);
    let highest = bins.iter().map(|bin| bin.count).max().unwrap_or(1).max(1);
    let width = columns.saturating_sub(TEXT_COLUMNS).clamp(8, 60);
    for Bin { from, to, count } in &bins {
        let held = PERCENTILES.iter().filter(|(_, share)| {
            histogram.within(*share).is_some_and(|time| (*from..*to).contains(&time))
        });
        let held = held.map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
        let share = format!("{:.1} %", precise(*count) * 100.0 / precise(total));
        let line = format!(
            "{:>7} to {:<7}{:>12}{share:>9}  ",
            brief(*from),
            brief(*to),
            said_count(*count)
        );
        let bar = ink.bar(&eighths(*count, highest, width));
        let held = if held.is_empty() { held } else { ink.faint(&format!(" {held} %")) };
        _ = writeln!(out, "{line}{bar}{held}");
    }
}

/// What stands before a bar, and the percentiles behind it.
const TEXT_COLUMNS: usize = 54;

/// A bar of `count` in `highest`, to an eighth of a column. What is there is seen.
fn eighths(count: u64, highest: u64, width: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let width = u64::try_from(width).unwrap_or(u64::MAX);
    let eighths = u128::from(count) * u128::from(width) * 8 / u128::from(highest.max(1));
    let eighths = usize::try_from(eighths).unwrap_or(usize::MAX).max(usize::from(count > 0));
    format!("{}{}", "█".repeat(eighths / 8), PARTS[eighths % 8])
}
