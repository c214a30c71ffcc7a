//! What the log comes to: accounts, rooms, and who is in them. An entry is applied or it is a bug;
//! whether it may be written is judged before.

mod leaving;
mod restore;
mod room;
mod standing;
mod wishing;

use std::collections::{BTreeSet, HashMap, HashSet};

pub use self::{
    leaving::{GONE, HUB_NAME},
    room::{Dialogue, Invited, Member, Room, Title},
    standing::{Absent, Lasts, SLOW_SECONDS_MAX, Standing, Voice},
};
use super::{
    entry::{Access, Act, Deed, Entry, Role, Said},
    numbers::{AccountId, Millis, RoomId, Seq},
    wish::{Level, Wishes},
};
use crate::name::{Skeleton, folded};

/// All accounts and rooms, as the log until now says.
///
/// *Cost*: each step costs the same however many there are, but for what lists.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct State {
    /// The last entry that was applied.
    pub last: Seq,
    /// Who administers: at first the first account; nobody, only where nobody has an account.
    admins: BTreeSet<AccountId>,
    accounts: HashMap<AccountId, Account>,
    rooms: HashMap<RoomId, Room>,
    /// Who is called so, in the spelling in which names are compared.
    names: HashMap<String, AccountId>,
    /// Whose name looks like this: of several, of which earlier versions knew no better, the first.
    looks: HashMap<Skeleton, AccountId>,
    room_names: HashMap<String, RoomId>,
    room_looks: HashMap<Skeleton, RoomId>,
    /// The lower one first.
    talks: HashMap<(AccountId, AccountId), RoomId>,
    /// Who looks out for each word.
    pub(super) listeners: HashMap<String, BTreeSet<AccountId>>,
}

/// Somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// As its owner writes it; [`GONE`], if it was deleted.
    pub name: String,
    /// When it was made.
    pub since: Millis,
    /// What it is in.
    pub rooms: HashSet<RoomId>,
    /// What it wants to notice.
    pub wishes: Wishes,
    /// What is left of it, if it was deleted.
    pub gone: Option<Gone>,
}

/// What is left of an account that was deleted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gone {
    /// What it was called. Nobody else is called so.
    pub name: String,
    /// What becomes of what it said.
    pub said: Said,
}

impl Account {
    /// Whether it was deleted, and what it said with it: in the log, that is taken out in pieces, later.
    pub fn took_its_words(&self) -> bool {
        self.gone.as_ref().is_some_and(|gone| gone.said == Said::Goes)
    }
}

impl State {
    /// Takes in what was written down.
    ///
    /// # Panics
    ///
    /// If it could not have been written: the log is not this state's.
    pub fn apply(&mut self, entry: &Entry) {
        assert!(self.last < entry.seq, "entries come in their order");
        self.last = entry.seq;
        match &entry.deed {
            Deed::Register { name } => self.register(entry, name),
            Deed::Unregister { who, said } => self.unregister(*who, *said),
            Deed::Administer { who, on } => self.administer(*who, *on),
            Deed::Delete { room } => self.delete(*room),
            Deed::Create { name, access } => self.create(entry, name, *access),
            Deed::Talk { with } => self.talk(entry, *with),
            Deed::In { room, act } => self.act(entry, *room, act),
            Deed::Wish(wish) => self.wish(entry.by, wish),
        }
    }

    fn register(&mut self, entry: &Entry, name: &str) {
        let id = AccountId(entry.seq);
        let account = Account {
            name: name.to_owned(),
            since: entry.at,
            rooms: HashSet::new(),
            wishes: Wishes::default(),
            gone: None,
        };
        self.accounts.insert(id, account);
        if self.admins.is_empty() {
            self.admins.insert(id);
        }
        self.name_account(name, id);
    }

    fn create(&mut self, entry: &Entry, name: &str, access: Access) {
        let id = RoomId(entry.seq);
        let mut room = Room::new(Title::Named(name.to_owned(), access));
        room.last = entry.seq;
        self.rooms.insert(id, room);
        self.name_room(name, id);
        self.enter(id, entry.by, (Role::Owner, entry.seq));
    }

    /// Of two names that are too much alike, as later versions may find, the first one looks so.
    fn name_account(&mut self, name: &str, id: AccountId) {
        self.names.entry(folded(name)).or_insert(id);
        self.looks.entry(Skeleton::of(name)).or_insert(id);
    }

    fn name_room(&mut self, name: &str, id: RoomId) {
        self.room_names.entry(folded(name)).or_insert(id);
        self.room_looks.entry(Skeleton::of(name)).or_insert(id);
    }

    fn talk(&mut self, entry: &Entry, with: AccountId) {
        let id = RoomId(entry.seq);
        let mut room = Room::new(Title::Talk(entry.by, with));
        room.last = entry.seq;
        self.rooms.insert(id, room);
        self.talks.insert(in_order(entry.by, with), id);
        for one in [entry.by, with] {
            self.enter(id, one, (Role::Member, entry.seq));
        }
    }

    fn act(&mut self, entry: &Entry, id: RoomId, act: &Act) {
        let room = room_of(&mut self.rooms, id);
        if act.is_seen() {
            room.last = entry.seq;
        }
        if room.used.is_none() && !act.is_passing(entry.by) {
            room.used = Some(entry.seq);
        }
        match act {
            Act::Say { .. } => room.hear(entry.by, entry.at),
            Act::Edit { .. } | Act::Redact { .. } | Act::React { .. } => {}
            Act::Join => {
                // What it may do, it is told by an entry of its own.
                let kept = room.absent.get(entry.by).unwrap_or_default();
                room.absent.keep((entry.by, entry.at), None);
                self.enter(id, entry.by, (Role::Member, entry.seq));
                room_of(&mut self.rooms, id).with(entry.by, |member| {
                    (member.spoke, member.voice) = (kept.spoke, kept.voice);
                });
            }
            Act::Part => {
                // Of who was no member it declines that.
                room.invited.remove(&entry.by);
                self.part(id, (entry.by, entry.at), Role::Owner);
            }
            Act::Kick { who, .. } => self.part(id, (*who, entry.at), Role::Member),
            Act::Ban { who, until, .. } => {
                room.banned.insert(*who, *until);
                room.invited.remove(who);
                self.part(id, (*who, entry.at), Role::Member);
            }
            act => room.settle((entry.by, entry.at), act),
        }
    }

    fn enter(&mut self, id: RoomId, who: AccountId, (role, since): (Role, Seq)) {
        let room = room_of(&mut self.rooms, id);
        room.invited.remove(&who);
        let (spoke, voice, level) = (Millis::default(), Voice::Free, Level::default());
        room.keen.remove(&who);
        room.members.insert(who, Member { role, since, read: since, spoke, voice, level });
        self.accounts.get_mut(&who).expect("an account that was made").rooms.insert(id);
    }

    /// Has somebody be in a room no more, which keeps what it holds for or against it, but no role above
    /// that.
    fn part(&mut self, id: RoomId, (who, at): (AccountId, Millis), role_max: Role) {
        let room = room_of(&mut self.rooms, id);
        let standing = room.standing(who);
        let role = standing.role.min(role_max);
        room.absent.keep((who, at), Some(Standing { role, ..standing }));
        self.leave(id, who);
    }

    fn leave(&mut self, id: RoomId, who: AccountId) {
        let room = room_of(&mut self.rooms, id);
        room.members.remove(&who);
        room.keen.remove(&who);
        if let Some(account) = self.accounts.get_mut(&who) {
            account.rooms.remove(&id);
        }
    }

    /// The account that is called so, however it is spelled.
    pub fn account_named(&self, name: &str) -> Option<AccountId> {
        self.names.get(&folded(name)).copied()
    }

    /// Who is called something that looks like `name`.
    pub fn account_like(&self, name: &str) -> Option<AccountId> {
        self.looks.get(&Skeleton::of(name)).copied()
    }

    /// The room that is called so, however it is spelled.
    pub fn room_named(&self, name: &str) -> Option<RoomId> {
        self.room_names.get(&folded(name)).copied()
    }

    /// The room that is called something that looks like `name`.
    pub fn room_like(&self, name: &str) -> Option<RoomId> {
        self.room_looks.get(&Skeleton::of(name)).copied()
    }

    /// Where two speak with each other, if they ever did.
    pub fn talk_of(&self, one: AccountId, other: AccountId) -> Option<RoomId> {
        self.talks.get(&in_order(one, other)).copied()
    }

    /// Whether there is such an account, and it was not deleted.
    pub fn has_account(&self, id: AccountId) -> bool {
        self.accounts.get(&id).is_some_and(|account| account.gone.is_none())
    }

    /// An account that there is.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn account(&self, id: AccountId) -> &Account {
        &self.accounts[&id]
    }

    /// Whether there is such a room.
    pub fn has_room(&self, id: RoomId) -> bool {
        self.rooms.contains_key(&id)
    }

    /// A room that there is.
    ///
    /// # Panics
    ///
    /// If there is none.
    pub fn room(&self, id: RoomId) -> &Room {
        &self.rooms[&id]
    }

    /// Whether it may do all that owners of rooms may.
    pub fn is_admin(&self, id: AccountId) -> bool {
        self.admins.contains(&id)
    }

    /// Who administers, the oldest account first; nobody, only where nobody has an account.
    pub fn admins(&self) -> impl Iterator<Item = AccountId> {
        self.admins.iter().copied()
    }

    /// How many accounts there are.
    pub fn accounts(&self) -> usize {
        self.accounts.len()
    }

    /// Every account, in no order.
    pub fn everybody(&self) -> impl Iterator<Item = (AccountId, &Account)> {
        self.accounts.iter().map(|(id, account)| (*id, account))
    }

    /// Every room, in no order.
    pub fn rooms(&self) -> impl Iterator<Item = (RoomId, &Room)> {
        self.rooms.iter().map(|(id, room)| (*id, room))
    }
}

/// # Panics
///
/// If there is none.
fn room_of(rooms: &mut HashMap<RoomId, Room>, id: RoomId) -> &mut Room {
    rooms.get_mut(&id).expect("a room that was made")
}

fn in_order(one: AccountId, other: AccountId) -> (AccountId, AccountId) {
    (one.min(other), one.max(other))
}
