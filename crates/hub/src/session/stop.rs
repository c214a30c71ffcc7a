//! The word to stop.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use relais_net::Drain;

/// The word to stop, for which a session is enlisted once, and not anew with each of its steps: that
/// list is the same for all.
pub(super) struct Stop<'s> {
    drain: &'s Drain,
    word: Pin<&'s mut (dyn Future<Output = ()> + Send)>,
    is_enlisted: bool,
}

impl<'s> Stop<'s> {
    /// Of `drain`, whose `word` it is.
    pub(super) fn new(
        drain: &'s Drain,
        word: Pin<&'s mut (dyn Future<Output = ()> + Send)>,
    ) -> Self {
        Self { drain, word, is_enlisted: false }
    }

    /// All polls are to be those of one task, which is woken.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.drain.is_requested() {
            return Poll::Ready(());
        }
        if !self.is_enlisted {
            self.is_enlisted = true;
            return self.word.as_mut().poll(cx);
        }
        Poll::Pending
    }
}
