//! Rooms that somebody made by mistake, as by a letter too many: they are taken away after a while.

use std::time::Duration;

use super::Desk;
use crate::{
    model::{Deed, Millis, Room, RoomId},
    store::Broken,
};

/// After how long.
const UNUSED_MAX: Duration = Duration::from_hours(24);

/// How many are deleted each time, while somebody may wait.
const DELETED_AT_ONCE: usize = 64;

impl Desk {
    /// Deletes some of the public rooms in which nothing ever happened but that somebody came and left, the
    /// last one a day ago, and into which no invitation leads. All others stay.
    ///
    /// *Cost*: a look at each room, at all invitations, and at the disk for those that are deleted, for those
    /// that were left by a clock that was ahead, and for one more.
    ///
    /// # Errors
    ///
    /// [`Broken`], if the store cannot be read.
    pub(super) fn delete_unused(&mut self, now: Millis) -> Result<(), Broken> {
        let led_into = self.store.led_into()?;
        let is_to_go = |id: &RoomId, room: &Room| room.is_unused() && !led_into.contains(id);
        let unused = self.state.rooms().filter(|(id, room)| is_to_go(id, room));
        let mut unused: Vec<_> = unused.map(|(id, room)| (room.last, id)).collect();
        // Whom all left first was left longest ago.
        unused.sort_unstable();
        let mut deleted = 0;
        for (last, room) in unused {
            match self.store.entry(last)?.and_then(|left| now.since(left.at)) {
                // By a clock that was ahead: those behind it may have been left before.
                None => continue,
                // Those behind it were left later.
                Some(unused) if unused < UNUSED_MAX => break,
                Some(_) => {}
            }
            // Where it cannot be written, that was told, and this is tried again later.
            if deleted == DELETED_AT_ONCE || self.write_down(Deed::Delete { room }).is_err() {
                break;
            }
            deleted += 1;
        }
        self.settle();
        Ok(())
    }
}
