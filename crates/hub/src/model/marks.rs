//! Who is to notice what is said, and why: a function of that and of what accounts want to notice.

use std::collections::{BTreeMap, BTreeSet};

use relais_wire::clean::is_mark;

use super::{
    entry::{Act, Deed, Entry, Kind},
    numbers::{AccountId, Millis, RoomId},
    state::{Room, State},
    wish::{Level, Quiet, Wishes},
};
use crate::name::folded;

/// Somebody who is to notice something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Who.
    pub who: AccountId,
    /// Why.
    pub why: Why,
    /// Whether it wants to.
    pub heed: Heed,
}

/// Why something is to be noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// It was said to who is told alone.
    Direct,
    /// It names who is told.
    Mention,
    /// It has a word that who is told looks out for.
    Keyword,
    /// It was said in a room of which who is told wants to notice all.
    Room,
}

/// Whether somebody wants to notice something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heed {
    /// Now.
    Now,
    /// Not now: it is counted for later.
    Later,
    /// Never.
    Never,
}

/// What one account wants to notice of the rooms that it is in: for who tells it later.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attention {
    /// What it wants, whatever the room.
    pub wishes: Wishes,
    /// Its rooms of which it wants more than usual, or less.
    pub levels: BTreeMap<RoomId, Level>,
}

/// The most names in a message that are looked for.
const NAMES_MAX: usize = 32;

/// The most words in a message that are looked for.
const WORDS_LOOKED_AT_MAX: usize = 1000;

/// What stands behind an `@` in `body`.
fn names_in(body: &str) -> impl Iterator<Item = &str> {
    let rests = body.split('@').skip(1).take(NAMES_MAX);
    let words = rests.map(|rest| rest.split(|char| !is_of_name(char)).next().unwrap_or(""));
    words.map(|word| word.trim_end_matches(['.', '-']))
}

fn is_of_name(char: char) -> bool {
    char.is_alphanumeric() || "-_.".contains(char)
}

/// The first words of `body`, folded, as keywords are.
fn words_in(body: &str) -> impl Iterator<Item = String> {
    let words = body.split(|char| !is_of_word(char)).filter(|word| !word.is_empty());
    words.take(WORDS_LOOKED_AT_MAX).map(folded)
}

/// Whether a word goes on with `char`.
pub fn is_of_word(char: char) -> bool {
    char.is_alphanumeric() || char == '_' || is_mark(char)
}

/// Whether who has these wishes notices what is said at `at`, for that reason.
fn heed(level: Level, quiet: Quiet, (why, at): (Why, Millis)) -> Heed {
    match (level, why) {
        (Level::Nothing, _) | (Level::Mentions, Why::Room) => Heed::Never,
        _ if quiet.holds(at) => Heed::Later,
        _ => Heed::Now,
    }
}

impl State {
    /// Who is to notice what `entry` says, in the order of accounts; nobody of what is not said. Not who
    /// says it.
    ///
    /// *Cost*: a look for each name and word in it, and for each who is to notice it, however many are in
    /// the room.
    pub fn marks(&self, entry: &Entry) -> Vec<Mark> {
        let Deed::In { room, act: Act::Say { kind, body, .. } } = &entry.deed else {
            return Vec::new();
        };
        let room = self.room(*room);
        let mut whys = BTreeMap::new();
        match room.other(entry.by) {
            Some(other) => _ = whys.insert(other, Why::Direct),
            None => self.look_through(room, (*kind, body), &mut whys),
        }
        whys.remove(&entry.by);
        let mark = |(who, why)| {
            let level = room.members.get(&who)?.level;
            let heed = heed(level, self.account(who).wishes.quiet, (why, entry.at));
            Some(Mark { who, why, heed })
        };
        whys.into_iter().filter_map(mark).collect()
    }

    /// Finds who is named, who looks out for a word, and who wants all: the first reason counts.
    fn look_through(
        &self,
        room: &Room,
        (kind, body): (Kind, &str),
        whys: &mut BTreeMap<AccountId, Why>,
    ) {
        // Programs disturb nobody by what they happen to say.
        if kind != Kind::Notice {
            for who in names_in(body).filter_map(|name| self.account_named(name)) {
                whys.entry(who).or_insert(Why::Mention);
            }
            for who in self.who_looks_out(room, body) {
                whys.entry(who).or_insert(Why::Keyword);
            }
        }
        for who in &room.keen {
            whys.entry(*who).or_insert(Why::Room);
        }
    }

    /// Who in `room` looks out for a word that is in `body`.
    fn who_looks_out(&self, room: &Room, body: &str) -> BTreeSet<AccountId> {
        let mut found = BTreeSet::new();
        if self.listeners.is_empty() {
            return found;
        }
        let words: BTreeSet<_> = words_in(body).collect();
        for listeners in words.iter().filter_map(|word| self.listeners.get(word)) {
            // Of a word for which all the hub looks out, those in the room are fewer.
            if listeners.len() <= room.members.len() {
                found.extend(listeners.iter().filter(|who| room.members.contains_key(who)));
            } else {
                found.extend(room.members.keys().filter(|who| listeners.contains(who)));
            }
        }
        found
    }

    /// What `who` wants to notice, of its rooms.
    pub fn attention(&self, who: AccountId) -> Attention {
        let account = self.account(who);
        let level = |room: &RoomId| self.room(*room).members.get(&who).map(|member| member.level);
        let levels = account.rooms.iter().filter_map(|room| Some((*room, level(room)?)));
        let levels = levels.filter(|(_, level)| *level != Level::default()).collect();
        Attention { wishes: account.wishes.clone(), levels }
    }
}

impl Attention {
    /// Why who is called `name` is to notice what `entry` says, as far as it wants to; `between` says
    /// whether it was said to it alone.
    pub fn why(&self, entry: &Entry, (name, between): (&str, Between)) -> Option<Why> {
        let Deed::In { room, act: Act::Say { kind, body, .. } } = &entry.deed else { return None };
        let is_looked_through = *kind != Kind::Notice;
        let why = if between == Between::Two {
            Why::Direct
        } else if is_looked_through && is_named(body, name) {
            Why::Mention
        } else if is_looked_through && self.looks_out(body) {
            Why::Keyword
        } else {
            Why::Room
        };
        let level = self.levels.get(room).copied().unwrap_or_default();
        let heed = heed(level, self.wishes.quiet, (why, entry.at));
        (heed == Heed::Now).then_some(why)
    }

    fn looks_out(&self, body: &str) -> bool {
        let words = &self.wishes.words;
        !words.is_empty() && words_in(body).any(|word| words.iter().any(|one| one == word))
    }
}

/// Among whom something is said.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Between {
    /// Two, who speak with each other.
    Two,
    /// All of a room.
    All,
}

/// Whether `body` names who is called `name`.
pub fn is_named(body: &str, name: &str) -> bool {
    names_in(body).any(|word| crate::name::is_same(word, name))
}

impl Mark {
    /// Why who it is about is to notice it now.
    pub fn notify(&self) -> Option<Why> {
        (self.heed == Heed::Now).then_some(self.why)
    }

    /// Whether it is counted among what was not read yet.
    pub fn is_counted(&self) -> bool {
        matches!(self.why, Why::Mention | Why::Keyword) && self.heed != Heed::Never
    }
}

#[cfg(test)]
mod tests;
