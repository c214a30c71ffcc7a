//! What both ends share: where events go, and how many ask for them.

use std::sync::{
    Arc,
    atomic::{AtomicU64, AtomicUsize, Ordering},
};

use crate::ring::Ring;

/// How much a watcher asks for. It may get more, if another asked for that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Detail {
    /// That flows begin and end, and what is noted of them.
    Flows,
    /// And every byte that passes.
    Bytes,
}

/// What every clone of a [`Tap`](crate::Tap) and its flows share.
#[derive(Debug)]
pub(crate) struct Shared {
    /// Closed when this is dropped.
    pub(crate) events: Arc<Ring>,
    /// How many [`Watcher`](crate::Watcher)s of each [`Detail`] there are. Ours, because asking `events` takes its
    /// lock.
    flow_watchers: AtomicUsize,
    byte_watchers: AtomicUsize,
    /// The next [`FlowId`](crate::FlowId).
    pub(crate) flows: AtomicU64,
}

impl Shared {
    pub(crate) fn new(events_max: usize) -> Self {
        Self {
            events: Arc::new(Ring::new(events_max)),
            flow_watchers: AtomicUsize::new(0),
            byte_watchers: AtomicUsize::new(0),
            flows: AtomicU64::new(1),
        }
    }

    pub(crate) fn watchers_of(&self, detail: Detail) -> &AtomicUsize {
        match detail {
            Detail::Flows => &self.flow_watchers,
            Detail::Bytes => &self.byte_watchers,
        }
    }

    pub(crate) fn is_watched(&self, detail: Detail) -> bool {
        // Relaxed: whoever starts watching at this very moment may or may not see this event.
        let count = |detail| self.watchers_of(detail).load(Ordering::Relaxed);
        count(Detail::Bytes) > 0 || detail == Detail::Flows && count(Detail::Flows) > 0
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.events.close();
    }
}
