//! How often requests were answered in which way.

use std::{
    array,
    cell::Cell,
    sync::atomic::{AtomicU64, AtomicUsize, Ordering},
};

use relais_wire::exchange::Cached;

/// How often requests were answered in which way, since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// From what was stored and fresh.
    pub hits: u64,
    /// From what was stored and stale.
    pub stale: u64,
    /// From what was stored, once its origin had said that it is good still.
    pub revalidated: u64,
    /// By the origin, or by nobody.
    pub misses: u64,
    /// By the origin, as no cache answers such requests.
    pub bypassed: u64,
    /// Of the misses, by what another client had asked the origin for.
    pub collapsed: u64,
    /// How many keys were brought up from disk: what follows each is a hit, if it is fresh.
    pub brought_up: u64,
}

/// What is counted.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Counted {
    Answered(Cached),
    Collapsed,
    BroughtUp,
}

/// Counters that cores do not share. Adding them up costs a look at each.
#[derive(Debug)]
pub(crate) struct Counters(Box<[Shard; SHARDS]>);

/// More threads share some.
const SHARDS: usize = 32;

const KINDS: usize = 7;

/// Of one thread, or a few. Two cache lines, which processors fetch together.
#[derive(Debug, Default)]
#[repr(align(128))]
struct Shard([AtomicU64; KINDS]);

static NEXT_THREAD: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    /// Which shard is this thread's.
    static SHARD: Cell<usize> = Cell::new(NEXT_THREAD.fetch_add(1, Ordering::Relaxed) % SHARDS);
}

impl Counters {
    pub(crate) fn new() -> Self {
        Self(Box::new(array::from_fn(|_| Shard::default())))
    }

    /// *Cost*: an addition to memory that this core has, where there is a thread for each.
    pub(crate) fn count(&self, counted: Counted) {
        let Shard(counters) = &self.0[SHARD.get()];
        counters[place(counted)].fetch_add(1, Ordering::Relaxed);
    }

    /// What was counted so far.
    pub(crate) fn all(&self) -> Counts {
        let count = |counted| {
            let of = |Shard(counters): &Shard| counters[place(counted)].load(Ordering::Relaxed);
            self.0.iter().map(of).sum()
        };
        Counts {
            hits: count(Counted::Answered(Cached::Hit)),
            stale: count(Counted::Answered(Cached::Stale)),
            revalidated: count(Counted::Answered(Cached::Revalidated)),
            misses: count(Counted::Answered(Cached::Miss)),
            bypassed: count(Counted::Answered(Cached::Bypass)),
            collapsed: count(Counted::Collapsed),
            brought_up: count(Counted::BroughtUp),
        }
    }
}

/// Where it is counted: below [`KINDS`].
fn place(counted: Counted) -> usize {
    match counted {
        Counted::Answered(Cached::Hit) => 0,
        Counted::Answered(Cached::Stale) => 1,
        Counted::Answered(Cached::Revalidated) => 2,
        // What is collapsed is counted once more, where it is.
        Counted::Answered(Cached::Miss | Cached::Collapsed) => 3,
        Counted::Answered(Cached::Bypass) => 4,
        Counted::Collapsed => 5,
        Counted::BroughtUp => 6,
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    #[test]
    fn what_all_threads_counted_is_added_up() {
        let counters = Counters::new();
        thread::scope(|scope| {
            for _ in 0..2 * SHARDS {
                scope.spawn(|| counters.count(Counted::Answered(Cached::Hit)));
            }
        });
        counters.count(Counted::Answered(Cached::Miss));
        counters.count(Counted::Collapsed);
        let expect = Counts { hits: 64, misses: 1, collapsed: 1, ..Counts::default() };
        assert_eq!(counters.all(), expect);
    }
}
