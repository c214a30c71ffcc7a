//! What is owed to nobody in particular: words are indexed, and what is old enough is taken out. Done
//! where nobody waits, and a little of it now and then anyway.

use std::time::Duration;

use super::Desk;
use crate::{
    model::{Act, Deed, Entry, Millis, Room, RoomId},
    store::{Broken, More, Old},
};

/// What is still to be done.
#[derive(Debug, Default)]
pub(super) struct Upkeep {
    index: Index,
    indexed_at: Millis,
    forgotten_at: Millis,
    /// From which rooms something is to be taken out yet, which keep it for so many days.
    forgetful: Vec<(RoomId, u32)>,
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

/// How often it is looked whether something is too old, in milliseconds.
const FORGOTTEN_EVERY: u64 = 60_000;

/// How much is taken out of a room at once, while somebody may wait: each takes a millisecond or two.
const FORGOTTEN_AT_ONCE: usize = 4;

/// How often that is done for a room each time.
const FORGOTTEN_TIMES: usize = 8;

/// How long is waited for orders where nothing is to be done but to look whether the store is there.
const WAITED_FOR_ORDERS: Duration = Duration::from_secs(5);

const DAY: u64 = 24 * 3600 * 1000;

/// How long is known what clients called what they asked for, in milliseconds, however soon that is taken
/// out.
const NAMES_KEPT: u64 = 7 * DAY;

/// How many of these are taken out at once.
const NAMES_AT_ONCE: usize = 1024;

impl Upkeep {
    /// How long orders are waited for before there is something else to do.
    pub(super) fn patience(&self) -> Duration {
        match self.index {
            _ if !self.forgetful.is_empty() => Duration::ZERO,
            Index::Behind => Duration::ZERO,
            Index::Late => INDEXED_AFTER,
            Index::Whole => WAITED_FOR_ORDERS,
        }
    }

    /// Notes what was written.
    pub(super) fn wrote(&mut self, entry: &Entry) {
        let is_of_words = matches!(
            entry.deed,
            Deed::In { act: Act::Say { .. } | Act::Edit { .. } | Act::Redact { .. }, .. }
        );
        if is_of_words && self.index == Index::Whole {
            self.index = Index::Late;
        }
    }
}

impl Desk {
    /// Does some of what is to be done, if it is time for it.
    pub(super) fn keep_up(&mut self) {
        let now = self.now();
        if let Err(error) = self.store.look() {
            let what = "the hub's store is lost; what is to be written is refused";
            self.trouble.tell((what, &error), now);
            self.upkeep.index = Index::Late;
            return;
        }
        self.trouble.found();
        if let Err(error) = self.index(now).and_then(|()| self.forget_old(now)) {
            self.trouble.tell(("the hub's store is not kept up", &error), now);
            // Tried again later, and not at once for ever.
            self.upkeep.index = Index::Late;
        }
    }

    fn index(&mut self, now: Millis) -> Result<(), Broken> {
        let waited = Duration::from_millis(now.0 - self.upkeep.indexed_at.0.min(now.0));
        if self.upkeep.index == Index::Whole
            || (self.upkeep.index == Index::Late && waited < INDEXED_AFTER)
        {
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
        if now.0 - self.upkeep.forgotten_at.0.min(now.0) >= FORGOTTEN_EVERY {
            self.upkeep.forgotten_at = now;
            self.pace.forget(now);
            self.lookups.forget(now);
            let kept = |(id, room): (RoomId, &Room)| Some((id, room.retain_days?));
            let rooms: Vec<_> = self.state.rooms().filter_map(kept).collect();
            self.upkeep.forgetful = rooms.repeat(FORGOTTEN_TIMES);
        }
        let named_before = Millis(now.0.saturating_sub(NAMES_KEPT));
        self.store.forget_names(named_before, NAMES_AT_ONCE)?;
        let Some((room, days)) = self.upkeep.forgetful.pop() else { return Ok(()) };
        let written_before = Millis(now.0.saturating_sub(u64::from(days) * DAY));
        let old = Old { written_before, named_before };
        if self.store.forget(room, old, FORGOTTEN_AT_ONCE)? == More::No {
            self.upkeep.forgetful.retain(|(other, _)| *other != room);
        }
        Ok(())
    }
}
