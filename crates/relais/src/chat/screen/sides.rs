//! What stands beside what was said: the rooms, and who is in one of them.

use ratatui::{
    layout::Rect,
    style::Style,
    text::{Line, Span},
};
use relais_hub::{model::Role, protocol::Place};

use super::{
    hub::{Link, Presence},
    layout::{self, Entry},
    model::{Model, Pane},
    room::{Member, Room},
    text::{self, columns, cut},
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
    let (mark, mark_style) = match &room.place {
        Place::Room(_) => (" ", Style::new()),
        Place::Person(name) => match model.hubs[hub].presence(name) {
            Some(Presence::Online) => ("●", look.there),
            Some(Presence::Away) => ("◐", look.faint),
            Some(Presence::Offline) | None => (" ", Style::new()),
        },
    };
    let (count, style) = match (room.unread, room.mentions) {
        (0, _) if model.is_here(hub, &room.place) || room.composer.text().is_empty() => {
            (String::new(), Style::new())
        }
        // Something is typed there and not said.
        (0, _) => ("✎".to_owned(), look.faint),
        (unread, _) if room.is_talk() => (unread.to_string(), look.mention),
        (unread, 0) => (unread.to_string(), look.new),
        (unread, _) => (format!("@{unread}"), look.mention),
    };
    // One column for the line beside the list.
    let width = width.saturating_sub(1);
    let room_for = width.saturating_sub(1 + columns(&count) + 1);
    let name = cut(&text::line(&room.place.to_string()), room_for);
    let blank = " ".repeat(width.saturating_sub(1 + columns(&name) + columns(&count)));
    let name_style = if room.unread > 0 { look.strong } else { Style::new() };
    Line::from(vec![
        Span::styled(mark, mark_style),
        Span::styled(name, name_style),
        Span::raw(blank),
        Span::styled(count, style),
    ])
}

/// Who is in the room: first who is there.
pub(super) fn member_rows(model: &Model, area: Rect) -> Vec<Line<'static>> {
    let Some(room) = model.room().filter(|_| area.width > 2) else { return Vec::new() };
    let rank = |name: &str| match model.hub().presence(name) {
        Some(Presence::Online) => 0,
        Some(Presence::Away) => 1,
        Some(Presence::Offline) | None => 2,
    };
    let mut members: Vec<_> = room.members.iter().collect();
    members.sort_by_key(|member| (rank(&member.name), member.name.to_lowercase()));
    let height = usize::from(area.height);
    let (name_columns, more) = (usize::from(area.width) - 3, members.len().saturating_sub(height));
    let row = |(nth, member): (usize, &&Member)| {
        let (mark, style) = match rank(&member.name) {
            0 => ("●", model.look.there),
            1 => ("◐", model.look.faint),
            _ => (" ", model.look.faint),
        };
        let name = match member.role {
            Role::Member => text::line(&member.name),
            _ => format!("{} +", text::line(&member.name)),
        };
        let is_last = more > 0 && nth + 1 == height;
        let name = if is_last { format!("… {}", more + 1) } else { cut(&name, name_columns) };
        let name_style =
            if rank(&member.name) == 0 { model.look.author(&member.name) } else { style };
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
