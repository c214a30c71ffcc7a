//! Which rooms keep what is said there for a time only, and of which one some of what is too old is taken out
//! next. A little at a time, so that nobody waits for it, but on and on while there is more.

use std::{collections::BTreeSet, ops::Bound, time::Duration};

use super::clock::is_due;
use crate::{
    model::{Millis, RoomId},
    store::More,
};

/// From which rooms something is to be taken out yet. They take turns.
#[derive(Debug, Default)]
pub(super) struct Forgetting {
    rooms: BTreeSet<RoomId>,
    /// From which something was last.
    last: Option<RoomId>,
    /// When, if others go first for a moment since.
    paused_at: Option<Millis>,
    listed_at: Millis,
}

/// How often it is looked whether something is too old.
const LISTED_EVERY: Duration = Duration::from_mins(1);

/// How much is taken out at once, while somebody may wait: each takes a millisecond or two.
pub(super) const FORGOTTEN_AT_ONCE: usize = 4;

/// How long others go first after that, where there is more of it.
const PAUSE: Duration = Duration::from_millis(50);

impl Forgetting {
    /// How long orders are waited for before something is to be taken out, if anything is.
    pub(super) fn patience(&self) -> Option<Duration> {
        let pause = if self.paused_at.is_some() { PAUSE } else { Duration::ZERO };
        (!self.rooms.is_empty()).then_some(pause)
    }

    /// Whether what there is to be taken out is, but for a room that has much of it.
    pub(super) fn is_at_rest(&self) -> bool {
        self.rooms.is_empty() || self.paused_at.is_some()
    }

    pub(super) fn is_to_be_listed(&self, now: Millis) -> bool {
        is_due((self.listed_at, now), LISTED_EVERY)
    }

    /// The room whose turn it is, if it is time for it.
    pub(super) fn next(&self, now: Millis) -> Option<RoomId> {
        if self.paused_at.is_some_and(|at| !is_due((at, now), PAUSE)) {
            return None;
        }
        let behind = self.last.map_or(Bound::Unbounded, Bound::Excluded);
        let next = self.rooms.range((behind, Bound::Unbounded)).next();
        next.or_else(|| self.rooms.first()).copied()
    }

    /// Looks anew in `rooms`: all that keep what is said for a time only.
    pub(super) fn list(&mut self, rooms: BTreeSet<RoomId>, now: Millis) {
        (self.rooms, self.listed_at) = (rooms, now);
    }

    /// Notes that some was taken out of a room, and whether there may be `more`.
    pub(super) fn went(&mut self, room: RoomId, more: More, now: Millis) {
        self.last = Some(room);
        self.paused_at = match more {
            More::Yes => Some(now),
            More::No => {
                self.rooms.remove(&room);
                None
            }
        };
    }

    /// Takes out nothing more, until it is looked anew.
    pub(super) fn give_up(&mut self) {
        self.rooms.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seq;

    fn room(number: u64) -> RoomId {
        RoomId(Seq(number))
    }

    #[test]
    fn rooms_take_turns_and_a_room_that_has_more_pauses_all() {
        let mut forgetting = Forgetting::default();
        assert_eq!((forgetting.patience(), forgetting.next(Millis(0))), (None, None));
        forgetting.list([3, 5, 7].map(room).into(), Millis(0));
        assert_eq!(forgetting.patience(), Some(Duration::ZERO));
        let mut turns = Vec::new();
        for (now, more) in [(0, More::Yes), (50, More::No), (50, More::Yes), (100, More::Yes)] {
            let next = forgetting.next(Millis(now)).unwrap();
            turns.push(next.0.0);
            forgetting.went(next, more, Millis(now));
        }
        assert_eq!(turns, [3, 5, 7, 3]);
        assert_eq!((forgetting.patience(), forgetting.is_at_rest()), (Some(PAUSE), true));
        assert_eq!([149, 150].map(|now| forgetting.next(Millis(now))), [None, Some(room(7))]);
        // Listed anew, whose turn it was it still is.
        forgetting.list([3, 5, 7].map(room).into(), Millis(60_000));
        assert_eq!(forgetting.next(Millis(60_000)), Some(room(5)));
        forgetting.give_up();
        assert_eq!((forgetting.patience(), forgetting.next(Millis(60_000))), (None, None));
    }

    #[test]
    fn a_pause_that_began_by_a_clock_that_was_ahead_is_over() {
        let mut forgetting = Forgetting::default();
        forgetting.list([room(3)].into(), Millis(0));
        forgetting.went(room(3), More::Yes, Millis(u64::MAX));
        assert_eq!(forgetting.next(Millis(5)), Some(room(3)));
    }
}
