//! How many senders there is room for, where several tables share it.

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
    pub(super) fn is_full(&self) -> bool {
        self.taken.load(Relaxed) >= self.places_max
    }

    /// Takes a place. Of those who saw at once that one is left all take one: there may be as many too
    /// many as there are tables.
    pub(super) fn take(&self) {
        self.taken.fetch_add(1, Relaxed);
    }

    /// Gives back so many.
    pub(super) fn give_back(&self, places: usize) {
        self.taken.fetch_sub(places, Relaxed);
    }
}
