//! What was invalidated lately, and what is under way, in a part of all keys.

use crate::fill::InFlight;

/// How often something in a part of the keys was invalidated, and something of all was purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Generation(u64, u64);

impl Generation {
    /// The same, when there were so many purges.
    pub(crate) fn after_purges(self, count: u64) -> Self {
        Self(self.0, count)
    }

    /// How many purges there were.
    pub(crate) fn purges(self) -> u64 {
        self.1
    }
}

/// A part of all keys, and what was invalidated in it last.
#[derive(Debug)]
pub(crate) struct Part {
    pub generation: Generation,
    pub in_flight: InFlight,
    /// The hashes of those keys: that of the one which made `generation` so high, at its remainder.
    last: [u64; LAST],
}

/// So many are remembered in each part, so that what comes in does not suffer for changes of others.
const LAST: usize = 8;

impl Part {
    pub(crate) fn new() -> Self {
        Self { generation: Generation(0, 0), in_flight: InFlight::default(), last: [0; LAST] }
    }

    pub(crate) fn invalidate(&mut self, hash: u64) {
        self.generation.0 += 1;
        self.last[at(self.generation.0)] = hash;
        self.in_flight.leave_all(Some(hash));
    }

    /// Invalidates all keys there can be.
    pub(crate) fn invalidate_all(&mut self) {
        self.generation.0 += 1 + LAST as u64;
        self.in_flight.leave_all(None);
    }

    /// Whether the key with this hash was invalidated since then; or may have been, if that was too
    /// long ago.
    pub(crate) fn was_invalidated(&self, hash: u64, since: Generation) -> bool {
        let newer = since.0 + 1..=self.generation.0;
        self.generation.0 - since.0 > LAST as u64
            || newer.into_iter().any(|n| self.last[at(n)] == hash)
    }
}

/// Where the key that made a generation is remembered.
fn at(generation: u64) -> usize {
    usize::try_from(generation % LAST as u64).expect("less than a few")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_invalidated_is_remembered_for_a_while() {
        let mut part = Part::new();
        let before = part.generation;
        assert!(!part.was_invalidated(1, before));
        part.invalidate(1);
        let after = part.generation;
        assert!(part.was_invalidated(1, before) && !part.was_invalidated(1, after));
        assert!(!part.was_invalidated(2, before));
        for hash in 0..7 {
            part.invalidate(100 + hash);
            assert!(part.was_invalidated(1, before) && !part.was_invalidated(1, after));
            assert!(!part.was_invalidated(2, before));
        }
        part.invalidate(107);
        assert!(part.was_invalidated(2, before) && !part.was_invalidated(2, after));
    }

    #[test]
    fn all_may_be_invalidated() {
        let mut part = Part::new();
        let before = part.generation;
        part.invalidate_all();
        assert!(part.was_invalidated(1, before) && !part.was_invalidated(1, part.generation));
    }
}
