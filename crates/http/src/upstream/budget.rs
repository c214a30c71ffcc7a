//! How often requests are tried again, in all.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

/// How many tries beside the first there may be: one for each five requests lately, and a few for
/// those who ask rarely. So who fails under its load is not given three times as much.
#[derive(Debug)]
pub(super) struct Budget {
    /// In tenths of a try. At most [`MOST`].
    tenths: AtomicU32,
}

/// What is there at first, and as much is saved up: ten tries.
const MOST: u32 = 100;

/// What a request adds.
const ADDED: u32 = 2;

/// What a try costs.
const COST: u32 = 10;

impl Default for Budget {
    fn default() -> Self {
        Self { tenths: AtomicU32::new(MOST) }
    }
}

impl Budget {
    /// A request came.
    pub(super) fn add(&self) {
        // Most find all that may be there, and change nothing.
        let tenths = self.tenths.load(Relaxed);
        if tenths < MOST {
            self.tenths.fetch_add(ADDED.min(MOST - tenths), Relaxed);
        }
    }

    /// Takes what one more try costs, if it is there.
    pub(super) fn take(&self) -> bool {
        let less = |tenths: u32| tenths.checked_sub(COST);
        self.tenths.fetch_update(Relaxed, Relaxed, less).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_a_few_tries_and_one_more_for_each_five_requests() {
        let budget = Budget::default();
        let tries = |budget: &Budget| (0..100).take_while(|_| budget.take()).count();
        assert_eq!(tries(&budget), 10);
        for (requests, expect) in [(4, 0), (1, 1), (25, 5), (1000, 10)] {
            (0..requests).for_each(|_| budget.add());
            assert_eq!(tries(&budget), expect, "after {requests}");
        }
    }
}
