//! What a connection waits for beside its bytes: to be judged, and to be told to stop.
//!
//! Both are asked for in every poll of a connection, and hardly ever is there news. So neither is
//! polled as long as it has our waker and its time has not come.
//!
//! And both are polled outside of tokio's cooperative budget. A future that finds the budget spent
//! says that it is pending without keeping the waker: who then trusts that it has it is never woken
//! again, and a client can have the budget spent by asking for much at once.

use std::{
    pin::Pin,
    task::{Context, Poll, Waker},
};

use relais_net::Drain;
use tokio::{
    task::coop::unconstrained,
    time::{Instant, Sleep},
};

use super::limits::SWEEP;

/// The next time to judge a connection, once a [`SWEEP`].
#[derive(Debug)]
pub(super) struct Sweep<'a> {
    sleep: Pin<&'a mut Sleep>,
    left: Left,
}

/// The word to stop, which comes as `F`, [`Drain::requested`].
#[derive(Debug)]
pub(super) struct Stop<'a, F> {
    drain: &'a Drain,
    requested: Pin<&'a mut F>,
    left: Left,
}

/// The waker that was left with a future, if any.
#[derive(Debug, Default)]
struct Left(Option<Waker>);

impl<'a> Sweep<'a> {
    /// `sleep` has the time of the first.
    pub(super) fn new(sleep: Pin<&'a mut Sleep>) -> Self {
        Self { sleep, left: Left::default() }
    }

    /// Has the next one come a [`SWEEP`] from now.
    pub(super) fn restart(&mut self) {
        self.sleep.as_mut().reset(Instant::now() + SWEEP);
        self.left = Left::default();
    }

    /// Whether it is time. The next is counted from now on, and wakes us.
    pub(super) fn poll_due(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.left.is_of(cx) && !self.sleep.is_elapsed() {
            return Poll::Pending;
        }
        let mut due = Poll::Pending;
        while self.left.poll(self.sleep.as_mut(), cx).is_ready() {
            self.sleep.as_mut().reset(Instant::now() + SWEEP);
            due = Poll::Ready(());
        }
        due
    }
}

impl<'a, F: Future<Output = ()>> Stop<'a, F> {
    pub(super) fn new(drain: &'a Drain, requested: Pin<&'a mut F>) -> Self {
        Self { drain, requested, left: Left::default() }
    }

    /// Whether we are told to stop. If not, that wakes us.
    pub(super) fn is_requested(&mut self, cx: &mut Context<'_>) -> bool {
        // Asked of the drain, which is cheaper, and can be asked again once it was said.
        if !self.drain.is_requested() && !self.left.is_of(cx) {
            _ = self.left.poll(self.requested.as_mut(), cx);
        }
        self.drain.is_requested()
    }
}

impl Left {
    fn is_of(&self, cx: &Context<'_>) -> bool {
        self.0.as_ref().is_some_and(|waker| waker.will_wake(cx.waker()))
    }

    /// Polls `future`, and leaves the waker with it if it is pending.
    fn poll<F: Future<Output = ()>>(
        &mut self,
        future: Pin<&mut F>,
        cx: &mut Context<'_>,
    ) -> Poll<()> {
        let polled = Pin::new(&mut unconstrained(future)).poll(cx);
        self.0 = polled.is_pending().then(|| cx.waker().clone());
        polled
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, pin::pin, time::Duration};

    use relais_net::Shutdown;
    use tokio::time::{sleep, timeout};

    use super::{super::tests::spend_budget, *};

    #[tokio::test(start_paused = true)]
    async fn sweeps_come_though_every_poll_finds_the_budget_spent() {
        let begun = Instant::now();
        let mut timer = pin!(sleep(SWEEP));
        let mut sweep = Sweep::new(timer.as_mut());
        for nth in 1..=3 {
            let due = poll_fn(|cx| {
                spend_budget();
                sweep.poll_due(cx)
            });
            timeout(SWEEP * 10, due).await.expect("it wakes us");
            assert_eq!(begun.elapsed().as_secs(), nth);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_word_to_stop_comes_though_every_poll_finds_the_budget_spent() {
        let (shutdown, drain) = Shutdown::new();
        let mut word = pin!(drain.requested());
        let mut stop = Stop::new(&drain, word.as_mut());
        tokio::spawn(async move {
            sleep(SWEEP).await;
            shutdown.request();
            sleep(Duration::from_hours(1)).await;
            drop(shutdown);
        });
        let told = poll_fn(|cx| {
            spend_budget();
            if stop.is_requested(cx) { Poll::Ready(()) } else { Poll::Pending }
        });
        timeout(SWEEP * 10, told).await.expect("it wakes us");
        assert!(poll_fn(|cx| Poll::Ready(stop.is_requested(cx))).await, "it stays said");
    }

    #[tokio::test(start_paused = true)]
    async fn another_task_that_goes_on_with_it_is_woken() {
        let mut sweep = Box::pin(async {
            let mut timer = pin!(sleep(SWEEP));
            let mut sweep = Sweep::new(timer.as_mut());
            poll_fn(|cx| sweep.poll_due(cx)).await;
        });
        poll_fn(|cx| Poll::Ready(sweep.as_mut().poll(cx).is_pending())).await;
        timeout(SWEEP * 10, tokio::spawn(sweep)).await.expect("it wakes us").unwrap();
    }
}
