//! Moving over what was said, row by row.

use relais_hub::protocol::Page;

use super::{
    layout,
    message::Paper,
    model::Model,
    room::{Anchor, Behind, Key, Room},
};

impl Model {
    /// How what was said here is written.
    pub(super) fn paper<'a>(&'a self, room: &'a Room) -> Paper<'a> {
        let Self { look, lang, .. } = self;
        let me = &*self.hub().me;
        Paper { room, me, look, lang: *lang, columns: layout::middle_columns(self) }
    }

    /// Shows what is so many rows above. What is not here is asked for.
    pub(super) fn scroll_up(&mut self, rows: usize) {
        let Some(room) = self.room() else { return };
        let paper = self.paper(room);
        let Some(end) = anchor(room) else { return self.ask_older() };
        let (up, _) = raise(&paper, end, rows);
        // Not above the first row.
        let height = layout::middle_rows(self);
        let (_, missing) = raise(&paper, up, height.saturating_sub(1));
        let (anchor, is_top) = (lower(&paper, up, missing), missing > 0);
        if let Some(room) = self.room_mut() {
            room.scroll = anchor;
        }
        if is_top {
            self.ask_older();
        }
    }

    /// Shows what is so many rows below.
    pub(super) fn scroll_down(&mut self, rows: usize) {
        let Some(room) = self.room() else { return };
        let Some(from) = anchor(room) else { return };
        let to = lower(&self.paper(room), from, rows);
        let (last, end, is_old) = (room.last(), room.end(), room.behind);
        let Some(room) = self.room_mut() else { return };
        room.scroll = to;
        if let (None, Behind::More, Some(key), Some(seq)) = (to, is_old, last, end) {
            room.scroll = Some(Anchor { key, hidden: 0 });
            self.ask_page(Page::After(seq));
        }
    }

    /// Scrolls as far as it takes to see the message that is chosen.
    pub(super) fn show_chosen(&mut self) {
        let Some(room) = self.room() else { return };
        let Some(key) = room.chosen.map(|seq| (seq, 0)).filter(|key| room.items.contains_key(key))
        else {
            return;
        };
        let paper = self.paper(room);
        let height = layout::middle_rows(self);
        let Some(end) = anchor(room) else { return };
        let alone = Anchor { key, hidden: 0 };
        let scroll = if key > end.key || (key == end.key && end.hidden > 0) {
            Some(alone)
        } else if rows_between(&paper, key, end) > height {
            // Some of what follows it is seen, too.
            lower(&paper, alone, height / 2)
        } else {
            room.scroll
        };
        if let Some(room) = self.room_mut() {
            room.scroll = scroll;
        }
    }
}

/// Which row is the last on the screen.
fn anchor(room: &Room) -> Option<Anchor> {
    let kept = room.scroll.filter(|anchor| room.items.contains_key(&anchor.key));
    kept.or_else(|| room.last().map(|key| Anchor { key, hidden: 0 }))
}

/// So many rows up, and how many of them there were not.
fn raise(paper: &Paper<'_>, from: Anchor, rows: usize) -> (Anchor, usize) {
    let Anchor { mut key, mut hidden } = from;
    let mut left = rows;
    loop {
        let last = paper.rows(key).len().saturating_sub(1);
        let step = left.min(last.saturating_sub(hidden));
        hidden += step;
        left -= step;
        let before = paper.room.items.range(..key).next_back().map(|(key, _)| *key);
        match before {
            Some(before) if left > 0 => {
                (key, hidden) = (before, 0);
                left -= 1;
            }
            _ => return (Anchor { key, hidden }, left),
        }
    }
}

/// So many rows down; `None` at the end.
fn lower(paper: &Paper<'_>, from: Anchor, rows: usize) -> Option<Anchor> {
    let Anchor { mut key, mut hidden } = from;
    let mut left = rows;
    while left > hidden {
        left -= hidden + 1;
        let behind = (std::ops::Bound::Excluded(key), std::ops::Bound::Unbounded);
        key = paper.room.items.range(behind).next().map(|(key, _)| *key)?;
        hidden = paper.rows(key).len().saturating_sub(1);
    }
    hidden -= left;
    let is_end = hidden == 0 && paper.room.last() == Some(key);
    (!is_end).then_some(Anchor { key, hidden })
}

/// How many rows there are from the first of an item to the last on the screen.
fn rows_between(paper: &Paper<'_>, first: Key, end: Anchor) -> usize {
    let all = paper.room.items.range(first..=end.key).map(|(key, _)| paper.rows(*key).len());
    all.sum::<usize>().saturating_sub(end.hidden)
}
