//! Which keys have something in common, by which all of them are removed at once.
//!
//! The index knows no more of a key than its hash. What is here is known of the few that are one of
//! several: so that who removes them looks at nothing else.

use std::{
    collections::BTreeSet,
    ops::Bound,
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::secret::Secret;

/// A family, and who is of it, a key or another family: their hashes.
pub(super) type Kin = (u64, u64);

/// Who is of each family, and some who were of one.
#[derive(Debug, Default)]
pub(super) struct Families(Mutex<Known>);

#[derive(Debug, Default)]
struct Known {
    all: BTreeSet<Kin>,
    /// Who was looked at last, whether he is still there.
    hand: Kin,
}

/// Who is of which family, where the key of this hash is of the last of these, and each of the one before it.
pub(super) fn kin(names: &[&[u8]], (secret, key): (&Secret, u64)) -> impl Iterator<Item = Kin> {
    let families = names.iter().map(|name| secret.hash(name));
    let members = families.clone().skip(1).chain([key]);
    families.zip(members)
}

/// So many are looked at for each that comes: then no more than half of all are gone.
const LOOKS: usize = 2;

impl Families {
    /// Says who is of which family, at a start.
    pub(super) fn fill(&self, kin: Kin) {
        self.known().all.insert(kin);
    }

    /// The same later, and forgets some that are gone: keys that `is_there` says nothing of, and families
    /// that nobody is of.
    pub(super) fn add(&self, kin: impl IntoIterator<Item = Kin>, is_there: impl Fn(u64) -> bool) {
        let mut known = self.known();
        let mut count = 0;
        // All first: a family that comes is not gone before its key is there.
        for kin in kin {
            known.all.insert(kin);
            count += 1;
        }
        for _ in 0..count * LOOKS {
            let next = known.after(known.hand).next().or_else(|| known.all.first()).copied();
            let Some(next) = next else { return };
            known.hand = next;
            if !is_there(next.1) && known.of(next.1).next().is_none() {
                known.all.remove(&next);
            }
        }
    }

    /// The keys of a family and of the families in it, but for those of these `others`; `None` if there
    /// are, or were, more than `max`.
    ///
    /// *Cost*: of what is given. Nobody looks at the keys of others.
    pub(super) fn keys(&self, family: u64, others: &[u64], max: usize) -> Option<Vec<u64>> {
        let known = self.known();
        let mut keys = Vec::new();
        for member in known.of(family).filter(|member| !others.contains(member)) {
            let before = keys.len();
            keys.extend(known.of(member).take(max + 1));
            if keys.len() == before {
                keys.push(member);
            }
            if keys.len() > max {
                return None;
            }
        }
        Some(keys)
    }

    /// At most `max` of all there are, those that come after this one.
    pub(super) fn page(&self, after: Kin, max: usize) -> Vec<Kin> {
        self.known().after(after).take(max).copied().collect()
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

impl Known {
    fn after(&self, kin: Kin) -> impl Iterator<Item = &Kin> {
        self.all.range((Bound::Excluded(kin), Bound::Unbounded))
    }

    fn of(&self, family: u64) -> impl Iterator<Item = u64> {
        self.all.range((family, 0)..=(family, u64::MAX)).map(|(_, member)| *member)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As a key has it that is kept by a word: it is of a family, and of another that is of a third.
    #[test]
    fn families_have_an_end() {
        const WORD: u64 = 1 << 32;
        let families = Families::default();
        for key in 0..10_000 {
            let is_there = |other: u64| (key.max(99) - 99..=key).contains(&other);
            let by_word = [(WORD - 1, WORD + key % 3), (WORD + key % 3, key)];
            families.add([(WORD + 3 + key, key)], is_there);
            families.add(by_word, is_there);
            assert!(families.len() <= 2 * 203, "{}", families.len());
        }
        for word in 0..3 {
            let keys = families.keys(WORD + word, &[], 1000).unwrap();
            assert!(keys.iter().all(|key| key % 3 == word));
            assert!((9901..10_000).filter(|key| key % 3 == word).all(|key| keys.contains(&key)));
        }
        while families.len() > 1 {
            families.add([(0, 0)], |_| false);
        }
    }

    #[test]
    fn keys_of_others_are_not_looked_at() {
        let families = Families::default();
        for (word, keys) in [(10, 0..5), (11, 5..7), (12, 7..1000)] {
            families.fill((1, word));
            keys.for_each(|key| families.fill((word, 1000 + key)));
        }
        families.fill((1, 77));
        let keys = |others: &[u64], max| families.keys(1, others, max);
        assert_eq!(keys(&[10, 12], 9), Some(vec![1005, 1006, 77]));
        assert_eq!(keys(&[12], 8), Some(vec![1000, 1001, 1002, 1003, 1004, 1005, 1006, 77]));
        assert_eq!((keys(&[12], 7), keys(&[], 900)), (None, None));
        assert_eq!(
            (families.keys(11, &[], 2), families.keys(2, &[], 0)),
            (Some(vec![1005, 1006]), Some(vec![]))
        );
    }

    #[test]
    fn all_are_listed_page_by_page() {
        let families = Families::default();
        (0..10).for_each(|key| families.fill((key / 4, key)));
        let (mut listed, mut after) = (Vec::new(), (0, 0));
        while let Some(last) = families.page(after, 3).last().copied() {
            listed.extend(families.page(after, 3));
            after = last;
        }
        assert_eq!(listed, (1..10).map(|key| (key / 4, key)).collect::<Vec<_>>());
    }
}
