//! How the body of a request comes over HTTP/2, beside others of its connection.

use std::{
    task::{Context, Poll},
    time::Duration,
};

use relais_net::{Patience, Permit};
use tokio::time::Instant;

/// A body that is under way, and its place among those that are. Only the time in which its client is
/// waited for counts. Over HTTP/1 the connection keeps it, which has but one of them.
#[derive(Debug)]
pub(crate) struct Uploading {
    _place: Permit,
    stall_max: Duration,
    rate_min: u32,
    /// How long it has been silent.
    silence: Patience<()>,
    /// Since when its client is waited for; `None` if it is not.
    since: Option<Instant>,
    /// How long it was before that.
    waited: Duration,
    bytes: u64,
    is_answered: bool,
}

impl Uploading {
    /// One that begins, and may be silent for `stall_max`, then bring `rate_min` bytes a second on average.
    pub(crate) fn new(place: Permit, (stall_max, rate_min): (Duration, u32)) -> Self {
        let (silence, since, waited) = (Patience::default(), None, Duration::ZERO);
        Self {
            _place: place,
            stall_max,
            rate_min,
            silence,
            since,
            waited,
            bytes: 0,
            is_answered: false,
        }
    }

    /// So much of it was taken.
    pub(super) fn came(&mut self, bytes: u64) {
        self.bytes = self.bytes.saturating_add(bytes);
        self.silence.moved();
        if let Some(since) = self.since.take() {
            // Had it been waited for longer, that would have been too long: who takes it comes late.
            self.waited += since.elapsed().min(self.stall_max);
        }
    }

    /// It is being answered: both ways go on, and who is still needs to say no more.
    pub(super) fn answered(&mut self) {
        self.is_answered = true;
    }

    /// Waits for more of it, until that is too slow.
    pub(super) fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.is_answered {
            return Poll::Pending;
        }
        if self.crawls() {
            return Poll::Ready(());
        }
        self.since.get_or_insert_with(Instant::now);
        self.silence.poll(cx, (), self.stall_max)
    }

    /// As long as it may be still, a body has time to get up to speed.
    fn crawls(&self) -> bool {
        let Self { stall_max, rate_min, waited, bytes, .. } = *self;
        waited > stall_max && bytes < u64::from(rate_min) * waited.as_secs()
    }
}
