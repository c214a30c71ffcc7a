//! What the model writes down, and who hears of it.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    knowing::said,
    model::{Guest, Member, Model, Muted, Room, Ruling, lost},
};
use crate::{
    model::{AccountId, Act, Cid, Deed, Entry, Role, RoomId, Seq, Title},
    protocol::{Answer, Event, Told, Where},
};

impl Model {
    pub(super) fn write(&mut self, by: AccountId, cid: Option<Cid>, deed: Deed) -> Ruling<Seq> {
        if self.is_lost {
            return Err(lost());
        }
        self.last = Seq(self.last.0 + 1);
        let entry = Entry { seq: self.last, at: self.now, by, cid, deed };
        self.log.push(entry.clone());
        let before = self.hearers(&entry);
        self.change(&entry);
        let after = self.hearers(&entry);
        let to: BTreeSet<_> = before.into_iter().chain(after).collect();
        for who in to {
            if let Some(mut event) = self.event(&entry, who) {
                if let Event::Message { notify, .. } = &mut event {
                    *notify = self.why(&entry, who, said(&entry));
                }
                self.tell(who, &event);
            }
        }
        Ok(entry.seq)
    }

    /// Who hears of it: members, and who is invited; of what somebody read nobody else.
    pub(super) fn hearers(&self, entry: &Entry) -> Vec<AccountId> {
        let members = entry.room().and_then(|room| self.rooms.get(&room)).map(|room| &room.members);
        match entry.deed {
            Deed::In { act: Act::Read { .. }, .. } => vec![entry.by],
            Deed::In { act: Act::Invite { who }, .. } => {
                members.into_iter().flat_map(BTreeMap::keys).copied().chain([who]).collect()
            }
            // Also who declines.
            Deed::In { act: Act::Part, .. } => {
                members.into_iter().flat_map(BTreeMap::keys).copied().chain([entry.by]).collect()
            }
            _ => members.into_iter().flat_map(BTreeMap::keys).copied().collect(),
        }
    }

    pub(super) fn change(&mut self, entry: &Entry) {
        let (id, by) = (RoomId(entry.seq), entry.by);
        match &entry.deed {
            // Nobody here wishes for anything, and who runs the hub deletes nothing.
            Deed::Wish(_)
            | Deed::Administer { .. }
            | Deed::Delete { .. }
            | Deed::Register { .. }
            | Deed::Unregister { .. } => {}
            Deed::Create { name, access } => {
                self.rooms.insert(id, Room::new(Title::Named(name.clone(), *access)));
                self.come_in(id, by, (Role::Owner, entry.seq));
            }
            Deed::Talk { with } => {
                self.rooms.insert(id, Room::new(Title::Talk(by, *with)));
                self.come_in(id, by, (Role::Member, entry.seq));
                self.come_in(id, *with, (Role::Member, entry.seq));
            }
            Deed::In { room, act: Act::Join } => self.come_in(*room, by, (Role::Member, entry.seq)),
            Deed::In { room, act } => {
                let room = self.rooms.get_mut(room).unwrap();
                match act {
                    Act::Say { .. } if room.slow_ms > 0 => room.member(by).spoke = Some(entry.at),
                    Act::Part => {
                        room.invited.remove(&by);
                        room.part(by, Role::Owner);
                    }
                    Act::Kick { who, .. } => room.part(*who, Role::Member),
                    Act::Ban { who, until, .. } => {
                        room.part(*who, Role::Member);
                        room.invited.remove(who);
                        room.banned.insert(*who, *until);
                    }
                    Act::Unban { who } => _ = room.banned.remove(who),
                    Act::Invite { who } => _ = room.invited.insert(*who, (by, entry.at)),
                    Act::Role { who, role } => room.held(*who).role = *role,
                    Act::Mute { who, until } => {
                        room.held(*who).muted = until.map_or(Muted::Always, Muted::Until);
                    }
                    Act::Unmute { who } => room.held(*who).muted = Muted::Not,
                    Act::Topic { text } => room.topic.clone_from(text),
                    Act::Slow { seconds } => room.slow_ms = u64::from(*seconds) * 1000,
                    Act::Read { last } => room.member(by).read = *last,
                    _ => {}
                }
            }
        }
    }

    pub(super) fn come_in(&mut self, room: RoomId, who: AccountId, (role, read): (Role, Seq)) {
        let room = self.rooms.get_mut(&room).unwrap();
        room.invited.remove(&who);
        let Member { spoke, muted, .. } = room.standing(who);
        room.left.remove(&who);
        room.members.insert(who, Member { role, read, spoke, muted });
    }

    pub(super) fn event(&self, entry: &Entry, viewer: AccountId) -> Option<Event> {
        let id = entry.room()?;
        let before = self.seen(id).into_iter().rev().find(|one| one.seq < entry.seq);
        let at = Where {
            room: self.place(id, viewer),
            seq: entry.seq,
            prev: before.map_or(Seq(0), |before| before.seq),
            at: entry.at,
            from: self.name(entry.by),
            cid: entry.cid.clone().filter(|_| entry.by == viewer),
        };
        let Deed::In { act, .. } = &entry.deed else { return Some(Event::Create(at)) };
        Some(match act.clone() {
            Act::Say { kind, body, reply } => {
                let mention = entry.by != viewer && self.names(&body, viewer);
                let (body, notify) = (Some(body), None);
                Event::Message { at, kind, body, reply, mention, notify, edited: false }
            }
            Act::Edit { of, body } => Event::Edit { at, of, body },
            Act::Redact { of, reason } => Event::Redact { at, of, reason },
            Act::React { of, sign: emoji, on } => Event::React { at, of, emoji, on },
            Act::Join => Event::Join(at),
            Act::Part => Event::Part(at),
            Act::Topic { text: topic } => Event::Topic { at, topic },
            Act::Role { who, role } => Event::Role { at, user: self.name(who), role },
            Act::Slow { seconds } => Event::Rule { at, what: "slow", value: Some(seconds.into()) },
            Act::Retain { days } => Event::Rule { at, what: "retain", value: days.map(u64::from) },
            Act::Read { last } => Event::Read { room: at.room, last },
            act => self.about(at, act),
        })
    }

    fn about(&self, at: Where, act: Act) -> Event {
        let (what, who, until, reason) = match act {
            Act::Invite { who } => ("invite", who, None, None),
            Act::Unban { who } => ("unban", who, None, None),
            Act::Unmute { who } => ("unmute", who, None, None),
            Act::Kick { who, reason } => ("kick", who, None, reason),
            Act::Ban { who, until, reason } => ("ban", who, until, reason),
            Act::Mute { who, until } => ("mute", who, until, None),
            act => unreachable!("nothing about somebody: {act:?}"),
        };
        Event::About { at, what, user: self.name(who), until, reason }
    }

    /// Whether `body` names `who`.
    pub(super) fn names(&self, body: &str, who: AccountId) -> bool {
        let name = format!("@{}", self.name(who));
        body.split(' ').any(|word| word.eq_ignore_ascii_case(&name))
    }

    /// The same later: as it reads then.
    pub(super) fn past(&self, entry: &Entry, viewer: AccountId) -> Event {
        let mut event = self.event(entry, viewer).expect("something in a room");
        match &mut event {
            Event::Message { at, body, mention, edited, .. } => {
                if let Some(now) = self.edited(at.seq) {
                    // Whom it names now.
                    *mention = entry.by != viewer && self.names(&now, viewer);
                    (*body, *edited) = (Some(now), true);
                }
                if self.is_redacted(at.seq) {
                    (*body, *mention) = (None, false);
                }
            }
            Event::Edit { of, body, .. } if self.is_redacted(*of) => body.clear(),
            _ if !self.took_its_words(entry.by) => {}
            // That of a room is the room's.
            Event::Topic { topic, .. } if self.has_topic(entry, topic) => {}
            Event::Topic { topic, .. } => topic.clear(),
            Event::Redact { reason, .. } | Event::About { reason, .. } => *reason = None,
            Event::React { emoji, on, .. } => (*emoji, *on) = (String::new(), false),
            _ => {}
        }
        event
    }

    fn has_topic(&self, entry: &Entry, topic: &str) -> bool {
        entry.room().and_then(|id| self.rooms.get(&id)).is_some_and(|room| room.topic == topic)
    }

    pub(super) fn tell(&mut self, who: AccountId, event: &Event) {
        let is_who = |guest: &&mut Guest| guest.who.as_ref().is_some_and(|(is, _)| *is == who);
        for guest in self.guests.iter_mut().filter(is_who) {
            if guest.holds > 0 {
                guest.held.push(event.clone());
            } else {
                guest.told.push(Told::Event(event.clone()));
            }
        }
    }

    pub(super) fn answer(&mut self, guest: usize, re: Option<u64>, answer: Ruling<Answer>) {
        self.guests[guest].told.push(Told::Answer { re, answer });
    }

    /// Tells those who share a room with `who`.
    pub(super) fn show(&mut self, who: AccountId, state: &'static str, text: Option<&str>) {
        let user = self.name(who);
        for other in self.people.keys().copied().filter(|other| *other != who).collect::<Vec<_>>() {
            let is_both = |room: &&RoomId| {
                [who, other].iter().all(|one| self.rooms[room].members.contains_key(one))
            };
            let shared: Vec<_> = self.rooms.keys().filter(is_both).copied().collect();
            let is_heard = shared.iter().any(|room| !self.is_muted(who, *room));
            let (user, text) = (user.clone(), text.filter(|_| is_heard).map(str::to_owned));
            if !shared.is_empty() {
                self.tell(other, &Event::Presence { user, state, text });
            }
        }
    }
}
