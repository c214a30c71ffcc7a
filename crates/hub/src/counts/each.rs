//! How often each of a few kinds came.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// How often each of a few kinds came.
#[derive(Debug)]
pub(super) struct Each<K, const N: usize> {
    kinds: [K; N],
    counts: [AtomicU64; N],
}

impl<K: Copy + PartialEq, const N: usize> Each<K, N> {
    /// None of `kinds` yet.
    pub(super) fn new(kinds: [K; N]) -> Self {
        Self { kinds, counts: [const { AtomicU64::new(0) }; N] }
    }

    /// One of `kind` came.
    ///
    /// *Cost*: looks at the kinds before it.
    pub(super) fn add(&self, kind: K) {
        let at = self.kinds.iter().position(|of| *of == kind);
        if let Some(count) = at.and_then(|at| self.counts.get(at)) {
            count.fetch_add(1, Relaxed);
        }
    }

    /// How often each came, in their order.
    pub(super) fn read(&self) -> Vec<(K, u64)> {
        let counts = self.counts.iter().map(|count| count.load(Relaxed));
        self.kinds.iter().copied().zip(counts).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_has_a_count_of_its_own() {
        let each = Each::new(['a', 'b']);
        for kind in ['b', 'a', 'b', 'c'] {
            each.add(kind);
        }
        assert_eq!(each.read(), [('a', 1), ('b', 2)]);
    }
}
