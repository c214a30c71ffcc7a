//! What is stored: in memory, and on the disk below it, in the place of what it takes the place of.

use std::{sync::Arc, time::Duration};

use super::{Store, VARIANTS_MAX, Variants};
use crate::{
    disk::BodyWriter,
    key::Key,
    on_disk::{self, Replaced},
    outcome::Outcome,
    part::Generation,
    stored::Stored,
};

/// What came, and is to be stored.
#[derive(Debug)]
pub(crate) struct Arrived {
    pub stored: Arc<Stored>,
    /// Its body's file, if it has one that is new.
    pub file: Option<Box<BodyWriter>>,
}

impl From<Stored> for Arrived {
    fn from(stored: Stored) -> Self {
        Arc::new(stored).into()
    }
}

impl From<Arc<Stored>> for Arrived {
    fn from(stored: Arc<Stored>) -> Self {
        Self { stored, file: None }
    }
}

impl Store {
    /// Stores what `arrived` under `key`, in the place of what is for the same requests and of
    /// `instead_of`.
    ///
    /// `since` is the state of the key's part when it was asked for: if the key was invalidated
    /// since then, what came may be what was meant, and it is not stored.
    pub(crate) fn keep(
        &self,
        (key, since): (&Key, Generation),
        arrived: Arrived,
        instead_of: Option<&Arc<Stored>>,
    ) -> Outcome {
        // Dropped last: a file that is deleted is so without a lock.
        let Arrived { stored: newer, mut file } = arrived;
        let fits = newer.weight() <= self.variants_weight_max;
        if !fits && (self.on_disk.is_none() || newer.parts().is_some()) {
            return Outcome::TooLarge;
        }
        newer.enter(&self.tags, key);
        let recent = self.recent();
        let hash = self.hash(key);
        let mut part = self.lock(hash);
        let is_purged = recent.has((key, newer.tag_ids()), since.purges(), |_| true);
        if is_purged || part.was_invalidated(hash, since) || self.is_retired() {
            return Outcome::Invalidated;
        }
        let there = self.objects.peek(key);
        let there = there.as_deref().unwrap_or_default();
        let is_same = |old: &&Arc<Stored>| old.selecting() == newer.selecting();
        if there.iter().filter(is_same).any(|old| has_overtaken(old, &newer)) {
            return Outcome::Overtaken;
        }
        let is_replaced = |old: &&Arc<Stored>| {
            is_same(old) || instead_of.is_some_and(|replaced| Arc::ptr_eq(old, replaced))
        };
        let stay: Vec<_> = there.iter().filter(|old| !is_replaced(old)).cloned().collect();
        let replaced = Replaced { there, instead_of };
        part.change(hash);
        if let Some(on_disk) = &self.on_disk
            && on_disk.keep(key, (&newer, file.as_deref_mut()), replaced) == on_disk::Body::Gone
        {
            self.put(key, stay.iter());
            return Outcome::NoRoom;
        }
        self.put(key, std::iter::once(&newer).filter(|_| fits).chain(&stay));
        Outcome::Stored
    }

    /// Has `variants` stand under `key`, as many of them as may. Whoever calls has the lock of its part.
    pub(super) fn put<'v>(&self, key: &Key, variants: impl Iterator<Item = &'v Arc<Stored>>) {
        let mut weight = 0_u64;
        let fitting = variants.take(VARIANTS_MAX).take_while(|stored| {
            weight = weight.saturating_add(stored.weight());
            weight <= self.variants_weight_max
        });
        let fitting: Variants = fitting.cloned().collect();
        if fitting.is_empty() {
            self.objects.remove(key);
        } else {
            self.objects.insert(key.clone(), fitting);
        }
    }

    /// Takes `stored` out from under `key`.
    pub(crate) fn drop_variant(&self, key: &Key, stored: &Arc<Stored>) {
        let hash = self.hash(key);
        let mut part = self.lock(hash);
        // Not all that is on its way: of other variants that is still good.
        part.change(hash);
        self.put_without(key, stored);
        if let Some(on_disk) = &self.on_disk {
            on_disk.forget_variant(key, stored);
        }
    }

    /// Has what is under `key` stand there but for `stored`. Whoever calls has the lock of its part.
    pub(super) fn put_without(&self, key: &Key, stored: &Arc<Stored>) {
        if let Some(there) = self.objects.peek(key) {
            self.put(key, there.iter().filter(|other| !Arc::ptr_eq(other, stored)));
        }
    }
}

/// Whether `old`, which is stored, is as good as `newer`, which comes only now, or better: it was asked
/// for after that, and is not a part of what that may be the whole of; or it is the whole that `newer` may be
/// a part of.
fn has_overtaken(old: &Stored, newer: &Stored) -> bool {
    /// No body takes so long to come. What was asked for later still, was so by a clock that was set
    /// back since; and on disk that is there for long.
    const COMING_MAX: Duration = Duration::from_hours(24);
    match (old.parts(), newer.parts()) {
        (Some(_), None) if newer.may_have(old.validators()) => return false,
        (None, Some(_)) if old.may_have(newer.validators()) => return true,
        _ => (),
    }
    let of = |stored: &Stored| stored.terms().times.requested;
    let later = of(old).duration_since(of(newer)).unwrap_or_default();
    !later.is_zero() && later < COMING_MAX
}
