//! What the model knows: everything is looked for from the start.

use super::model::{Model, Muted, Person, Room, Ruling, is_seen, no};
use crate::{
    model::{
        Access, AccountId, Act, Deed, Entry, GONE, HUB_NAME, Kind, Level, Role, RoomId, Said, Seq,
        Title, Why,
    },
    protocol::{Code, InvitedBy, Listed, Place, Refusal},
};

impl Model {
    pub(super) fn person(&self, name: &str) -> Ruling<AccountId> {
        let is_it =
            |person: &Person| person.gone.is_none() && person.name.eq_ignore_ascii_case(name);
        let found = self.people.iter().find(|(_, person)| is_it(person));
        found.map(|(who, _)| *who).ok_or(Refusal::of(Code::NoSuchUser))
    }

    /// The same of who was deleted, too.
    fn met(&self, name: &str) -> Ruling<AccountId> {
        let is_it = |who: &AccountId| self.called(*who) == name && self.people[who].gone.is_some();
        self.people.keys().copied().find(is_it).map_or_else(|| self.person(name), Ok)
    }

    pub(super) fn name(&self, who: AccountId) -> String {
        if who == AccountId::HUB {
            return HUB_NAME.to_owned();
        }
        let Person { name, gone, .. } = &self.people[&who];
        gone.map_or_else(|| name.clone(), |_| GONE.to_owned())
    }

    /// What `who` is called by who spoke with it.
    fn called(&self, who: AccountId) -> String {
        match self.people[&who].gone {
            Some(_) => format!("{GONE} {}", who.0),
            None => self.name(who),
        }
    }

    /// Those who were not deleted.
    pub(super) fn living(&self) -> impl Iterator<Item = AccountId> {
        self.people.iter().filter(|(_, person)| person.gone.is_none()).map(|(who, _)| *who)
    }

    pub(super) fn is_admin(&self, who: AccountId) -> bool {
        self.living().next() == Some(who)
    }

    pub(super) fn talk(&self, one: AccountId, other: AccountId) -> Option<RoomId> {
        let is_theirs = |room: &Room| match room.title {
            Title::Talk(a, b) => (a, b) == (one, other) || (b, a) == (one, other),
            Title::Named(..) => false,
        };
        self.rooms.iter().find(|(_, room)| is_theirs(room)).map(|(id, _)| *id)
    }

    pub(super) fn at(&self, by: AccountId, place: &Place) -> Option<RoomId> {
        match place {
            Place::Person(name) => self.talk(by, self.met(name).ok()?),
            Place::Room(name) => {
                let is_it = |room: &Room| match &room.title {
                    Title::Named(own, _) => own.eq_ignore_ascii_case(name),
                    Title::Talk(..) => false,
                };
                self.rooms.iter().find(|(_, room)| is_it(room)).map(|(id, _)| *id)
            }
        }
    }

    pub(super) fn may_know_of(&self, by: AccountId, room: RoomId) -> bool {
        let room = &self.rooms[&room];
        matches!(room.title, Title::Named(_, Access::Public))
            || room.members.contains_key(&by)
            || room.invited.contains_key(&by)
            || room.standing(by).role == Role::Owner
    }

    pub(super) fn known(&self, by: AccountId, place: &Place) -> Ruling<RoomId> {
        if let Place::Person(name) = place {
            self.met(name)?;
        }
        let known = self.at(by, place).filter(|room| self.may_know_of(by, *room));
        known.ok_or(Refusal::of(Code::NoSuchRoom))
    }

    pub(super) fn inside(&self, by: AccountId, place: &Place) -> Ruling<RoomId> {
        let room = self.known(by, place)?;
        if self.rooms[&room].members.contains_key(&by) { Ok(room) } else { no(Code::NotInRoom) }
    }

    pub(super) fn is_moderator(&self, by: AccountId, room: RoomId) -> bool {
        let member = self.rooms[&room].members.get(&by);
        self.is_admin(by) || member.is_some_and(|member| member.role != Role::Member)
    }

    pub(super) fn moderated(&self, by: AccountId, place: &Place) -> Ruling<RoomId> {
        let room = self.known(by, place)?;
        let is_named = matches!(self.rooms[&room].title, Title::Named(..));
        if is_named && self.is_moderator(by, room) { Ok(room) } else { no(Code::Forbidden) }
    }

    pub(super) fn member(&self, room: RoomId, name: &str) -> Ruling<AccountId> {
        let who = self.person(name)?;
        if self.rooms[&room].members.contains_key(&who) { Ok(who) } else { no(Code::NotInRoom) }
    }

    /// Who is called so, and may do less in the room than who asks, or could when it left.
    pub(super) fn lower(&self, by: AccountId, room: RoomId, name: &str) -> Ruling<AccountId> {
        let who = self.person(name)?;
        let room = &self.rooms[&room];
        let own = room.members.get(&by).map(|member| member.role as u8);
        let is_lower = own.is_some_and(|own| (room.standing(who).role as u8) < own);
        if is_lower || (self.is_admin(by) && who != by) { Ok(who) } else { no(Code::Forbidden) }
    }

    pub(super) fn has_a_voice(&self, by: AccountId, room: RoomId) -> Ruling<()> {
        match self.rooms[&room].standing(by).muted {
            Muted::Always => no(Code::Muted),
            Muted::Until(until) if self.now < until => {
                Err(Refusal::of(Code::Muted).retry_ms(until.0 - self.now.0))
            }
            Muted::Until(_) | Muted::Not => Ok(()),
        }
    }

    pub(super) fn is_muted(&self, who: AccountId, room: RoomId) -> bool {
        self.has_a_voice(who, room).is_err()
    }

    pub(super) fn may_speak(&self, by: AccountId, room: RoomId) -> Ruling<()> {
        self.has_a_voice(by, room)?;
        let member = &self.rooms[&room].members[&by];
        let free = member.spoke.map_or(0, |spoke| spoke.0 + self.rooms[&room].slow_ms);
        if self.now.0 < free && !self.is_moderator(by, room) {
            return Err(Refusal::of(Code::RateLimited).retry_ms(free - self.now.0));
        }
        Ok(())
    }

    /// What was said there, if anything was.
    pub(super) fn said(&self, room: RoomId, seq: Seq) -> Ruling<&Entry> {
        let is_it = |entry: &&Entry| {
            entry.seq == seq
                && matches!(entry.deed, Deed::In { room: of, act: Act::Say { .. } } if of == room)
        };
        self.log.iter().find(is_it).ok_or(Refusal::of(Code::NoSuchEvent))
    }

    pub(super) fn took_its_words(&self, who: AccountId) -> bool {
        self.people.get(&who).is_some_and(|by| by.gone == Some(Said::Goes))
    }

    /// Whether what was said was taken out, by somebody or with who said it.
    pub(super) fn is_redacted(&self, seq: Seq) -> bool {
        self.log.iter().any(|entry| match entry.deed {
            Deed::In { act: Act::Redact { of, .. }, .. } => of == seq,
            Deed::In { act: Act::Say { .. }, .. } => {
                entry.seq == seq && self.took_its_words(entry.by)
            }
            _ => false,
        })
    }

    /// What was said as it reads now, if it was edited.
    pub(super) fn edited(&self, seq: Seq) -> Option<String> {
        self.log.iter().rev().find_map(|entry| match &entry.deed {
            Deed::In { act: Act::Edit { of, body }, .. } if *of == seq => Some(body.clone()),
            _ => None,
        })
    }

    pub(super) fn rooms_of(&self, who: AccountId) -> Vec<RoomId> {
        let is_in = |(_, room): &(&RoomId, &Room)| room.members.contains_key(&who);
        self.rooms.iter().filter(is_in).map(|(id, _)| *id).collect()
    }

    pub(super) fn named_rooms(&self, who: AccountId) -> usize {
        let rooms = self.rooms_of(who).into_iter();
        rooms.filter(|room| matches!(self.rooms[room].title, Title::Named(..))).count()
    }

    /// What members see of a room.
    pub(super) fn seen(&self, room: RoomId) -> Vec<&Entry> {
        let is_there = |entry: &&Entry| entry.room() == Some(room) && is_seen(entry);
        self.log.iter().filter(is_there).collect()
    }

    pub(super) fn last_of(&self, room: RoomId) -> Seq {
        self.seen(room).last().map_or(Seq(0), |entry| entry.seq)
    }

    pub(super) fn place(&self, room: RoomId, viewer: AccountId) -> Place {
        match &self.rooms[&room].title {
            Title::Named(name, _) => Place::Room(name.clone()),
            Title::Talk(one, other) => {
                Place::Person(self.called(if *one == viewer { *other } else { *one }))
            }
        }
    }

    pub(super) fn listed(&self, id: RoomId, who: AccountId) -> Listed {
        let room = &self.rooms[&id];
        let access = match room.title {
            Title::Named(_, access) => access,
            Title::Talk(..) => Access::Private,
        };
        Listed {
            room: self.place(id, who),
            topic: room.topic.clone(),
            access,
            last: self.last_of(id),
            mine: room.members.get(&who).map(|member| (member.read, member.role)),
            unread: 0,
            mentions: 0,
            level: Level::default(),
            members: room.members.len(),
            slow: room.members.get(&who).map_or(0, |_| u32::try_from(room.slow_ms / 1000).unwrap()),
            dialogue: None,
            invited: room
                .invited
                .get(&who)
                .map(|(by, at)| InvitedBy { by: self.name(*by), at: *at }),
        }
    }

    /// How much `who` has not read, and how much of that is for it.
    pub(super) fn unread(
        &self,
        id: RoomId,
        who: AccountId,
        (read, upto): (Seq, Seq),
    ) -> (u64, u64) {
        let is_news = |entry: &&&Entry| {
            let is_said = matches!(entry.deed, Deed::In { act: Act::Say { .. }, .. });
            is_said
                && (read < entry.seq && entry.seq <= upto)
                && entry.by != who
                && !self.is_redacted(entry.seq)
        };
        let seen = self.seen(id);
        let news: Vec<_> = seen.iter().filter(is_news).collect();
        // Between two it is as much as was not read then; else what was read by now is for nobody.
        let room = &self.rooms[&id];
        let read_now = room.members.get(&who).map_or(Seq(u64::MAX), |member| member.read);
        let is_read = |seq| !matches!(room.title, Title::Talk(..)) && seq <= read_now;
        let is_for_it =
            |entry: &&&&Entry| !is_read(entry.seq) && self.why(entry, who, said(entry)).is_some();
        (news.len() as u64, news.iter().filter(is_for_it).count() as u64)
    }
    /// Why `who` is to notice an entry that says `body`.
    pub(super) fn why(&self, entry: &Entry, who: AccountId, body: &str) -> Option<Why> {
        let Deed::In { room, act: Act::Say { kind, .. } } = &entry.deed else { return None };
        let is_direct = matches!(self.rooms[room].title, Title::Talk(..));
        match () {
            () if entry.by == who => None,
            () if is_direct => Some(Why::Direct),
            () if *kind != Kind::Notice && self.names(body, who) => Some(Why::Mention),
            () => None,
        }
    }
}

/// What was said first.
pub(super) fn said(entry: &Entry) -> &str {
    match &entry.deed {
        Deed::In { act: Act::Say { body, .. }, .. } => body,
        _ => "",
    }
}
