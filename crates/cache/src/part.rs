//! What was invalidated lately, and what is under way, in a part of all keys.

use crate::fill::InFlight;

/// How often something in a part of the keys was invalidated, and changed, and something of all was
/// purged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Generation {
    invalidated: u64,
    changed: u64,
    purges: u64,
}

impl Generation {
    /// The same, when there were so many purges.
    pub(crate) fn after_purges(self, purges: u64) -> Self {
        Self { purges, ..self }
    }

    /// How many purges there were.
    pub(crate) fn purges(self) -> u64 {
        self.purges
    }
}

/// A part of all keys, and what was invalidated and changed in it last.
#[derive(Debug, Default)]
pub(crate) struct Part {
    pub in_flight: InFlight,
    invalidated: Lately,
    changed: Lately,
}

/// To which keys something was done: how often, and the last few of their hashes, that of the one
/// that made `count` so high at its remainder.
#[derive(Debug, Default)]
struct Lately {
    count: u64,
    last: [u64; LAST],
}

/// So many are remembered in each part, so that what comes in does not suffer for changes of others.
const LAST: usize = 8;

impl Part {
    /// What was done in it so far.
    pub(crate) fn generation(&self) -> Generation {
        let (invalidated, changed) = (self.invalidated.count, self.changed.count);
        Generation { invalidated, changed, purges: 0 }
    }

    /// Keeps out what is on its way under the key with this hash.
    pub(crate) fn invalidate(&mut self, hash: u64) {
        self.invalidated.add(hash);
        self.in_flight.leave_all(Some(hash));
    }

    /// Invalidates all keys there can be.
    pub(crate) fn invalidate_all(&mut self) {
        self.invalidated.add_all();
        self.in_flight.leave_all(None);
    }

    /// Whether the key with this hash was invalidated since then; or may have been, if that was too
    /// long ago.
    pub(crate) fn was_invalidated(&self, hash: u64, since: Generation) -> bool {
        self.invalidated.has(hash, since.invalidated)
    }

    /// Says that something under the key with this hash was replaced or taken out. What others fetch
    /// is still good; what was read from disk before may be what went.
    pub(crate) fn change(&mut self, hash: u64) {
        self.changed.add(hash);
    }

    /// Whether anything under the key with this hash was replaced, taken out or invalidated since
    /// then; or may have been, if that was too long ago.
    pub(crate) fn was_changed(&self, hash: u64, since: Generation) -> bool {
        self.changed.has(hash, since.changed) || self.was_invalidated(hash, since)
    }
}

impl Lately {
    fn add(&mut self, hash: u64) {
        self.count += 1;
        self.last[at(self.count)] = hash;
    }

    fn add_all(&mut self) {
        self.count += 1 + LAST as u64;
    }

    /// Whether it was done to this key, or may have been, after it was done so often.
    fn has(&self, hash: u64, count: u64) -> bool {
        let mut newer = count + 1..=self.count;
        self.count - count > LAST as u64 || newer.any(|n| self.last[at(n)] == hash)
    }
}

/// Where the key that made a count is remembered.
fn at(count: u64) -> usize {
    usize::try_from(count % LAST as u64).expect("less than a few")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_invalidated_is_remembered_for_a_while() {
        let mut part = Part::default();
        let before = part.generation();
        assert!(!part.was_invalidated(1, before));
        part.invalidate(1);
        let after = part.generation();
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
    fn a_change_keeps_out_what_was_read_from_disk_and_nothing_else() {
        let mut part = Part::default();
        let before = part.generation();
        part.change(1);
        assert!(part.was_changed(1, before) && !part.was_changed(2, before));
        assert!(!part.was_invalidated(1, before));
        assert!(!part.was_changed(1, part.generation()));
        part.invalidate(2);
        assert!(part.was_changed(2, before) && part.was_invalidated(2, before));
    }

    #[test]
    fn all_may_be_invalidated() {
        let mut part = Part::default();
        let before = part.generation();
        part.invalidate_all();
        assert!(part.was_invalidated(1, before) && !part.was_invalidated(1, part.generation()));
    }
}
