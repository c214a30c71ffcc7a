//! A hub as this client knows it: its rooms, who is there, and what it has not acknowledged yet.

use std::collections::{BTreeMap, VecDeque};

use relais_hub::{
    model::{Cid, Kind, Quiet, Seq, Words},
    protocol::{Listed, Place},
};
use tokio::time::Instant;

use super::room::{Room, Standing};

/// How much may wait to be acknowledged.
pub(super) const PENDING_MAX: usize = 200;

/// How many rooms and talks are known of. A hub lets nobody be in more.
pub(super) const ROOMS_MAX: usize = 2000;

/// Of how many it is known whether they are there.
pub(super) const PRESENT_MAX: usize = 20_000;

/// A hub, and all that is known of it.
#[derive(Debug)]
pub(super) struct Hub {
    /// Where it is, for who has several.
    pub(super) name: String,
    /// What it calls who looks.
    pub(super) me: String,
    /// Rooms first, then talks, each in the order of their names.
    pub(super) rooms: Vec<Room>,
    pub(super) link: Link,
    pub(super) pending: VecDeque<Pending>,
    /// How much else is asked and not answered.
    pub(super) asked: usize,
    /// Of which rooms it is asked who is in them, without anybody having typed that.
    pub(super) looks_who: Vec<Place>,
    /// The words that who looks looks out for.
    pub(super) words: Words,
    /// Whether who looks wants to notice nothing for now.
    pub(super) quiet: Quiet,
    /// When that is over, if it is by itself.
    pub(super) quiet_ends: Option<Instant>,
    /// Who is there, as far as it was told.
    pub(super) presence: BTreeMap<String, Presence>,
}

/// Whether there is a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Link {
    Up,
    /// It is being made again.
    Lost,
    /// It is over, for this reason.
    Ended(String),
}

/// A message that the hub has not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Pending {
    pub(super) cid: Cid,
    pub(super) place: Place,
    pub(super) kind: Kind,
    pub(super) body: String,
    /// Where it is written down, once that is known and it is not in the room yet.
    pub(super) seq: Option<Seq>,
    pub(super) then: Then,
}

/// What comes once a message is written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Then {
    Stay,
    /// Its room is gone to.
    Go,
}

/// Whether somebody is there: first who is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Presence {
    Online,
    Away,
    Offline,
}

impl Hub {
    pub(super) fn new(name: String) -> Self {
        Self {
            name,
            me: String::new(),
            rooms: Vec::new(),
            link: Link::Lost,
            pending: VecDeque::new(),
            asked: 0,
            looks_who: Vec::new(),
            words: Words::default(),
            quiet: Quiet::Off,
            quiet_ends: None,
            presence: BTreeMap::new(),
        }
    }

    /// Who looks is in, as `me`, and in these rooms alone. To which it is invited is asked for again. Gives the
    /// rooms in which it is no more.
    pub(super) fn enter(&mut self, me: String, listed: Vec<Listed>) -> Vec<Place> {
        (self.me, self.link) = (me, Link::Up);
        let is_listed = |room: &Room| listed.iter().any(|one| is_same(&one.room, &room.place));
        let is_left = |room: &Room| room.standing == Standing::In && !is_listed(room);
        let left = self.rooms.iter().filter(|room| is_left(room) && !room.is_talk());
        let left = left.map(|room| room.place.clone()).collect();
        self.rooms.retain(|room| !is_left(room));
        for listed in listed.into_iter().take(ROOMS_MAX) {
            self.room_to(&listed.room).list(listed);
        }
        // Nobody told who came and went meanwhile.
        self.presence.clear();
        left
    }

    /// Takes out of the list the rooms to which who looks is invited, but those that hold.
    pub(super) fn keep_invitations(&mut self, holds: impl Fn(&Place) -> bool) {
        self.rooms.retain(|room| room.standing == Standing::In || holds(&room.place));
    }

    pub(super) fn room(&self, place: &Place) -> Option<&Room> {
        self.rooms.iter().find(|room| is_same(&room.place, place))
    }

    pub(super) fn room_mut(&mut self, place: &Place) -> Option<&mut Room> {
        self.rooms.iter_mut().find(|room| is_same(&room.place, place))
    }

    /// The room, which is put into the list if it is not there.
    pub(super) fn room_to(&mut self, place: &Place) -> &mut Room {
        let rank =
            |place: &Place| (matches!(place, Place::Person(_)), place.to_string().to_lowercase());
        let found = self.rooms.binary_search_by_key(&rank(place), |room| rank(&room.place));
        let at = found.unwrap_or_else(|at| {
            self.rooms.insert(at, Room::new(place.clone()));
            at
        });
        &mut self.rooms[at]
    }

    /// Whether the room is there, or may come to be.
    pub(super) fn has_place_for(&self, place: &Place) -> bool {
        self.rooms.len() < ROOMS_MAX || self.room(place).is_some()
    }

    /// Somebody is there, or is not.
    pub(super) fn set_presence(&mut self, name: &str, presence: Presence) {
        if let Some(known) = self.presence.get_mut(name) {
            *known = presence;
        } else if self.presence.len() < PRESENT_MAX {
            self.presence.insert(name.to_owned(), presence);
        }
    }

    /// Takes the room out of the list.
    pub(super) fn leave(&mut self, place: &Place) {
        self.rooms.retain(|room| !is_same(&room.place, place));
    }

    /// The message that is called so is acknowledged. Gives it.
    pub(super) fn acknowledged(&mut self, cid: &Cid) -> Option<Pending> {
        let at = self.pending.iter().position(|pending| pending.cid == *cid)?;
        self.pending.remove(at)
    }

    /// What was said in `place` and is not in the room yet.
    pub(super) fn pending_in(&self, place: &Place) -> impl Iterator<Item = &Pending> {
        self.pending.iter().filter(move |pending| is_same(&pending.place, place))
    }

    /// How much of what was said and asked is not acknowledged.
    pub(super) fn unacknowledged(&self) -> usize {
        self.pending.iter().filter(|pending| pending.seq.is_none()).count() + self.asked
    }

    pub(super) fn presence(&self, name: &str) -> Option<Presence> {
        self.presence.get(name).copied()
    }
}

/// Whether both are the same: who types a name need not type it as its owner does.
pub(super) fn is_same(one: &Place, other: &Place) -> bool {
    one == other || one.to_string().to_lowercase() == other.to_string().to_lowercase()
}

#[cfg(test)]
mod tests {
    use relais_hub::model::{Access, Level, Role};

    use super::*;

    fn listed(name: &str) -> Listed {
        Listed {
            room: Place::read(name).unwrap(),
            topic: "tea".into(),
            access: Access::Public,
            last: Seq(9),
            mine: Some((Seq(4), Role::Member)),
            unread: 2,
            members: 3,
            mentions: 0,
            level: Level::default(),
            slow: 0,
            dialogue: None,
            invited: None,
        }
    }

    fn names(hub: &Hub) -> Vec<String> {
        hub.rooms.iter().map(|room| room.place.to_string()).collect()
    }

    #[test]
    fn a_hub_does_not_make_this_client_grow_for_ever() {
        let mut hub = Hub::new("here".into());
        let rooms = (0..=ROOMS_MAX).map(|nth| listed(&format!("#r{nth}"))).collect();
        hub.enter("ana".into(), rooms);
        assert_eq!(hub.rooms.len(), ROOMS_MAX);
        let has_place = |name| hub.has_place_for(&Place::read(name).unwrap());
        assert_eq!((has_place("#r0"), has_place("#new")), (true, false));
        for nth in 0..=PRESENT_MAX {
            hub.set_presence(&nth.to_string(), Presence::Online);
        }
        hub.set_presence("0", Presence::Away);
        assert_eq!((hub.presence.len(), hub.presence("0")), (PRESENT_MAX, Some(Presence::Away)));
    }

    #[test]
    fn rooms_come_before_talks_and_both_by_name() {
        let mut hub = Hub::new("here".into());
        hub.enter("ana".into(), ["@bob", "#zoo", "#Lab"].map(listed).into());
        assert_eq!(names(&hub), ["#Lab", "#zoo", "@bob"]);
        hub.room_to(&Place::read("#lab").unwrap()).unread = 7;
        assert_eq!(hub.rooms[0].unread, 7);
        hub.enter("ana".into(), ["#Lab", "@zoe"].map(listed).into());
        assert_eq!(names(&hub), ["#Lab", "@zoe"]);
        assert_eq!((hub.rooms[0].unread, hub.rooms[0].read), (2, Seq(4)));
        hub.leave(&Place::read("#LAB").unwrap());
        assert_eq!(names(&hub), ["@zoe"]);
    }
}
