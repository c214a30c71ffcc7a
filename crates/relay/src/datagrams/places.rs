//! How many sockets to upstreams may be open: each takes a place, and gives it back when it is closed.

use std::sync::Arc;

use relais_net::Room;

/// What has to have room for one more socket.
#[derive(Clone, Debug)]
pub(super) struct Places {
    rooms: [Arc<Room>; 2],
}

/// A place in each of the rooms, until dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: Places,
}

impl Places {
    pub(super) fn new(rooms: [Arc<Room>; 2]) -> Self {
        Self { rooms }
    }

    /// Whether there is none left somewhere.
    pub(super) fn are_taken(&self) -> bool {
        self.rooms.iter().any(|room| room.is_full())
    }

    /// Takes one, be it there or not.
    pub(super) fn take(&self) -> Place {
        self.rooms.iter().for_each(|room| room.take(1));
        Place { of: self.clone() }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of.rooms.iter().for_each(|room| room.give_back(1));
    }
}
