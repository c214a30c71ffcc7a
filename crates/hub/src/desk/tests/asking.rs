//! What the model does of what is asked.

use std::cmp::Reverse;

use super::model::{Later, Model, Person, Ruling, cid_of, has_news, listed, lost, no};
use crate::{
    model::{AccountId, Act, Deed, RoomId, Said, Seq, Title},
    protocol::{Answer, Ask, Code, Event, Listed, Place, Refusal, Resume, Told},
};

impl Model {
    pub(super) fn ask(&mut self, (guest, re): (usize, u64), by: AccountId, ask: &Ask) {
        let ruling = self.rule((guest, re), by, ask).transpose();
        if let Some(answer) = ruling {
            self.answer(guest, Some(re), answer);
        }
    }

    fn rule(
        &mut self,
        (guest, re): (usize, u64),
        by: AccountId,
        ask: &Ask,
    ) -> Ruling<Option<Answer>> {
        if self.people[&by].gone.is_some() || !self.is_yet(guest, by) {
            return no(Code::SessionRevoked);
        }
        if let Some(answer) = self.said_before(by, ask) {
            return answer.map(Some);
        }
        let later = match ask {
            Ask::History { room, page, limit, messages: _ } => {
                let limit = limit.unwrap_or(50).clamp(1, self.limits.page_max);
                Later::Page(self.inside(by, room)?, *page, (limit, self.last))
            }
            Ask::Search { words, room, from, limit } => {
                let room = room.as_ref().map(|room| self.inside(by, room)).transpose()?;
                let rooms = room.map_or_else(|| self.rooms_of(by), |room| vec![room]);
                let from = from.as_ref().map(|from| self.person(from)).transpose()?;
                let limit = limit.unwrap_or(50).clamp(1, self.limits.found_max);
                Later::Found(rooms, words.clone(), from, (limit, self.last))
            }
            Ask::Resume(resume) => {
                let rooms = self.resumed(by, resume).into_iter().collect::<Ruling<_>>()?;
                self.resume(guest, (Some(re), by), (rooms, resume.furthest()));
                return Ok(None);
            }
            Ask::Rooms { matching } => self.list_rooms(by, matching.as_deref()),
            Ask::Join { room } if self.inside(by, room).is_ok() => {
                let room = self.inside(by, room)?;
                if matches!(self.rooms[&room].title, Title::Talk(..)) {
                    return no(Code::BadField);
                }
                Later::Counted(Answer::Joined(self.listed(room, by)), self.last)
            }
            ask => return self.do_now((guest, by), ask).map(Some),
        };
        // Where there is nothing to count, it is told at once.
        if let Later::Counted(answer, _) = &later
            && !listed(&mut answer.clone()).iter().any(has_news)
        {
            return Ok(Some(answer.clone()));
        }
        self.later.push((guest, Some(re), by, later));
        Ok(None)
    }

    /// Whether a client is `by`, and was not sent away.
    fn is_yet(&self, guest: usize, by: AccountId) -> bool {
        let own = self.guests[guest].who.as_ref().filter(|(who, _)| *who == by);
        own.is_some_and(|(_, session)| !self.dismissed.contains(&(guest, session.clone())))
    }

    /// Which rooms are resumed, each behind which place.
    pub(super) fn resumed(&self, by: AccountId, resume: &Resume) -> Vec<Ruling<(RoomId, Seq)>> {
        match resume {
            Resume::Since(since) => {
                self.rooms_of(by).into_iter().map(|room| Ok((room, *since))).collect()
            }
            Resume::Rooms(rooms) => {
                let inside = |(place, since): &(Place, Seq)| Ok((self.inside(by, place)?, *since));
                rooms.iter().map(inside).collect()
            }
        }
    }

    fn list_rooms(&self, by: AccountId, matching: Option<&str>) -> Later {
        let matching = matching.unwrap_or("").to_lowercase();
        let rooms = self.rooms.keys().filter(|room| self.may_know_of(by, **room));
        let mut rooms: Vec<_> = rooms.collect();
        rooms.sort_by_key(|id| {
            let room = &self.rooms[id];
            let is_own = room.members.contains_key(&by) || room.invited.contains_key(&by);
            Reverse((is_own, room.members.len(), self.last_of(**id)))
        });
        let rooms = rooms.into_iter().map(|room| self.listed(*room, by));
        let is_wanted = |listed: &Listed| match &listed.room {
            Place::Room(name) => name.to_lowercase().contains(&matching),
            Place::Person(_) => false,
        };
        let rooms = rooms.filter(is_wanted).collect();
        Later::Counted(Answer::Rooms { rooms, more: false }, self.last)
    }

    fn do_now(&mut self, (guest, by): (usize, AccountId), ask: &Ask) -> Ruling<Answer> {
        match ask {
            Ask::Who { room } => {
                let room = self.known(by, room)?;
                let named = self.rooms[&room]
                    .members
                    .iter()
                    .map(|(who, member)| (self.name(*who), member.role, self.online(*who) > 0));
                Ok(Answer::Members { members: named.collect(), more: false })
            }
            Ask::Whois { user } => {
                let who = self.person(user)?;
                let Person { name: user, since, away, .. } = &self.people[&who];
                let (user, online) = (user.clone(), self.online(who) > 0);
                Ok(Answer::Person { user, since: *since, online, away: away.clone() })
            }
            Ask::Sessions => {
                let own = self.guests[guest].who.as_ref().map(|(_, session)| session.clone());
                let named = self.people[&by].sessions.iter().map(|(name, since)| {
                    ("device".to_owned(), name.clone(), *since, own.as_ref() == Some(name))
                });
                Ok(Answer::Sessions(named.collect()))
            }
            Ask::Typing { .. } | Ask::Away { .. } | Ask::Announce { .. } => {
                self.pass_on(by, ask).map(|()| Answer::Done)
            }
            Ask::Logout { .. } => self.end_sessions((guest, by), None),
            Ask::Revoke { session } => self.end_sessions((guest, by), Some(session)),
            ask => self.write_down(by, ask),
        }
    }

    fn pass_on(&mut self, by: AccountId, ask: &Ask) -> Ruling<()> {
        match ask {
            Ask::Typing { room, on } => {
                let room = self.inside(by, room)?;
                if *on && self.is_muted(by, room) {
                    return Ok(());
                }
                let members: Vec<_> = self.rooms[&room].members.keys().copied().collect();
                for who in members.into_iter().filter(|who| *who != by) {
                    let (room, user) = (self.place(room, who), self.name(by));
                    self.tell(who, &Event::Typing { room, user, on: *on });
                }
            }
            Ask::Away { text } => {
                self.people.get_mut(&by).unwrap().away.clone_from(text);
                self.show(by, if text.is_some() { "away" } else { "online" }, text.as_deref());
            }
            Ask::Announce { .. } if !self.is_admin(by) => return no(Code::Forbidden),
            Ask::Announce { body } => {
                let (at, from, body) = (self.now, self.name(by), body.clone());
                let event = Event::Announce { at, from, body };
                for who in self.people.keys().copied().collect::<Vec<_>>() {
                    self.tell(who, &event);
                }
            }
            _ => {}
        }
        Ok(())
    }

    pub(super) fn end_sessions(
        &mut self,
        (guest, by): (usize, AccountId),
        which: Option<&str>,
    ) -> Ruling<Answer> {
        let is_ended = |session: &str| which.is_none_or(|which| which == session);
        let own = self.guests[guest].who.as_ref().map(|(_, own)| own.as_str());
        let kept = &self.people[&by].sessions;
        if let Some(which) = which.filter(|which| own != Some(*which))
            && !kept.iter().any(|(name, _)| name == which)
        {
            return no(Code::BadField);
        }
        self.people.get_mut(&by).unwrap().sessions.retain(|(name, _)| !is_ended(name));
        self.send_away(by, |(other, session)| other != guest && is_ended(session));
        if self.is_lost { Err(lost()) } else { Ok(Answer::Done) }
    }

    /// Deletes `by`, who knows its password.
    pub(super) fn unregister(&mut self, (guest, re): (usize, u64), by: AccountId, said: Said) {
        let done = self.go(by, said).map(|()| Answer::Done);
        self.answer(guest, Some(re), done);
        if self.people[&by].gone.is_some() {
            self.send_away(by, |_| true);
        }
    }

    fn go(&mut self, by: AccountId, said: Said) -> Ruling<()> {
        if self.is_admin(by) && self.living().count() > 1 {
            return no(Code::Forbidden);
        }
        for room in self.rooms_of(by) {
            self.write(by, None, Deed::In { room, act: Act::Part })?;
        }
        self.write(by, None, Deed::Unregister { who: by, said })?;
        for room in self.rooms.values_mut() {
            room.invited.retain(|who, (inviter, _)| *who != by && *inviter != by);
        }
        let person = self.people.get_mut(&by).expect("somebody");
        person.gone = Some(said);
        person.sessions.clear();
        Ok(())
    }

    /// Ends the connections of `by` that are so, by their number and session.
    fn send_away(&mut self, by: AccountId, is_so: impl Fn((usize, &str)) -> bool) {
        for other in 0..self.guests.len() {
            let own = self.guests[other].who.clone();
            if own.as_ref().is_some_and(|(who, session)| *who == by && is_so((other, session))) {
                let bye = Event::Bye(Refusal::of(Code::SessionRevoked));
                self.guests[other].told.push(Told::Event(bye));
                self.dismissed.push((other, own.expect("somebody").1));
            }
        }
    }

    pub(super) fn said_before(&self, by: AccountId, ask: &Ask) -> Option<Ruling<Answer>> {
        let cid = cid_of(ask)?;
        let before =
            self.log.iter().find(|entry| entry.by == by && entry.cid.as_ref() == Some(cid))?;
        let Deed::In { room, act } = &before.deed else { return None };
        let is_same = match (act, ask) {
            (
                Act::Say { kind, body, reply },
                Ask::Message { to, kind: k, body: b, reply: r, .. },
            ) => {
                self.at(by, to) == Some(*room)
                    && (kind, reply) == (k, r)
                    && (body == b || self.is_redacted(before.seq))
            }
            (Act::Edit { of, body }, Ask::Edit { room: place, seq, body: b, .. }) => {
                self.at(by, place) == Some(*room)
                    && of == seq
                    && (body == b || self.is_redacted(*of))
            }
            (Act::Redact { of, reason }, Ask::Redact { room: place, seq, reason: r, .. }) => {
                self.at(by, place) == Some(*room) && (of, reason) == (seq, r)
            }
            (Act::React { of, sign, on }, Ask::React { room: place, seq, emoji, on: o, .. }) => {
                self.at(by, place) == Some(*room) && (of, sign, on) == (seq, emoji, o)
            }
            _ => false,
        };
        let answer = Answer::Written { seq: before.seq, at: before.at, dup: true };
        Some(if is_same { Ok(answer) } else { no(Code::CidReused) })
    }

    pub(super) fn write_down(&mut self, by: AccountId, ask: &Ask) -> Ruling<Answer> {
        let deeds = self.deeds(by, ask)?;
        let (many, mut seq) = (deeds.len(), None);
        for (number, deed) in deeds.into_iter().enumerate() {
            let cid = cid_of(ask).filter(|_| number + 1 == many).cloned();
            seq = Some(self.write(by, cid, deed)?);
        }
        if let Ask::Join { room: Place::Room(name) } | Ask::Create { room: name, .. } = ask {
            let room = self.at(by, &Place::Room(name.clone())).expect("the room that it is in");
            return Ok(Answer::Joined(self.listed(room, by)));
        }
        Ok(seq.map_or(Answer::Done, |seq| Answer::Written { seq, at: self.now, dup: false }))
    }
}
