//! What is shown instead of what was said: help, long answers, what a search found.

use ratatui::{
    Frame,
    layout::Rect,
    text::{Line, Span},
};
use relais_hub::{protocol::Event, words::clock};

use super::{
    dates::day,
    help,
    layout::{self, below_title},
    model::{Model, Pane},
    phrases::{CLOSES, FOUND, GOES_THERE, HELP, MEMBERS, NOTHING_FOUND, ROOMS, SEARCHING},
    sides::member_lines,
    text::{self, columns, cut, wrap},
};

/// Draws the pane that there is.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    draw_title(model, frame, area);
    let area = below_title(area);
    let Pane::Found { found, chosen, .. } = &model.pane else {
        let (rows, top) = (rows(model), top(model));
        let rows = rows.into_iter().skip(top).take(usize::from(area.height));
        return put(frame, area, rows.map(|row| Line::raw(format!(" {row}"))).collect());
    };
    let rows = match found.as_deref() {
        None => vec![Line::styled(format!(" {}", SEARCHING.of(model.lang)), model.look.faint)],
        Some([]) => vec![Line::raw(format!(" {}", NOTHING_FOUND.of(model.lang)))],
        Some(events) => found_rows(model, (events, *chosen), area),
    };
    put(frame, area, rows);
}

/// All rows of a pane of lines, in the columns that there are.
fn rows(model: &Model) -> Vec<String> {
    let room = layout::middle_columns(model).saturating_sub(1);
    lines(model).iter().flat_map(|line| hanging(line, room)).collect()
}

/// The lines of a pane that has lines.
pub(super) fn lines(model: &Model) -> Vec<String> {
    match &model.pane {
        Pane::Lines { lines, .. } => lines.clone(),
        Pane::Help { .. } => help::lines(model),
        Pane::Members { .. } => member_lines(model),
        Pane::Found { .. } | Pane::Rooms { .. } | Pane::None => Vec::new(),
    }
}

/// The first row of it that is seen: as many as fit are.
fn top(model: &Model) -> usize {
    let at = match &model.pane {
        Pane::Lines { top, .. } | Pane::Help { top } | Pane::Members { top } => *top,
        Pane::Found { .. } | Pane::Rooms { .. } | Pane::None => 0,
    };
    at.min(last(model))
}

/// How far one can go in a pane.
pub(super) fn last(model: &Model) -> usize {
    match &model.pane {
        Pane::None => 0,
        Pane::Found { found, .. } => found.as_deref().unwrap_or_default().len().saturating_sub(1),
        Pane::Rooms { .. } => model.all_rooms().len().saturating_sub(1),
        // One row is the title's.
        _ => (rows(model).len() + 1).saturating_sub(layout::middle_rows(model)),
    }
}

/// What it is, and how it is left.
fn title_and_hint(model: &Model) -> Option<(String, String)> {
    let lang = model.lang;
    let goes_there = || format!("{}, {}", GOES_THERE.of(lang), CLOSES.of(lang));
    Some(match &model.pane {
        Pane::Lines { title, .. } => (title.clone(), how_far(model)),
        Pane::Help { .. } => (HELP.of(lang).to_owned(), how_far(model)),
        Pane::Members { .. } => (MEMBERS.of(lang).to_owned(), how_far(model)),
        Pane::Found { words, found, .. } => {
            let count =
                found.as_ref().map(|found| format!(" ({})", found.len())).unwrap_or_default();
            (format!("{}{count}: {}", FOUND.of(lang), text::line(words)), goes_there())
        }
        Pane::Rooms { .. } => (ROOMS.of(lang).to_owned(), goes_there()),
        Pane::None => return None,
    })
}

/// Draws what it is, and how it is left, if there is room for both.
pub(super) fn draw_title(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some((title, mut hint)) = title_and_hint(model) else { return };
    let width = usize::from(area.width);
    if columns(&hint) + columns(&title) + 5 > width {
        CLOSES.of(model.lang).clone_into(&mut hint);
    }
    let title = cut(&title, width.saturating_sub(columns(&hint) + 5));
    let rule = "─".repeat(width.saturating_sub(columns(&title) + columns(&hint) + 5));
    put(
        frame,
        area,
        vec![Line::from(vec![
            Span::styled("─ ", model.look.faint),
            Span::styled(title, model.look.strong),
            Span::styled(format!(" {rule} {hint} "), model.look.faint),
        ])],
    );
}

/// How much of a pane was seen, if that is not all, and how it is left.
fn how_far(model: &Model) -> String {
    let closes = CLOSES.of(model.lang);
    let is_short = layout::middle_columns(model) < SHORT;
    let (all, fit) = (rows(model).len(), layout::middle_rows(model).saturating_sub(1));
    match top(model) + fit {
        _ if all <= fit => closes.to_owned(),
        seen if is_short => format!("{seen}/{all}"),
        seen => format!("{seen}/{all}, {closes}"),
    }
}

/// In fewer columns it is not said how a pane is left, if there is more of it.
const SHORT: usize = 32;

/// The rows of a line. Where it has two columns, what goes on in the next row stands in the second; where
/// there is no room for both, the second stands below the first.
fn hanging(line: &str, room: usize) -> Vec<String> {
    let Some(gap) = line.rfind("  ").map(|at| at + 2).filter(|_| columns(line) > room) else {
        return indented(wrap(line, (room, room.saturating_sub(2))), 2);
    };
    let (first, second) = line.split_at(gap);
    let indent = columns(first);
    if indent * 2 <= room {
        return indented(wrap(line, (room, room - indent)), indent);
    }
    let rest = room.saturating_sub(2);
    let mut rows = wrap(first.trim_end(), (room, rest));
    rows.extend(wrap(second, (rest, rest)));
    indented(rows, 2)
}

/// The rows, those behind the first so far in.
fn indented(rows: Vec<String>, indent: usize) -> Vec<String> {
    let row = |(nth, row): (usize, String)| match nth {
        0 => row,
        _ => format!("{}{row}", " ".repeat(indent)),
    };
    rows.into_iter().enumerate().map(row).collect()
}

/// Puts rows one under the other.
pub(super) fn put(frame: &mut Frame<'_>, area: Rect, rows: Vec<Line<'_>>) {
    let area = area.intersection(frame.area());
    for (row, line) in area.rows().zip(rows) {
        frame.buffer_mut().set_line(row.x, row.y, &line, row.width);
    }
}

/// Two rows for each, so that the chosen one is among them: where and when, and what.
fn found_rows(
    model: &Model,
    (events, chosen): (&[Event], usize),
    area: Rect,
) -> Vec<Line<'static>> {
    let (width, fit) = (usize::from(area.width), usize::from(area.height / 2).max(1));
    let top = (chosen + 1).saturating_sub(fit);
    let rows = events.iter().enumerate().skip(top).take(fit).flat_map(|(nth, event)| {
        let Event::Message { at, body, .. } = event else { return Vec::new() };
        let place = text::line(&at.room.to_string());
        let when = format!("{} {}", day(at.at, model.lang), clock(at.at));
        let head = Line::from(vec![
            Span::styled(format!(" {place}  "), model.look.strong),
            Span::styled(text::line(&at.from), model.look.author(&at.from)),
            Span::styled(format!("  {when}"), model.look.faint),
        ]);
        let body = text::line(body.as_deref().unwrap_or_default());
        let body = Line::raw(format!("   {}", cut(&body, width.saturating_sub(4))));
        let rows = [head, body];
        if nth == chosen {
            rows.map(|row| row.patch_style(model.look.chosen)).into()
        } else {
            rows.into()
        }
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_goes_on_in_its_column() {
        let check = |line, room, expect: &[&str]| assert_eq!(hanging(line, room), expect);
        check("/me TEXT  say what you do", 20, &["/me TEXT  say what", "          you do"]);
        check("/me TEXT  say what you do", 14, &["/me TEXT", "  say what you", "  do"]);
        check("/me TEXT  say", 14, &["/me TEXT  say"]);
        check("no columns at all", 10, &["no columns", "  at all"]);
    }
}
