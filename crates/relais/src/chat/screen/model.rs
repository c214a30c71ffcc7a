//! All that the screen knows. It hears news and keys, and gives what is to be done; it knows no terminal, no
//! connection and no clock.

use relais_hub::{
    Lang,
    model::{Cid, Millis, Seq},
    protocol::{Ask, Event, Place},
    words::{Reader, Text},
};
use tokio::time::Instant;

use super::{
    composer::Composer,
    hub::{Hub, is_same},
    room::Room,
    theme::Look,
};
use crate::chat::invitations;

/// What the screen shows, and what it takes to go on.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) hubs: Vec<Hub>,
    /// Where what is typed is said.
    pub(super) here: Option<Here>,
    /// What is shown instead of what was said.
    pub(super) pane: Pane,
    pub(super) bare: Bare,
    pub(super) list: Shown,
    pub(super) members: Shown,
    pub(super) lang: Lang,
    pub(super) look: Look,
    /// Columns and rows.
    pub(super) size: (u16, u16),
    pub(super) eyes: Eyes,
    pub(super) mouse: Mouse,
    /// What was told last, until something is done.
    pub(super) notice: Option<Notice>,
    /// Until when it is told, once that is known.
    pub(super) notice_ends: Option<Instant>,
    /// What is typed where there is no room.
    pub(super) nowhere: Composer,
    pub(super) completing: Option<Completing>,
    pub(super) outside: Outside,
    /// Where others were told that who looks writes, and when.
    pub(super) told_typing: Option<(Here, Instant)>,
    /// When the hub is to be told how far was read.
    pub(super) read_at: Option<Instant>,
    /// Whether it was said that leaving loses something.
    pub(super) warned: Warned,
    pub(super) deeds: Vec<Deed>,
}

/// What is taken from outside.
#[derive(Clone, Copy, Debug)]
pub(super) struct Outside {
    /// Fills bytes with what nobody can guess.
    pub(super) random: fn(&mut [u8]),
    /// What time it is.
    pub(super) clock: fn() -> Millis,
}

/// A room of a hub.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Here {
    pub(super) hub: usize,
    pub(super) place: Place,
}

/// A word that is being completed, and what it may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Completing {
    /// Where the word begins.
    pub(super) start: usize,
    pub(super) words: Vec<String>,
    /// Which of them stands there.
    pub(super) at: usize,
}

/// What stands instead of what was said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Pane {
    #[default]
    None,
    /// Lines, from the row `top` on.
    Lines { title: String, lines: Vec<String>, top: usize },
    /// What there is on the screen, and what keys and commands do.
    Help { top: usize },
    /// Who is in the room, where there is no room for them beside it.
    Members { top: usize },
    /// What a search found.
    Found { hub: usize, words: String, found: Option<Vec<Event>>, chosen: usize },
    /// The rooms, where there is no room for their list.
    Rooms { chosen: usize },
}

/// Whether text is shown bare, in place of the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bare {
    No,
    Yes,
}

/// Whether a part of the screen is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Where there is room for it.
    Usually,
    Yes,
    No,
}

/// Whether somebody looks at the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Eyes {
    Here,
    Elsewhere,
}

/// Whose the mouse is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mouse {
    Ours,
    Terminals,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Warned {
    No,
    Yes,
}

/// What the last row but those of typing tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Notice {
    Said(String),
    Wrong(String),
}

/// Something to be done outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    /// Asks a hub.
    Ask(usize, Ask),
    /// Tells who does not look.
    Alert {
        title: String,
        body: String,
    },
    Mouse(Mouse),
    /// Shows this in place of the screen, as it is.
    ShowBare(String),
    /// Shows the screen again.
    ShowScreen,
    Suspend,
    Redraw,
    /// Writes all that was done at this hub to a new file.
    Export(usize, String),
    /// Forgets the token of this hub, which is of no use any more.
    Forget(usize),
    Leave,
}

impl Model {
    /// A screen of hubs that are called so, of so many columns and rows.
    pub(super) fn new(
        names: impl IntoIterator<Item = String>,
        (lang, look): (Lang, Look),
        size: (u16, u16),
        outside: Outside,
    ) -> Self {
        Self {
            hubs: names.into_iter().map(Hub::new).collect(),
            here: None,
            pane: Pane::None,
            bare: Bare::No,
            list: Shown::Usually,
            members: Shown::Usually,
            lang,
            look,
            size,
            eyes: Eyes::Here,
            mouse: Mouse::Ours,
            notice: None,
            notice_ends: None,
            nowhere: Composer::default(),
            completing: None,
            outside,
            told_typing: None,
            read_at: None,
            warned: Warned::No,
            deeds: Vec::new(),
        }
    }

    /// The room that one is in.
    pub(super) fn room(&self) -> Option<&Room> {
        let here = self.here.as_ref()?;
        self.hubs[here.hub].room(&here.place)
    }

    pub(super) fn room_mut(&mut self) -> Option<&mut Room> {
        let here = self.here.as_ref()?;
        self.hubs[here.hub].room_mut(&here.place)
    }

    /// The hub that what is typed is for: the room's, or the first.
    pub(super) fn hub_at(&self) -> usize {
        self.here.as_ref().map_or(0, |here| here.hub)
    }

    pub(super) fn hub(&self) -> &Hub {
        &self.hubs[self.hub_at()]
    }

    pub(super) fn is_here(&self, hub: usize, place: &Place) -> bool {
        self.here.as_ref().is_some_and(|here| here.hub == hub && is_same(&here.place, place))
    }

    pub(super) fn composer(&self) -> &Composer {
        self.room().map_or(&self.nowhere, |room| &room.composer)
    }

    pub(super) fn composer_mut(&mut self) -> &mut Composer {
        let Some(here) = &self.here else { return &mut self.nowhere };
        match self.hubs[here.hub].room_mut(&here.place) {
            Some(room) => &mut room.composer,
            None => &mut self.nowhere,
        }
    }

    /// Whom lines are shown to, of what a hub tells of a room.
    pub(super) fn reader<'a>(&'a self, hub: usize, here: Option<&'a Place>) -> Reader<'a> {
        Reader { lang: self.lang, me: Some(&self.hubs[hub].me), here }
    }

    pub(super) fn word(&self, text: Text) -> &'static str {
        text.of(self.lang)
    }

    pub(super) fn say(&mut self, text: Text) {
        self.tell_briefly(text.of(self.lang).to_owned());
    }

    /// Tells something for a while.
    pub(super) fn tell_briefly(&mut self, text: String) {
        (self.notice, self.notice_ends) = (Some(Notice::Said(text)), None);
    }

    pub(super) fn wrong(&mut self, text: String) {
        (self.notice, self.notice_ends) = (Some(Notice::Wrong(text)), None);
    }

    pub(super) fn ask(&mut self, hub: usize, ask: Ask) {
        self.hubs[hub].asked += usize::from(is_counted(&ask));
        self.deeds.push(Deed::Ask(hub, ask));
    }

    /// What is to be called by this name once: 128 random bits.
    pub(super) fn draw_cid(&self) -> Cid {
        let mut drawn = [0; 16];
        (self.outside.random)(&mut drawn);
        Cid::new(&format!("{:032x}", u128::from_be_bytes(drawn))).expect("32 digits")
    }

    pub(super) fn take_deeds(&mut self) -> Vec<Deed> {
        std::mem::take(&mut self.deeds)
    }

    /// The last message of the room that one is in.
    pub(super) fn newest(&self) -> Option<Seq> {
        self.room()?.all_said().next_back().map(|(seq, _)| seq)
    }
}

/// Whether it is told that this was not answered yet: what somebody did, and is no message.
pub(super) fn is_counted(ask: &Ask) -> bool {
    !matches!(
        ask,
        Ask::Message { .. }
            | Ask::Typing { .. }
            | Ask::Read { .. }
            | Ask::Who { .. }
            | Ask::History { .. }
            | Ask::Search { .. }
    ) && !invitations::are_asked(ask)
}
