//! What may be said, and what may become of it.

use super::{Judge, Past, Verdict, dialogue};
use crate::{
    model::{AccountId, Act, Deed, Entry, Kind, Millis, Room, RoomId, Seq, Voice},
    protocol::{Ask, Code, Place, Refusal},
    text,
};

impl<P: Past> Judge<'_, P> {
    /// Whether `deed` is what `ask` came to, when it was asked before.
    pub(crate) fn is_the_same(&self, deed: &Deed, ask: &Ask) -> bool {
        let Deed::In { room, act } = deed else { return false };
        let (Ask::Message { to: place, .. }
        | Ask::Edit { room: place, .. }
        | Ask::Redact { room: place, .. }
        | Ask::React { room: place, .. }) = ask
        else {
            return false;
        };
        let is_there = self.named(place) == Some(*room);
        is_there
            && match (act, ask) {
                (
                    Act::Say { kind, body, reply },
                    Ask::Message { kind: k, body: b, reply: r, .. },
                ) => {
                    let is_same = text::body(b, self.limits).is_ok_and(|b| b == *body);
                    // What was taken out since is no more known.
                    (kind, reply) == (k, r) && (is_same || body.is_empty())
                }
                (Act::DialogueEnd { word }, Ask::Message { kind, body, .. }) => {
                    let last = dialogue::last_word(*kind, body);
                    last.is_some() && last == word.as_deref()
                }
                _ => self.is_the_same_about(act, ask),
            }
    }

    /// The same of what becomes of what was said. What was taken out or forgotten since is empty.
    fn is_the_same_about(&self, act: &Act, ask: &Ask) -> bool {
        match (act, ask) {
            (Act::Edit { of, body }, Ask::Edit { seq, body: b, .. }) => {
                let is_same = text::body(b, self.limits).is_ok_and(|b| b == *body);
                of == seq && (is_same || body.is_empty())
            }
            (Act::Redact { of, reason }, Ask::Redact { seq, reason: r, .. }) => {
                let line = r.as_deref().map(|r| text::line(r, self.limits)).transpose();
                let is_same = line.is_ok_and(|r| r == *reason);
                of == seq && (is_same || reason.as_deref() == Some(""))
            }
            (Act::React { of, sign, on }, Ask::React { seq, emoji, on: o, .. }) => {
                let is_same = text::sign(emoji).is_ok_and(|e| e == *sign);
                (of, on) == (seq, o) && (is_same || sign.is_empty())
            }
            _ => false,
        }
    }

    pub(super) fn say(
        &self,
        to: &Place,
        (kind, body, reply): (Kind, &str, Option<Seq>),
    ) -> Verdict {
        let body = text::body(body, self.limits)?;
        let (mut deeds, room) = match to {
            Place::Room(_) => (Vec::new(), self.inside(to)?),
            Place::Person(name) => self.talk(name)?,
        };
        if let Some(end) = self.last_word(room, (kind, &body)) {
            return Ok(vec![end]);
        }
        if deeds.is_empty() {
            self.may_speak(self.state.room(room))?;
            self.has_its_turn(room)?;
            self.is_there(room, reply)?;
        } else if reply.is_some() {
            return Err(Refusal::of(Code::NoSuchEvent).field("reply"));
        }
        deeds.push(Deed::In { room, act: Act::Say { kind, body, reply } });
        Ok(deeds)
    }

    /// Where who asks speaks with `name`, and what is to be written for that.
    pub(super) fn talk(&self, name: &str) -> Result<(Vec<Deed>, RoomId), Refusal> {
        let with = self.person(name)?;
        if with == self.by {
            let why = "expected somebody else than yourself";
            return Err(Refusal::of(Code::BadField).field("to").why(why));
        }
        if let Some(room) = self.state.talk_of(self.by, with) {
            return Ok((Vec::new(), room));
        }
        self.may_talk_to_one_more()?;
        Ok((vec![Deed::Talk { with }], RoomId(self.next)))
    }

    /// Whether who asks may speak there now.
    fn may_speak(&self, room: &Room) -> Result<(), Refusal> {
        let member = self.member(room)?;
        self.has_a_voice(room)?;
        let free = member.standing().speaks_again(room.slow_seconds);
        // What was said later than now was so by a clock that was wrong: nobody waits for that.
        let spoke = member.spoke..free;
        if spoke.contains(&self.now) && !self.is_moderator(room) {
            let refusal = Refusal::of(Code::RateLimited).why("this room is slow");
            return Err(refusal.retry_ms(free.0 - self.now.0));
        }
        Ok(())
    }

    /// Whether who asks may say anything there, in any way: it is not muted.
    pub(super) fn has_a_voice(&self, room: &Room) -> Result<(), Refusal> {
        let voice = room.standing(self.by).voice;
        if !voice.is_muted(self.now) {
            return Ok(());
        }
        let refusal = Refusal::of(Code::Muted);
        Err(match voice {
            Voice::Muted(Some(until)) => refusal.retry_ms(until.0 - self.now.0),
            Voice::Muted(None) | Voice::Free => refusal,
        })
    }

    /// Whether what is answered to was said there.
    fn is_there(&self, room: RoomId, reply: Option<Seq>) -> Result<(), Refusal> {
        match reply {
            Some(seq) => self.said(room, seq).map(|_| ()).map_err(|refusal| refusal.field("reply")),
            None => Ok(()),
        }
    }

    /// What was said at `seq` in `room`: who said it, and when.
    fn said(&self, room: RoomId, seq: Seq) -> Result<(AccountId, Millis), Refusal> {
        match self.past.entry(seq) {
            Some(Entry { by, at, deed: Deed::In { room: of, act: Act::Say { .. } }, .. })
                if of == room =>
            {
                Ok((by, at))
            }
            _ => Err(Refusal::of(Code::NoSuchEvent)
                .field("seq")
                .why(format!("nothing said at {seq}"))),
        }
    }

    /// Whether what `by` said at `seq` was taken out: nothing of it is left, or will be soon.
    fn is_redacted(&self, seq: Seq, by: AccountId) -> bool {
        let said = self.past.entry(seq).map(|entry| entry.deed);
        let is_empty = |said: &Deed| matches!(said, Deed::In { act: Act::Say { body, .. }, .. } if body.is_empty());
        self.state.account(by).took_its_words() || said.as_ref().is_some_and(is_empty)
    }

    pub(super) fn edit(&self, room: &Place, of: Seq, body: &str) -> Verdict {
        let body = text::body(body, self.limits)?;
        let room = self.inside(room)?;
        self.may_speak(self.state.room(room))?;
        let (by, at) = self.said(room, of)?;
        if by != self.by {
            return Err(Refusal::of(Code::Forbidden).why("who said it edits it"));
        }
        if self.is_redacted(of, by) {
            return Err(Refusal::of(Code::NoSuchEvent).field("seq").why("it was taken out"));
        }
        if self.now.0.saturating_sub(at.0) > self.limits.edit_ms_max {
            return Err(Refusal::of(Code::EditTooLate));
        }
        Ok(vec![Deed::In { room, act: Act::Edit { of, body } }])
    }

    pub(super) fn redact(&self, room: &Place, of: Seq, reason: Option<&str>) -> Verdict {
        let room = self.inside(room)?;
        let (by, _) = self.said(room, of)?;
        if by != self.by {
            self.moderates(self.state.room(room))?;
        }
        if self.is_redacted(of, by) {
            return Ok(Vec::new());
        }
        // Who may not speak may take back what it said, and say nothing by that.
        if reason.is_some() {
            self.may_speak(self.state.room(room))?;
        }
        let reason = reason.map(|reason| text::line(reason, self.limits)).transpose()?;
        Ok(vec![Deed::In { room, act: Act::Redact { of, reason } }])
    }

    pub(super) fn react(&self, room: &Place, of: Seq, (sign, on): (&str, bool)) -> Verdict {
        let room = self.inside(room)?;
        self.may_speak(self.state.room(room))?;
        self.said(room, of)?;
        let sign = text::sign(sign)?;
        Ok(vec![Deed::In { room, act: Act::React { of, sign, on } }])
    }

    pub(super) fn read(&self, room: &Place, last: Seq) -> Verdict {
        let room = self.inside(room)?;
        let last = last.min(self.state.room(room).last);
        let before = self.member(self.state.room(room))?.read;
        Ok(if before < last {
            vec![Deed::In { room, act: Act::Read { last } }]
        } else {
            Vec::new()
        })
    }
}
