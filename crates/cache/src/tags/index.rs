//! What is stored, found by its tags.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use super::{
    Name, TagId,
    words::{self, Words},
};
use crate::key::Key;

/// Which keys something is stored for that has a tag.
///
/// An entry is there for as long as the answer that it is of is anywhere: in the store, or with a
/// client that is not done with it. It holds no answer, so nothing is kept for it.
#[derive(Debug)]
pub(crate) struct TagIndex {
    /// By tag and number. Which is in which is said by the tag.
    shards: [Mutex<Shard>; SHARDS],
    words: Words,
    /// Of what is tagged next: two answers of one key have an entry each.
    next: AtomicU64,
}

type Shard = BTreeMap<(TagId, u64), Arc<Key>>;

const SHARDS: usize = 16;

/// What one tag of one answer takes of memory: its entry, in a tree of nodes that are two thirds full,
/// and what [`Tagged`] knows of it.
const PAIR_BYTES: usize = 56;

/// What an answer with tags takes besides, without its key's text.
const ENTRY_BYTES: usize = 112;

/// How many bytes of memory the tags of an answer take, which has so many and is stored under `key`.
pub(crate) fn weight(count: usize, key: &Key) -> usize {
    let count = count + Name::of_key(key).count();
    let entry = if count == 0 { 0 } else { ENTRY_BYTES + key.len() + count * PAIR_BYTES };
    entry + words::weight(key)
}

/// An answer's place in the index. Dropping it takes it out.
#[derive(Debug)]
pub(crate) struct Tagged {
    index: Arc<TagIndex>,
    number: u64,
    key: Arc<Key>,
    ids: Box<[TagId]>,
}

impl TagIndex {
    pub(crate) fn new() -> Arc<Self> {
        let shards = std::array::from_fn(|_| Mutex::default());
        Arc::new(Self { shards, words: Words::default(), next: AtomicU64::new(0) })
    }

    /// Enters an answer with the tags `ids` that is stored under `key`.
    pub(crate) fn enter(self: &Arc<Self>, key: &Key, ids: Vec<TagId>) -> Tagged {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (key, ids) = (Arc::new(key.clone()), ids.into_boxed_slice());
        // First: whoever looks for words and then for keys finds no fewer.
        self.words.add(&key);
        let tagged = Tagged { index: Arc::clone(self), number, key, ids };
        for id in &tagged.ids {
            self.shard(*id).insert((*id, number), Arc::clone(&tagged.key));
        }
        tagged
    }

    /// The keys for which something is stored that has the tag `id`; one may be there twice.
    ///
    /// *Cost*: of one look-up, and of what is found.
    pub(crate) fn find(&self, id: TagId) -> Vec<Arc<Key>> {
        let shard = self.shard(id);
        shard.range((id, 0)..=(id, u64::MAX)).map(|(_, key)| Arc::clone(key)).collect()
    }

    /// By which words of `No-Vary-Search` there are answers of the path of `key`.
    ///
    /// *Cost*: of one look-up, and of what is found.
    pub(crate) fn words(&self, key: &Key) -> Vec<String> {
        self.words.of(key)
    }

    /// How many tags there are that any answer has, each once.
    ///
    /// *Cost*: of all there are, of all answers together.
    pub(crate) fn distinct(&self) -> usize {
        self.shards.iter().map(|shard| distinct(&lock(shard))).sum()
    }

    /// Nothing else is locked while it is.
    fn shard(&self, id: TagId) -> MutexGuard<'_, Shard> {
        let shard = usize::try_from(id.0 % SHARDS as u64).expect("one of a few");
        lock(&self.shards[shard])
    }
}

fn distinct(shard: &Shard) -> usize {
    let mut last = None;
    let is_new = |(id, key): &(TagId, &Arc<Key>)| {
        // By these, answers are found that are apart from others: no server said them.
        let is_ours = Name::of_key(key).any(|name| name.id() == *id);
        last.replace(*id) != Some(*id) && !is_ours
    };
    shard.iter().map(|((id, _), key)| (*id, key)).filter(is_new).count()
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A tree is never left half changed by us, whatever panicked beside it.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Tagged {
    pub(crate) fn ids(&self) -> &[TagId] {
        &self.ids
    }
}

impl Drop for Tagged {
    fn drop(&mut self) {
        for id in &self.ids {
            self.index.shard(*id).remove(&(*id, self.number));
        }
        self.index.words.remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::Tag;

    #[test]
    fn what_is_gone_is_found_no_more() {
        let index = TagIndex::new();
        let key = |path| Key::of("http", "a", path).unwrap();
        let (one, two) = (Tag::named("one").id(), Tag::named("two").id());
        let found = |id| -> Vec<_> {
            index.find(id).iter().map(|key| key.path_and_query().to_owned()).collect()
        };
        let first = index.enter(&key("/1"), vec![one, two]);
        let second = index.enter(&key("/2"), vec![two]);
        let third = index.enter(&key("/2"), vec![two]);
        assert_eq!(
            (found(one), found(two)),
            (vec!["/1".into()], vec!["/1".into(), "/2".into(), "/2".into()])
        );
        assert_eq!(index.distinct(), 2);
        let apart = key("/3").apart("b");
        let fourth = index.enter(&apart, vec![Tag::apart(apart.as_str()).id(), two]);
        assert_eq!(index.distinct(), 2);
        drop(fourth);
        drop(first);
        drop(third);
        assert_eq!((found(one), found(two), index.distinct()), (vec![], vec!["/2".into()], 1));
        drop(second);
        assert_eq!(index.distinct(), 0);
    }

    #[test]
    fn answers_without_tags_cost_nothing() {
        let key = Key::of("http", "a", "/").unwrap();
        assert_eq!(weight(0, &key), 0);
        assert_eq!(weight(2, &key), 112 + 9 + 2 * 56);
        assert_eq!(weight(0, &key.apart("b")), 112 + 10 + 56);
    }
}
