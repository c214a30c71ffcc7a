//! What finds an object in memory: where its record stands, and little more.

use std::{
    collections::BTreeMap,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicU32, Ordering},
    },
};

use hashbrown::HashTable;

use super::record::Place;

/// The index: 24 bytes an object, in tables that are at least 7/16 full, which makes at most 58.
///
/// It knows keys by a hash alone. Who finds an entry compares the key in its record.
#[derive(Debug)]
pub(super) struct Index {
    /// By the hash's middle bits: a table has its own use for both ends. A shard is locked for a look or a change, never while a disk works.
    shards: Box<[RwLock<HashTable<Entry>>]>,
}

/// What an entry says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub hash: u64,
    pub place: Place,
    /// How many bytes the record has, or the number of the body's file.
    pub extent: Extent,
    /// The lower [`VARIANT_BITS`] of the selection's hash.
    pub variant: u32,
    pub flags: Flags,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Extent {
    /// The body stands in the record, which has so many bytes.
    Inline(u32),
    /// The body has the file of this number.
    File(u32),
}

/// What is known of an object besides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Flags(u32);

impl Flags {
    /// It was asked for since it was written or spared last.
    pub(super) const HIT: Self = Self(1);
    /// Its body was found to be what its sum says, since the start.
    pub(super) const VERIFIED: Self = Self(2);
    /// A purge made it stale.
    pub(super) const STALE: Self = Self(4);
    const HAS_FILE: Self = Self(8);

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    pub(super) fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn bits(self) -> u32 {
        self.0
    }

    /// Those of `bits` that outlive a process.
    pub(super) fn lasting(bits: u32) -> Self {
        Self(bits & (Self::HIT.0 | Self::STALE.0))
    }
}

#[derive(Debug)]
struct Entry {
    hash: u64,
    place: Place,
    extent: u32,
    /// The variant, and below it the flags: these are set by readers.
    bits: AtomicU32,
}

const FLAG_BITS: u32 = 8;
const VARIANT_BITS: u32 = 32 - FLAG_BITS;
const SHARD_BITS: u32 = 8;
/// A key has no more variants than this: the oldest makes room.
pub const VARIANTS_MAX: usize = 32;

impl Entry {
    fn of(slot: Slot) -> Self {
        let (extent, file) = match slot.extent {
            Extent::Inline(len) => (len, Flags::default()),
            Extent::File(file) => (file, Flags::HAS_FILE),
        };
        let bits = slot.variant << FLAG_BITS | slot.flags.with(file).0;
        Self { hash: slot.hash, place: slot.place, extent, bits: AtomicU32::new(bits) }
    }

    fn slot(&self) -> Slot {
        let bits = self.bits.load(Ordering::Relaxed);
        let has_file = Flags(bits).has(Flags::HAS_FILE);
        Slot {
            hash: self.hash,
            place: self.place,
            extent: if has_file { Extent::File(self.extent) } else { Extent::Inline(self.extent) },
            variant: bits >> FLAG_BITS,
            flags: Flags(bits & ((1 << FLAG_BITS) - 1) & !Flags::HAS_FILE.0),
        }
    }
}

/// The variant that a selection of this hash is.
pub(super) fn variant_of(selection_hash: u64) -> u32 {
    let lower = selection_hash & ((1 << VARIANT_BITS) - 1);
    u32::try_from(lower).expect("fewer bits than it has")
}

impl Index {
    pub(super) fn new() -> Self {
        Self { shards: (0..1 << SHARD_BITS).map(|_| RwLock::default()).collect() }
    }

    /// What may be stored under a key of this hash, newest first.
    pub(super) fn find(&self, hash: u64) -> Vec<Slot> {
        let shard = self.read(hash);
        let mut found: Vec<_> =
            shard.iter_hash(hash).filter(|entry| entry.hash == hash).map(Entry::slot).collect();
        found.sort_unstable_by_key(|slot| std::cmp::Reverse(slot.place));
        found
    }

    /// The same of the one `variant`; of all for `None`.
    pub(super) fn find_of(&self, (hash, variant): (u64, Option<u32>)) -> Vec<Slot> {
        let mut found = self.find(hash);
        found.retain(|slot| variant.is_none_or(|variant| slot.variant == variant));
        found
    }

    /// Whether something may be stored under a key of this hash.
    pub(super) fn has(&self, hash: u64) -> bool {
        self.read(hash).iter_hash(hash).any(|entry| entry.hash == hash)
    }

    /// What is known of the object whose record stands at `place`, if it still does.
    pub(super) fn at(&self, hash: u64, place: Place) -> Option<Slot> {
        let shard = self.read(hash);
        shard.find(hash, |entry| entry.hash == hash && entry.place == place).map(Entry::slot)
    }

    /// Sets `flags` of the object whose record stands at `place`.
    pub(super) fn mark(&self, slot: &Slot, flags: Flags) {
        let shard = self.read(slot.hash);
        let is_it = |entry: &Entry| entry.hash == slot.hash && entry.place == slot.place;
        if let Some(entry) = shard.find(slot.hash, is_it)
            && !Flags(entry.bits.load(Ordering::Relaxed)).has(flags)
        {
            entry.bits.fetch_or(flags.0, Ordering::Relaxed);
        }
    }

    /// Puts an object in, in the place of the same variant, and of the oldest where there are too
    /// many. Returns what had to go.
    pub(super) fn put(&self, slot: Slot) -> Vec<Slot> {
        let mut shard = self.write(slot.hash);
        let (mut gone, mut count, mut oldest) = (Vec::new(), 0, None::<Place>);
        for entry in shard.iter_hash(slot.hash).filter(|entry| entry.hash == slot.hash) {
            let other = entry.slot();
            if other.variant == slot.variant {
                gone.push(other);
            } else {
                count += 1;
                oldest = Some(oldest.map_or(other.place, |place| place.min(other.place)));
            }
        }
        if count >= VARIANTS_MAX {
            let other = shard.iter_hash(slot.hash).map(Entry::slot);
            gone.extend(other.filter(|other| Some(other.place) == oldest));
        }
        for slot in &gone {
            take(&mut shard, slot.hash, slot.place);
        }
        shard.insert_unique(slot.hash, Entry::of(slot), |entry| entry.hash);
        gone
    }

    /// Takes out the object whose record stands at `place`.
    pub(super) fn remove(&self, hash: u64, place: Place) -> Option<Slot> {
        take(&mut self.write(hash), hash, place)
    }

    /// Says that the record of `slot` stands at `place` from now on, and that nobody asked for it
    /// yet, if it is still what it was.
    pub(super) fn relocate(&self, slot: &Slot, place: Place) -> bool {
        let mut shard = self.write(slot.hash);
        let Some(mut there) = take(&mut shard, slot.hash, slot.place) else { return false };
        (there.place, there.flags) = (place, Flags(there.flags.0 & !Flags::HIT.0));
        shard.insert_unique(slot.hash, Entry::of(there), |entry| entry.hash);
        true
    }

    /// Takes out all that is under a hash, or the one variant.
    pub(super) fn remove_all(&self, key: (u64, Option<u32>)) -> Vec<Slot> {
        let found = self.find_of(key);
        found.into_iter().filter_map(|slot| self.remove(slot.hash, slot.place)).collect()
    }

    /// Puts in what a snapshot has, each object once.
    pub(super) fn fill(&self, slots: impl Iterator<Item = Slot>) {
        // A shard's objects stand together.
        let mut held: Option<(usize, RwLockWriteGuard<'_, HashTable<Entry>>)> = None;
        for slot in slots {
            let number = shard_of(slot.hash);
            if held.as_ref().is_none_or(|(shard, _)| *shard != number) {
                // One at a time, whatever order they are in.
                drop(held.take());
                held = Some((number, self.write(slot.hash)));
            }
            if let Some((_, shard)) = &mut held {
                shard.insert_unique(slot.hash, Entry::of(slot), |entry| entry.hash);
            }
        }
    }

    /// Takes out everything.
    pub(super) fn clear(&self) {
        for shard in &self.shards {
            shard.write().unwrap_or_else(PoisonError::into_inner).clear();
        }
    }

    /// Shows each shard's objects to `see`, the shards one after the other.
    pub(super) fn each_shard(&self, mut see: impl FnMut(&[Slot])) {
        let mut slots = Vec::new();
        for shard in &self.shards {
            slots.clear();
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            slots.extend(shard.iter().map(Entry::slot));
            drop(shard);
            see(&slots);
        }
    }

    /// Makes room for so many objects.
    pub(super) fn reserve(&self, count: usize) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            shard.reserve(count >> SHARD_BITS, |entry| entry.hash);
        }
    }

    /// Gives back the room of what was removed, if that is most.
    pub(super) fn shrink(&self) {
        for shard in &self.shards {
            let mut shard = shard.write().unwrap_or_else(PoisonError::into_inner);
            if shard.len() < shard.capacity() / 4 {
                shard.shrink_to_fit(|entry| entry.hash);
            }
        }
    }

    /// How many objects there are.
    pub(super) fn len(&self) -> u64 {
        let len = |shard: &RwLock<HashTable<Entry>>| {
            shard.read().unwrap_or_else(PoisonError::into_inner).len() as u64
        };
        self.shards.iter().map(len).sum()
    }

    /// How many bytes of memory it has.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = |shard: &RwLock<HashTable<Entry>>| {
            let shard = shard.read().unwrap_or_else(PoisonError::into_inner);
            shard.allocation_size() as u64
        };
        let shards = size_of::<RwLock<HashTable<Entry>>>() * self.shards.len();
        shards as u64 + self.shards.iter().map(bytes).sum::<u64>()
    }

    /// The files that bodies have, by the object that has it.
    pub(super) fn files(&self) -> BTreeMap<u32, Slot> {
        let mut files = BTreeMap::new();
        self.each_shard(|slots| {
            files.extend(slots.iter().filter_map(|slot| match slot.extent {
                Extent::File(file) => Some((file, *slot)),
                Extent::Inline(_) => None,
            }));
        });
        files
    }

    fn shard(&self, hash: u64) -> &RwLock<HashTable<Entry>> {
        &self.shards[shard_of(hash)]
    }

    fn read(&self, hash: u64) -> RwLockReadGuard<'_, HashTable<Entry>> {
        self.shard(hash).read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, hash: u64) -> RwLockWriteGuard<'_, HashTable<Entry>> {
        self.shard(hash).write().unwrap_or_else(PoisonError::into_inner)
    }
}

fn shard_of(hash: u64) -> usize {
    usize::try_from(hash >> 32 & ((1 << SHARD_BITS) - 1)).expect("few bits")
}

fn take(shard: &mut HashTable<Entry>, hash: u64, place: Place) -> Option<Slot> {
    let is_it = |entry: &Entry| entry.hash == hash && entry.place == place;
    let entry = shard.find_entry(hash, is_it).ok()?;
    Some(entry.remove().0.slot())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_24_bytes() {
        assert_eq!(size_of::<Entry>(), 24);
    }

    #[test]
    fn a_million_objects_have_at_most_96_bytes_each_at_any_time() {
        let index = Index::new();
        let mut most = 0;
        for number in 0..1_000_000_u64 {
            index.put(slot(number.wrapping_mul(0x9e37_79b9_7f4a_7c15), 0, 1));
            if number > 100_000 && number % 10_000 == 0 {
                most = most.max(index.bytes() / (number + 1));
            }
        }
        assert_eq!(index.len(), 1_000_000);
        assert!(most <= 60 && index.bytes() / 1_000_000 <= 60, "{most}");
    }

    #[test]
    fn variants_stand_side_by_side_and_the_newest_of_each_counts() {
        let index = Index::new();
        assert_eq!(index.put(slot(5, 1, 1)), []);
        assert_eq!(index.put(slot(5, 2, 2)), []);
        assert_eq!(index.put(slot(5, 1, 3)), [slot(5, 1, 1)]);
        assert_eq!(index.find(5), [slot(5, 1, 3), slot(5, 2, 2)]);
        index.mark(&slot(5, 2, 2), Flags::HIT);
        assert!(index.at(5, Place { segment: 1, unit: 2 }).unwrap().flags.has(Flags::HIT));
        assert!(index.relocate(&slot(5, 2, 2), Place { segment: 1, unit: 9 }));
        assert!(!index.relocate(&slot(5, 2, 2), Place { segment: 1, unit: 9 }));
        assert_eq!(index.remove_all((5, Some(7))).len(), 0);
        assert_eq!(index.remove_all((5, Some(1))).len(), 1);
        assert_eq!(index.remove_all((5, None)).len(), 1);
        assert_eq!((index.len(), index.find(5)), (0, vec![]));
    }

    #[test]
    fn a_flood_of_variants_drives_out_its_own_oldest() {
        let index = Index::new();
        for variant in 0..100 {
            index.put(slot(5, variant, variant));
        }
        let found = index.find(5);
        assert_eq!(found.len(), VARIANTS_MAX);
        assert_eq!((found[0].variant, found[VARIANTS_MAX - 1].variant), (99, 68));
    }

    fn slot(hash: u64, variant: u32, unit: u32) -> Slot {
        let place = Place { segment: 1, unit };
        Slot { hash, place, extent: Extent::Inline(8), variant, flags: Flags::default() }
    }
}
