//! What is one of few things, and what each is called.

use super::fields::{Amiss, Fields, Found};
use crate::{
    model::{Kind, Level, Mode, Role, Why},
    protocol::EventsBy,
};

/// What each of few things is called, and what they are, for who expected one.
pub(super) struct Names<T: 'static>(&'static [(&'static str, T)], &'static str);

/// How something is said.
pub(super) const KINDS: Names<Kind> = Names(
    &[("text", Kind::Text), ("action", Kind::Action), ("notice", Kind::Notice)],
    "text, action or notice",
);

/// What a member may do.
pub(super) const ROLES: Names<Role> = Names(
    &[("member", Role::Member), ("moderator", Role::Moderator), ("owner", Role::Owner)],
    "member, moderator or owner",
);

/// How a dialogue is held.
pub(super) const MODES: Names<Mode> =
    Names(&[("turns", Mode::Turns), ("free", Mode::Free)], "turns or free");

/// The same, or no more.
pub(super) const ENDED_OR: Names<Option<Mode>> = Names(
    &[("turns", Some(Mode::Turns)), ("free", Some(Mode::Free)), ("end", None)],
    "turns, free or end",
);

/// How much of a room is to be noticed.
pub(super) const LEVELS: Names<Level> = Names(
    &[("all", Level::All), ("mentions", Level::Mentions), ("none", Level::Nothing)],
    "all, mentions or none",
);

/// Why something is to be noticed.
pub(super) const WHYS: Names<Why> = Names(
    &[
        ("mention", Why::Mention),
        ("direct", Why::Direct),
        ("keyword", Why::Keyword),
        ("room", Why::Room),
    ],
    "mention, direct, keyword or room",
);

/// By which way events come.
pub(super) const EVENTS_BY: Names<EventsBy> =
    Names(&[("here", EventsBy::Here), ("udp", EventsBy::Udp)], "here or udp");

impl<T: Copy + PartialEq> Names<T> {
    /// What `thing` is called.
    pub(super) fn of(&self, thing: T) -> &'static str {
        let found = self.0.iter().find(|(_, named)| *named == thing);
        found.expect("a name for each of them").0
    }

    /// What is called as `field` says.
    pub(super) fn read(&self, fields: Fields<'_>, field: &'static str) -> Found<T> {
        let named = |text| self.0.iter().find(|(name, _)| *name == text).map(|(_, thing)| *thing);
        let read = |text| named(text).ok_or(Amiss::Other(field, self.1));
        fields.str(field)?.map(read).transpose()
    }
}
