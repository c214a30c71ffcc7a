//! Stored responses in memory, bounded by their bytes.

mod keeping;
mod lower;
mod purging;

use std::{
    hash::{BuildHasher, RandomState},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use quick_cache::{OptionsBuilder, Weighter, sync};

use crate::{
    key::Key,
    on_disk::OnDisk,
    part::{Generation, Part},
    purge::{Recent, Url},
    request::Request,
    settings::Settings,
    stored::Stored,
    tags::{self, Tag, TagIndex},
    vary::{NormalForms, Selecting},
};

#[cfg(test)]
pub(crate) use self::lower::Admitted;
pub(crate) use self::{keeping::Arrived, purging::Change};

/// A key has no more variants than this in memory, nor on disk; the oldest makes room.
pub(crate) use crate::disk::VARIANTS_MAX;

/// The responses of one key, newest first. Never empty.
pub(crate) type Variants = Arc<[Arc<Stored>]>;

/// The store: safe to share, and without a lock that all would wait for.
///
/// Keys are hashed with the standard library's `SipHash`, whose key is the system's random number:
/// whoever chooses URIs cannot choose where they go. (`quick_cache`'s own hasher makes no such
/// promise.)
#[derive(Debug)]
pub(crate) struct Store {
    objects: sync::Cache<Key, Variants, Weigher, RandomState>,
    /// What is below.
    on_disk: Option<OnDisk>,
    /// Of all URIs. Who changes what a key has holds the lock of its part.
    parts: Box<[Mutex<Part>]>,
    hasher: RandomState,
    /// What is stored, by its tags.
    tags: Arc<TagIndex>,
    /// What was purged lately. Held by who stores something until that is there, so that a purge
    /// finds it there or keeps it out.
    recent: RwLock<Recent>,
    /// The variants of one key have no more bytes together.
    variants_weight_max: u64,
    /// Nothing is stored any more. Set without a lock, and looked at under that of a part.
    is_retired: AtomicBool,
    /// How long it is known that answers under a key are for one client each.
    pub uncacheable_ttl: Duration,
}

/// What is stored for a request.
#[derive(Debug)]
pub(crate) enum Found {
    Nothing,
    /// Responses to requests with other fields.
    OtherVariants,
    Variant(Arc<Stored>),
}

impl Store {
    pub(crate) fn new(settings: &Settings, on_disk: Option<OnDisk>) -> Self {
        const PARTS: usize = 1024;
        /// Where there is a disk, what is longer has its files.
        const BESIDE_DISK_MAX: u64 = 8 << 20;
        const USUAL_BYTES: u64 = 8 << 10;
        // A shard takes nothing that is bigger than itself: there are only as many as leave each
        // room for some of the biggest.
        let object_max = match &on_disk {
            Some(_) => settings.object_max.min(BESIDE_DISK_MAX),
            None => settings.object_max,
        };
        let shard_min = object_max.saturating_mul(3).max(1 << 20);
        // A power of two, or it would be rounded up to one.
        let shards = 1 << (settings.memory / shard_min).clamp(1, 64).ilog2();
        let objects = usize::try_from(settings.memory / USUAL_BYTES).unwrap_or(usize::MAX);
        let options = OptionsBuilder::new()
            .shards(shards)
            .estimated_items_capacity(objects.clamp(shards * 32, 1 << 20))
            .weight_capacity(settings.memory)
            .build()
            .expect("both capacities are given");
        let hasher = RandomState::new();
        let lifecycle = sync::DefaultLifecycle::default();
        let objects = sync::Cache::with_options(options, Weigher, hasher.clone(), lifecycle);
        let variants_weight_max = objects.shard_capacity() / 3 * 2;
        let parts = (0..PARTS).map(|_| Mutex::default()).collect();
        let uncacheable_ttl = settings.joining.uncacheable_ttl;
        let (tags, recent) = (TagIndex::new(), RwLock::default());
        let is_retired = AtomicBool::new(false);
        Self {
            objects,
            on_disk,
            parts,
            hasher,
            tags,
            recent,
            variants_weight_max,
            is_retired,
            uncacheable_ttl,
        }
    }

    /// Stores nothing any more. What was being stored is when this returns.
    pub(crate) fn retire(&self) {
        self.is_retired.store(true, Ordering::Relaxed);
        for part in &self.parts {
            drop(part.lock().unwrap_or_else(PoisonError::into_inner));
        }
    }

    /// Whether it stores nothing any more. Whoever calls has the lock of a part.
    fn is_retired(&self) -> bool {
        self.is_retired.load(Ordering::Relaxed)
    }

    /// Finds what is stored under `key` for the request `asked`.
    ///
    /// Of several that are for it, those that say for whom they are come before one that does not,
    /// and newer ones before older ones ([RFC 9111 §4.1]).
    ///
    /// [RFC 9111 §4.1]: https://www.rfc-editor.org/rfc/rfc9111#section-4.1
    pub(crate) fn find(&self, key: &Key, asked: &Request<'_>) -> Found {
        let Some(variants) = self.objects.get(key) else { return Found::Nothing };
        let mut forms = NormalForms::default();
        let mut matching = variants
            .iter()
            .filter(|variant| variant.selecting().selects_by(asked, &mut forms))
            .peekable();
        let Some(&newest) = matching.peek() else { return Found::OtherVariants };
        let named = matching.find(|variant| !variant.selecting().is_empty());
        Found::Variant(Arc::clone(named.unwrap_or(newest)))
    }

    /// The response under `key` that is for the same requests as one with this `selecting`.
    pub(crate) fn alike(&self, key: &Key, selecting: &Selecting) -> Option<Arc<Stored>> {
        let variants = self.objects.peek(key)?;
        variants.iter().find(|stored| stored.selecting() == selecting).cloned()
    }

    /// No body in memory has ever more bytes.
    pub(crate) fn memory_max(&self) -> u64 {
        self.variants_weight_max
    }

    /// No body that has more bytes is ever stored.
    pub(crate) fn body_max(&self) -> u64 {
        if self.on_disk.is_some() { u64::MAX } else { self.variants_weight_max }
    }

    /// The state of `key`'s part, to be held against later: see [`Store::keep`].
    pub(crate) fn generation(&self, key: &Key) -> Generation {
        // Counted first: what is purged in between is taken for later.
        let purges = self.recent().count();
        self.lock(self.hash(key)).generation().after_purges(purges)
    }

    /// Whether `key` was invalidated since its part was in this state.
    pub(crate) fn was_invalidated(&self, key: &Key, since: Generation) -> bool {
        let hash = self.hash(key);
        self.lock(hash).was_invalidated(hash, since)
    }

    /// Takes out all that is stored under `url` and under all keys that are apart from it, and keeps out
    /// what is on its way.
    ///
    /// *Cost*: of what is stored so; in memory and on disk it is found by tags.
    pub(crate) fn invalidate(&self, url: &Url) {
        let key = url.key();
        let hash = self.hash(key);
        let mut part = self.lock(hash);
        part.invalidate(hash);
        self.objects.remove(key);
        for apart in self.tagged(Tag::apart(key.as_str()).id()) {
            self.objects.remove(&*apart);
        }
        if let Some(on_disk) = &self.on_disk {
            on_disk.forget(key);
        }
    }

    /// Takes out everything, and keeps out what is on its way.
    pub(crate) fn clear(&self) {
        self.invalidate_all();
        if let Some(on_disk) = &self.on_disk {
            on_disk.clear();
            // Once more, for who read the disk in between, and brings up what was there.
            self.invalidate_all();
        }
        self.objects.clear();
    }

    fn invalidate_all(&self) {
        for part in &self.parts {
            part.lock().unwrap_or_else(PoisonError::into_inner).invalidate_all();
        }
    }

    /// How many bytes are in use, as they are weighed.
    pub(crate) fn weight(&self) -> u64 {
        self.objects.weight()
    }

    /// Has no more than so many bytes in use from now on, and lets go of what is too much.
    pub(crate) fn hold_to(&self, bytes: u64) {
        self.objects.set_capacity(bytes);
    }

    /// How many keys there are.
    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    pub(crate) fn recent(&self) -> RwLockReadGuard<'_, Recent> {
        self.recent.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// For whom a response is that is stored under `key`, if it says for whom.
    pub(crate) fn selecting_of(&self, key: &Key) -> Option<Selecting> {
        let there = self.objects.peek(key)?;
        let mut selecting = there.iter().map(|stored| stored.selecting());
        selecting.find(|selecting| !selecting.is_empty()).cloned()
    }

    /// The hash of the URI of `key`, by which its part is found: what changes one changes all that is
    /// stored of it, however it is kept apart.
    pub(crate) fn hash(&self, key: &Key) -> u64 {
        self.hasher.hash_one(key.as_str())
    }

    /// The hash of `key` itself.
    pub(crate) fn own_hash(&self, key: &Key) -> u64 {
        self.hasher.hash_one(key)
    }

    /// The part that the URI of this hash is in.
    pub(crate) fn lock(&self, hash: u64) -> MutexGuard<'_, Part> {
        let part = usize::try_from(hash % self.parts.len() as u64).expect("one of the parts");
        // A part is never half changed, whatever panicked beside it.
        self.parts[part].lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Clone, Debug)]
struct Weigher;

impl Weighter<Key, Variants> for Weigher {
    fn weight(&self, key: &Key, variants: &Variants) -> u64 {
        /// What the index has of an entry: both handles, the hash table's bytes and its slack, and
        /// what the allocator adds to the key and the list.
        const INDEX_BYTES: usize = 160;
        let bytes = INDEX_BYTES + key.len() + size_of_val(&**variants);
        let weight =
            |stored: &Arc<Stored>| stored.weight() + tags::weight(stored.tags(), key) as u64;
        variants.iter().map(weight).sum::<u64>() + bytes as u64
    }
}
