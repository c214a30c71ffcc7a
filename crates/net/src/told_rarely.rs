//! Counting what may come again and again, without a line in the log for each.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// A count that is told at the first, and then ever more rarely: a flood must not become a flood of log
/// lines.
#[derive(Debug, Default)]
pub struct ToldRarely(AtomicU64);

impl ToldRarely {
    /// Adds so many, and gives how many there are now if that is worth a line: where a power of two is
    /// reached or passed.
    pub fn add(&self, more: u64) -> Option<u64> {
        let before = self.0.fetch_add(more, Relaxed);
        let now = before.saturating_add(more);
        (before.checked_ilog2() != now.checked_ilog2()).then_some(now)
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.0.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told of `times` times so many.
    #[track_caller]
    fn check(more: u64, times: usize, expect: &[u64]) {
        let count = ToldRarely::default();
        let told: Vec<_> = (0..times).filter_map(|_| count.add(more)).collect();
        assert_eq!(told, expect);
        assert_eq!(count.count(), more * u64::try_from(times).unwrap());
    }

    #[test]
    fn what_comes_often_is_told_ever_more_rarely() {
        check(1, 1000, &[1, 2, 4, 8, 16, 32, 64, 128, 256, 512]);
        check(64, 16, &[64, 128, 256, 512, 1024]);
        check(3, 6, &[3, 6, 9, 18]);
        check(0, 9, &[]);
    }
}
