//! What of a connection's bytes was told of.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

use relais_net::ByteCounts;

/// How many bytes have passed, below HTTP and above TLS, and how many of them were told of.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// What passed.
    pub(super) passed: Arc<ByteCounts>,
    /// `told <= received`, and the same for `sent`.
    told_received: AtomicU64,
    told_sent: AtomicU64,
}

impl Counts {
    /// How many came, and went out, since this was asked before. One core asks.
    pub(super) fn since_told(&self) -> (u64, u64) {
        let since = |all: u64, told: &AtomicU64| all - told.swap(all, Relaxed);
        let (received, sent) = (self.passed.received(), self.passed.sent());
        (since(received, &self.told_received), since(sent, &self.told_sent))
    }
}
