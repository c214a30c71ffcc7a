//! Rooms that somebody made by mistake, as by a letter too many: they are taken away after a while.

use super::Desk;
use crate::{
    model::{Deed, Millis},
    store::Broken,
};

/// After how long, in milliseconds.
const UNUSED_MAX: u64 = 24 * 3600 * 1000;

/// How many are deleted each time, while somebody may wait.
const DELETED_AT_ONCE: usize = 64;

impl Desk {
    /// Deletes some of the public rooms in which nothing ever happened but that somebody came and left, the
    /// last one a day ago, and into which no invitation leads. All others stay.
    ///
    /// *Cost*: a look at each room, and at the disk for those that are deleted and one more.
    ///
    /// # Errors
    ///
    /// [`Broken`], if the store cannot be read.
    pub(super) fn delete_unused(&mut self, now: Millis) -> Result<(), Broken> {
        let unused = self.state.rooms().filter(|(_, room)| room.is_unused());
        let mut unused: Vec<_> = unused.map(|(id, room)| (room.last, id)).collect();
        // Whom all left first was left longest ago.
        unused.sort_unstable();
        for (last, room) in unused.into_iter().take(DELETED_AT_ONCE) {
            let left_at = self.store.entry(last)?.map_or(now, |entry| entry.at);
            if now.0.saturating_sub(left_at.0) < UNUSED_MAX {
                break;
            }
            // Where it cannot be written, that was told, and this is tried again later.
            if !self.store.is_led_into(room)? && self.write_down(Deed::Delete { room }).is_err() {
                break;
            }
        }
        self.settle();
        Ok(())
    }
}
