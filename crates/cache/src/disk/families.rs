//! Which keys have something in common, by which all of them are removed at once.
//!
//! The index knows no more of a key than its hash. What is here is known of the few that are one of
//! several: so that who removes them looks at nothing else.

use std::{
    collections::BTreeSet,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// A family, and a key of it: their hashes.
pub(super) type Kin = (u64, u64);

/// The keys of each family, and some that were of one.
#[derive(Debug, Default)]
pub(super) struct Families(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    all: BTreeSet<Kin>,
    /// Who was looked at last, whether he is still there.
    hand: Kin,
}

/// So many are looked at for each that comes: then no more than half of all are of keys that are gone.
const LOOKS: usize = 2;

impl Families {
    /// Says that a key is of a family.
    pub(super) fn add(&self, kin: Kin) {
        self.known().all.insert(kin);
    }

    /// Forgets some whose key is nowhere: `is_there` says which are.
    pub(super) fn tidy(&self, is_there: impl Fn(u64) -> bool) {
        let mut known = self.known();
        for _ in 0..LOOKS {
            let after = (std::ops::Bound::Excluded(known.hand), std::ops::Bound::Unbounded);
            let next = known.all.range(after).next().or_else(|| known.all.first()).copied();
            let Some(next) = next else { return };
            known.hand = next;
            if !is_there(next.1) {
                known.all.remove(&next);
            }
        }
    }

    /// The keys of a family.
    ///
    /// *Cost*: of one look-up, and of what is found.
    pub(super) fn keys(&self, family: u64) -> Vec<u64> {
        let known = self.known();
        known.all.range((family, 0)..=(family, u64::MAX)).map(|(_, key)| *key).collect()
    }

    /// All there are.
    pub(super) fn list(&self) -> Vec<Kin> {
        self.known().all.iter().copied().collect()
    }

    pub(super) fn len(&self) -> u64 {
        self.known().all.len() as u64
    }

    /// About how many bytes of memory it has: nodes are two thirds full.
    pub(super) fn bytes(&self) -> u64 {
        self.len() * size_of::<Kin>() as u64 * 3 / 2
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn families_have_an_end() {
        let families = Families::default();
        let is_there = |of: u64| move |key: u64| key > of.saturating_sub(100);
        for key in 0..10_000 {
            families.add((key % 3, key));
            families.tidy(is_there(key));
            assert!(families.len() <= 400, "{}", families.len());
        }
        for family in 0..3 {
            let keys = families.keys(family);
            assert!(keys.iter().all(|key| key % 3 == family));
            assert!((9901..10_000).filter(|key| key % 3 == family).all(|key| keys.contains(&key)));
        }
        for _ in 0..families.len() {
            families.tidy(|_| false);
        }
        families.tidy(|_| false);
        assert_eq!((families.len(), families.keys(0)), (0, vec![]));
    }
}
