//! What accounts say they want to notice: deeds of their own, told to nobody else.

use std::collections::BTreeSet;

use super::numbers::{Millis, RoomId};

/// What somebody wants to notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wish {
    /// So much of what is said in a room that it is in.
    Level {
        /// Which.
        room: RoomId,
        /// How much.
        level: Level,
    },
    /// What has one of these words in it, and none that it named before.
    Words(Words),
    /// Nothing for now, or again what it did.
    Quiet(Quiet),
}

/// How much somebody wants to notice of what is said in a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Level {
    /// All.
    All,
    /// What names it, or has a word that it looks out for; between two, all.
    #[default]
    Mentions,
    /// Nothing.
    Nothing,
}

/// Whether somebody wants to notice nothing for now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Quiet {
    /// No.
    #[default]
    Off,
    /// Until then.
    Until(Millis),
    /// Until it says otherwise.
    On,
}

/// What an account wants to notice, whatever room it is said in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wishes {
    /// What has one of these words in it, which are folded.
    pub words: Words,
    /// Whether it wants to notice nothing for now.
    pub quiet: Quiet,
}

/// Words that somebody looks out for, each once and in their order.
///
/// Each is of characters that [words are made of](super::is_of_word), and they are one space apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Words(String);

impl Words {
    /// Those that `text` is made of, as they stand there.
    pub fn read(text: &str) -> Self {
        text.split_whitespace().map(str::to_owned).collect()
    }

    /// All of them, one space apart.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.split_whitespace()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Each word is taken as it is.
impl FromIterator<String> for Words {
    fn from_iter<I: IntoIterator<Item = String>>(words: I) -> Self {
        let words: BTreeSet<String> = words.into_iter().collect();
        Self(words.into_iter().collect::<Vec<_>>().join(" "))
    }
}

impl Quiet {
    /// Whether nothing is to be noticed at `at`.
    pub fn holds(self, at: Millis) -> bool {
        match self {
            Self::Off => false,
            Self::Until(until) => at < until,
            Self::On => true,
        }
    }
}
