//! How much memory there is for bytes that are kept, and for those on their way.
//!
//! What a cache lets go stays in memory for as long as somebody is being sent it, who may take his
//! time: so a cache's bound alone bounds nothing.

use relais_cache::StoredBody;

use crate::places::{Place, Places};

/// What a place is for, in bytes.
const UNIT_BYTES: usize = 1024;

/// Memory for so many bytes. Clones share it.
#[derive(Clone, Debug)]
pub(super) struct Room {
    units: Places,
}

/// Room that is taken, until it is dropped.
#[derive(Debug)]
pub(super) struct Taken {
    units: Place,
}

impl Room {
    pub(super) fn of(bytes: u64) -> Self {
        let units = usize::try_from(bytes).unwrap_or(usize::MAX) / UNIT_BYTES;
        Self { units: Places::at_most(units) }
    }

    /// Room for `bytes`, if there is as much left.
    pub(super) fn take(&self, bytes: u64) -> Option<Taken> {
        let units = units_of(bytes);
        Some(Taken { units: self.units.take_many(units)? })
    }
}

fn units_of(bytes: u64) -> usize {
    usize::try_from(bytes.div_ceil(UNIT_BYTES as u64)).unwrap_or(usize::MAX)
}

impl Taken {
    /// Gives back what is not needed for `bytes`.
    pub(super) fn shrink_to(&mut self, bytes: u64) {
        self.units.shrink_to(units_of(bytes));
    }

    /// `bytes`, for which it was taken.
    pub(super) fn hold(self, bytes: Vec<u8>) -> StoredBody {
        StoredBody::guarded(bytes, self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_taken_for_as_long_as_any_of_the_bytes_is_there() {
        let room = Room::of(4096);
        let held = room.take(3000).unwrap().hold(vec![7; 3000]);
        assert!(room.take(2000).is_none());
        let part = held.bytes().slice(10..20);
        drop(held);
        assert!(room.take(2000).is_none());
        assert_eq!(&part[..], [7; 10]);
        drop(part);
        assert!(room.take(4096).is_some());
        assert!(room.take(4097).is_none());
    }

    #[test]
    fn what_turns_out_not_to_be_needed_is_given_back() {
        let room = Room::of(4096);
        let mut taken = room.take(4096).unwrap();
        taken.shrink_to(1025);
        assert!(room.take(2049).is_none());
        assert!(room.take(2048).is_some());
    }
}
