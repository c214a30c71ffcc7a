//! What is drawn of a load: its latencies in two ways, and how it went.

use std::{fmt::Write as _, iter, time::Duration};

use relais_talk::load::{Histogram, Step, Timeline};

use super::{
    bins::bins,
    figures::{brief, micros, precise},
    plot::{HEIGHT, Plot, WIDTH, count_axis, grid, short, ticks, time_axis},
    report::{PERCENTILES, count},
};
use crate::measure::said_count;

/// How many points make a line that looks smooth.
const POINTS_MAX: usize = 400;

/// Latencies by the share of requests that were answered within them, the last ones spread out.
pub(super) fn percentiles(lines: &[(&'static str, &Histogram)]) -> Plot {
    let most = lines.iter().filter_map(|(_, histogram)| histogram.most()).max().unwrap_or_default();
    let total = lines.iter().map(|(_, histogram)| histogram.total()).max().unwrap_or(0);
    let (top, upwards) = time_axis(micros(most));
    // Each power of ten that the rest shrinks by is as wide as the one before.
    let nines = precise(total).log10().clamp(1.0, 6.0);
    let across = |share: f64| -((1.0 - share).max(1e-9).log10()) / nines * WIDTH;
    let mut drawing = grid(&upwards);
    for (place, (_, histogram)) in lines.iter().enumerate() {
        let points = cumulated(histogram).into_iter();
        let points =
            points.map(|(share, time)| (across(share).min(WIDTH), HEIGHT * (1.0 - time / top)));
        let path = stairs(points);
        let class = if place == 0 { "one" } else { "two" };
        _ = write!(drawing, "<path class=\"{class}\" d=\"{path}\"/>");
    }
    let shares = SHARES.iter().map(|(share, name)| (across(*share), (*name).to_owned()));
    let rows = PERCENTILES.iter().map(|(name, share)| {
        let times = lines
            .iter()
            .map(|(_, histogram)| histogram.within(*share).map_or_else(String::new, brief));
        iter::once(format!("{name} %")).chain(times).collect()
    });
    Plot {
        title: "Latency by share of requests",
        says:
            "How long it took at most to answer a share of all requests: flat is good, and where \
               it rises, some waited much longer than most."
                .to_owned(),
        drawing,
        upwards,
        rightwards: shares.filter(|(x, _)| *x <= WIDTH + 1.0).collect(),
        axis: "share of requests",
        keys: if lines.len() > 1 { TWO } else { &[] },
        head: iter::once("share").chain(lines.iter().map(|(name, _)| *name)).collect(),
        rows: rows.collect(),
    }
}

/// Which shares stand below the plot.
const SHARES: [(f64, &str); 6] = [
    (0.5, "50 %"),
    (0.9, "90 %"),
    (0.99, "99 %"),
    (0.999, "99.9 %"),
    (0.9999, "99.99 %"),
    (0.999_99, "99.999 %"),
];

/// A line through `points`, up in steps, as it is.
fn stairs(points: impl Iterator<Item = (f64, f64)>) -> String {
    let mut path = String::new();
    for (x, y) in points {
        _ = if path.is_empty() {
            write!(path, "M0 {y:.1}H{x:.1}")
        } else {
            write!(path, "V{y:.1}H{x:.1}")
        };
    }
    path
}

const TWO: &[(&str, &str)] =
    &[("one", "since due: as users see it"), ("two", "since sent: blind to waiting")];

/// How many answers took how long.
pub(super) fn distribution(histogram: &Histogram) -> Plot {
    let bins = bins(histogram);
    let highest = bins.iter().map(|bin| bin.count).max().unwrap_or(0);
    let (top, upwards) = count_axis(precise(highest));
    let width = WIDTH / precise(count(bins.len())).max(1.0);
    let mut drawing = grid(&upwards);
    let (mut x, mut rightwards) = (0.0, Vec::new());
    for bin in &bins {
        let height = HEIGHT * precise(bin.count) / top;
        _ = write!(
            drawing,
            "<rect class=\"bar\" x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{height:.1}\"/>",
            x + width * 0.06,
            HEIGHT - height,
            width * 0.88
        );
        rightwards.push((x, brief(bin.from)));
        x += width;
    }
    rightwards.extend(bins.last().map(|bin| (WIDTH, brief(bin.to))));
    let total = precise(histogram.total()).max(1.0);
    let rows = bins.iter().map(|bin| {
        let share = format!("{:.2} %", precise(bin.count) * 100.0 / total);
        vec![format!("{} to {}", brief(bin.from), brief(bin.to)), said_count(bin.count), share]
    });
    Plot {
        title: "Latencies",
        says: "How many answers took how long; bins grow to the right.".to_owned(),
        drawing,
        upwards,
        rightwards: thinned(rightwards),
        axis: "latency",
        keys: &[],
        head: vec!["latency", "answers", "share"],
        rows: rows.collect(),
    }
}

/// How many were answered when, and how many came to nothing.
pub(super) fn answers_over_time(timeline: &Timeline, time: Duration) -> Plot {
    let mut from = Duration::ZERO;
    let rates = timeline.steps_before(time).iter().map(|step| {
        // The last one may have been cut short.
        let length = timeline.step().min(time.saturating_sub(from)).as_secs_f64();
        from += timeline.step();
        (precise(step.answered) / length, precise(step.failed) / length)
    });
    let rates: Vec<_> = rates.collect();
    let highest = rates.iter().map(|(answered, failed)| answered + failed).fold(0.0, f64::max);
    let (top, upwards) = count_axis(highest);
    let drawing = format!("{}{}", grid(&upwards), stacked(&rates, top));
    let is_failing = timeline.steps_before(time).iter().any(|step| step.failed > 0);
    Plot {
        title: "Answers over time",
        says: "How many requests were answered a second, step by step.".to_owned(),
        drawing,
        upwards,
        rightwards: seconds(timeline, time),
        axis: "time",
        keys: if is_failing { ANSWERS_AND_ERRORS } else { &[] },
        head: vec!["from", "answers", "errors"],
        rows: rows_of((timeline, time), |step| {
            vec![said_count(step.answered), said_count(step.failed)]
        }),
    }
}

/// Bars, of what succeeded and above it what failed; `top` is as high as the plot.
fn stacked(rates: &[(f64, f64)], top: f64) -> String {
    let width = WIDTH / precise(count(rates.len())).max(1.0);
    let (mut drawing, mut x) = (String::new(), 0.0);
    for (answered, failed) in rates {
        let (good, bad) = (HEIGHT * answered / top, HEIGHT * failed / top);
        for (class, y, height) in
            [("bar", HEIGHT - good, good), ("error", HEIGHT - good - bad, bad)]
        {
            if height > 0.0 {
                _ = write!(
                    drawing,
                    "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" width=\"{:.1}\" \
                     height=\"{height:.1}\"/>",
                    width * 1.02
                );
            }
        }
        x += width;
    }
    drawing
}

const ANSWERS_AND_ERRORS: &[(&str, &str)] = &[("bar", "answers"), ("error", "errors")];

/// The longest latency of each step.
pub(super) fn longest_over_time(timeline: &Timeline, time: Duration) -> Plot {
    let times: Vec<_> = timeline.steps_before(time).iter().map(|step| micros(step.most)).collect();
    let (top, upwards) = time_axis(times.iter().copied().fold(0.0, f64::max));
    let width = WIDTH / precise(count(times.len())).max(1.0);
    let mut drawing = grid(&upwards);
    let (mut x, mut path) = (0.0, String::new());
    for time in times {
        let y = HEIGHT * (1.0 - time / top);
        _ = if path.is_empty() { write!(path, "M0 {y:.1}") } else { write!(path, "V{y:.1}") };
        x += width;
        _ = write!(path, "H{x:.1}");
    }
    _ = write!(drawing, "<path class=\"one\" d=\"{path}\"/>");
    Plot {
        title: "Longest latency over time",
        says: "The slowest answer of each step: one that stands out is a pause.".to_owned(),
        drawing,
        upwards,
        rightwards: seconds(timeline, time),
        axis: "time",
        keys: &[],
        head: vec!["from", "longest latency"],
        rows: rows_of((timeline, time), |step| vec![brief(step.most)]),
    }
}

/// A row for each step: when it began, and its `cells`.
fn rows_of(
    (timeline, time): (&Timeline, Duration),
    cells: fn(&Step) -> Vec<String>,
) -> Vec<Vec<String>> {
    let mut from = Duration::ZERO;
    let rows = timeline.steps_before(time).iter().map(|step| {
        let begin = format!("{:.1}s", from.as_secs_f64());
        from += timeline.step();
        iter::once(begin).chain(cells(step)).collect()
    });
    rows.collect()
}

/// Some seconds on the way.
fn seconds(timeline: &Timeline, time: Duration) -> Vec<(f64, String)> {
    let steps = precise(count(timeline.steps_before(time).len())).max(1.0);
    let length = steps * timeline.step().as_secs_f64();
    let places = ticks(length, 6.0).into_iter();
    places
        .map(|at| {
            (at / length * WIDTH, if at > 0.0 { format!("{}s", short(at)) } else { "0".to_owned() })
        })
        .collect()
}

/// The share that was answered, and in how many microseconds, in few enough points.
fn cumulated(histogram: &Histogram) -> Vec<(f64, f64)> {
    let total = precise(histogram.total()).max(1.0);
    let mut seen = 0;
    let all = histogram.buckets().map(|bucket| {
        seen += bucket.count;
        let most = histogram.most().map_or(0.0, micros);
        (precise(seen) / total, (precise(bucket.nanos.end) / 1e3).min(most))
    });
    let all: Vec<_> = all.collect();
    // The last ones are of few requests each, and all of them count.
    let (body, tail) = all.split_at(all.len().saturating_sub(POINTS_MAX / 2));
    let every = body.len().div_ceil(POINTS_MAX / 2).max(1);
    body.chunks(every).filter_map(|chunk| chunk.last()).chain(tail).copied().collect()
}

/// At most seven of these, the first and every so many after it.
fn thinned(labels: Vec<(f64, String)>) -> Vec<(f64, String)> {
    let every = labels.len().div_ceil(7).max(1);
    labels.into_iter().step_by(every).collect()
}
