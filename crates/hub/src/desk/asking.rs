//! What clients ask who are somebody: at which pace, whether it was asked before, and who answers.

use super::{Desk, broken, order::Asked, pace};
use crate::{
    model::{AccountId, Cid, Entry, Seq},
    protocol::{Answer, Ask, Code, Refusal},
};

impl Desk {
    pub(super) fn ask(
        &mut self,
        (client, re): Asked,
        by: AccountId,
        ask: Ask,
    ) -> Result<Option<Answer>, Refusal> {
        self.may_look_up(by, pace::cost(&ask, self.state.account(by).rooms.len()))?;
        if let Some(cid) = cid_of(&ask)
            && let Some(before) = self.store.with_cid(by, cid).map_err(|error| broken(&error))?
        {
            // Nothing is written down: it has no other pace.
            self.may_look_up(by, 1)?;
            return self.said_before(&before, by, &ask).map(Some);
        }
        match ask {
            Ask::History { .. } | Ask::Search { .. } | Ask::Resume(_) | Ask::Export { .. } => {
                self.read((client, re), by, ask).map(|()| None)
            }
            Ask::Rooms { matching } => Ok(self.list_rooms((client, re), by, matching.as_deref())),
            Ask::Wishes { room } => self.tell_wishes(by, room.as_ref()).map(Some),
            Ask::Who { .. } | Ask::Whois { .. } | Ask::Sessions => {
                self.look((client, by), &ask).map(Some)
            }
            Ask::Typing { .. } | Ask::Away { .. } | Ask::Announce { .. } => {
                self.pass_on(by, &ask).map(Some)
            }
            Ask::Logout { .. } | Ask::Revoke { .. } => self.log_out(client, by, &ask).map(Some),
            ask => self.write((client, re), by, &ask),
        }
    }

    /// Writes down what `ask` comes to, at the pace of messages; that something was read has been counted as
    /// a lookup.
    fn write(&mut self, asked: Asked, by: AccountId, ask: &Ask) -> Result<Option<Answer>, Refusal> {
        if !matches!(ask, Ask::Read { .. }) {
            self.may_write(by)?;
        }
        let deeds = self.judge(by).judge(ask)?;
        if deeds.is_empty() {
            return Ok(self.done(asked, by, ask));
        }
        let (last, mut cid) = (deeds.len() - 1, cid_of(ask).cloned());
        let mut written = self.state.last;
        for (place, deed) in deeds.into_iter().enumerate() {
            let cid = if place == last { cid.take() } else { None };
            written = self.put_down(by, cid, deed)?;
        }
        Ok(Some(self.written(written, by, ask)))
    }

    /// Whether an account may have something written down now, at the pace of messages.
    pub(super) fn may_write(&mut self, by: AccountId) -> Result<(), Refusal> {
        let now = self.now();
        self.pace.may(by, (now, 1)).map_err(|ms| Refusal::of(Code::RateLimited).retry_ms(ms))
    }

    /// What is answered to `ask`, of which the last entry is at `seq`.
    fn written(&self, seq: Seq, by: AccountId, ask: &Ask) -> Answer {
        match self.entered(by, ask) {
            // Nobody said anything there since.
            Some(room) => Answer::Joined(self.listed(room, by)),
            None => Answer::Written { seq, at: self.last_at, dup: false },
        }
    }

    /// What was asked before under the same name.
    fn said_before(&self, before: &Entry, by: AccountId, ask: &Ask) -> Result<Answer, Refusal> {
        if self.judge(by).is_the_same(&before.deed, ask) {
            return Ok(Answer::Written { seq: before.seq, at: before.at, dup: true });
        }
        Err(Refusal::of(Code::CidReused).field("cid"))
    }
}

/// What a client calls what it asks.
fn cid_of(ask: &Ask) -> Option<&Cid> {
    match ask {
        Ask::Message { cid, .. }
        | Ask::Edit { cid, .. }
        | Ask::Redact { cid, .. }
        | Ask::React { cid, .. } => cid.as_ref(),
        _ => None,
    }
}
