//! What was to end at a time that a clock gave which was ahead: a mute, a ban, an invitation. It is good for
//! as long as was said, from when the clock was set back, and not until that time.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

use super::{Desk, broken, clock::is_due};
use crate::{
    model::{AccountId, Act, Deed, Entry, Millis, Quiet, RoomId, Seq, Voice, Wish},
    protocol::Refusal,
    store::Broken,
};

/// How much is read at once.
const READ_AT_ONCE: usize = 256;

/// How often that is tried, once it is to be done.
const MENDED_EVERY: Duration = Duration::from_mins(1);

/// How often it is noted that the clock is believed: less than it goes ahead by itself.
const BELIEVED_EVERY: Duration = Duration::from_mins(10);

const DAY: Duration = Duration::from_hours(24);

impl Desk {
    /// Says loudly that the clock jumped ahead, if it did.
    pub(super) fn watch_clock(&self) {
        let Some(ahead) = self.time.take_jump() else { return };
        let (days, hours) =
            (ahead.as_secs() / DAY.as_secs(), ahead.as_secs() % DAY.as_secs() / 3600);
        warn!(
            days,
            hours,
            "the clock is far ahead of when the hub ran last: nothing is deleted for its age for an hour; if \
             the date is wrong, set it by then"
        );
    }

    /// Notes now and then that the clock is believed.
    pub(super) fn believe_clock(&mut self, now: Millis) -> Result<(), Broken> {
        if self.time.is_calm(Instant::now()) && is_due((self.believed_at, now), BELIEVED_EVERY) {
            self.store.believe(now)?;
            self.believed_at = now;
        }
        Ok(())
    }

    /// Has what was to end at a time that a clock gave which was ahead end after as long, if the clock was set
    /// back for long enough to be believed.
    ///
    /// # Errors
    ///
    /// [`Broken`], if the store cannot be read. What cannot be written is tried again later.
    pub(super) fn mend_ends(&mut self, now: Millis) -> Result<(), Broken> {
        let Some(since) = self.time.set_back_to(Instant::now()) else { return Ok(()) };
        if !is_due((self.mended_at, now), MENDED_EVERY) {
            return Ok(());
        }
        self.mended_at = now;
        let mended = self.mended((since, now))?;
        if mended.is_empty() {
            self.store.mend_invitations(now, since)?;
            self.time.mended();
        }
        // Once all of it is committed there is nothing to be mended the next time.
        let written = mended.into_iter().try_for_each(|(by, deed)| self.mend(by, deed));
        if written.is_ok() {
            self.settle();
        }
        Ok(())
    }

    fn mend(&mut self, by: AccountId, deed: Deed) -> Result<(), Refusal> {
        self.sound().map_err(|error| broken(&error))?;
        self.put_down(by, None, deed).map(drop)
    }

    /// What is to be written for that.
    fn mended(&self, (since, now): (Millis, Millis)) -> Result<Vec<(AccountId, Deed)>, Broken> {
        let (mut mended, mut after) = (Vec::new(), Seq::default());
        loop {
            let ahead = self.store.timed_ahead(now, after, READ_AT_ONCE)?;
            let Some(last) = ahead.last() else { return Ok(mended) };
            after = last.seq;
            mended.extend(ahead.iter().filter_map(|entry| self.mended_of(entry, (since, now))));
        }
    }

    /// What an entry comes to, if it holds yet.
    fn mended_of(&self, entry: &Entry, times: (Millis, Millis)) -> Option<(AccountId, Deed)> {
        match &entry.deed {
            Deed::Wish(Wish::Quiet(quiet @ Quiet::Until(until))) => {
                let is_so = |who| self.state.account(who).wishes.quiet == *quiet;
                let holds = self.state.has_account(entry.by) && is_so(entry.by);
                let end = holds.then(|| end((entry.at, *until), times))?;
                let quiet = end.map_or(Quiet::Off, Quiet::Until);
                Some((entry.by, Deed::Wish(Wish::Quiet(quiet))))
            }
            Deed::In { room, act } if self.state.has_room(*room) => {
                let act = self.mended_act(*room, (entry.at, act), times)?;
                Some((AccountId::HUB, Deed::In { room: *room, act }))
            }
            _ => None,
        }
    }

    fn mended_act(
        &self,
        room: RoomId,
        (at, act): (Millis, &Act),
        times: (Millis, Millis),
    ) -> Option<Act> {
        let room = self.state.room(room);
        match act {
            Act::Mute { who, until: until @ Some(to) } => {
                let holds = room.standing(*who).voice == Voice::Muted(*until);
                let end = holds.then(|| end((at, *to), times))?;
                let mute = |until| Act::Mute { who: *who, until: Some(until) };
                Some(end.map_or(Act::Unmute { who: *who }, mute))
            }
            Act::Ban { who, until: until @ Some(to), reason } => {
                let holds = room.banned.get(who) == Some(until);
                let end = holds.then(|| end((at, *to), times))?;
                let ban =
                    |until| Act::Ban { who: *who, until: Some(until), reason: reason.clone() };
                Some(end.map_or(Act::Unban { who: *who }, ban))
            }
            _ => None,
        }
    }
}

/// When it ends that was to last from one time to another, if it began with the first of `times`; `None`, if
/// it is over at the second.
fn end((from, to): (Millis, Millis), (since, now): (Millis, Millis)) -> Option<Millis> {
    let end = since.later(to.since(from).unwrap_or_default());
    (now < end).then_some(end)
}
