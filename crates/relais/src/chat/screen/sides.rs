//! What stands beside what was said: the rooms, and who is in one of them.

use ratatui::{
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use relais_hub::{
    model::{Level, Role},
    protocol::Place,
};

use super::{
    hub::{Link, Presence},
    layout::{self, Entry},
    model::{Model, Pane},
    room::{Member, Room, Standing},
    text::{self, columns, cut},
    wishes::waits_for,
};

/// The rooms, with what is new in them.
pub(super) fn list_rows(model: &Model, area: Rect) -> Vec<Line<'static>> {
    let width = usize::from(area.width);
    let row = |entry| match entry {
        Entry::Hub(hub) => hub_row(model, hub, width),
        Entry::Room(here, nth) => {
            let room = model.hubs[here.hub].room(&here.place);
            let row = room.map(|room| room_row(model, (here.hub, room), width)).unwrap_or_default();
            let is_chosen = layout::is_chosen(model, nth, &here);
            if is_chosen { row.patch_style(model.look.chosen) } else { row }
        }
    };
    let entries = layout::entries(model, usize::from(area.height));
    let end = if matches!(model.pane, Pane::Rooms { .. }) { "" } else { "│" };
    let mut rows: Vec<Line<'static>> = entries.into_iter().map(row).collect();
    rows.resize(
        usize::from(area.height),
        Line::raw(" ".repeat(width.saturating_sub(columns(end)))),
    );
    if !end.is_empty() {
        for row in &mut rows {
            row.push_span(Span::styled(end, model.look.faint));
        }
    }
    rows
}

fn hub_row(model: &Model, hub: usize, width: usize) -> Line<'static> {
    let hub = &model.hubs[hub];
    let mark = if hub.link == Link::Up { "" } else { " ×" };
    let name = cut(&text::line(&hub.name), width.saturating_sub(1 + columns(mark)));
    let blank = " ".repeat(width.saturating_sub(1 + columns(&name) + columns(mark)));
    Line::from(vec![
        Span::styled(name, model.look.strong),
        Span::styled(format!("{mark}{blank}"), model.look.wrong),
    ])
}

/// `#lab          @3`
fn room_row(model: &Model, (hub, room): (usize, &Room), width: usize) -> Line<'static> {
    let look = &model.look;
    let ((mark, mark_style), (count, style)) = (mark(model, (hub, room)), news(model, (hub, room)));
    // One column for the line beside the list.
    let width = width.saturating_sub(1);
    let room_for = width.saturating_sub(1 + columns(&count) + 1);
    let name = cut(&text::line(&room.place.to_string()), room_for);
    let blank = " ".repeat(width.saturating_sub(1 + columns(&name) + columns(&count)));
    let name_style = match (room.level, room.unread) {
        (Level::Nothing, _) => look.faint,
        (_, 0) => Style::new(),
        _ => look.strong,
    };
    Line::from(vec![
        Span::styled(mark, mark_style),
        Span::styled(name, name_style),
        Span::raw(blank),
        Span::styled(count, style),
    ])
}

/// What stands before a room: that one is invited, or whether who one talks with is there.
fn mark(model: &Model, (hub, room): (usize, &Room)) -> (&'static str, Style) {
    let look = &model.look;
    match &room.place {
        Place::Room(_) if room.standing == Standing::Invited => ("+", look.new),
        Place::Room(_) => (" ", Style::new()),
        Place::Person(name) => match model.hubs[hub].presence(name) {
            Some(Presence::Online) => ("●", look.there),
            Some(Presence::Away) => ("◐", look.faint),
            Some(Presence::Offline) | None => (" ", Style::new()),
        },
    }
}

/// What stands behind it: whether something is new there, or waits.
fn news(model: &Model, (hub, room): (usize, &Room)) -> (String, Style) {
    let look = &model.look;
    let is_empty = model.is_here(hub, &room.place) || room.composer.text().is_empty();
    match (room.unread, room.mentions) {
        _ if waits_for(room, &model.hubs[hub].me) => ("»".to_owned(), look.mention),
        (0, _) if is_empty => (String::new(), Style::new()),
        // Something is typed there and not said.
        (0, _) => ("✎".to_owned(), look.faint),
        (unread, 0) if room.level == Level::Nothing => (unread.to_string(), look.faint),
        (unread, _) if room.is_talk() => (unread.to_string(), look.mention),
        (unread, 0) => (unread.to_string(), look.new),
        (unread, _) => (format!("@{unread}"), look.mention),
    }
}

/// Who is in the room: first who is there.
pub(super) fn member_rows(model: &Model, area: Rect) -> Vec<Line<'static>> {
    if area.width <= 2 {
        return Vec::new();
    }
    let members = members(model);
    let height = usize::from(area.height);
    let (name_columns, more) = (usize::from(area.width) - 3, members.len().saturating_sub(height));
    let row = |(nth, (member, presence)): (usize, &(&Member, Presence))| {
        let (mark, style) = match presence {
            Presence::Online => ("●", model.look.there),
            Presence::Away => ("◐", model.look.faint),
            Presence::Offline => (" ", model.look.faint),
        };
        let is_last = more > 0 && nth + 1 == height;
        let name =
            if is_last { format!("… {}", more + 1) } else { cut(&named(member), name_columns) };
        let is_there = *presence == Presence::Online;
        let name_style = if is_there { model.look.author(&member.name) } else { style };
        Line::from(vec![
            Span::styled("│", model.look.faint),
            Span::styled(mark, style),
            Span::styled(name, name_style),
        ])
    };
    let mut rows: Vec<_> = members.iter().take(height).enumerate().map(row).collect();
    rows.resize(height, Line::styled("│", model.look.faint));
    rows
}

/// The same, as lines.
pub(super) fn member_lines(model: &Model) -> Vec<String> {
    let line = |(member, presence): (&Member, Presence)| {
        let mark = match presence {
            Presence::Online => "●",
            Presence::Away => "◐",
            Presence::Offline => " ",
        };
        format!("{mark}{}", named(member))
    };
    members(model).into_iter().map(line).collect()
}

fn members<'m>(model: &'m Model) -> Vec<(&'m Member, Presence)> {
    let with_presence = |member: &'m Member| {
        let presence = model.hub().presence(&member.name);
        (member, presence.unwrap_or(Presence::Offline))
    };
    let members = model.room().map(|room| &*room.members).unwrap_or_default();
    let mut members: Vec<_> = members.iter().map(with_presence).collect();
    members.sort_by_key(|(member, presence)| (*presence, member.name.to_lowercase()));
    members
}

/// The name, and a mark for who may do more than others.
fn named(member: &Member) -> String {
    let name = text::line(&member.name);
    if member.role == Role::Member { name } else { format!("{name} +") }
}
