//! How many of something there may be, where several share it.

use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// A number of places that several share.
#[derive(Debug)]
pub struct Room {
    places_max: usize,
    taken: AtomicUsize,
}

impl Room {
    /// Room for so many.
    pub fn new(places_max: usize) -> Self {
        Self { places_max, taken: AtomicUsize::new(0) }
    }

    /// How many places there are.
    pub fn places_max(&self) -> usize {
        self.places_max
    }

    /// Whether every place is taken.
    pub fn is_full(&self) -> bool {
        self.taken.load(Relaxed) >= self.places_max
    }

    /// Whether every place is taken, and so many more.
    pub fn is_full_beyond(&self, more: usize) -> bool {
        self.taken.load(Relaxed) >= self.places_max.saturating_add(more)
    }

    /// Takes so many places, be they there or not: whoever looks first, and does so at the same time as
    /// others, may take some too many.
    pub fn take(&self, places: usize) {
        self.taken.fetch_add(places, Relaxed);
    }

    /// Gives back so many.
    pub fn give_back(&self, places: usize) {
        self.taken.fetch_sub(places, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_full_until_enough_is_given_back() {
        let room = Room::new(3);
        room.take(2);
        assert!(!room.is_full());
        room.take(2);
        assert!(room.is_full());
        assert!(room.is_full_beyond(1) && !room.is_full_beyond(2));
        room.give_back(1);
        assert!(room.is_full());
        room.give_back(1);
        assert!(!room.is_full());
    }
}
