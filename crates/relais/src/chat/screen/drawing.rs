//! The screen, drawn from what the model knows.

use ratatui::{
    Frame,
    layout::{Position, Rect},
    style::Style,
    text::{Line, Span},
};
use relais_hub::words::Text;

use super::{
    composer::Purpose,
    hub::{Hub, Link},
    layout::{self, Areas, PROMPT},
    model::{Model, Notice, Pane},
    panes::{self, put},
    phrases::{
        BELOW, CHOSEN, DELETING, EDITING, INVITED, LOST, NOWHERE, OLD_PART, REACTING, REPLY_TO,
        WAITING, WRITE, WRITES,
    },
    room::{Behind, Room, Standing},
    sides::{list_rows, member_rows},
    text::{self, columns, cut},
    wishes::waits_for,
};

/// Draws all of it.
pub(super) fn draw(model: &Model, frame: &mut Frame<'_>) {
    let areas = layout::areas(model);
    let Areas { title, list, middle, members, status, composer } = areas;
    put(frame, title, vec![title_row(model, usize::from(title.width))]);
    put(frame, list, list_rows(model, list));
    match &model.pane {
        Pane::None => draw_room(model, frame, middle),
        Pane::Rooms { .. } => {
            panes::draw_title(model, frame, middle);
            let area = layout::below_title(middle);
            put(frame, area, list_rows(model, area));
        }
        _ => panes::draw(model, frame, middle),
    }
    put(frame, members, member_rows(model, members));
    put(frame, status, status_rows(model, status));
    draw_composer(model, frame, composer);
}

/// A row with a text at each end; the right one is cut first, and is left out where it would be cut to nothing.
fn both_ends(left: &str, right: &str, width: usize) -> String {
    let left = cut(left, width);
    let room = width.saturating_sub(columns(&left));
    let is_seen = columns(right) < room || room > 4;
    let right = if is_seen { cut(right, room.saturating_sub(1)) } else { String::new() };
    format!("{left}{}{right}", " ".repeat(room - columns(&right)))
}

/// The room, what it is about, and who one is.
fn title_row(model: &Model, width: usize) -> Line<'static> {
    let hub = model.hub();
    let left = match model.room() {
        Some(room) => {
            let name = format!(" {}{}", text::line(&room.place.to_string()), model.about(room));
            format!("{name}  {}", text::line(&room.topic)).trim_end().to_owned()
        }
        None => " relais".to_owned(),
    };
    let quiet = model.quiet_words().map(|quiet| format!(" ({quiet})")).unwrap_or_default();
    let me = format!("{}{quiet}", text::line(&hub.me));
    let right = match model.hubs.len() {
        0 | 1 => format!("{me} "),
        _ => format!("{me}, {} ", text::line(&hub.name)),
    };
    let room = width.saturating_sub(columns(&right) + 1);
    Line::styled(both_ends(&cut(&left, room.max(width / 2)), &right, width), model.look.bar)
}

/// What was said, the last of it in the last row.
fn draw_room(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let Some(room) = model.room().filter(|room| room.standing == Standing::In) else {
        let words = if model.room().is_some() { INVITED } else { NOWHERE };
        let lines = words.of(model.lang).split('\n').flat_map(|line| {
            let columns = usize::from(area.width).saturating_sub(2);
            text::wrap(line, (columns, columns))
        });
        let lines = lines.map(|line| Line::raw(format!(" {line}"))).collect();
        return put(frame, area, lines);
    };
    let height = usize::from(area.height);
    let rows = room_rows(model, room, height);
    let top = u16::try_from(height - rows.len()).unwrap_or(0);
    put(frame, Rect::new(area.x, area.y + top, area.width, area.height - top), rows);
}

/// So many rows of what was said, from the bottom up.
fn room_rows(model: &Model, room: &Room, height: usize) -> Vec<Line<'static>> {
    let paper = model.paper(room);
    let mut rows: Vec<Line<'static>> = Vec::new();
    let mut hidden = 0;
    let mut last = room.last();
    match room.scroll.filter(|anchor| room.items.contains_key(&anchor.key)) {
        Some(anchor) => (last, hidden) = (Some(anchor.key), anchor.hidden),
        None if room.behind == Behind::Nothing => {
            let pending: Vec<_> = model.hub().pending_in(&room.place).collect();
            let of = pending.iter().flat_map(|pending| paper.pending(pending));
            rows.extend(of.collect::<Vec<_>>().into_iter().rev());
        }
        None => {}
    }
    let keys = last.map(|last| room.items.range(..=last)).into_iter().flatten().rev();
    for (key, _) in keys {
        if rows.len() >= height {
            break;
        }
        rows.extend(paper.rows(*key).into_iter().rev().skip(std::mem::take(&mut hidden)));
    }
    rows.truncate(height);
    rows.reverse();
    rows
}

/// In a row of fewer columns what is not with the hub yet is a number.
const WIDE: usize = 60;

/// What is going on: in one row, or as many as a long word takes.
fn status_rows(model: &Model, area: Rect) -> Vec<Line<'static>> {
    let (width, height) = (usize::from(area.width), usize::from(area.height));
    if height < 2 {
        return vec![status_row(model, width)];
    }
    let (said, style) = status(model);
    let room = width.saturating_sub(2);
    let mut rows = text::wrap(&said, (room, room));
    if rows.len() > height {
        let rest = rows.drain(height - 1..).collect::<Vec<_>>().join(" ");
        rows.push(cut(&rest, room.saturating_sub(1)));
    }
    let style = model.look.bar.patch(style);
    rows.iter().map(|row| Line::styled(both_ends(&format!(" {row}"), "", width), style)).collect()
}

/// What is going on, and what is new elsewhere where there is no list.
fn status_row(model: &Model, width: usize) -> Line<'static> {
    let (left, style) = status(model);
    let hub = model.hub();
    let waiting = match hub.unacknowledged() {
        count if count == 0 || model.notice.is_some() => None,
        count if width < WIDE => Some(format!("…{count}")),
        count => Some(format!("{count} {}", WAITING.of(model.lang))),
    };
    let elsewhere = if layout::has_list(model) { None } else { elsewhere(model) };
    let right = [waiting, elsewhere].into_iter().flatten().collect::<Vec<_>>().join("  ");
    let right = if right.is_empty() { right } else { format!("{right} ") };
    // What is new elsewhere is not pushed out by a long word.
    let room = width.saturating_sub(columns(&right) + 1).max(width / 2);
    Line::styled(
        both_ends(&cut(&format!(" {left}"), room), &right, width),
        model.look.bar.patch(style),
    )
}

fn status(model: &Model) -> (String, Style) {
    let look = &model.look;
    let word = |text: Text| text.of(model.lang).to_owned();
    match (&model.hub().link, &model.notice) {
        (Link::Ended(why), _) => return (why.clone(), look.wrong),
        (Link::Lost, None) => return (word(LOST), look.wrong),
        (_, Some(Notice::Wrong(text))) => return (text.clone(), look.wrong),
        (_, Some(Notice::Said(text))) => return (text.clone(), Style::new()),
        (Link::Up, None) => {}
    }
    let Some(room) = model.room() else { return (String::new(), Style::new()) };
    let said = match room.composer.purpose {
        Purpose::Reply(seq) => {
            let of = room.said(seq).map(|said| text::line(&said.from)).unwrap_or_default();
            format!("{} {of}", REPLY_TO.of(model.lang))
        }
        Purpose::Edit(_) => word(EDITING),
        Purpose::React(_) => word(REACTING),
        Purpose::Delete(_) => word(DELETING),
        Purpose::Say if room.chosen.is_some() => word(CHOSEN),
        Purpose::Say if room.behind != Behind::Nothing => word(OLD_PART),
        Purpose::Say if room.scroll.is_some() => word(BELOW),
        Purpose::Say => writing(model, room),
    };
    (said, Style::new())
}

/// Who writes.
fn writing(model: &Model, room: &Room) -> String {
    let names: Vec<_> = room.typing.keys().map(|name| text::line(name)).collect();
    match names.len() {
        0 => String::new(),
        1 => format!("{} {}…", names.concat(), WRITES.of(model.lang)),
        _ => format!("{} {}…", names.join(", "), WRITE.of(model.lang)),
    }
}

/// `#den 2  @bob 1  +#tea  @eve »`
fn elsewhere(model: &Model) -> Option<String> {
    let named = |(hub, room): (&Hub, &Room)| {
        let place = text::line(&room.place.to_string());
        let at = if room.mentions > 0 && !room.is_talk() { "@" } else { "" };
        match room.standing {
            Standing::Invited => Some(format!("+{place}")),
            Standing::In if waits_for(room, &hub.me) => Some(format!("{place} »")),
            Standing::In => (room.unread > 0).then(|| format!("{place} {at}{}", room.unread)),
        }
    };
    let rooms = model.hubs.iter().flat_map(|hub| hub.rooms.iter().map(move |room| (hub, room)));
    let all: Vec<_> = rooms.filter_map(named).collect();
    (!all.is_empty()).then(|| all.join("  "))
}

/// What is typed, with the cursor in it.
fn draw_composer(model: &Model, frame: &mut Frame<'_>, area: Rect) {
    let (rows, (row, column)) = model.composer().rows(layout::composer_columns(model));
    let height = usize::from(area.height);
    let top = (row + 1).saturating_sub(height);
    let shown = rows.iter().enumerate().skip(top).take(height).map(|(nth, row)| {
        let prompt = if nth == 0 { PROMPT } else { "  " };
        Line::from(vec![Span::styled(prompt, model.look.faint), Span::raw(row.clone())])
    });
    put(frame, area, shown.collect());
    let column = u16::try_from(column + PROMPT.len()).unwrap_or(u16::MAX);
    let row = u16::try_from(row - top).unwrap_or(0);
    let (x, y) = (area.x.saturating_add(column), area.y.saturating_add(row));
    if area.contains(Position::new(x, y)) {
        frame.set_cursor_position((x, y));
    }
}
