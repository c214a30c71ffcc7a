//! What became of datagrams, counted.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use tracing::warn;

/// Counts of a relay, since it was made.
#[derive(Debug, Default)]
pub struct Tally {
    pub(super) to_server: AtomicU64,
    pub(super) to_client: AtomicU64,
    pub(super) full: AtomicU64,
    pub(super) denied: AtomicU64,
    pub(super) nowhere: AtomicU64,
    pub(super) unsent: AtomicU64,
    pub(super) impaired: AtomicU64,
    pub(super) panicked: AtomicU64,
}

/// What was counted until now, in datagrams.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Passed on to upstreams.
    pub to_server: u64,
    /// Passed back.
    pub to_client: u64,
    /// Dropped, because as many senders were associated as may be.
    pub full: u64,
    /// Dropped, because their sender may not be served.
    pub denied: u64,
    /// Dropped, because there was no upstream to be had, or no descriptor.
    pub nowhere: u64,
    /// Dropped, because the system did not take them.
    pub unsent: u64,
    /// Dropped, because that was asked for: lost on purpose, or too many for the rate.
    pub impaired: u64,
    /// How often a bug ended an association or held up what was to be sent later.
    pub panicked: u64,
}

impl Tally {
    /// What was counted until now.
    pub fn counts(&self) -> Counts {
        let Self { to_server, to_client, full, denied, nowhere, unsent, impaired, panicked } = self;
        Counts {
            to_server: to_server.load(Relaxed),
            to_client: to_client.load(Relaxed),
            full: full.load(Relaxed),
            denied: denied.load(Relaxed),
            nowhere: nowhere.load(Relaxed),
            unsent: unsent.load(Relaxed),
            impaired: impaired.load(Relaxed),
            panicked: panicked.load(Relaxed),
        }
    }
}

/// Adds to a count.
pub(super) fn count(count: &AtomicU64, more: u64) {
    if more > 0 {
        count.fetch_add(more, Relaxed);
    }
}

/// Adds to a count of datagrams that were dropped, and tells of it at the first, and then ever more
/// rarely: a flood must not become a flood of log lines.
pub(super) fn count_dropped(count: &AtomicU64, more: u64, why: &'static str) {
    if more == 0 {
        return;
    }
    let before = count.fetch_add(more, Relaxed);
    if is_news(before, before.saturating_add(more)) {
        warn!("dropped datagrams, as {why}: {}", before.saturating_add(more));
    }
}

/// Whether a count passed a power of two on its way to `now`.
fn is_news(before: u64, now: u64) -> bool {
    before.checked_ilog2() != now.checked_ilog2()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_dropped_is_told_ever_more_rarely() {
        let told = |step| (0..1000).step_by(step).filter(|n| is_news(*n, n + step as u64)).count();
        assert_eq!(told(1), 10);
        assert_eq!(told(64), 5);
        assert!(!is_news(4, 7) && is_news(4, 8) && is_news(0, 100));
    }
}
