//! What came of a load, for programs.

use std::time::Duration;

use relais_talk::load::{Dialogues, Failed, Histogram, Kind, Load, Task};
use serde_json::{Map, Value, json};

use super::{
    bins::{Bin, bins},
    figures::{self, a_second},
    report::{Ended, Measured, PERCENTILES, Report},
};

/// `report` as an object. Times are in microseconds where the name ends so.
pub(super) fn json(report: &Report<'_>) -> String {
    let Load { connections, threads, schedule, timeout, .. } = report.load;
    let Measured { outcome, cores_busy, ended } = report.measured;
    let ledger = &outcome.ledger;
    let statuses = (1..).zip(ledger.statuses).filter(|(_, count)| *count > 0);
    let statuses: Map<_, _> =
        statuses.map(|(class, count)| (format!("{class}xx"), json!(count))).collect();
    let value = json!({
        "target": report.title,
        "about": report.about,
        "connections": connections,
        "streams": report.streams(),
        "threads": threads,
        "rate": schedule.rate,
        "timeout_s": timeout.as_secs_f64(),
        "warmup_s": schedule.warmup.as_secs_f64(),
        "time_s": rounded(outcome.time.as_secs_f64()),
        "interrupted": *ended == Ended::Interrupted,
        "answers": ledger.answers(),
        "answers_in_time": ledger.in_time,
        "answers_per_s": rounded(a_second(ledger.in_time, outcome.time)),
        "received_bytes": ledger.received,
        "received_bytes_per_s": rounded(a_second(ledger.received_in_time, outcome.time)),
        "sent_bytes": ledger.sent,
        "statuses": statuses,
        "connects": ledger.connects(),
        "errors": errors_json(ledger.failed_requests()),
        "connect_errors": errors_json(ledger.failed_calls()),
        "unanswered": outcome.unanswered,
        "unsent": outcome.unsent,
        "simulation": dialogues_json(report),
        "latency_us": times_json(&ledger.latency),
        "since_sent_us": schedule.rate.map(|_| times_json(&ledger.since_sent)),
        "woken_late_us": schedule.rate.map(|_| times_json(&ledger.woken_late)),
        "connect_us": times_json(&ledger.connect),
        "histogram": histogram_json(&ledger.latency),
        "timeline": timeline_json(report),
        "cores_busy": (cores_busy * 100.0).round() / 100.0,
        "notes": report.notes(),
    });
    format!("{value:#}")
}

/// What came of dialogues, if there were any.
fn dialogues_json(report: &Report<'_>) -> Value {
    let Task::Talk { messages } = report.load.task else { return Value::Null };
    let Dialogues { right, samples, .. } = &report.measured.outcome.ledger.dialogues;
    let wrong = samples.iter().map(|(number, failure)| {
            json!({ "client": number, "error": failure.kind.name(), "what": failure.what })
        });
    json!({
        "clients": report.clients(),
        "messages": messages,
        "correct": right,
        "wrong": wrong.collect::<Vec<_>>(),
    })
}

fn timeline_json(report: &Report<'_>) -> Value {
    let timeline = &report.measured.outcome.ledger.timeline;
    let steps = timeline.steps().iter().map(|step| {
            json!({ "answers": step.answered, "errors": step.failed, "most_us": micros(step.most) })
        });
    json!({ "step_s": rounded(timeline.step().as_secs_f64()), "steps": steps.collect::<Vec<_>>() })
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
    rounded(figures::micros(time))
}

/// To three decimals: what is behind them is noise.
fn rounded(number: f64) -> f64 {
    (number * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_three_decimals_at_most() {
        assert_eq!(json!(rounded(133_595.259_999_999_98)).to_string(), "133595.26");
        assert_eq!(json!(rounded(0.000_4)).to_string(), "0.0");
        assert_eq!(json!(micros(Duration::from_nanos(1_234))).to_string(), "1.234");
    }
}
