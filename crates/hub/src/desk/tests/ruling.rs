//! What may be written down, rule by rule, as the reference has them.

use super::model::{Member, Model, Ruling, no};
use crate::{
    model::{Access, AccountId, Act, Deed, Millis, Role, RoomId, Seq, Title},
    protocol::{Ask, Code, Place},
};

#[expect(clippy::unnecessary_wraps, reason = "what most rules come to")]
fn act(room: RoomId, act: Act) -> Ruling<Vec<Deed>> {
    Ok(vec![Deed::In { room, act }])
}

impl Model {
    /// What `ask` comes to; nothing, where it is so already.
    pub(super) fn deeds(&self, by: AccountId, ask: &Ask) -> Ruling<Vec<Deed>> {
        match ask {
            Ask::Message { body, .. } | Ask::Edit { body, .. } if body.trim().is_empty() => {
                no(Code::BadField)
            }
            Ask::Message { to: Place::Person(name), .. } if self.person(name) == Ok(by) => {
                no(Code::BadField)
            }
            Ask::Message { to: Place::Person(name), .. }
                if self.person(name).is_ok_and(|with| self.talk(by, with).is_none()) =>
            {
                self.first_words(by, ask)
            }
            Ask::Message { to, kind, body, reply, .. } => {
                if let Place::Person(name) = to {
                    // To who was deleted nothing more is said.
                    self.person(name)?;
                }
                let room = self.inside(by, to)?;
                self.may_speak(by, room)?;
                reply.map_or(Ok(()), |reply| self.said(room, reply).map(|_| ()))?;
                act(room, Act::Say { kind: *kind, body: body.clone(), reply: *reply })
            }
            Ask::Edit { .. } | Ask::Redact { .. } | Ask::React { .. } => self.about_words(by, ask),
            Ask::Join { room } => self.join(by, room),
            Ask::Create { room, access, topic } => {
                self.create(by, (room, *access, topic.as_deref().unwrap_or("")))
            }
            Ask::Read { .. } | Ask::Part { .. } | Ask::Topic { .. } | Ask::Slow { .. } => {
                self.in_room(by, ask)
            }
            ask => self.about_somebody(by, ask),
        }
    }

    /// What is said to somebody with whom nothing was said yet.
    fn first_words(&self, by: AccountId, ask: &Ask) -> Ruling<Vec<Deed>> {
        let Ask::Message { to: Place::Person(name), kind, body, reply, .. } = ask else {
            unreachable!("something said to somebody");
        };
        let begun = self.rooms.values().filter(|room| match room.title {
            Title::Talk(one, _) => one == by,
            Title::Named(..) => false,
        });
        if begun.count() >= self.limits.talks_an_account_max {
            return no(Code::TooMany);
        }
        if reply.is_some() {
            return no(Code::NoSuchEvent);
        }
        let mut deeds = vec![Deed::Talk { with: self.person(name)? }];
        let room = RoomId(Seq(self.last.0 + 1));
        deeds.extend(act(room, Act::Say { kind: *kind, body: body.clone(), reply: None })?);
        Ok(deeds)
    }

    /// What is done about something that was said.
    fn about_words(&self, by: AccountId, ask: &Ask) -> Ruling<Vec<Deed>> {
        match ask {
            Ask::Edit { room, seq, body, .. } => {
                let room = self.inside(by, room)?;
                self.may_speak(by, room)?;
                let said = self.said(room, *seq)?;
                if said.by != by {
                    return no(Code::Forbidden);
                }
                if self.is_redacted(*seq) {
                    return no(Code::NoSuchEvent);
                }
                if self.now.0 - said.at.0 > self.limits.edit_ms_max {
                    return no(Code::EditTooLate);
                }
                act(room, Act::Edit { of: *seq, body: body.clone() })
            }
            Ask::Redact { room, seq, reason, .. } => {
                let room = self.inside(by, room)?;
                if self.said(room, *seq)?.by != by && !self.is_moderator(by, room) {
                    return no(Code::Forbidden);
                }
                if self.is_redacted(*seq) {
                    return Ok(Vec::new());
                }
                if reason.is_some() {
                    self.may_speak(by, room)?;
                }
                act(room, Act::Redact { of: *seq, reason: reason.clone() })
            }
            Ask::React { room, seq, emoji, on, .. } => {
                let room = self.inside(by, room)?;
                self.may_speak(by, room)?;
                self.said(room, *seq)?;
                act(room, Act::React { of: *seq, sign: emoji.clone(), on: *on })
            }
            other => unreachable!("nothing about words: {other:?}"),
        }
    }

    fn join(&self, by: AccountId, place: &Place) -> Ruling<Vec<Deed>> {
        let Place::Room(name) = place else { return no(Code::BadField) };
        let Some(id) = self.at(by, place) else {
            return self.create(by, (name, Access::Public, ""));
        };
        self.known(by, place)?;
        let room = &self.rooms[&id];
        let is_yet = |until: &Option<Millis>| until.is_none_or(|until| self.now < until);
        if room.banned.get(&by).is_some_and(is_yet) {
            return no(Code::Banned);
        }
        if room.members.len() >= self.limits.members_max {
            return no(Code::RoomFull);
        }
        if self.named_rooms(by) >= self.limits.rooms_an_account_max {
            return no(Code::TooMany);
        }
        let mut deeds = act(id, Act::Join)?;
        let role = room.standing(by).role;
        if role != Role::Member {
            deeds.extend(act(id, Act::Role { who: by, role })?);
        }
        Ok(deeds)
    }

    fn create(
        &self,
        by: AccountId,
        (name, access, topic): (&str, Access, &str),
    ) -> Ruling<Vec<Deed>> {
        if self.at(by, &Place::Room(name.to_owned())).is_some() {
            return no(Code::NameTaken);
        }
        if self.named_rooms(by) >= self.limits.rooms_an_account_max {
            return no(Code::TooMany);
        }
        let mut deeds = vec![Deed::Create { name: name.to_owned(), access }];
        if !topic.is_empty() {
            let room = RoomId(Seq(self.last.0 + 1));
            deeds.extend(act(room, Act::Topic { text: topic.to_owned() })?);
        }
        Ok(deeds)
    }

    fn in_room(&self, by: AccountId, ask: &Ask) -> Ruling<Vec<Deed>> {
        match ask {
            Ask::Read { room, seq } => {
                let room = self.inside(by, room)?;
                let last = self.last_of(room).min(*seq);
                let is_read = self.rooms[&room].members[&by].read >= last;
                if is_read { Ok(Vec::new()) } else { act(room, Act::Read { last }) }
            }
            Ask::Part { room } => {
                let known = self.known(by, room)?;
                if self.rooms[&known].invited.contains_key(&by) {
                    return act(known, Act::Part);
                }
                let room = self.inside(by, room)?;
                let is_talk = matches!(self.rooms[&room].title, Title::Talk(..));
                if is_talk { no(Code::Forbidden) } else { act(room, Act::Part) }
            }
            Ask::Topic { room, topic } => {
                let room = self.moderated(by, room)?;
                self.has_a_voice(by, room)?;
                act(room, Act::Topic { text: topic.clone() })
            }
            Ask::Slow { room, seconds } => {
                act(self.moderated(by, room)?, Act::Slow { seconds: *seconds })
            }
            other => unreachable!("nothing of a room: {other:?}"),
        }
    }

    fn about_somebody(&self, by: AccountId, ask: &Ask) -> Ruling<Vec<Deed>> {
        let until = |seconds: Option<u64>| seconds.map(|many| Millis(self.now.0 + many * 1000));
        match ask {
            Ask::Invite { room, user } => {
                let (room, who) = (self.moderated(by, room)?, self.person(user)?);
                if self.rooms[&room].members.contains_key(&who) {
                    return Ok(Vec::new());
                }
                let until = self.rooms[&room].banned.get(&who);
                if until.is_some_and(|until| until.is_none_or(|until| self.now < until)) {
                    return no(Code::Forbidden);
                }
                act(room, Act::Invite { who })
            }
            Ask::Role { room, user, role } => self.role(by, (room, user), *role),
            Ask::Kick { room, user, reason } => {
                let room = self.moderated(by, room)?;
                self.member(room, user)?;
                let who = self.lower(by, room, user)?;
                self.may_give(by, (room, reason))?;
                act(room, Act::Kick { who, reason: reason.clone() })
            }
            Ask::Ban { room, user, seconds, reason } => {
                let room = self.moderated(by, room)?;
                let who = self.lower(by, room, user)?;
                self.may_give(by, (room, reason))?;
                act(room, Act::Ban { who, until: until(*seconds), reason: reason.clone() })
            }
            Ask::Unban { room, user } => {
                let (room, who) = (self.moderated(by, room)?, self.person(user)?);
                let is_banned = self.rooms[&room].banned.contains_key(&who);
                if is_banned { act(room, Act::Unban { who }) } else { Ok(Vec::new()) }
            }
            Ask::Mute { room, user, on, seconds } => {
                let room = self.moderated(by, room)?;
                let (who, until) = (self.lower(by, room, user)?, until(*seconds));
                if !*on && !self.is_muted(who, room) {
                    return Ok(Vec::new());
                }
                act(room, if *on { Act::Mute { who, until } } else { Act::Unmute { who } })
            }
            other => unreachable!("nothing that is written down: {other:?}"),
        }
    }

    fn may_give(&self, by: AccountId, (room, reason): (RoomId, &Option<String>)) -> Ruling<()> {
        reason.as_ref().map_or(Ok(()), |_| self.has_a_voice(by, room))
    }

    fn role(&self, by: AccountId, (place, user): (&Place, &str), role: Role) -> Ruling<Vec<Deed>> {
        let room = self.moderated(by, place)?;
        let is_owner = |member: &Member| member.role == Role::Owner;
        if !self.rooms[&room].members.get(&by).is_some_and(is_owner) && !self.is_admin(by) {
            return no(Code::Forbidden);
        }
        let who = self.person(user)?;
        let before = self.rooms[&room].standing(who).role;
        if before == Role::Member {
            self.member(room, user)?;
        }
        let members = &self.rooms[&room].members;
        if who != by {
            self.lower(by, room, user)?;
        } else if before == Role::Owner
            && role < Role::Owner
            && members.iter().all(|(one, member)| *one == by || !is_owner(member))
        {
            return no(Code::Forbidden);
        }
        let is_so = before == role;
        if is_so { Ok(Vec::new()) } else { act(room, Act::Role { who, role }) }
    }
}
