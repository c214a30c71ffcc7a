//! What became of datagrams, counted.

use std::{
    fmt,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
};

use relais_net::ToldRarely;
use tracing::warn;

/// Counts of a relay, since it was made.
#[derive(Debug, Default)]
pub struct Tally {
    pub(super) to_server: AtomicU64,
    pub(super) to_client: AtomicU64,
    pub(super) full: ToldRarely,
    pub(super) denied: ToldRarely,
    pub(super) forged: ToldRarely,
    pub(super) nowhere: ToldRarely,
    pub(super) unsent: ToldRarely,
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
    /// Dropped, because they say that they come from an upstream.
    pub forged: u64,
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
        let Self {
            to_server,
            to_client,
            full,
            denied,
            forged,
            nowhere,
            unsent,
            impaired,
            panicked,
        } = self;
        Counts {
            to_server: to_server.load(Relaxed),
            to_client: to_client.load(Relaxed),
            full: full.count(),
            denied: denied.count(),
            forged: forged.count(),
            nowhere: nowhere.count(),
            unsent: unsent.count(),
            impaired: impaired.load(Relaxed),
            panicked: panicked.load(Relaxed),
        }
    }
}

impl fmt::Display for Counts {
    /// In words, of what was dropped or failed as far as there was any.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            to_server,
            to_client,
            full,
            denied,
            forged,
            nowhere,
            unsent,
            impaired,
            panicked,
        } = *self;
        write!(f, "{to_server} datagrams to upstreams, {to_client} to senders")?;
        for (count, what) in [
            (full, "dropped for want of room"),
            (denied, "dropped, as their senders are not allowed"),
            (forged, "dropped, as they say they come from an upstream"),
            (nowhere, "dropped, as there was nowhere to send them"),
            (unsent, "dropped, as the system did not take them"),
            (impaired, "dropped on purpose"),
            (panicked, "ended by a bug"),
        ] {
            if count > 0 {
                write!(f, ", {count} {what}")?;
            }
        }
        Ok(())
    }
}

/// Adds to a count.
pub(super) fn count(count: &AtomicU64, more: u64) {
    if more > 0 {
        count.fetch_add(more, Relaxed);
    }
}

/// Adds to a count of datagrams that were dropped, and tells of it, ever more rarely.
pub(super) fn count_dropped(count: &ToldRarely, more: u64, why: &'static str) {
    if let Some(dropped) = count.add(more) {
        warn!("dropped datagrams, as {why}: {dropped}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_told_in_words_and_nothing_that_did_not_happen() {
        let counts = Counts { to_server: 3, to_client: 2, ..Counts::default() };
        assert_eq!(counts.to_string(), "3 datagrams to upstreams, 2 to senders");
        let counts = Counts { full: 4, panicked: 1, ..counts };
        let dropped = "4 dropped for want of room, 1 ended by a bug";
        assert_eq!(
            counts.to_string(),
            format!("3 datagrams to upstreams, 2 to senders, {dropped}")
        );
    }
}
