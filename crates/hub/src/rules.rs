//! What may be written to the log: what is asked for, held against what the log comes to.

mod dialogue;
mod members;
mod noticing;
mod settings;
mod speaking;

pub(crate) use self::settings::may_be_kept;
use crate::{
    limits::Limits,
    model::{
        Access, AccountId, Act, Deed, Entry, Member, Millis, Quiet, Role, Room, RoomId, Seq, State,
        Title, Voice,
    },
    protocol::{Ask, Code, Place, Refusal},
    text,
};

/// What was written before, for who asks about it.
pub(crate) trait Past {
    /// The entry at `seq`, as it was written; `None` if there is none.
    fn entry(&self, seq: Seq) -> Option<Entry>;
}

/// Who asks, of what, and when.
#[derive(Debug)]
pub(crate) struct Judge<'j, P> {
    /// What the log comes to.
    pub(crate) state: &'j State,
    /// What was written.
    pub(crate) past: &'j P,
    /// How much of anything there may be.
    pub(crate) limits: &'j Limits,
    /// Who asks.
    pub(crate) by: AccountId,
    /// When.
    pub(crate) now: Millis,
    /// The place of the next entry.
    pub(crate) next: Seq,
}

/// What is to be written, one after the other, or why nothing is.
pub(crate) type Verdict = Result<Vec<Deed>, Refusal>;

impl<P: Past> Judge<'_, P> {
    /// What `ask` comes to. Nothing, where it is so already; nothing, too, of what is not written down.
    ///
    /// # Errors
    ///
    /// Why it may not be.
    pub(crate) fn judge(&self, ask: &Ask) -> Verdict {
        match ask {
            Ask::Message { to, kind, body, reply, .. } => self.say(to, (*kind, body, *reply)),
            Ask::Edit { room, seq, body, .. } => self.edit(room, *seq, body),
            Ask::Redact { room, seq, reason, .. } => self.redact(room, *seq, reason.as_deref()),
            Ask::React { room, seq, emoji, on, .. } => self.react(room, *seq, (emoji, *on)),
            Ask::Read { room, seq } => self.read(room, *seq),
            Ask::Join { room } => self.join(room),
            Ask::Part { room } => self.part(room),
            Ask::Create { room, access, topic } => self.create(room, *access, topic.as_deref()),
            Ask::Topic { room, topic } => self.topic(room, topic),
            Ask::Slow { room, seconds } => self.slow(room, *seconds),
            Ask::Retain { room, days } => self.retain(room, *days),
            Ask::Dialogue { with, mode } => self.dialogue(with, *mode),
            ask => self.about(ask),
        }
    }

    /// What is done about somebody, and about who asks.
    fn about(&self, ask: &Ask) -> Verdict {
        match ask {
            Ask::Invite { room, user } => self.invite(room, user),
            Ask::Role { room, user, role } => self.role(room, user, *role),
            Ask::Kick { room, user, reason } => self.kick(room, user, reason.as_deref()),
            Ask::Ban { room, user, seconds, reason } => {
                self.ban(room, user, (*seconds, reason.as_deref()))
            }
            Ask::Unban { room, user } => self.unban(room, user),
            Ask::Mute { room, user, on: true, seconds } => {
                let until = seconds.map(|seconds| self.in_seconds(seconds));
                self.voice(room, user, Voice::Muted(until))
            }
            Ask::Mute { room, user, on: false, .. } => self.voice(room, user, Voice::Free),
            Ask::Notify { room, level } => self.notify(room, *level),
            Ask::Keywords { words } => self.keywords(words),
            Ask::Quiet { on: true, seconds } => {
                let until = seconds.map(|seconds| self.in_seconds(seconds));
                Ok(self.quiet(until.map_or(Quiet::On, Quiet::Until)))
            }
            Ask::Quiet { on: false, .. } => Ok(self.quiet(Quiet::Off)),
            _ => Ok(Vec::new()),
        }
    }

    fn join(&self, place: &Place) -> Verdict {
        let name = match place {
            Place::Room(name) => name,
            Place::Person(name) => return self.talk(name).map(|(deeds, _)| deeds),
        };
        let Some(id) = self.state.room_named(name) else {
            return self.create(name, Access::Public, None);
        };
        let room = self.state.room(id);
        if room.members.contains_key(&self.by) {
            return Ok(Vec::new());
        }
        if !self.may_know_of(room) {
            // Its name is another's, which is all that may be known.
            return Err(no_room(place));
        }
        if room.is_banned(self.by, self.now) {
            return Err(Refusal::of(Code::Banned));
        }
        self.has_room_for_one(room)?;
        let mut acts = vec![Act::Join];
        // Who left as more than a member comes back as that, and all are told.
        let role = room.standing(self.by).role;
        if role > Role::Member {
            acts.push(Act::Role { who: self.by, role });
        }
        Ok(acts.into_iter().map(|act| Deed::In { room: id, act }).collect())
    }

    fn has_room_for_one(&self, room: &Room) -> Result<(), Refusal> {
        if room.members.len() >= self.limits.members_max {
            return Err(Refusal::of(Code::RoomFull));
        }
        self.may_be_in_one_more()
    }

    /// What others begin to say to somebody takes no room of theirs.
    fn may_be_in_one_more(&self) -> Result<(), Refusal> {
        if self.count(|title| matches!(title, Title::Named(..))) >= self.limits.rooms_an_account_max
        {
            return Err(Refusal::of(Code::TooMany)
                .field("room")
                .why("leave one of your rooms first"));
        }
        Ok(())
    }

    /// The same of those whom who asks spoke to first.
    fn may_talk_to_one_more(&self) -> Result<(), Refusal> {
        let begun = |title: &Title| matches!(title, Title::Talk(one, _) if *one == self.by);
        if self.count(begun) >= self.limits.talks_an_account_max {
            return Err(Refusal::of(Code::TooMany)
                .field("to")
                .why("you spoke to as many as may be"));
        }
        Ok(())
    }

    fn count(&self, is_counted: impl Fn(&Title) -> bool) -> usize {
        let rooms = self.state.account(self.by).rooms.iter();
        rooms.filter(|room| is_counted(&self.state.room(**room).title)).count()
    }

    /// Who leaves a room that it is only invited to declines.
    fn part(&self, place: &Place) -> Verdict {
        let room = self.known(place)?;
        if self.state.room(room).invited.contains_key(&self.by) {
            return Ok(vec![Deed::In { room, act: Act::Part }]);
        }
        self.member(self.state.room(room))?;
        if self.state.room(room).dialogue.is_some() {
            return Ok(vec![Deed::In { room, act: Act::DialogueEnd { word: None } }]);
        }
        self.is_room(room)?;
        Ok(vec![Deed::In { room, act: Act::Part }])
    }

    fn create(&self, name: &str, access: Access, topic: Option<&str>) -> Verdict {
        let name = text::room_name(name)?;
        // Also of a room that may not be known of: two are never called the same, and any other answer
        // would tell as much by being another.
        if let Some(like) = self.state.room_like(&name) {
            let is_same = self.state.room_named(&name) == Some(like);
            let code = if is_same { Code::NameTaken } else { Code::NameConfusable };
            return Err(Refusal::of(code).field("room"));
        }
        self.may_be_in_one_more()?;
        let mut deeds = vec![Deed::Create { name, access }];
        if let Some(topic) = topic.filter(|topic| !topic.is_empty()) {
            let text = text::topic(topic, self.limits)?;
            deeds.push(Deed::In { room: RoomId(self.next), act: Act::Topic { text } });
        }
        Ok(deeds)
    }

    /// The room at `place`, of which who asks is a member.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchRoom`] also of one that may not be known of.
    pub(crate) fn inside(&self, place: &Place) -> Result<RoomId, Refusal> {
        let id = self.known(place)?;
        self.member(self.state.room(id))?;
        Ok(id)
    }

    /// The room at `place`, of which who asks may know.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchRoom`], [`Code::NoSuchUser`].
    pub(crate) fn known(&self, place: &Place) -> Result<RoomId, Refusal> {
        if let Place::Person(name) = place
            && self.state.met(name).is_none()
        {
            self.person(name)?;
        }
        let id = self.named(place).filter(|id| self.may_know_of(self.state.room(*id)));
        id.ok_or_else(|| no_room(place))
    }

    /// The room at `place`, whoever may know of it.
    fn named(&self, place: &Place) -> Option<RoomId> {
        match place {
            Place::Room(name) => self.state.room_named(name),
            Place::Person(name) => self.state.talk_of(self.by, self.state.met(name)?),
        }
    }

    /// Whether who asks may know that there is `room`.
    pub(crate) fn may_know_of(&self, room: &Room) -> bool {
        match room.title {
            Title::Named(_, Access::Public) => true,
            Title::Named(_, Access::Private) => {
                let is_its = room.standing(self.by).role == Role::Owner;
                is_its || room.members.contains_key(&self.by) || room.invited.contains_key(&self.by)
            }
            Title::Talk(one, other) => [one, other].contains(&self.by),
        }
    }

    /// Who is called `name`.
    ///
    /// # Errors
    ///
    /// [`Code::NoSuchUser`].
    pub(crate) fn person(&self, name: &str) -> Result<AccountId, Refusal> {
        let found = self.state.account_named(name);
        found.ok_or_else(|| Refusal::of(Code::NoSuchUser).why(format!("nobody is called {name:?}")))
    }

    fn member<'r>(&self, room: &'r Room) -> Result<&'r Member, Refusal> {
        room.members.get(&self.by).ok_or_else(|| Refusal::of(Code::NotInRoom))
    }

    /// The room at `place`, if it is one with a name, and who asks has a say in it.
    pub(crate) fn moderated(&self, place: &Place) -> Result<RoomId, Refusal> {
        let id = self.known(place)?;
        self.is_room(id)?;
        self.moderates(self.state.room(id))?;
        Ok(id)
    }

    fn is_room(&self, id: RoomId) -> Result<(), Refusal> {
        match self.state.room(id).title {
            Title::Named(..) => Ok(()),
            Title::Talk(..) => Err(Refusal::of(Code::Forbidden).why("between two there is none")),
        }
    }

    fn is_moderator(&self, room: &Room) -> bool {
        let role = room.members.get(&self.by).map(|member| member.role);
        role >= Some(Role::Moderator) || self.state.is_admin(self.by)
    }

    fn moderates(&self, room: &Room) -> Result<(), Refusal> {
        let why = "for moderators and owners of the room";
        if self.is_moderator(room) { Ok(()) } else { Err(Refusal::of(Code::Forbidden).why(why)) }
    }

    fn owns(&self, room: &Room) -> Result<(), Refusal> {
        let is_owner = room.members.get(&self.by).is_some_and(|member| member.role == Role::Owner);
        let is_free = is_owner || self.state.is_admin(self.by);
        if is_free {
            Ok(())
        } else {
            Err(Refusal::of(Code::Forbidden).why("for owners of the room"))
        }
    }
}

fn no_room(place: &Place) -> Refusal {
    let name = match place {
        Place::Room(name) => name.clone(),
        Place::Person(name) => format!("@{name}"),
    };
    Refusal::of(Code::NoSuchRoom).field("room").why(format!("no room is called {name:?}"))
}

#[cfg(test)]
mod tests;
