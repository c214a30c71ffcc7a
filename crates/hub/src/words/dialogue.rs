//! Dialogues, as lines for people: that one is held, whose turn it is, and that it ended.

use super::{plain::Plain, reader::Reader};
use crate::{
    model::Mode,
    protocol::{Event, Held, Place},
};

/// Adds what happened to a dialogue.
pub(super) fn show_dialogue(event: &Event, reader: Reader<'_>, out: &mut String) {
    match event {
        Event::Dialogue { at, mode } => {
            let (who, there) = (Plain(&at.from), reader.elsewhere(&at.room));
            let how = mode_word(*mode, reader);
            reader.say(
                out,
                format_args!("{who} began a dialogue, {how}{there}: fin or quit ends it"),
                format_args!("{who} a commencé un dialogue, {how}{there} : fin ou quit y met fin"),
            );
        }
        Event::DialogueEnd { at, word } => {
            let (who, there) = (Plain(&at.from), reader.elsewhere(&at.room));
            let word = word.as_ref().map(|word| format!("{}{}", reader.lang.colon(), Plain(word)));
            let word = word.unwrap_or_default();
            reader.say(
                out,
                format_args!("{who} ended the dialogue{there}{word}"),
                format_args!("{who} a mis fin au dialogue{there}{word}"),
            );
        }
        Event::Turn { room, who } => show_turn((room, who), reader, out),
        _ => {}
    }
}

fn show_turn((room, who): (&Place, &str), reader: Reader<'_>, out: &mut String) {
    let there = reader.elsewhere(room);
    if reader.is(who) {
        reader.say(out, format_args!("your turn{there}"), format_args!("à vous{there}"));
        return;
    }
    let who = Plain(who);
    reader.say(out, format_args!("the turn of {who}{there}"), format_args!("à {who}{there}"));
}

/// What stands of a dialogue behind its room in a list.
pub(super) fn held_words(held: &Held, reader: Reader<'_>) -> String {
    let Held { mode, turn } = held;
    let how = mode_word(*mode, reader);
    let turn = match turn {
        None => String::new(),
        Some(who) if reader.is(who) => reader.word(", your turn", ", à vous").to_owned(),
        Some(who) => format!("{}{}", reader.word(", the turn of ", ", à "), Plain(who)),
    };
    format!(", {} {how}{turn}", reader.word("a dialogue", "un dialogue"))
}

fn mode_word(mode: Mode, reader: Reader<'_>) -> &'static str {
    match mode {
        Mode::Turns => reader.word("each in turn", "chacun son tour"),
        Mode::Free => reader.word("whoever likes", "libre"),
    }
}

/// Where somebody speaks, as far as what ends a dialogue is to be told from what ends a connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Stand {
    /// In no room.
    #[default]
    Nowhere,
    /// In a room, or with somebody.
    In(Place),
    /// In a dialogue.
    InDialogue(Place),
}

impl Stand {
    /// Where who enters a room stands; `held` is the dialogue there.
    pub fn entered(place: Place, held: Option<&Held>) -> Self {
        if held.is_some() { Self::InDialogue(place) } else { Self::In(place) }
    }

    /// Where that is.
    pub fn place(&self) -> Option<&Place> {
        match self {
            Self::Nowhere => None,
            Self::In(place) | Self::InDialogue(place) => Some(place),
        }
    }

    /// Takes in that a dialogue begins, or ends.
    pub fn hear(&mut self, event: &Event) {
        let Some(here) = self.place().filter(|here| event.room() == Some(here)).cloned() else {
            return;
        };
        match event {
            Event::Dialogue { .. } => *self = Self::InDialogue(here),
            Event::DialogueEnd { .. } => *self = Self::In(here),
            _ => {}
        }
    }
}
