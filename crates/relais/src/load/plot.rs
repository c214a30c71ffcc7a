//! A plot as SVG that stretches, with labels around it that do not: so it can be read on a narrow
//! screen, too. What is drawn stands in a table below for who does not see it.

use std::fmt::Write as _;

/// One plot, ready to stand in a page.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) title: &'static str,
    /// A sentence that says what is seen.
    pub(super) says: String,
    /// What is in the picture, in coordinates of [`WIDTH`] by [`HEIGHT`].
    pub(super) drawing: String,
    /// Where a label stands on the axis upwards, of [`HEIGHT`], and what it says.
    pub(super) upwards: Vec<(f64, String)>,
    /// The same to the right, of [`WIDTH`].
    pub(super) rightwards: Vec<(f64, String)>,
    pub(super) axis: &'static str,
    /// Names of its lines, if there are two.
    pub(super) keys: &'static [(&'static str, &'static str)],
    pub(super) head: Vec<&'static str>,
    pub(super) rows: Vec<Vec<String>>,
}

/// How wide a drawing is, in its own units.
pub(super) const WIDTH: f64 = 1000.0;

/// How high.
pub(super) const HEIGHT: f64 = 300.0;

/// A scale from 0 to at least `most` microseconds, and its labels.
pub(super) fn time_axis(most: f64) -> (f64, Vec<(f64, String)>) {
    let (unit, name) = match most {
        most if most >= 1e6 => (1e6, "s"),
        most if most >= 1e3 => (1e3, "ms"),
        _ => (1.0, "us"),
    };
    let (top, labels) = axis(most / unit);
    (top * unit, named(labels, name))
}

/// The same for counts.
pub(super) fn count_axis(most: f64) -> (f64, Vec<(f64, String)>) {
    let (unit, name) = match most {
        most if most >= 1e7 => (1e6, "M"),
        most if most >= 1e4 => (1e3, "k"),
        _ => (1.0, ""),
    };
    let (top, labels) = axis(most / unit);
    (top * unit, named(labels, name))
}

/// Labels with their unit, which nothing has none of.
fn named(labels: Vec<(f64, f64)>, unit: &str) -> Vec<(f64, String)> {
    let named = labels.into_iter().map(|(y, at)| {
        let unit = if at > 0.0 { unit } else { "" };
        (y, format!("{}{unit}", short(at)))
    });
    named.collect()
}

fn axis(most: f64) -> (f64, Vec<(f64, f64)>) {
    let most = if most > 0.0 { most } else { 1.0 };
    let places = ticks(most, 4.0);
    let step = places.get(1).copied().unwrap_or(most);
    let top = (most / step).ceil() * step;
    let labels = ticks(top, 4.0).into_iter().map(|at| (HEIGHT * (1.0 - at / top), at));
    (top, labels.collect())
}

/// Round numbers from 0 to `most`, some `count` of them.
pub(super) fn ticks(most: f64, count: f64) -> Vec<f64> {
    let rough = most / count;
    let power = 10_f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().find(|step| step * power >= rough);
    let step = step.unwrap_or(10.0) * power;
    let mut at = 0.0;
    let mut ticks = Vec::new();
    while at <= most * 1.000_001 && ticks.len() < 20 {
        ticks.push(at);
        at += step;
    }
    ticks
}

/// A round number in no more digits than it needs.
pub(super) fn short(number: f64) -> String {
    let text = format!("{number:.2}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// Lines across at these heights.
pub(super) fn grid(upwards: &[(f64, String)]) -> String {
    let lines = upwards.iter().map(|(y, _)| format!("M0 {y:.1}H{WIDTH}"));
    format!("<path class=\"grid\" d=\"{}\"/>", lines.collect::<String>())
}

impl Plot {
    /// Prints it as a section of a page. Nothing in it is a stranger's.
    pub(super) fn print(&self, out: &mut String) {
        let Self { title, says, drawing, upwards, rightwards, axis, keys, head, rows } = self;
        _ = write!(
            out,
            "<section><h2>{title}</h2><p>{says}</p>\n<div class=\"plot\"><svg viewBox=\"0 0 \
             {WIDTH} {HEIGHT}\" preserveAspectRatio=\"none\" role=\"img\" aria-label=\"{title}. \
             {says}\">{drawing}</svg>"
        );
        scales(out, upwards, rightwards);
        _ = writeln!(out, "<span class=\"axis\" aria-hidden=\"true\">{axis}</span></div>");
        print_keys(out, keys);
        if !rows.is_empty() {
            _ = write!(
                out,
                "<details><summary>{title}, as a table</summary><div class=\"scroll\">"
            );
            table(out, head, rows);
            out.push_str("</div></details>");
        }
        out.push_str("</section>\n");
    }
}

/// Prints what stands beside a plot and below it.
fn scales(out: &mut String, upwards: &[(f64, String)], rightwards: &[(f64, String)]) {
    for (y, text) in upwards {
        let up = 100.0 * (1.0 - y / HEIGHT);
        _ = write!(
            out,
            "<span class=\"y\" style=\"bottom:{up:.2}%\" aria-hidden=\"true\">{text}</span>"
        );
    }
    for (place, (x, text)) in rightwards.iter().enumerate() {
        let right = 100.0 * x / WIDTH;
        let lesser = if place % 2 == 1 { " lesser" } else { "" };
        _ = write!(
            out,
            "<span class=\"x{lesser}\" style=\"left:{right:.2}%\" aria-hidden=\"true\">{text}</span>"
        );
    }
}

/// Prints what means what, if there is more than one thing.
fn print_keys(out: &mut String, keys: &[(&str, &str)]) {
    if keys.is_empty() {
        return;
    }
    out.push_str("<ul class=\"key\">");
    for (class, name) in keys {
        let mark = match *class {
            "one" | "two" => format!("<path class=\"{class}\" d=\"M0 6H28\"/>"),
            _ => format!("<rect class=\"{class}\" width=\"28\" height=\"12\"/>"),
        };
        _ = write!(
            out,
            "<li><svg viewBox=\"0 0 28 12\" aria-hidden=\"true\">{mark}</svg>{name}</li>"
        );
    }
    out.push_str("</ul>\n");
}

/// Prints a table.
fn table(out: &mut String, head: &[&str], rows: &[Vec<String>]) {
    out.push_str("<table><thead><tr>");
    for cell in head {
        _ = write!(out, "<th scope=\"col\">{cell}</th>");
    }
    out.push_str("</tr></thead><tbody>\n");
    for row in rows {
        out.push_str("<tr>");
        for cell in row {
            _ = write!(out, "<td>{cell}</td>");
        }
        out.push_str("</tr>\n");
    }
    out.push_str("</tbody></table>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_has_few_round_numbers_and_holds_all() {
        let check = |most, expect: &str| {
            let (top, labels) = time_axis(most);
            assert!(top >= most, "{top} for {most}");
            let labels: Vec<_> = labels.into_iter().map(|(_, label)| label).collect();
            assert_eq!(labels.join(", "), expect);
        };
        check(0.0, "0, 0.25us, 0.5us, 0.75us, 1us");
        check(37.0, "0, 10us, 20us, 30us, 40us");
        check(43_000.0, "0, 20ms, 40ms, 60ms");
        check(2_500_000.0, "0, 1s, 2s, 3s");
    }

    #[test]
    fn counts_are_in_thousands_where_they_are_many() {
        let (_, labels) = count_axis(52_000.0);
        let labels: Vec<_> = labels.into_iter().map(|(_, label)| label).collect();
        assert_eq!(labels.join(", "), "0, 20k, 40k, 60k");
    }
}
