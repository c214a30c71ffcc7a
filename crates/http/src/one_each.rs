//! One value of each key, shared by all who have it.

use std::{
    collections::HashMap,
    hash::Hash,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

/// At most one value of each key, for as long as somebody has it. Clones share the values.
#[derive(Debug)]
pub(crate) struct OneEach<K, V> {
    /// Each is there until its [`Entry`] is dropped, at its end.
    values: Arc<Mutex<HashMap<K, Weak<V>>>>,
}

/// What a value has of the place where it stands, which it leaves at its end.
#[derive(Debug)]
pub(crate) struct Entry<K: Eq + Hash, V> {
    key: K,
    all: OneEach<K, V>,
}

impl<K: Eq + Hash, V> OneEach<K, V> {
    /// What there is of `key`, if anybody has it.
    pub(crate) fn find(&self, key: &K) -> Option<Arc<V>> {
        self.lock().get(key).and_then(Weak::upgrade)
    }

    /// What there is of `key`; else what `make` makes, which is to keep the entry that it is given.
    pub(crate) fn get_or(&self, key: K, make: impl FnOnce(Entry<K, V>) -> V) -> Arc<V>
    where
        K: Copy,
    {
        let mut values = self.lock();
        if let Some(known) = values.get(&key).and_then(Weak::upgrade) {
            return known;
        }
        let value = Arc::new(make(Entry { key, all: self.clone() }));
        values.insert(key, Arc::downgrade(&value));
        value
    }

    /// How many there are.
    #[cfg(test)]
    pub(crate) fn count(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<K, Weak<V>>> {
        // Nothing that holds the lock can panic half-way through a change.
        self.values.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<K: Eq + Hash, V> Drop for Entry<K, V> {
    fn drop(&mut self) {
        let mut values = self.all.lock();
        // Its value has ended, but this lock was not held yet: another who asked for the key meanwhile
        // found nothing, and made a new value. That one stands there now, and stays.
        if values.get(&self.key).is_some_and(|value| value.strong_count() == 0) {
            values.remove(&self.key);
        }
    }
}

impl<K, V> Clone for OneEach<K, V> {
    fn clone(&self) -> Self {
        Self { values: Arc::clone(&self.values) }
    }
}

impl<K, V> Default for OneEach<K, V> {
    fn default() -> Self {
        Self { values: Arc::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value, and the number it was made as.
    struct Made(Entry<u8, Made>, u8);

    #[test]
    fn there_is_one_of_each_for_as_long_as_somebody_has_it() {
        let all = OneEach::default();
        let first = all.get_or(7, |entry| Made(entry, 1));
        let again = all.get_or(7, |entry| Made(entry, 2));
        let other = all.get_or(8, |entry| Made(entry, 3));
        assert_eq!([again.1, other.1, all.find(&7).unwrap().1], [1, 3, 1]);
        drop((first, other));
        assert_eq!((again.0.key, all.count()), (7, 1));
        drop(again);
        assert!(all.find(&7).is_none() && all.count() == 0);
        assert_eq!(all.get_or(7, |entry| Made(entry, 4)).1, 4);
    }

    #[test]
    fn what_was_made_anew_stays_when_what_was_there_before_goes() {
        let all = OneEach::default();
        let old = all.get_or(7, |entry| Made(entry, 1));
        // As if it had been asked for after the old one's end, and before its entry was dropped.
        let Ok(Made(entry, _)) = Arc::try_unwrap(old) else { unreachable!("nobody else has it") };
        let new = all.get_or(7, |entry| Made(entry, 2));
        drop(entry);
        assert_eq!(all.find(&7).unwrap().1, 2);
        drop(new);
        assert_eq!(all.count(), 0);
    }
}
