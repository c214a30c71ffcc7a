//! What is purged of the store, and what is found to be.

use std::sync::{Arc, PoisonError};

use super::{Store, Variants};
use crate::{
    key::Key,
    part::Generation,
    purge::{Pattern, Purge},
    stored::Stored,
    tags::TagId,
};

/// What is made of a stored response.
#[derive(Debug)]
pub(crate) enum Change {
    None,
    To(Arc<Stored>),
    Out,
}

impl Store {
    /// Whether `stored`, which is under `key`, was purged [hard](Purge::Hard) since its part was in
    /// this state.
    pub(crate) fn was_purged(&self, (key, since): (&Key, Generation), stored: &Stored) -> bool {
        let what = (key, stored.tag_ids());
        self.recent().has(what, since.purges(), |purge| purge == Purge::Hard)
    }

    /// Keeps out what `pattern` chooses of what is on its way.
    pub(crate) fn keep_out(&self, pattern: Pattern, purge: Purge) {
        self.recent.write().unwrap_or_else(PoisonError::into_inner).add(pattern, purge);
        // Whoever asks from here on joins nothing that was asked for before, chosen or not.
        for part in &self.parts {
            part.lock().unwrap_or_else(PoisonError::into_inner).in_flight.leave_all(None);
        }
    }

    /// Has `change` make something else of each response under `key`, or take it out. Gives how many
    /// it did that to.
    pub(crate) fn change(&self, key: &Key, change: impl Fn(&Arc<Stored>) -> Change) -> usize {
        let _part = self.lock(self.hash(key));
        let Some(there) = self.objects.peek(key) else { return 0 };
        let mut changed = 0;
        let stay = there.iter().filter_map(|stored| {
            let (stays, count) = match change(stored) {
                Change::None => (Some(Arc::clone(stored)), 0),
                Change::To(newer) => (Some(newer), 1),
                Change::Out => (None, 1),
            };
            changed += count;
            stays
        });
        let stay: Variants = stay.collect();
        if changed == 0 {
            return 0;
        }
        for newer in &*stay {
            newer.enter(&self.tags, key);
        }
        self.put(key, stay.iter());
        changed
    }

    /// The keys of what has the tag `id`.
    pub(crate) fn tagged(&self, id: TagId) -> Vec<Arc<Key>> {
        self.tags.find(id)
    }

    /// By which words of `No-Vary-Search` something of the path of `key` is stored.
    pub(crate) fn words(&self, key: &Key) -> Vec<String> {
        self.tags.words(key)
    }

    /// How many tags what is stored has, each once.
    pub(crate) fn tags(&self) -> usize {
        self.tags.distinct()
    }

    /// What is stored under `key`, newest first.
    pub(crate) fn variants(&self, key: &Key) -> Variants {
        self.objects.peek(key).unwrap_or_else(|| Arc::new([]))
    }

    /// All that is stored, key by key. What comes or goes meanwhile is among it or not.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Key, Variants)> {
        self.objects.iter()
    }
}
