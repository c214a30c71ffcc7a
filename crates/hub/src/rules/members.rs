//! What may be done about others.

use super::{Judge, Past, Verdict};
use crate::{
    model::{AccountId, Act, Deed, Millis, Role, RoomId, Voice},
    protocol::{Code, Place, Refusal},
    text,
};

impl<P: Past> Judge<'_, P> {
    pub(super) fn invite(&self, place: &Place, user: &str) -> Verdict {
        let id = self.moderated(place)?;
        let who = self.person(user)?;
        let room = self.state.room(id);
        if room.members.contains_key(&who) {
            return Ok(Vec::new());
        }
        if room.is_banned(who, self.now) {
            return Err(Refusal::of(Code::Forbidden).field("user").why("unban them first"));
        }
        Ok(vec![Deed::In { room: id, act: Act::Invite { who } }])
    }

    pub(super) fn role(&self, place: &Place, user: &str, role: Role) -> Verdict {
        let room = self.moderated(place)?;
        self.owns(self.state.room(room))?;
        let who = self.person(user)?;
        let before = self.state.room(room).standing(who).role;
        // Who left as more than a member is yet to be made less.
        if before == Role::Member {
            self.is_in(room, who)?;
        }
        // Who may do as much as oneself stays; but one may step down, where another keeps the room.
        if who != self.by {
            self.outranks(room, who)?;
        } else if before == Role::Owner && role != Role::Owner && self.owns_alone(room) {
            let why = "nobody else in the room owns it: have somebody be an owner first";
            return Err(Refusal::of(Code::Forbidden).field("user").why(why));
        }
        Ok(if before == role {
            Vec::new()
        } else {
            vec![Deed::In { room, act: Act::Role { who, role } }]
        })
    }

    /// Whether nobody else who is in the room is an owner of it.
    fn owns_alone(&self, room: RoomId) -> bool {
        let members = &self.state.room(room).members;
        !members.iter().any(|(who, member)| *who != self.by && member.role == Role::Owner)
    }

    pub(super) fn kick(&self, place: &Place, user: &str, reason: Option<&str>) -> Verdict {
        let room = self.moderated(place)?;
        let who = self.person(user)?;
        self.is_in(room, who)?;
        self.outranks(room, who)?;
        let reason = self.reason(room, reason)?;
        Ok(vec![Deed::In { room, act: Act::Kick { who, reason } }])
    }

    pub(super) fn ban(
        &self,
        place: &Place,
        user: &str,
        (seconds, reason): (Option<u64>, Option<&str>),
    ) -> Verdict {
        let room = self.moderated(place)?;
        let who = self.person(user)?;
        self.outranks(room, who)?;
        let reason = self.reason(room, reason)?;
        let until = seconds.map(|seconds| self.in_seconds(seconds));
        Ok(vec![Deed::In { room, act: Act::Ban { who, until, reason } }])
    }

    pub(super) fn unban(&self, place: &Place, user: &str) -> Verdict {
        let room = self.moderated(place)?;
        let who = self.person(user)?;
        let is_banned = self.state.room(room).banned.contains_key(&who);
        Ok(if is_banned { vec![Deed::In { room, act: Act::Unban { who } }] } else { Vec::new() })
    }

    /// Whether somebody may speak, who may be in the room, or come into it later.
    pub(super) fn voice(&self, place: &Place, user: &str, voice: Voice) -> Verdict {
        let room = self.moderated(place)?;
        let who = self.person(user)?;
        self.outranks(room, who)?;
        let is_free = !self.state.room(room).standing(who).voice.is_muted(self.now);
        if voice == Voice::Free && is_free {
            return Ok(Vec::new());
        }
        let act = match voice {
            Voice::Muted(until) => Act::Mute { who, until },
            Voice::Free => Act::Unmute { who },
        };
        Ok(vec![Deed::In { room, act }])
    }

    pub(super) fn in_seconds(&self, seconds: u64) -> Millis {
        Millis(self.now.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Why something is done about somebody. Who may say nothing gives no reason, either.
    fn reason(&self, room: RoomId, reason: Option<&str>) -> Result<Option<String>, Refusal> {
        let Some(reason) = reason else { return Ok(None) };
        self.has_a_voice(self.state.room(room))?;
        text::line(reason, self.limits).map(Some)
    }

    fn is_in(&self, room: RoomId, who: AccountId) -> Result<(), Refusal> {
        let is_in = self.state.room(room).members.contains_key(&who);
        if is_in { Ok(()) } else { Err(Refusal::of(Code::NotInRoom).field("user")) }
    }

    /// Whether `who`, in the room or not, may do less there than who asks.
    fn outranks(&self, room: RoomId, who: AccountId) -> Result<(), Refusal> {
        let room = self.state.room(room);
        let own = room.members.get(&self.by).map(|member| member.role);
        let is_lower = Some(room.standing(who).role) < own;
        if is_lower || (self.state.is_admin(self.by) && who != self.by) {
            return Ok(());
        }
        Err(Refusal::of(Code::Forbidden).field("user").why("who may do as much as you stays"))
    }
}
