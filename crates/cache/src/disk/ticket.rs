//! Hears when a change is on disk.

use std::{
    pin::Pin,
    sync::{Arc, Condvar, Mutex, PoisonError},
    task::{Context, Poll, Waker},
};

/// Says when what was asked for is acknowledged: it is on disk, and holds after `kill -9` and after
/// a power failure. To wait is optional; where nobody does, nothing is synced for it.
///
/// It can be awaited, or waited for by a thread that may block. *Cancel safety*: what was asked for
/// is done, whether anybody waits or not.
#[derive(Debug)]
#[must_use = "what nobody waits for need not be on disk yet"]
pub struct Ticket(Arc<Done>);

/// Why something is not acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotDurable {
    /// The disk did not take it. It counts for as long as the process lives, and is written as soon
    /// as the disk works again.
    #[error("the disk did not take it: {0}")]
    Disk(String),
    /// The tier was closed before.
    #[error("the cache's folder was closed before")]
    Closed,
}

#[derive(Debug, Default)]
pub(super) struct Done {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    outcome: Option<Result<(), NotDurable>>,
    waker: Option<Waker>,
}

impl Ticket {
    pub(super) fn new() -> (Self, Arc<Done>) {
        let done = Arc::new(Done::default());
        (Self(Arc::clone(&done)), done)
    }

    /// Waits, blocking the thread.
    ///
    /// # Errors
    ///
    /// [`NotDurable`]
    pub fn wait(self) -> Result<(), NotDurable> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(outcome) = &state.outcome {
                return outcome.clone();
            }
            state = self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Future for Ticket {
    type Output = Result<(), NotDurable>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Done {
    /// Whether somebody still wants to know.
    pub(super) fn is_awaited(done: &Arc<Self>) -> bool {
        Arc::strong_count(done) > 1
    }

    pub(super) fn tell(&self, outcome: Result<(), NotDurable>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.outcome = Some(outcome);
        if let Some(waker) = state.waker.take() {
            waker.wake();
        }
        self.changed.notify_all();
    }
}
