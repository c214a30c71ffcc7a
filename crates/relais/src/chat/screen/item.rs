//! What stands in a room: messages, and notes of what else happened.

use relais_hub::model::{Kind, Millis, Seq};

/// Something in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Item {
    Said(Said),
    Note(Note),
}

/// What else happened, or the hub answered, in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Note {
    /// When it happened; of an answer nothing is said of that.
    pub(super) at: Option<Millis>,
    pub(super) text: String,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub(super) at: Millis,
    pub(super) from: String,
    pub(super) kind: Kind,
    /// Nothing, if it was taken out.
    pub(super) body: Option<String>,
    pub(super) reply: Option<Seq>,
    /// Whether it names who looks, or has a word that it looks out for.
    pub(super) mention: bool,
    pub(super) edited: bool,
}

impl Item {
    /// When it was said, or happened.
    pub(super) fn at(&self) -> Option<Millis> {
        match self {
            Self::Said(said) => Some(said.at),
            Self::Note(note) => note.at,
        }
    }
}
