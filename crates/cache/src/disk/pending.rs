//! Which keys something waits to be stored under.

use std::sync::atomic::{AtomicU32, Ordering};

/// How many objects wait to be stored, by a part of their keys' hashes: who is told that none does,
/// can rely on it.
#[derive(Debug)]
pub(super) struct Pending(Box<[AtomicU32]>);

const COUNTS: usize = 1 << 16;

impl Pending {
    pub(super) fn new() -> Self {
        Self((0..COUNTS).map(|_| AtomicU32::new(0)).collect())
    }

    /// One more, under a key of this hash.
    pub(super) fn add(&self, hash: u64) {
        self.count(hash).fetch_add(1, Ordering::AcqRel);
    }

    /// One of them is in the index by now, or will never be.
    pub(super) fn remove(&self, hash: u64) {
        self.count(hash).fetch_sub(1, Ordering::AcqRel);
    }

    /// Whether one may wait under a key of this hash.
    pub(super) fn has(&self, hash: u64) -> bool {
        self.count(hash).load(Ordering::Acquire) > 0
    }

    fn count(&self, hash: u64) -> &AtomicU32 {
        // Other bits than those that choose a shard of the index.
        &self.0[usize::try_from(hash & (COUNTS as u64 - 1)).expect("few bits")]
    }
}
