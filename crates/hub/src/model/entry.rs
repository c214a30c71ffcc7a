//! What the log is made of: what was done, by whom, when. Accounts, rooms and all that is in them
//! are what the entries until now come to.

use super::{
    numbers::{AccountId, Millis, RoomId, Seq},
    wish::Wish,
};

/// What a client calls what it asks for, so that asking twice does it once: of 1 to 64 letters,
/// digits, `_` and `-`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Cid(String);

/// The most characters of a [`Cid`].
pub const CID_CHARS_MAX: usize = 64;

/// One line of the log. Never changes, but for what a [redaction](Act::Redact) or a room's
/// retention takes out of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place.
    pub seq: Seq,
    /// When it was written.
    pub at: Millis,
    /// Who did it; the [hub](AccountId::HUB) itself, perhaps. An account's first entry is its own.
    pub by: AccountId,
    /// What its client calls it.
    pub cid: Option<Cid>,
    /// What was done.
    pub deed: Deed,
}

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// An account was made.
    Register {
        /// As its owner writes it.
        name: String,
    },
    /// An account was deleted. Before this it left its rooms.
    Unregister {
        /// Whose.
        who: AccountId,
        /// What becomes of what it said.
        said: Said,
    },
    /// Somebody administers the hub from here on, or does no more.
    Administer {
        /// Who.
        who: AccountId,
        /// Whether.
        on: bool,
    },
    /// A room was deleted, and all that was said in it. Its name is free.
    Delete {
        /// Which.
        room: RoomId,
    },
    /// A room was made, and who made it is its owner.
    Create {
        /// With its `#`, as its owner writes it.
        name: String,
        /// Who may come in.
        access: Access,
    },
    /// Two accounts have something to say to each other.
    Talk {
        /// The other.
        with: AccountId,
    },
    /// Something happened in a room.
    In {
        /// Which.
        room: RoomId,
        /// What.
        act: Act,
    },
    /// Who did it wants to notice other things than before. Told to nobody else.
    Wish(Wish),
}

/// What happened in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Something was said.
    Say {
        /// How.
        kind: Kind,
        /// What, [clean](relais_wire).
        body: String,
        /// To what it is the answer.
        reply: Option<Seq>,
    },
    /// What was said is to read otherwise.
    Edit {
        /// What.
        of: Seq,
        /// How.
        body: String,
    },
    /// What was said is to be read no more.
    Redact {
        /// What.
        of: Seq,
        /// Why.
        reason: Option<String>,
    },
    /// Somebody answers with a sign, or takes it back.
    React {
        /// To what.
        of: Seq,
        /// An emoji, or a short word.
        sign: String,
        /// Whether it is put there.
        on: bool,
    },
    /// Who did it came in.
    Join,
    /// Who did it left.
    Part,
    /// What the room is about.
    Topic {
        /// Nothing, if it is empty.
        text: String,
    },
    /// A member's standing changed.
    Role {
        /// Whose.
        who: AccountId,
        /// To what.
        role: Role,
    },
    /// Somebody may come in who could not.
    Invite {
        /// Who.
        who: AccountId,
    },
    /// Somebody was sent out.
    Kick {
        /// Who.
        who: AccountId,
        /// Why.
        reason: Option<String>,
    },
    /// Somebody was sent out, if in, and may not come in.
    Ban {
        /// Who.
        who: AccountId,
        /// Until when; for good without.
        until: Option<Millis>,
        /// Why.
        reason: Option<String>,
    },
    /// Somebody may come in again.
    Unban {
        /// Who.
        who: AccountId,
    },
    /// A member may say nothing.
    Mute {
        /// Who.
        who: AccountId,
        /// Until when; for good without.
        until: Option<Millis>,
    },
    /// A member may speak again.
    Unmute {
        /// Who.
        who: AccountId,
    },
    /// How long who said something waits before saying more; moderators excepted.
    Slow {
        /// In seconds. 0: not at all.
        seconds: u32,
    },
    /// How long what is said is kept.
    Retain {
        /// In days. Without, for good; 0: not at all.
        days: Option<u32>,
    },
    /// Who did it has read so far. Told to nobody else.
    Read {
        /// The last that was read.
        last: Seq,
    },
    /// Two who speak with each other hold a dialogue. Who did it begins.
    Dialogue {
        /// How.
        mode: Mode,
    },
    /// They hold none any more.
    DialogueEnd {
        /// The last word, if one was said.
        word: Option<String>,
    },
}

/// Who may speak when in a dialogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// Each in turn.
    Turns,
    /// Both, whenever they like.
    Free,
}

/// What becomes of what a deleted account said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Said {
    /// It stays, and nobody in particular said it.
    #[default]
    Stays,
    /// It is taken out.
    Goes,
}

/// How something is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// As it stands.
    #[default]
    Text,
    /// As what who says it does: "ana laughs".
    Action,
    /// By a program, which is not to be answered by programs.
    Notice,
}

/// Who may come into a room.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Access {
    /// Whoever has an account.
    #[default]
    Public,
    /// Who was invited; nobody else knows of it.
    Private,
}

/// What a member may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Speak.
    #[default]
    Member,
    /// Send out, silence, take out what others said.
    Moderator,
    /// All, and say who may what.
    Owner,
}

impl Cid {
    /// `text`, if it may be one.
    pub fn new(text: &str) -> Option<Self> {
        let is_named = (1..=CID_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
        is_named.then(|| Self(text.to_owned()))
    }

    /// Its text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Entry {
    /// The room that it happened in, or made.
    pub fn room(&self) -> Option<RoomId> {
        match self.deed {
            Deed::Register { .. }
            | Deed::Unregister { .. }
            | Deed::Administer { .. }
            | Deed::Wish(_) => None,
            Deed::Create { .. } | Deed::Talk { .. } => Some(RoomId(self.seq)),
            Deed::In { room, .. } | Deed::Delete { room } => Some(room),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_is_called_is_short_and_plain() {
        for good in ["a", "01JD-_z", &"x".repeat(CID_CHARS_MAX)] {
            assert_eq!(Cid::new(good).unwrap().as_str(), good);
        }
        for bad in ["", "a b", "é", "a\n", &"x".repeat(CID_CHARS_MAX + 1)] {
            assert!(Cid::new(bad).is_none(), "{bad:?}");
        }
    }
}
