//! What is owed to nobody in particular: words are indexed, and what is old enough is taken out. Done
//! where nobody waits, and a little of it now and then anyway.

use std::time::Duration;

use tokio::time::Instant;

use super::{
    Desk,
    clock::{PUT_OFF, is_due},
    forgetting::{FORGOTTEN_AT_ONCE, Forgetting},
};
use crate::{
    model::{Act, Deed, Entry, Millis, Room, RoomId},
    store::{Broken, More, Old},
};

/// What is still to be done.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    index: Index,
    indexed_at: Millis,
    /// Whether some was indexed with the last group.
    went_along: bool,
    forgetting: Forgetting,
    /// Whether something may be left that deleted accounts said, or deleted rooms had.
    owed: Owed,
    taken_out_at: Millis,
    wiped_at: Millis,
}

/// Whether something of what was deleted may be left.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Owed {
    /// Perhaps: of an earlier process.
    #[default]
    Some,
    /// Nothing.
    None,
}

/// Whether there are words that the index does not have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Index {
    /// Perhaps: those of an earlier process.
    #[default]
    Behind,
    /// Some that were said lately.
    Late,
    /// None.
    Whole,
}

/// How long what was said may wait to be indexed. A search looks through it, too.
const INDEXED_AFTER: Duration = Duration::from_millis(200);

/// How much is indexed at once, while somebody may wait.
const INDEXED_AT_ONCE: usize = 256;

/// How often some of what was deleted is taken out, and how much of it at once.
const TAKEN_OUT_EVERY: Duration = Duration::from_millis(50);
const TAKEN_OUT_AT_ONCE: usize = 16;

/// How often SQLite's log is emptied for what was taken out, and how often while more of what was deleted is.
const WIPED_EVERY: Duration = Duration::from_secs(10);
const WIPED_MEANWHILE: Duration = Duration::from_mins(1);

/// How long is waited for orders where nothing is to be done but to look whether the store is there.
const WAITED_FOR_ORDERS: Duration = Duration::from_secs(5);

/// How long is known what clients called what they asked for, however soon that is taken out.
const NAMES_KEPT: Duration = Duration::from_hours(7 * 24);

const DAY: Duration = Duration::from_hours(24);

/// How many of these are taken out at once.
const NAMES_AT_ONCE: usize = 1024;

impl Upkeep {
    /// How long orders are waited for before there is something else to do.
    pub(super) fn patience(&self) -> Duration {
        let patience = match (self.index, self.owed) {
            (Index::Behind, _) => Duration::ZERO,
            (_, Owed::Some) => TAKEN_OUT_EVERY,
            (Index::Late, Owed::None) => INDEXED_AFTER,
            (Index::Whole, Owed::None) => WAITED_FOR_ORDERS,
        };
        self.forgetting.patience().map_or(patience, |other| other.min(patience))
    }

    /// Has what failed be tried again later, and not at once for ever.
    fn put_off(&mut self, now: Millis) {
        self.index = Index::Late;
        self.taken_out_at = now.later(PUT_OFF);
        // Listed anew when it is time.
        self.forgetting.give_up();
    }

    /// What was indexed with a group was undone with it.
    pub(super) fn undo(&mut self) {
        (self.index, self.went_along) = (Index::Behind, false);
    }

    /// Notes what was written.
    pub(super) fn wrote(&mut self, entry: &Entry) {
        let is_of_words = matches!(
            entry.deed,
            Deed::In { act: Act::Say { .. } | Act::Edit { .. } | Act::Redact { .. }, .. }
        );
        if matches!(entry.deed, Deed::Unregister { .. } | Deed::Delete { .. }) {
            self.owed = Owed::Some;
        }
        if is_of_words && self.index == Index::Whole {
            self.index = Index::Late;
        }
    }
}

impl Desk {
    /// Does some of what is to be done, if it is time for it.
    pub(super) fn keep_up(&mut self) {
        let now = self.now();
        self.watch_clock();
        if let Err(error) = self.store.look() {
            let what = "the hub's store is lost; what is to be written is refused";
            self.trouble.tell((what, &error), now);
            self.upkeep.put_off(now);
            return;
        }
        self.trouble.found();
        if let Err(error) = self.keep_up_at(now) {
            self.trouble.tell(("the hub's store is not kept up", &error), now);
            self.upkeep.put_off(now);
        }
    }

    fn keep_up_at(&mut self, now: Millis) -> Result<(), Broken> {
        self.sound()?;
        self.write_devices(now)?;
        self.index(now)?;
        self.believe_clock(now)?;
        self.mend_ends(now)?;
        self.forget_old(now)?;
        self.take_out(now)?;
        self.wipe(now)
    }

    /// Has what was taken out be in no file any more: soon, once all is that is to be; now and then before
    /// that. Not for each message: all wait for the disk meanwhile. What goes for its age may go on for hours:
    /// that is not waited for.
    fn wipe(&mut self, now: Millis) -> Result<(), Broken> {
        let is_done = self.upkeep.owed == Owed::None && self.upkeep.forgetting.is_at_rest();
        let every = if is_done { WIPED_EVERY } else { WIPED_MEANWHILE };
        if !is_due((self.upkeep.wiped_at, now), every) {
            return Ok(());
        }
        self.upkeep.wiped_at = now;
        self.store.wipe().map(drop)
    }

    /// Takes out some of what is left of what was deleted.
    fn take_out(&mut self, now: Millis) -> Result<(), Broken> {
        let is_due = is_due((self.upkeep.taken_out_at, now), TAKEN_OUT_EVERY);
        if self.upkeep.owed == Owed::None || !is_due {
            return Ok(());
        }
        self.upkeep.taken_out_at = now;
        if self.store.take_out_some(TAKEN_OUT_AT_ONCE)? == More::No {
            self.upkeep.owed = Owed::None;
        }
        Ok(())
    }

    /// Indexes some of what was said before with the group that is about to be committed, where there is
    /// always more of it: in a commit of its own all would wait for the disk once more.
    pub(super) fn index_along(&mut self) {
        if self.upkeep.index != Index::Behind {
            return;
        }
        let now = self.now();
        if let Err(error) = self.index(now) {
            self.trouble.tell(("the hub's index of words is not kept up", &error), now);
            self.upkeep.put_off(now);
        }
        self.upkeep.went_along = true;
    }

    fn index(&mut self, now: Millis) -> Result<(), Broken> {
        if std::mem::take(&mut self.upkeep.went_along) {
            return Ok(());
        }
        let is_due = is_due((self.upkeep.indexed_at, now), INDEXED_AFTER);
        if self.upkeep.index == Index::Whole || (self.upkeep.index == Index::Late && !is_due) {
            return Ok(());
        }
        self.upkeep.indexed_at = now;
        self.upkeep.index = match self.store.index_some(INDEXED_AT_ONCE)? {
            More::Yes => Index::Behind,
            More::No => Index::Whole,
        };
        Ok(())
    }

    /// Takes out of rooms what is older than they keep it: a little, of one room after the other.
    fn forget_old(&mut self, now: Millis) -> Result<(), Broken> {
        if !self.time.is_calm(Instant::now()) {
            self.upkeep.forgetting.give_up();
            return Ok(());
        }
        if self.upkeep.forgetting.is_to_be_listed(now) {
            self.pace.forget(now);
            self.lookups.forget(now);
            let kept = |(id, room): (RoomId, &Room)| room.retain_days.map(|_| id);
            let rooms = self.state.rooms().filter_map(kept).collect();
            self.upkeep.forgetting.list(rooms, now);
            self.delete_unused(now)?;
        }
        let named_before = now.earlier(NAMES_KEPT);
        self.store.forget_names(named_before, NAMES_AT_ONCE)?;
        if let Some(room) = self.upkeep.forgetting.next(now) {
            let more = self.forget_some(room, (now, named_before))?;
            self.upkeep.forgetting.went(room, more, now);
        }
        Ok(())
    }

    /// Takes out of a room some of what is older than it keeps it, and says whether there may be more. What
    /// a room had that was deleted meanwhile is taken out as its own.
    fn forget_some(&mut self, room: RoomId, times: (Millis, Millis)) -> Result<More, Broken> {
        // As it is now: it may keep it for longer since, or for good.
        let is_there = self.state.has_room(room);
        let Some(days) = is_there.then(|| self.state.room(room).retain_days).flatten() else {
            return Ok(More::No);
        };
        let (now, named_before) = times;
        let old = Old { now, written_before: now.earlier(DAY * days), named_before };
        self.store.forget(room, old, FORGOTTEN_AT_ONCE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Seq;

    #[test]
    fn what_failed_is_not_tried_again_at_once() {
        let mut upkeep = Upkeep::default();
        upkeep.forgetting.list([RoomId(Seq(3))].into(), Millis(1));
        assert_eq!(upkeep.patience(), Duration::ZERO);
        upkeep.put_off(Millis(1));
        assert_eq!(upkeep.patience(), TAKEN_OUT_EVERY);
        upkeep.owed = Owed::None;
        assert_eq!(upkeep.patience(), INDEXED_AFTER);
    }

    #[test]
    fn who_has_nothing_to_do_waits_until_the_store_is_to_be_looked_at() {
        let (index, owed) = (Index::Whole, Owed::None);
        let mut upkeep = Upkeep { index, owed, ..Upkeep::default() };
        assert_eq!(upkeep.patience(), WAITED_FOR_ORDERS);
        upkeep.forgetting.list([RoomId(Seq(3))].into(), Millis(1));
        assert_eq!(upkeep.patience(), Duration::ZERO);
    }
}
