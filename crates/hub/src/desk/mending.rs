//! What was to end at a time that a clock gave which was ahead: a mute, a ban, an invitation. It is good for
//! as long as was said, from when the clock was set back, and not until that time.

use std::time::Duration;

use tokio::time::Instant;
use tracing::{info, warn};

use super::{Desk, broken, clock::is_due};
use crate::{
    model::{AccountId, Act, Deed, Entry, Millis, Quiet, RoomId, Seq, Voice, Wish},
    protocol::Refusal,
    store::Broken,
};

/// How much is looked at, and mended, at once: who asks for something waits meanwhile.
const MENDED_AT_ONCE: usize = 256;

/// How often that is begun, once it is to be done, and how soon the next part of it is.
const MENDED_EVERY: Duration = Duration::from_mins(1);
const MENDED_ON: Duration = Duration::from_secs(1);

/// How often it is noted that the clock is believed: less than it goes ahead by itself.
const BELIEVED_EVERY: Duration = Duration::from_mins(10);

const DAY: Duration = Duration::from_hours(24);

/// How far it has come.
#[derive(Debug, Default)]
pub(super) struct Mending {
    /// What the clock said when it was noted last that it is believed.
    believed_at: Millis,
    /// When the last part was done.
    done_at: Millis,
    /// Up to where the log was looked through.
    upto: Seq,
    /// How much was mended since that began.
    mended: usize,
}

/// What a part of it comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mended {
    /// There is more to look at, or to be done again, if it was not committed.
    Some,
    /// All was looked at, and nothing was to be mended.
    All,
}

impl Mending {
    fn is_due(&self, now: Millis) -> bool {
        let every = if self.upto == Seq::default() { MENDED_EVERY } else { MENDED_ON };
        is_due((self.done_at, now), every)
    }

    /// Notes at `now` that these were looked at, and how many of them were to be mended.
    fn note(&mut self, ahead: &[Entry], mended: usize, now: Millis) -> Mended {
        self.done_at = now;
        self.mended += mended;
        if let [.., last] = ahead
            && ahead.len() == MENDED_AT_ONCE
        {
            self.upto = last.seq;
            return Mended::Some;
        }
        self.upto = Seq::default();
        // Once all of it is committed there is nothing to be mended the next time.
        if std::mem::take(&mut self.mended) == 0 { Mended::All } else { Mended::Some }
    }

    fn begin_anew(&mut self) {
        (self.upto, self.mended) = (Seq::default(), 0);
    }
}

impl Desk {
    /// Says that the clock jumped ahead, if it did, and loudly where that is more than that the hub stood still
    /// for a night, or its machine slept.
    pub(super) fn watch_clock(&self) {
        let Some(ahead) = self.time.take_jump() else { return };
        let (days, hours) =
            (ahead.as_secs() / DAY.as_secs(), ahead.as_secs() % DAY.as_secs() / 3600);
        if is_strange(ahead) {
            warn!(
                days,
                hours,
                "the clock is far ahead of when the hub ran last: nothing is deleted for its age for an hour; \
                 if the date is wrong, set it by then"
            );
        } else {
            info!(
                hours,
                "the hub did not run for a while: nothing is deleted for its age for an hour"
            );
        }
    }

    /// Notes now and then that the clock is believed.
    pub(super) fn believe_clock(&mut self, now: Millis) -> Result<(), Broken> {
        if self.time.is_calm(Instant::now())
            && is_due((self.mending.believed_at, now), BELIEVED_EVERY)
        {
            self.store.believe(now)?;
            self.mending.believed_at = now;
        }
        Ok(())
    }

    /// Has what was to end at a time that a clock gave which was ahead end after as long, if the clock was set
    /// back for long enough to be believed: a part of it at a time.
    ///
    /// # Errors
    ///
    /// [`Broken`], if the store cannot be read. What cannot be written is tried again later.
    pub(super) fn mend_ends(&mut self, now: Millis) -> Result<(), Broken> {
        let Some(since) = self.time.set_back_to(Instant::now()) else {
            self.mending.begin_anew();
            return Ok(());
        };
        if !self.mending.is_due(now) {
            return Ok(());
        }
        let ahead = self.store.timed_ahead(now, self.mending.upto, MENDED_AT_ONCE)?;
        let mended = ahead.iter().filter_map(|entry| self.mended_of(entry, (since, now)));
        let mended: Vec<_> = mended.collect();
        if self.mending.note(&ahead, mended.len(), now) == Mended::All {
            self.store.mend_invitations(now, since)?;
            self.time.mended();
        }
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

/// Whether the clock is further ahead than where the hub, or its machine, rested for a while.
fn is_strange(ahead: Duration) -> bool {
    ahead >= DAY
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_night_is_nothing_to_be_loud_about() {
        let strange = [1, 14, 23, 24, 9000].map(|hours| is_strange(Duration::from_hours(hours)));
        assert_eq!(strange, [false, false, false, true, true]);
    }
}
