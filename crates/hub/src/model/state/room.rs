//! A room, who is in it, and what happens to it alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::standing::{Absent, Standing, Voice};
use crate::model::{
    entry::{Access, Act, Mode, Role},
    numbers::{AccountId, Millis, Seq},
    wish::Level,
};

/// A room, or what two say to each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// What it is called.
    pub title: Title,
    /// What it is about; perhaps nothing.
    pub topic: String,
    /// The last entry that its members see.
    pub last: Seq,
    /// Who is in it.
    pub members: BTreeMap<AccountId, Member>,
    /// Who is invited, by whom, and may come in though it is private.
    pub invited: HashMap<AccountId, Invited>,
    /// Who may not come in, and until when.
    pub banned: HashMap<AccountId, Option<Millis>>,
    /// What is kept of those who are not in it.
    pub absent: Absent,
    /// Seconds between what one member says.
    pub slow_seconds: u32,
    /// How long what is said is kept; for good without.
    pub retain_days: Option<u32>,
    /// The first entry that says more than that somebody came or left.
    pub used: Option<Seq>,
    /// The dialogue that two hold there.
    pub dialogue: Option<Dialogue>,
    /// Those of its members who want to notice all.
    pub(in crate::model) keen: BTreeSet<AccountId>,
}

/// By whom somebody is invited, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invited {
    /// Who said so last.
    pub by: AccountId,
    /// When.
    pub at: Millis,
}

/// A dialogue that is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialogue {
    /// Both speak whenever they like.
    Free,
    /// It is the turn of this one.
    Turns(AccountId),
}

/// What a room is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Title {
    /// A name with its `#`, for who may come in.
    Named(String, Access),
    /// Each of two calls it by the other's name.
    Talk(AccountId, AccountId),
}

/// Somebody in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Member {
    /// What it may do.
    pub role: Role,
    /// Since which entry.
    pub since: Seq,
    /// The last that it read.
    pub read: Seq,
    /// When it spoke last, as far as the room was slow then.
    pub spoke: Millis,
    /// Whether it may speak.
    pub voice: Voice,
    /// How much it wants to notice.
    pub level: Level,
}

impl Room {
    /// One that is new, and that nobody is in.
    pub fn new(title: Title) -> Self {
        Self {
            title,
            topic: String::new(),
            last: Seq::default(),
            members: BTreeMap::new(),
            invited: HashMap::new(),
            banned: HashMap::new(),
            absent: Absent::default(),
            slow_seconds: 0,
            retain_days: None,
            used: None,
            dialogue: None,
            keen: BTreeSet::new(),
        }
    }

    pub(super) fn set_level(&mut self, who: AccountId, level: Level) {
        let Some(member) = self.members.get_mut(&who) else { return };
        member.level = level;
        if level == Level::All {
            self.keen.insert(who);
        } else {
            self.keen.remove(&who);
        }
    }

    /// Somebody spoke: in a dialogue it is the other's turn.
    pub(super) fn hear(&mut self, by: AccountId, at: Millis) {
        // Else it would be one more row for each message.
        if self.slow_seconds > 0 {
            self.with(by, |member| member.spoke = at);
        }
        if let (Some(Dialogue::Turns(turn)), Some(other)) = (self.dialogue, self.other(by))
            && turn == by
        {
            self.dialogue = Some(Dialogue::Turns(other));
        }
    }

    /// Takes in what changes no membership.
    pub(super) fn settle(&mut self, (by, at): (AccountId, Millis), act: &Act) {
        match act {
            Act::Topic { text } => self.topic.clone_from(text),
            Act::Slow { seconds } => self.slow_seconds = *seconds,
            Act::Retain { days } => self.retain_days = *days,
            Act::Invite { who } => _ = self.invited.insert(*who, Invited { by, at }),
            Act::Unban { who } => _ = self.banned.remove(who),
            Act::Role { who, role } => self.hold((*who, at), |standing| standing.role = *role),
            Act::Mute { who, until } => {
                self.hold((*who, at), |standing| standing.voice = Voice::Muted(*until));
            }
            Act::Unmute { who } => {
                self.hold((*who, at), |standing| standing.voice = Voice::Free);
            }
            Act::Read { last } => self.with(by, |member| member.read = *last),
            Act::Dialogue { mode } => {
                self.dialogue = Some(match mode {
                    Mode::Turns => Dialogue::Turns(by),
                    Mode::Free => Dialogue::Free,
                });
            }
            Act::DialogueEnd { .. } => self.dialogue = None,
            _ => unreachable!("what is said, and who comes and goes, is not here"),
        }
    }

    /// Has what it holds for or against somebody change, who may be in it or not.
    fn hold(&mut self, (who, at): (AccountId, Millis), change: impl FnOnce(&mut Standing)) {
        let mut standing = self.standing(who);
        change(&mut standing);
        let Standing { role, spoke, voice } = standing;
        let is_absent = !self.members.contains_key(&who);
        self.absent.keep((who, at), is_absent.then_some(standing));
        self.with(who, |member| (member.role, member.spoke, member.voice) = (role, spoke, voice));
    }

    /// What it holds for or against somebody, who may be in it or not.
    pub fn standing(&self, who: AccountId) -> Standing {
        let member = self.members.get(&who).map(Member::standing);
        member.or_else(|| self.absent.get(who)).unwrap_or_default()
    }

    pub(super) fn with(&mut self, who: AccountId, change: impl FnOnce(&mut Member)) {
        if let Some(member) = self.members.get_mut(&who) {
            change(member);
        }
    }

    /// With whom `who` speaks here; nobody in rooms with a name.
    pub fn other(&self, who: AccountId) -> Option<AccountId> {
        match self.title {
            Title::Named(..) => None,
            Title::Talk(one, other) if one == who => Some(other),
            Title::Talk(one, _) => Some(one),
        }
    }

    /// Who may come in: between two, nobody else.
    pub fn access(&self) -> Access {
        match self.title {
            Title::Named(_, access) => access,
            Title::Talk(..) => Access::Private,
        }
    }

    /// Whether anybody may come in, nobody is in it, and nothing ever happened there.
    pub fn is_unused(&self) -> bool {
        matches!(self.title, Title::Named(_, Access::Public))
            && self.members.is_empty()
            && self.used.is_none()
    }

    /// Whether `who` may not come in at `now`.
    pub fn is_banned(&self, who: AccountId, now: Millis) -> bool {
        self.banned.get(&who).is_some_and(|until| until.is_none_or(|until| now < until))
    }
}

impl Member {
    /// What the room holds for or against it.
    pub fn standing(&self) -> Standing {
        let Self { role, spoke, voice, since: _, read: _, level: _ } = *self;
        Standing { role, spoke, voice }
    }
}

impl Dialogue {
    /// How it is held.
    pub fn mode(self) -> Mode {
        match self {
            Self::Free => Mode::Free,
            Self::Turns(_) => Mode::Turns,
        }
    }

    /// Whose turn it is, if they take turns.
    pub fn turn(self) -> Option<AccountId> {
        match self {
            Self::Free => None,
            Self::Turns(who) => Some(who),
        }
    }
}

impl Act {
    /// Whether the room's members are told of it.
    pub fn is_seen(&self) -> bool {
        !matches!(self, Self::Read { .. })
    }

    /// Whether it says no more than that `by` came, as what it was before, or left.
    pub(super) fn is_passing(&self, by: AccountId) -> bool {
        match self {
            Self::Join | Self::Part | Self::Read { .. } => true,
            Self::Role { who, .. } => *who == by,
            _ => false,
        }
    }
}
