//! A time limit for what is done again and again, at hardly any cost.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::Poll,
};

use tokio::time::{Instant, Sleep, sleep_until};

/// Limits one thing after another, each with a later limit than the one before.
///
/// The timer is not set anew each time: it goes off at a limit that was met long ago, is set to the one
/// that holds by then, and waits on. So a million requests a second set it once in each `timeout`.
#[derive(Debug)]
pub(super) struct Deadline {
    timer: Pin<Box<Sleep>>,
}

/// The limit was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct TimedOut;

impl Deadline {
    pub(super) fn new(first: Instant) -> Self {
        Self { timer: Box::pin(sleep_until(first)) }
    }

    /// Does `work`, until `limit` at most. Cancel safe if `work` is.
    pub(super) async fn limit<F: Future>(
        &mut self,
        limit: Instant,
        work: F,
    ) -> Result<F::Output, TimedOut> {
        let mut work = pin!(work);
        // An earlier one would be noticed too late.
        if self.timer.deadline() > limit {
            self.timer.as_mut().reset(limit);
        }
        poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            while self.timer.as_mut().poll(cx).is_ready() {
                if Instant::now() >= limit {
                    return Poll::Ready(Err(TimedOut));
                }
                self.timer.as_mut().reset(limit);
            }
            Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use std::{future::pending, time::Duration};

    use tokio::time::sleep;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn what_never_ends_is_ended_at_its_limit() {
        let begun = Instant::now();
        let mut deadline = Deadline::new(begun);
        for nth in [1, 2, 3] {
            let limit = begun + SECOND * nth;
            assert_eq!(deadline.limit(limit, pending::<()>()).await, Err(TimedOut));
            assert_eq!(Instant::now(), limit);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_done_in_time_is_not_disturbed_by_limits_of_before() {
        let mut deadline = Deadline::new(Instant::now());
        for _ in 0..20 {
            let limit = Instant::now() + SECOND;
            assert_eq!(deadline.limit(limit, sleep(SECOND / 4)).await, Ok(()));
        }
        assert_eq!(deadline.limit(Instant::now(), sleep(SECOND)).await, Err(TimedOut));
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_limit_holds_too() {
        let begun = Instant::now();
        let mut deadline = Deadline::new(begun + SECOND * 60);
        assert_eq!(deadline.limit(begun + SECOND, pending::<()>()).await, Err(TimedOut));
        assert_eq!(Instant::now(), begun + SECOND);
    }
}
