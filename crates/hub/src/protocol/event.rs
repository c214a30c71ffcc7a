//! What happens, as clients are told.

use super::{Place, Refusal};
use crate::model::{Cid, Kind, Level, Millis, Mode, Quiet, Role, Seq, Why, Words};

/// Where in the log, and in its room, something happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Where {
    /// In which room; spoken with whom.
    pub room: Place,
    /// Its place.
    pub seq: Seq,
    /// The place of what was told of the room before it.
    pub prev: Seq,
    /// When.
    pub at: Millis,
    /// Who did it.
    pub from: String,
    /// What its client calls it: for the devices of who did it.
    pub cid: Option<Cid>,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// Something was said.
    Message {
        /// Where.
        at: Where,
        /// How.
        kind: Kind,
        /// What; nothing any more, if it was taken out.
        body: Option<String>,
        /// To what it is the answer.
        reply: Option<Seq>,
        /// Whether it names who is told.
        mention: bool,
        /// Why who is told is to notice it, if it is.
        notify: Option<Why>,
        /// Whether it reads otherwise than when it was said.
        edited: bool,
    },
    /// Something is told to everybody who is there. It is in no room, and not kept.
    Announce {
        /// When.
        at: Millis,
        /// Who says it.
        from: String,
        /// What.
        body: String,
    },
    /// What was said reads otherwise.
    Edit {
        /// Where.
        at: Where,
        /// What.
        of: Seq,
        /// How.
        body: String,
    },
    /// What was said is taken out.
    Redact {
        /// Where.
        at: Where,
        /// What.
        of: Seq,
        /// Why.
        reason: Option<String>,
    },
    /// Somebody answered with a sign, or took it back.
    React {
        /// Where.
        at: Where,
        /// To what.
        of: Seq,
        /// The sign.
        emoji: String,
        /// Whether it is there.
        on: bool,
    },
    /// A room was made; two began to speak with each other.
    Create(Where),
    /// A room was deleted.
    Delete(Where),
    /// Somebody came in.
    Join(Where),
    /// Somebody left.
    Part(Where),
    /// What the room is about.
    Topic {
        /// Where.
        at: Where,
        /// Nothing, if it is empty.
        topic: String,
    },
    /// Somebody may do more, or less.
    Role {
        /// Where.
        at: Where,
        /// Who.
        user: String,
        /// What it is.
        role: Role,
    },
    /// Something was done about somebody: `invite`, `kick`, `ban`, `unban`, `mute`, `unmute`.
    About {
        /// Where.
        at: Where,
        /// What.
        what: &'static str,
        /// Whom.
        user: String,
        /// Until when, if not for good.
        until: Option<Millis>,
        /// Why.
        reason: Option<String>,
    },
    /// A room keeps other rules: `slow` in seconds, `retain` in days.
    Rule {
        /// Where.
        at: Where,
        /// Which.
        what: &'static str,
        /// How much; none, for good.
        value: Option<u64>,
    },
    /// Two hold a dialogue from here on.
    Dialogue {
        /// Where.
        at: Where,
        /// How.
        mode: Mode,
    },
    /// They hold none any more.
    DialogueEnd {
        /// Where.
        at: Where,
        /// The last word, if one was said.
        word: Option<String>,
    },
    /// Whose turn it is in a dialogue. It follows from what was said, and is in no log.
    Turn {
        /// Where.
        room: Place,
        /// Whose.
        who: String,
    },
    /// Another device of who is told has read so far.
    Read {
        /// Where.
        room: Place,
        /// The last.
        last: Seq,
    },
    /// Who is told wants to notice so much of a room.
    Notify {
        /// Which.
        room: Place,
        /// How much.
        level: Level,
    },
    /// Who is told looks out for these words.
    Keywords(Words),
    /// Who is told wants to notice nothing for now, or does.
    Quiet(Quiet),
    /// More was missed than is told: it can be asked for.
    Gap(Gap),
    /// Who is told knows entries that the log does not have: it was set back to what it was before them.
    Rewound {
        /// The last entry that it has.
        last: Seq,
    },
    /// Who is told reads too slowly: of this room nothing is told until it asks.
    Lagged {
        /// Which.
        room: Place,
        /// The last that was told.
        last: Seq,
    },
    /// Somebody writes, or does no more.
    Typing {
        /// Where.
        room: Place,
        /// Who.
        user: String,
        /// Whether.
        on: bool,
    },
    /// Somebody came, went, or is away: `online`, `away`, `offline`.
    Presence {
        /// Who.
        user: String,
        /// What.
        state: &'static str,
        /// What it says about it.
        text: Option<String>,
    },
    /// The hub ends the connection.
    Bye(Refusal),
}

/// What was missed and is not told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where.
    pub room: Place,
    /// After this.
    pub from: Seq,
    /// Up to this.
    pub to: Seq,
}

impl Event {
    /// Where in the log it stands; `None` of what is not in it.
    pub fn at(&self) -> Option<&Where> {
        match self {
            Self::Message { at, .. }
            | Self::Edit { at, .. }
            | Self::Redact { at, .. }
            | Self::React { at, .. }
            | Self::Create(at)
            | Self::Delete(at)
            | Self::Join(at)
            | Self::Part(at)
            | Self::Topic { at, .. }
            | Self::Role { at, .. }
            | Self::About { at, .. }
            | Self::Rule { at, .. }
            | Self::Dialogue { at, .. }
            | Self::DialogueEnd { at, .. } => Some(at),
            Self::Announce { .. }
            | Self::Read { .. }
            | Self::Turn { .. }
            | Self::Notify { .. }
            | Self::Keywords(_)
            | Self::Quiet(_)
            | Self::Gap(_)
            | Self::Rewound { .. }
            | Self::Lagged { .. }
            | Self::Typing { .. }
            | Self::Presence { .. }
            | Self::Bye(_) => None,
        }
    }

    /// In which room it happened; `None` if in none.
    pub fn room(&self) -> Option<&Place> {
        match self {
            Self::Gap(gap) => Some(&gap.room),
            Self::Read { room, .. }
            | Self::Turn { room, .. }
            | Self::Notify { room, .. }
            | Self::Lagged { room, .. }
            | Self::Typing { room, .. } => Some(room),
            other => other.at().map(|at| &at.room),
        }
    }
}
