//! How many sockets to upstreams may be open: each takes a place, and gives it back when it is closed.

use std::sync::Arc;

use relais_net::{Client, Room};

/// What has to have room for one more socket.
#[derive(Clone, Debug)]
pub(super) struct Places {
    rooms: Arc<[Arc<Room>]>,
}

/// A place in each of the rooms, until dropped.
#[derive(Debug)]
pub(super) struct Place {
    of: Places,
    client: Client,
}

impl Places {
    pub(super) fn new(rooms: impl IntoIterator<Item = Arc<Room>>) -> Self {
        Self { rooms: rooms.into_iter().collect() }
    }

    /// Whether there is none left somewhere.
    pub(super) fn are_taken(&self) -> bool {
        self.rooms.iter().any(|room| room.is_full())
    }

    /// Whether there is none left somewhere for `client`, who has all that one may have.
    pub(super) fn are_taken_by(&self, client: Client) -> bool {
        self.rooms.iter().any(|room| room.is_full_of(client, 0).is_some())
    }

    /// Takes one for `client`, be it there or not.
    pub(super) fn take(&self, client: Client) -> Place {
        self.rooms.iter().for_each(|room| room.take(client, 1));
        Place { of: self.clone(), client }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.of.rooms.iter().for_each(|room| room.give_back(self.client, 1));
    }
}
