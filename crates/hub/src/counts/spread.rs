//! How often something was how large, by bounds that stay: what is counted is added up, of one hub or of
//! many, and nothing is kept of it but that.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How often something was how large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spread {
    /// Up to how large it is counted together, each bound with what is just so large.
    pub bounds: &'static [u64],
    /// How often it was within each of them and not within the one before; last, larger than all.
    pub counts: Vec<u64>,
    /// All of it together.
    pub sum: u64,
}

/// What is being counted so.
#[derive(Debug)]
pub(super) struct Spreading {
    bounds: &'static [u64],
    counts: Box<[AtomicU64]>,
    sum: AtomicU64,
}

impl Spreading {
    /// Nothing yet. `bounds` grow.
    pub(super) fn new(bounds: &'static [u64]) -> Self {
        let counts = (0..=bounds.len()).map(|_| AtomicU64::default()).collect();
        Self { bounds, counts, sum: AtomicU64::default() }
    }

    /// It was so large.
    pub(super) fn add(&self, size: u64) {
        let at = self.bounds.partition_point(|bound| *bound < size);
        self.counts[at].fetch_add(1, Relaxed);
        self.sum.fetch_add(size, Relaxed);
    }

    /// What was counted.
    pub(super) fn read(&self) -> Spread {
        let counts = self.counts.iter().map(|count| count.load(Relaxed)).collect();
        Spread { bounds: self.bounds, counts, sum: self.sum.load(Relaxed) }
    }
}

impl Spread {
    /// How often it was counted at all.
    pub fn times(&self) -> u64 {
        self.counts.iter().sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_just_as_large_as_a_bound_is_within_it() {
        let spreading = Spreading::new(&[1, 10]);
        for size in [0, 1, 2, 10, 11, 1000] {
            spreading.add(size);
        }
        let spread = spreading.read();
        assert_eq!(spread.counts, [2, 2, 2]);
        assert_eq!((spread.times(), spread.sum), (6, 1024));
    }
}
