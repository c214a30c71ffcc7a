//! What stands where on the screen, for who draws and who points.

use ratatui::layout::Rect;

use super::{
    model::{Here, Model, Notice, Pane, Shown},
    text::wrap,
};

/// The parts of the screen. One of no rows or columns is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Areas {
    pub(super) title: Rect,
    pub(super) list: Rect,
    pub(super) middle: Rect,
    pub(super) members: Rect,
    pub(super) status: Rect,
    pub(super) composer: Rect,
}

/// A row of the list of rooms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Entry {
    /// The name of a hub, where there are several.
    Hub(usize),
    /// A room, and which of all it is.
    Room(Here, usize),
}

/// With fewer columns there is no list beside what was said.
const LIST_FROM: u16 = 60;

/// With as many, who is in the room is shown unasked.
const MEMBERS_FROM: u16 = 100;

/// What stands before what is typed.
pub(super) const PROMPT: &str = "> ";

pub(super) fn is_narrow(model: &Model) -> bool {
    model.size.0 < LIST_FROM
}

pub(super) fn has_list(model: &Model) -> bool {
    !is_narrow(model) && model.list != Shown::No
}

pub(super) fn has_members(model: &Model) -> bool {
    let is_wanted = match model.members {
        Shown::Usually => model.size.0 >= MEMBERS_FROM,
        Shown::Yes => true,
        Shown::No => false,
    };
    is_wanted && !is_narrow(model) && model.room().is_some_and(|room| !room.is_talk())
}

/// Has the list be shown where it is not, and the other way round.
pub(super) fn other_list(model: &Model) -> Shown {
    if has_list(model) { Shown::No } else { Shown::Yes }
}

/// The same of who is in the room.
pub(super) fn other_members(model: &Model) -> Shown {
    if has_members(model) { Shown::No } else { Shown::Yes }
}

/// Where everything stands.
pub(super) fn areas(model: &Model) -> Areas {
    let (columns, rows) = model.size;
    let composer_rows = composer_rows(model).min(rows);
    let status_rows = status_rows(model).min(rows - composer_rows);
    let title_rows = u16::from(rows > composer_rows + status_rows + 2);
    let below = rows - composer_rows;
    let middle_rows = below - status_rows - title_rows;
    let (list, members) = side_columns(model);
    let part = |x, width| Rect::new(x, title_rows, width, middle_rows);
    Areas {
        title: Rect::new(0, 0, columns, title_rows),
        list: part(0, list),
        middle: part(list, columns - list - members),
        members: part(columns - members, members),
        status: Rect::new(0, below - status_rows, columns, status_rows),
        composer: Rect::new(0, below, columns, composer_rows),
    }
}

/// What was told last has as many rows as it takes, up to a few, where there are many.
fn status_rows(model: &Model) -> u16 {
    let Some(Notice::Said(text) | Notice::Wrong(text)) = &model.notice else { return 1 };
    let most = if model.size.1 < TALL { 1 } else { NOTICE_ROWS_MAX };
    let room = usize::from(model.size.0).saturating_sub(2);
    u16::try_from(wrap(text, (room, room)).len()).unwrap_or(most).min(most)
}

/// From so many rows on there are some for a long word.
const TALL: u16 = 12;

const NOTICE_ROWS_MAX: u16 = 4;

/// How wide the parts on both sides are.
fn side_columns(model: &Model) -> (u16, u16) {
    let width = if model.size.0 < MEMBERS_FROM { 18 } else { 24 };
    let list = if has_list(model) { width } else { 0 };
    (list, if has_members(model) { 18 } else { 0 })
}

/// How many columns a line that is typed has.
pub(super) fn composer_columns(model: &Model) -> usize {
    usize::from(model.size.0).saturating_sub(PROMPT.len()).max(2)
}

fn composer_rows(model: &Model) -> u16 {
    let (rows, _) = model.composer().rows(composer_columns(model));
    let most = (model.size.1 / 3).clamp(1, 8);
    u16::try_from(rows.len()).unwrap_or(most).min(most)
}

pub(super) fn middle_columns(model: &Model) -> usize {
    usize::from(areas(model).middle.width)
}

pub(super) fn middle_rows(model: &Model) -> usize {
    usize::from(areas(model).middle.height)
}

/// How many rows a page turns: one stays.
pub(super) fn page_rows(model: &Model) -> usize {
    middle_rows(model).saturating_sub(1).max(1)
}

/// The rows of the list of rooms, as many as there are in the list's area or in the pane, so that the one that
/// is chosen is among them.
pub(super) fn entries(model: &Model, rows: usize) -> Vec<Entry> {
    let mut entries = Vec::new();
    let (mut nth, mut chosen) = (0, 0);
    for (hub, of_hub) in model.hubs.iter().enumerate() {
        if model.hubs.len() > 1 {
            entries.push(Entry::Hub(hub));
        }
        for room in &of_hub.rooms {
            if is_chosen(model, nth, &Here { hub, place: room.place.clone() }) {
                chosen = entries.len();
            }
            entries.push(Entry::Room(Here { hub, place: room.place.clone() }, nth));
            nth += 1;
        }
    }
    let top = (chosen + 1).saturating_sub(rows);
    entries.into_iter().skip(top).take(rows).collect()
}

/// Whether the room is the one that is marked in the list.
pub(super) fn is_chosen(model: &Model, nth: usize, here: &Here) -> bool {
    match model.pane {
        Pane::Rooms { chosen } => chosen == nth,
        _ => model.is_here(here.hub, &here.place),
    }
}

/// What of the list stands at a column and row.
pub(super) fn entry_at(model: &Model, (column, row): (u16, u16)) -> Option<Entry> {
    let Areas { list, middle, .. } = areas(model);
    let area = if let Pane::Rooms { .. } = model.pane { below_title(middle) } else { list };
    let is_in = area.contains((column, row).into());
    let nth = usize::from(row.checked_sub(area.y).filter(|_| is_in)?);
    entries(model, usize::from(area.height)).into_iter().nth(nth)
}

/// The part of a pane that is not its title.
pub(super) fn below_title(area: Rect) -> Rect {
    let title = area.height.min(1);
    Rect::new(area.x, area.y + title, area.width, area.height - title)
}
