//! When a file was last looked at, so that a crowd asking for it costs one look.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use relais_net::turn;

use crate::clock::coarse_now;

/// When something was last seen to be fresh.
///
/// A request that is answered in a core's [`turn`] was sent before the turn began, so a look since
/// then is as good as one of its own.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// 0 if never.
    turn: AtomicU64,
    /// On the coarse clock. A turn that lasts longer than a tick of it is looked at again: a core
    /// whose tasks yield to each other does not begin a new one.
    at: AtomicU64,
}

impl Looked {
    /// Whether it is fresh: seen in this turn, or by taking a `look` now.
    pub(super) fn is_fresh(&self, look: impl FnOnce() -> bool) -> bool {
        let (turn, now) = (turn(), coarse_now());
        if turn == 0 {
            return look();
        }
        if self.turn.load(Relaxed) == turn && self.at.load(Relaxed) == now {
            return true;
        }
        let is_fresh = look();
        if is_fresh {
            self.at.store(now, Relaxed);
            self.turn.store(turn, Relaxed);
        }
        is_fresh
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use relais_net::Cores;

    use super::*;

    #[test]
    fn where_there_are_no_turns_every_use_looks() {
        let looked = Looked::default();
        assert!(looked.is_fresh(|| true));
        assert!(!looked.is_fresh(|| false));
    }

    #[test]
    fn a_turn_looks_until_it_saw_it_fresh_and_the_next_turn_looks_again() {
        let cores = Cores::start(NonZeroUsize::MIN).unwrap();
        let (tell, told) = std::sync::mpsc::channel();
        cores.first().spawn(async move {
            let looked = Looked::default();
            // A tick may pass between two looks, but not between all of a hundred.
            let stale = (0..100).any(|_| looked.is_fresh(|| false));
            let once = looked.is_fresh(|| true) && (0..100).any(|_| looked.is_fresh(|| false));
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
            tell.send((stale, once, looked.is_fresh(|| false))).unwrap();
        });
        assert_eq!(told.recv().unwrap(), (false, true, false));
    }
}
