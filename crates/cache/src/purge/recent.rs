//! What was purged lately: what is on its way in meanwhile must not be stored.

use std::collections::VecDeque;

use super::{Pattern, Purge};
use crate::{key::Key, tags::TagId};

/// The last purges, numbered from the first there was.
///
/// What is on its way in is not known by its URL to who purges by a pattern, and not by its tags to
/// anybody: so it is held against this when it is to be stored.
#[derive(Debug, Default)]
pub(crate) struct Recent {
    purges: VecDeque<(Pattern, Purge)>,
    /// How many there were in all: `purges.len() <= count`.
    count: u64,
    /// Of `purges`.
    bytes: usize,
}

/// No more purges are remembered.
const PURGES_MAX: usize = 1024;

/// And none that have more bytes together.
const BYTES_MAX: usize = 256 << 10;

impl Recent {
    /// How many purges there were.
    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    pub(crate) fn add(&mut self, pattern: Pattern, purge: Purge) {
        self.count += 1;
        self.bytes += pattern.weight();
        self.purges.push_back((pattern, purge));
        while self.purges.len() > PURGES_MAX || self.bytes > BYTES_MAX {
            let Some((oldest, _)) = self.purges.pop_front() else { break };
            self.bytes -= oldest.weight();
        }
    }

    /// Whether what has this `key` and these `tags` was purged since there were `since` purges, in
    /// one of the ways that `counts` says; or may have been, if that was too long ago.
    pub(crate) fn has(
        &self,
        (key, tags): (&Key, &[TagId]),
        since: u64,
        counts: impl Fn(Purge) -> bool,
    ) -> bool {
        let newer = self.count - since;
        if newer > self.purges.len() as u64 {
            return true;
        }
        let newer = usize::try_from(newer).expect("no more than there are");
        let mut purges = self.purges.iter().rev().take(newer);
        purges.any(|(pattern, purge)| counts(*purge) && pattern.chooses(key, tags))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_purged_since_is_known() {
        let (mut recent, key) = (Recent::default(), Key::of("http", "a", "/x").unwrap());
        let has = |recent: &Recent, since| recent.has((&key, &[]), since, |_| true);
        recent.add(Pattern::Url("http://a/x".parse().unwrap()), Purge::Hard);
        assert!(has(&recent, 0) && !has(&recent, 1));
        recent.add(Pattern::Glob("*y".parse().unwrap()), Purge::Hard);
        assert!(has(&recent, 0) && !has(&recent, 1) && !has(&recent, 2));
        assert!(!recent.has((&key, &[]), 0, |purge| purge == Purge::Soft));
    }

    #[test]
    fn what_is_forgotten_may_have_been_anything() {
        let (mut recent, key) = (Recent::default(), Key::of("http", "a", "/x").unwrap());
        let has = |recent: &Recent, since| recent.has((&key, &[]), since, |_| true);
        for _ in 0..PURGES_MAX {
            recent.add(Pattern::Glob("y".parse().unwrap()), Purge::Hard);
        }
        assert!(!has(&recent, 0));
        recent.add(Pattern::Glob("y".parse().unwrap()), Purge::Hard);
        assert!(has(&recent, 0) && !has(&recent, 1));
        let long = "y".repeat(super::super::PATTERN_BYTES_MAX);
        for _ in 0..200 {
            recent.add(Pattern::Glob(long.parse().unwrap()), Purge::Soft);
        }
        assert!(recent.bytes <= BYTES_MAX && recent.purges.len() < 100);
        assert!(!has(&recent, recent.count()) && has(&recent, 1025));
    }
}
