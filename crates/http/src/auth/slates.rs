//! The slates of those whose turn it is, which those who wait have after them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::Slate;

/// Slates that nobody uses just now: never more than there are who want one.
#[derive(Debug, Default)]
pub(super) struct Slates(Mutex<Stock>);

/// `free.len() <= wanted`.
#[derive(Debug, Default)]
struct Stock {
    free: Vec<Slate>,
    /// How many have one, or wait for their turn.
    wanted: usize,
}

/// Somebody who has a slate, or waits for the turn to have one.
#[derive(Debug)]
pub(super) struct Wanted(Arc<Slates>);

impl Slates {
    /// One more wants a slate, until what this gives is dropped.
    pub(super) fn want(self: &Arc<Self>) -> Wanted {
        self.stock().wanted += 1;
        Wanted(Arc::clone(self))
    }

    fn stock(&self) -> MutexGuard<'_, Stock> {
        // Nothing that holds the lock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Wanted {
    /// Does `work` on a slate, which is one that was used before, if there is any.
    pub(super) fn lend<T>(&self, work: impl FnOnce(&mut Slate) -> T) -> T {
        let mut slate = self.0.stock().free.pop().unwrap_or_default();
        let made = work(&mut slate);
        self.0.stock().free.push(slate);
        made
    }
}

impl Drop for Wanted {
    /// What nobody wants any more goes back to the system.
    fn drop(&mut self) {
        let mut stock = self.0.stock();
        stock.wanted -= 1;
        let wanted = stock.wanted;
        let extra =
            if stock.free.len() > wanted { stock.free.split_off(wanted) } else { Vec::new() };
        drop(stock);
        // That takes a while: nobody waits for the lock meanwhile.
        drop(extra);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn free(slates: &Slates) -> usize {
        slates.stock().free.len()
    }

    #[test]
    fn the_next_has_the_slate_of_the_one_before() {
        let slates = Arc::new(Slates::default());
        let (first, second) = (slates.want(), slates.want());
        first.lend(Slate::write_on);
        drop(first);
        assert_eq!(free(&slates), 1);
        assert!(second.lend(|slate| slate.is_written_on()));
        assert_eq!(free(&slates), 1);
    }

    #[test]
    fn where_nobody_wants_one_there_is_none() {
        let slates = Arc::new(Slates::default());
        let wanted = [(); 3].map(|()| slates.want());
        wanted[0].lend(|_| wanted[1].lend(|_| assert_eq!(free(&slates), 0)));
        assert_eq!(free(&slates), 2);
        for (one, left) in wanted.into_iter().zip([2, 1, 0]) {
            drop(one);
            assert_eq!(free(&slates), left);
        }
    }

    #[test]
    fn what_a_panic_left_is_not_used_again() {
        let slates = Arc::new(Slates::default());
        let wanted = slates.want();
        let panics = std::panic::AssertUnwindSafe(|| wanted.lend(|_| panic!("as expected")));
        std::panic::catch_unwind(panics).unwrap_err();
        assert_eq!(free(&slates), 0);
        wanted.lend(|slate| assert!(!slate.is_written_on()));
    }
}
