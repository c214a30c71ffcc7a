//! Files kept in memory, by the paths they are asked for.

use std::sync::Arc;

use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter, sync};

use super::resource::Resource;

/// The files in memory. Bounded by bytes; what is asked for least makes room.
#[derive(Debug)]
pub(super) struct Hot {
    cache: sync::Cache<Key, Arc<Resource>, Weigher>,
}

/// A path that is asked for, decoded and resolved: so many spellings have one key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Key {
    path: Box<[u8]>,
    /// Whether it ended in a slash.
    directory: bool,
}

/// A [`Key`], borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct KeyRef<'a> {
    pub path: &'a [u8],
    pub directory: bool,
}

impl Hot {
    pub(super) fn of(bytes_max: u64) -> Self {
        Self { cache: bounded(bytes_max, Weigher) }
    }

    pub(super) fn find(&self, key: KeyRef<'_>) -> Option<Arc<Resource>> {
        self.cache.get(&key)
    }

    pub(super) fn keep(&self, key: KeyRef<'_>, resource: Arc<Resource>) {
        self.cache.insert(Key { path: key.path.into(), directory: key.directory }, resource);
    }

    pub(super) fn forget(&self, key: KeyRef<'_>) {
        self.cache.remove(&key);
    }

    #[cfg(test)]
    pub(super) fn bytes(&self) -> u64 {
        self.cache.weight()
    }
}

/// A cache of at most `bytes_max`, as `weigher` weighs.
pub(super) fn bounded<K, V, W>(bytes_max: u64, weigher: W) -> sync::Cache<K, V, W>
where
    K: Eq + std::hash::Hash,
    V: Clone,
    W: Weighter<K, V> + Clone,
{
    // A shard takes nothing that is bigger than itself, so there are only as many as leave each
    // room for a big file.
    const SHARD_BYTES_MIN: u64 = 8 << 20;
    const BYTES_USUAL: u64 = 16 << 10;
    let shards = usize::try_from((bytes_max / SHARD_BYTES_MIN).clamp(1, 64)).unwrap_or(1);
    let items = usize::try_from(bytes_max / BYTES_USUAL).unwrap_or(usize::MAX);
    let options = OptionsBuilder::new()
        .shards(shards)
        .estimated_items_capacity(items.clamp(16, 1 << 20))
        .weight_capacity(bytes_max)
        .build()
        .expect("both capacities are given");
    let lifecycle = sync::DefaultLifecycle::default();
    sync::Cache::with_options(options, weigher, DefaultHashBuilder::default(), lifecycle)
}

#[derive(Clone, Debug)]
struct Weigher;

impl Weighter<Key, Arc<Resource>> for Weigher {
    fn weight(&self, key: &Key, resource: &Arc<Resource>) -> u64 {
        key.path.len() as u64 + resource.weight()
    }
}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.path == &*key.path && self.directory == key.directory
    }
}
