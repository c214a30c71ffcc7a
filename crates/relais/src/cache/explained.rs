//! Why a request is answered as it is, printed.

use serde_json::Value;

use super::told::text;
use crate::output::say;

/// Prints what `found` tells, step by step; verdicts are bold, where there are colours.
pub(super) fn print(found: &Value, is_coloured: bool) {
    for line in lines(found, is_coloured) {
        say(line);
    }
}

fn lines(found: &Value, is_coloured: bool) -> Vec<String> {
    let mut lines =
        vec![format!("GET {}, through the proxy {:?}", text(found, "url"), text(found, "proxy"))];
    lines.push(String::new());
    let before = found["before"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let before: Vec<_> = before.collect();
    if !before.is_empty() {
        lines.push(format!(
            "Before the cache, requests are judged by {}. That is not looked at here.",
            before.join(" and by ")
        ));
        lines.push(String::new());
    }
    steps(found, &mut lines);
    lines.push(verdict(&found["verdict"], is_coloured));
    hints(found, &mut lines);
    let storing = &found["storing"];
    if storing.is_null() {
        return lines;
    }
    let method = text(storing, "method");
    lines.push(String::new());
    if storing["failed"].is_string() {
        lines.push(format!("Asked now with {method}, no answer came: {}", text(storing, "failed")));
        return lines;
    }
    lines.push(format!("The server was asked now, with {method}, what it would answer:"));
    lines.push(String::new());
    steps(storing, &mut lines);
    lines.push(verdict(&storing["verdict"], is_coloured));
    lines
}

/// What else could be asked.
fn hints(found: &Value, lines: &mut Vec<String>) {
    for hint in found["hints"].as_array().into_iter().flatten().filter_map(Value::as_str) {
        lines.push(format!("   hint: {}", crate::columns::clean(hint)));
    }
}

fn steps(found: &Value, lines: &mut Vec<String>) {
    for (at, step) in found["steps"].as_array().into_iter().flatten().enumerate() {
        lines.push(format!("{:>2}. {}{}", at + 1, text(step, "text"), section(step)));
    }
}

fn verdict(verdict: &Value, is_coloured: bool) -> String {
    let (text, section) = (text(verdict, "text"), section(verdict));
    if is_coloured {
        format!("=> \x1b[1m{text}\x1b[0m{section}")
    } else {
        format!("=> {text}{section}")
    }
}

fn section(of: &Value) -> String {
    of["section"].as_str().map_or(String::new(), |section| format!("  [{section}]"))
}
