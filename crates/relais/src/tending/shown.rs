//! What was told, as rows for people.

use std::fmt::Write as _;

use serde_json::Value;

use crate::columns::{clean, columns};

/// A column: what stands above it, and which field is in it.
pub(super) type Column = (&'static str, fn(&Value) -> String);

pub(super) const USERS: &[Column] = &[
    ("user", |it| text(it, "user")),
    ("since", |it| day(it, "since")),
    ("seen", |it| if it["online"] == true { "now".to_owned() } else { day(it, "seen") }),
    ("devices", |it| number(it, "devices")),
    ("", |it| match (it["deleted"].as_str(), it["administrator"] == true) {
        (Some(said), _) => format!("deleted, {said}"),
        (None, true) => "administrator".to_owned(),
        (None, false) => String::new(),
    }),
];

pub(super) const DEVICES: &[Column] = &[
    ("session", |it| text(it, "session")),
    ("device", |it| text(it, "device")),
    ("since", |it| day(it, "since")),
    ("seen", |it| day(it, "seen")),
];

pub(super) const ROOMS: &[Column] = &[
    ("room", |it| text(it, "room")),
    ("members", |it| number(it, "members")),
    ("kept", |it| it["retain"].as_u64().map_or("for good".to_owned(), |days| format!("{days} d"))),
    ("", |it| if it["private"] == true { "private".to_owned() } else { String::new() }),
    ("topic", |it| text(it, "topic")),
];

pub(super) const MEMBERS: &[Column] = &[
    ("user", |it| text(it, "user")),
    ("role", |it| text(it, "role")),
    ("", |it| match &it["muted"] {
        Value::String(until) => format!("muted until {}", clean(until)),
        Value::Bool(true) => "muted".to_owned(),
        _ => String::new(),
    }),
    ("", |it| if it["in"] == false { "not there".to_owned() } else { String::new() }),
];

pub(super) const INVITATIONS: &[Column] = &[
    ("name", |it| text(it, "name")),
    ("left", |it| number(it, "uses")),
    ("expires", |it| day(it, "expires")),
    ("room", |it| text(it, "room")),
];

/// A table of what was found, its columns as wide as need be. Nothing, of nothing.
pub(super) fn table(rows: &[Value], shown: &[Column]) -> String {
    if rows.is_empty() {
        return String::new();
    }
    let heads = shown.iter().map(|(head, _)| (*head).to_owned()).collect();
    let cells = rows.iter().map(|row| shown.iter().map(|(_, cell)| cell(row)).collect());
    let lines: Vec<Vec<String>> = std::iter::once(heads).chain(cells).collect();
    let width = |at: usize| lines.iter().map(|line| columns(&line[at])).max().unwrap_or(0);
    let widths: Vec<_> = (0..shown.len()).map(width).collect();
    let mut out = String::new();
    for line in &lines {
        let mut row = String::new();
        for (cell, width) in line.iter().zip(&widths) {
            let gap = width - columns(cell) + 2;
            write!(row, "{cell}{:gap$}", "").expect("a string takes everything");
        }
        writeln!(out, "{}", row.trim_end()).expect("a string takes everything");
    }
    out
}

/// All that is known of one, a line each.
pub(super) fn card(found: &Value, shown: &[Column]) -> String {
    let line = |(head, cell): &Column| match (head, cell(found)) {
        (_, value) if value.is_empty() => None,
        (&"", value) => Some(value),
        (head, value) => Some(format!("{head}: {value}")),
    };
    shown.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

fn text(found: &Value, name: &str) -> String {
    clean(found[name].as_str().unwrap_or_default())
}

fn number(found: &Value, name: &str) -> String {
    found[name].as_u64().map_or("-".to_owned(), |number| number.to_string())
}

/// A time, to the minute.
fn day(found: &Value, name: &str) -> String {
    let Some(time) = found[name].as_str() else { return "-".to_owned() };
    let minute: String = clean(time).chars().take("2026-11-22T14:31".len()).collect();
    minute.replace('T', " ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn rows_stand_under_their_names_without_what_a_terminal_obeys() {
        let ana = json!({ "user": "ana", "since": "2026-11-22T14:31:07.123456Z", "seen": null,
            "devices": 0, "administrator": true });
        let bob = json!({ "user": "b\u{1b}[2J", "since": "2026-11-22T14:31:07.123456Z",
            "seen": "2026-11-23T00:00:00.0Z", "devices": 12, "deleted": "messages stay" });
        let expect = "\
            user        since             seen              devices\n\
            ana         2026-11-22 14:31  -                 0        administrator\n\
            b\\u{1b}[2J  2026-11-22 14:31  2026-11-23 00:00  12       deleted, messages stay\n";
        assert_eq!(table(&[ana.clone(), bob], USERS), expect);
        assert_eq!(table(&[], USERS), "");
        let expect = "user: ana\nsince: 2026-11-22 14:31\nseen: -\ndevices: 0\nadministrator";
        assert_eq!(card(&ana, USERS), expect);
        let here = json!({ "user": "ana", "since": "2026-11-22T14:31:07.123456Z", "online": true,
            "seen": "2026-11-22T14:31:07.123456Z", "devices": 1 });
        let expect = "user: ana\nsince: 2026-11-22 14:31\nseen: now\ndevices: 1";
        assert_eq!(card(&here, USERS), expect);
    }
}
