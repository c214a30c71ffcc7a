//! What may be done about others.

use super::{Judge, Past, Verdict};
use crate::{
    model::{AccountId, Act, Deed, Member, Millis, Role, RoomId, Voice},
    protocol::{Code, Place, Refusal},
    text,
};

impl<P: Past> Judge<'_, P> {
    pub(super) fn invite(&self, place: &Place, user: &str) -> Verdict {
        let room = self.moderated(place)?;
        let who = self.person(user)?;
        let is_in = self.state.room(room).members.contains_key(&who);
        Ok(if is_in { Vec::new() } else { vec![Deed::In { room, act: Act::Invite { who } }] })
    }

    pub(super) fn role(&self, place: &Place, user: &str, role: Role) -> Verdict {
        let room = self.moderated(place)?;
        self.owns(self.state.room(room))?;
        let (who, member) = self.other(room, user)?;
        // Who may do as much as oneself stays; but one may step down.
        if who != self.by {
            self.lower(room, user)?;
        }
        Ok(if member.role == role {
            Vec::new()
        } else {
            vec![Deed::In { room, act: Act::Role { who, role } }]
        })
    }

    pub(super) fn kick(&self, place: &Place, user: &str, reason: Option<&str>) -> Verdict {
        let room = self.moderated(place)?;
        let who = self.lower(room, user)?;
        let reason = reason.map(|reason| text::line(reason, self.limits)).transpose()?;
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
        if self.state.room(room).members.contains_key(&who) {
            self.lower(room, user)?;
        }
        let reason = reason.map(|reason| text::line(reason, self.limits)).transpose()?;
        let until = seconds.map(|seconds| self.in_seconds(seconds));
        Ok(vec![Deed::In { room, act: Act::Ban { who, until, reason } }])
    }

    pub(super) fn unban(&self, place: &Place, user: &str) -> Verdict {
        let room = self.moderated(place)?;
        let who = self.person(user)?;
        let is_banned = self.state.room(room).banned.contains_key(&who);
        Ok(if is_banned { vec![Deed::In { room, act: Act::Unban { who } }] } else { Vec::new() })
    }

    pub(super) fn voice(&self, place: &Place, user: &str, voice: Voice) -> Verdict {
        let room = self.moderated(place)?;
        let who = self.lower(room, user)?;
        let act = match voice {
            Voice::Muted(until) => Act::Mute { who, until },
            Voice::Free => Act::Unmute { who },
        };
        Ok(vec![Deed::In { room, act }])
    }

    pub(super) fn in_seconds(&self, seconds: u64) -> Millis {
        Millis(self.now.0.saturating_add(seconds.saturating_mul(1000)))
    }

    /// Who is called `user`, and is in `room`.
    fn other(&self, room: RoomId, user: &str) -> Result<(AccountId, Member), Refusal> {
        let who = self.person(user)?;
        let member = self.state.room(room).members.get(&who).copied();
        let member = member.ok_or_else(|| Refusal::of(Code::NotInRoom).field("user"))?;
        Ok((who, member))
    }

    /// The same, who may do less than who asks.
    fn lower(&self, room: RoomId, user: &str) -> Result<AccountId, Refusal> {
        let (who, member) = self.other(room, user)?;
        let own = self.state.room(room).members.get(&self.by).map(|member| member.role);
        if Some(member.role) < own || (self.state.is_admin(self.by) && who != self.by) {
            return Ok(who);
        }
        Err(Refusal::of(Code::Forbidden).field("user").why("who may do as much as you stays"))
    }
}
