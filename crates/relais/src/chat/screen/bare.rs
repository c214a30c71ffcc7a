//! Text shown bare, for a terminal to mark and copy whole: no lists beside it, nothing before its rows, and no
//! end of a row in it but its own.

use relais_hub::{model::Kind, protocol::Event, words::clock};

use super::{
    item::Item,
    layout,
    model::{Bare, Deed, Model, Pane},
    panes,
    phrases::BARE,
    room::{Key, Room},
    text,
};

impl Model {
    /// Shows bare what one looks at: the message that is chosen, else the pane, else the messages that are seen.
    pub(super) fn show_bare(&mut self) {
        let Some(text) = self.bare_text() else { return };
        self.bare = Bare::Yes;
        self.deeds.push(Deed::ShowBare(format!("{text}\n\n{}\n", self.word(BARE))));
    }

    /// Whether text was shown bare. The screen is there again.
    pub(super) fn end_bare(&mut self) -> bool {
        let was_bare = std::mem::replace(&mut self.bare, Bare::No) == Bare::Yes;
        if was_bare {
            self.deeds.push(Deed::ShowScreen);
        }
        was_bare
    }

    fn bare_text(&self) -> Option<String> {
        match &self.pane {
            Pane::Lines { .. } | Pane::Help { .. } | Pane::Members { .. } => {
                return Some(panes::lines(self).join("\n"));
            }
            Pane::Found { found, chosen, .. } => {
                let Some(Event::Message { body, .. }) = found.as_deref()?.get(*chosen) else {
                    return None;
                };
                return body.as_deref().map(text::body);
            }
            Pane::Rooms { .. } | Pane::None => {}
        }
        let room = self.room()?;
        let chosen = room.chosen.and_then(|seq| room.said(seq));
        if let Some(body) = chosen.and_then(|said| said.body.as_deref()) {
            return Some(text::body(body));
        }
        let seen = self.seen(room).into_iter().filter_map(|key| room.items.get(&key));
        Some(seen.map(bare).collect::<Vec<_>>().join("\n"))
    }

    /// The items of which something is on the screen.
    fn seen(&self, room: &Room) -> Vec<Key> {
        let paper = self.paper(room);
        let end = room.scroll.map(|anchor| anchor.key).or(room.last());
        let (mut left, height) = (layout::middle_rows(self), layout::middle_rows(self));
        let keys = end.map(|end| room.items.range(..=end).rev()).into_iter().flatten();
        let mut seen = Vec::new();
        for (key, _) in keys.take(height) {
            if left == 0 {
                break;
            }
            left = left.saturating_sub(paper.rows(*key).len());
            seen.push(*key);
        }
        seen.reverse();
        seen
    }
}

/// An item in one line for each of its own.
fn bare(item: &Item) -> String {
    match item {
        Item::Said(said) => {
            let body = said.body.as_deref().map(text::body).unwrap_or_default();
            let (time, from) = (clock(said.at), text::line(&said.from));
            match said.kind {
                Kind::Text => format!("{time} {from}: {body}"),
                Kind::Action => format!("{time} * {from} {body}"),
                Kind::Notice => format!("{time} -{from}- {body}"),
            }
        }
        Item::Note(note) => text::body(&note.text),
    }
}
