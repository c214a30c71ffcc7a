//! Places that there are so many of.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// So many places. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Places {
    free: Arc<Semaphore>,
}

/// A place, or several at once, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    permit: OwnedSemaphorePermit,
}

impl Places {
    /// `max` places, or as many as can be counted.
    pub(crate) fn at_most(max: usize) -> Self {
        let max = max.min(Semaphore::MAX_PERMITS);
        Self { free: Arc::new(Semaphore::new(max)) }
    }

    /// A place, if there is one.
    pub(crate) fn take(&self) -> Option<Place> {
        self.take_many(1)
    }

    /// So many places at once, if there are as many.
    pub(crate) fn take_many(&self, count: usize) -> Option<Place> {
        let permit = Arc::clone(&self.free).try_acquire_many_owned(u32::try_from(count).ok()?);
        Some(Place { permit: permit.ok()? })
    }

    /// Waits for a place, behind those who wait already.
    ///
    /// Cancel safe.
    pub(crate) async fn wait(&self) -> Place {
        let permit = Arc::clone(&self.free).acquire_owned().await;
        Place { permit: permit.expect("an open semaphore") }
    }

    /// Whether a place is free.
    pub(crate) fn is_free(&self) -> bool {
        self.free.available_permits() > 0
    }

    /// How many are free.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.free.available_permits()
    }
}

impl Place {
    /// Gives back all but `count` of several.
    pub(crate) fn shrink_to(&mut self, count: usize) {
        let spare = self.permit.num_permits().saturating_sub(count);
        drop(self.permit.split(spare));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_taken_until_it_is_dropped() {
        let places = Places::at_most(2);
        let taken = [places.take().unwrap(), places.clone().take().unwrap()];
        assert!(places.take().is_none());
        drop(taken);
        assert!(places.take_many(3).is_none());
        assert!(places.take_many(2).is_some());
    }

    #[test]
    fn of_several_places_some_can_be_given_back() {
        let places = Places::at_most(4);
        let mut several = places.take_many(3).unwrap();
        several.shrink_to(2);
        several.shrink_to(5);
        assert_eq!(places.free(), 2);
        several.shrink_to(0);
        assert_eq!(places.free(), 4);
    }

    #[test]
    fn there_may_be_more_than_can_be_counted() {
        assert!(Places::at_most(usize::MAX).take_many(usize::MAX).is_none());
        assert!(Places::at_most(usize::MAX).take_many(1 << 30).is_some());
        assert!(Places::at_most(0).take().is_none());
    }
}
