//! Who may keep a core busy: few at a time, a few more who wait, and nobody else.

use std::sync::Arc;

use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    task::{JoinError, spawn_blocking},
};

use super::{
    Slate,
    slates::{Slates, Wanted},
};

/// Turns at hashing, which is done apart from the event loop: first come, first served. Of those whose
/// turn it is each has a [`Slate`], and where nobody hashes there is none.
#[derive(Debug)]
pub struct Turns {
    /// A place each for those whose turn it is and those waiting for it.
    places: Arc<Semaphore>,
    /// One each for those whose turn it is, which keep a core busy.
    cores: Arc<Semaphore>,
    slates: Arc<Slates>,
    places_max: usize,
}

/// A turn. It is over when this is dropped, or what it was [spent](Self::spend) on is done.
#[derive(Debug)]
pub struct Turn {
    wanted: Wanted,
    _place: OwnedSemaphorePermit,
    _core: OwnedSemaphorePermit,
}

impl Turns {
    /// For `turns_max` at a time, at least one, while `waiting_max` more may wait.
    pub fn new(turns_max: usize, waiting_max: usize) -> Self {
        let turns_max = turns_max.clamp(1, Semaphore::MAX_PERMITS / 2);
        let places = turns_max + waiting_max.min(Semaphore::MAX_PERMITS / 2);
        Self {
            places: Arc::new(Semaphore::new(places)),
            cores: Arc::new(Semaphore::new(turns_max)),
            slates: Arc::default(),
            places_max: places,
        }
    }

    /// Waits for a turn; `None`, at once, if as many wait as may.
    ///
    /// *Cancel safety*: who stops waiting leaves no place taken, but comes last the next time.
    pub async fn wait(&self) -> Option<Turn> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let wanted = self.slates.want();
        let core = Arc::clone(&self.cores).acquire_owned().await.expect("an open semaphore");
        Some(Turn { wanted, _place: place, _core: core })
    }

    /// For how many it is their turn, or who wait for it.
    pub fn taken(&self) -> usize {
        self.places_max.saturating_sub(self.places.available_permits())
    }
}

impl Turn {
    /// Does `work` on a thread apart, on a slate.
    ///
    /// *Cancel safety*: who stops waiting for it stops nothing: `work` is done to its end, and the
    /// turn is over no sooner.
    ///
    /// # Errors
    ///
    /// If `work` panics, or the runtime ends before it begins.
    pub async fn spend<T: Send + 'static>(
        self,
        work: impl FnOnce(&mut Slate) -> T + Send + 'static,
    ) -> Result<T, JoinError> {
        spawn_blocking(move || {
            let turn = self;
            turn.wanted.lend(work)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        pin::pin,
        sync::mpsc,
        task::{Context, Poll, Waker},
    };

    use super::*;

    fn poll<F: Future + Unpin>(future: &mut F) -> Poll<F::Output> {
        std::pin::Pin::new(future).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn a_full_queue_turns_newcomers_away_at_once() {
        let turns = Turns::new(2, 1);
        let first = turns.wait().await.unwrap();
        let _second = turns.wait().await.unwrap();
        let mut waiting = pin!(turns.wait());
        assert!(poll(&mut waiting).is_pending());
        assert!(turns.wait().await.is_none());
        drop(first);
        let Poll::Ready(Some(_third)) = poll(&mut waiting) else { panic!("a turn was over") };
        assert!(poll(&mut pin!(turns.wait())).is_pending(), "the place is free again");
    }

    #[tokio::test]
    async fn no_turn_at_all_is_one() {
        let turns = Turns::new(0, 0);
        let _turn = turns.wait().await.unwrap();
        assert!(turns.wait().await.is_none());
    }

    #[tokio::test]
    async fn a_turn_lasts_until_the_work_is_done_though_nobody_waits_for_it() {
        let turns = Turns::new(1, 1);
        let turn = turns.wait().await.unwrap();
        let (go_on, told) = mpsc::channel();
        {
            let mut leaving = pin!(turn.spend(move |_| told.recv()));
            assert!(poll(&mut leaving).is_pending());
        }
        let mut next = pin!(turns.wait());
        assert!(poll(&mut next).is_pending(), "the work goes on");
        go_on.send(()).unwrap();
        assert_eq!(next.await.unwrap().spend(|_| 7).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_turn_back() {
        let turns = Turns::new(1, 0);
        let failed = turns.wait().await.unwrap().spend(|_| -> () { panic!("as expected") }).await;
        assert!(failed.unwrap_err().is_panic());
        assert!(turns.wait().await.is_some());
    }
}
