//! What who looks wants to notice, and dialogues: what the hub tells of them, and how it is shown in a few words.

use std::time::Duration;

use relais_hub::{
    model::{Level, Millis, Quiet},
    protocol::{Event, Held, Place, Where},
    words::clock,
};
use tokio::time::Instant;

use super::{
    dates::{day, days},
    layout,
    model::Model,
    phrases::{ALL_NOTICED, DIALOGUE, FREELY, MUTED, NOT_DISTURBED, THE_TURN_OF, UNTIL, YOUR_TURN},
    room::Room,
    text,
};

impl Model {
    /// Hears of a wish. Whether the event is one.
    pub(super) fn heard_wish(&mut self, hub: usize, event: &Event, now: Instant) -> bool {
        match event {
            Event::Notify { room, level } => {
                if let Some(room) = self.hubs[hub].room_mut(room) {
                    room.level = *level;
                }
            }
            Event::Keywords(words) => self.hubs[hub].words = words.clone(),
            Event::Quiet(quiet) => self.be_quiet(hub, *quiet, now),
            _ => return false,
        }
        let note = self.in_words(hub, event, None);
        self.tell_briefly(note);
        true
    }

    /// Shows that who looks is to be disturbed, or not, until that is over.
    pub(super) fn be_quiet(&mut self, hub: usize, quiet: Quiet, now: Instant) {
        let left = match quiet {
            Quiet::Until(until) => Some(until.0.saturating_sub((self.outside.clock)().0)),
            Quiet::On | Quiet::Off => None,
        };
        let ends = left.and_then(|left| now.checked_add(Duration::from_millis(left)));
        (self.hubs[hub].quiet, self.hubs[hub].quiet_ends) = (quiet, ends);
    }

    /// Has nobody be quiet longer than it wanted.
    pub(super) fn end_quiet(&mut self, now: Instant) {
        for hub in self.hubs.iter_mut().filter(|hub| hub.quiet_ends.is_some_and(|at| at <= now)) {
            (hub.quiet, hub.quiet_ends) = (Quiet::Off, None);
        }
    }

    /// Hears of a dialogue.
    pub(super) fn heard_dialogue(&mut self, hub: usize, event: &Event) {
        let Some(room) = event.room().and_then(|room| self.hubs[hub].room_mut(room)) else {
            return;
        };
        match event {
            Event::Dialogue { at, mode } => {
                room.dialogue = Some(Held { mode: *mode, turn: None });
                self.tell_of_dialogue(hub, (event, at));
            }
            Event::DialogueEnd { .. } => room.dialogue = None,
            Event::Turn { who, .. } => {
                if let Some(held) = &mut room.dialogue {
                    held.turn = Some(who.clone());
                }
            }
            _ => {}
        }
    }

    /// Tells who does not look there that somebody begins one.
    fn tell_of_dialogue(&mut self, hub: usize, (event, at): (&Event, &Where)) {
        if self.hubs[hub].me == at.from {
            return;
        }
        let words = self.in_words(hub, event, None);
        if !self.is_here(hub, &at.room) {
            self.tell_briefly(words.clone());
        }
        self.alert(text::line(&at.from), words);
    }

    /// What stands behind the name of a room: whose turn it is, and how much of it is noticed.
    pub(super) fn about(&self, room: &Room) -> String {
        let dialogue = room.dialogue.as_ref().map(|held| match &held.turn {
            None => format!("{}, {}", self.word(DIALOGUE), self.word(FREELY)),
            Some(who) if *who == self.hub().me => {
                format!("{}: {}", self.word(DIALOGUE), self.word(YOUR_TURN))
            }
            Some(who) => {
                let (dialogue, turn) = (self.word(DIALOGUE), self.word(THE_TURN_OF));
                format!("{dialogue}: {turn} {}", text::line(who))
            }
        });
        let level = match room.level {
            Level::All => Some(self.word(ALL_NOTICED).to_owned()),
            Level::Mentions => None,
            Level::Nothing => Some(self.word(MUTED).to_owned()),
        };
        let all: Vec<_> = [dialogue, level].into_iter().flatten().collect();
        if all.is_empty() { String::new() } else { format!(" ({})", all.join("; ")) }
    }

    /// Until when who looks is not disturbed, if that is so.
    pub(super) fn quiet_words(&self) -> Option<String> {
        let not_disturbed = self.word(NOT_DISTURBED);
        let until = match self.hub().quiet {
            Quiet::Off => return None,
            Quiet::Until(until) if !layout::is_narrow(self) => until,
            Quiet::Until(_) | Quiet::On => return Some(not_disturbed.to_owned()),
        };
        Some(format!("{not_disturbed} {} {}", self.word(UNTIL), self.time(until)))
    }

    /// A time of day, and the day if it is another.
    fn time(&self, at: Millis) -> String {
        let is_today = days(at) == days((self.outside.clock)());
        if is_today { clock(at) } else { format!("{} {}", day(at, self.lang), clock(at)) }
    }
}

/// Whether a dialogue waits there for who is called `me`.
pub(super) fn waits_for(room: &Room, me: &str) -> bool {
    let turn = room.dialogue.as_ref().and_then(|held| held.turn.as_deref());
    matches!(room.place, Place::Person(_)) && turn == Some(me)
}
