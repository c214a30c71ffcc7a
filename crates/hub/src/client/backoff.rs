//! How long who lost a connection waits before it calls again.

use std::time::Duration;

/// The shortest wait.
pub(super) const WAIT_MIN: Duration = Duration::from_millis(500);

/// The longest.
pub(super) const WAIT_MAX: Duration = Duration::from_secs(30);

/// Waits that grow from try to try, until one comes to something.
#[derive(Debug, Default)]
pub(super) struct Backoff {
    tries: u32,
}

impl Backoff {
    /// How long the next try waits: between half of what it may be and all of it, so that those who were
    /// lost together do not come back together. `drawn` says where.
    pub(super) fn next(&mut self, drawn: u8) -> Duration {
        let doubled = WAIT_MIN.saturating_mul(1 << self.tries.min(DOUBLINGS_MAX));
        self.tries = self.tries.saturating_add(1);
        let half = doubled.min(WAIT_MAX) / 2;
        (half + half * u32::from(drawn) / u32::from(u8::MAX)).max(WAIT_MIN)
    }

    /// A try came to something.
    pub(super) fn reset(&mut self) {
        self.tries = 0;
    }
}

/// After so many the wait is the longest.
const DOUBLINGS_MAX: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_longest_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::default();
        let waits = [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
        for ms in waits {
            assert_eq!(backoff.next(u8::MAX), Duration::from_millis(ms));
        }
        backoff.reset();
        assert_eq!(backoff.next(u8::MAX), WAIT_MIN);
    }

    #[test]
    fn what_is_drawn_shortens_a_wait_to_its_half_but_not_below_the_shortest() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = [0; 4].map(|drawn| backoff.next(drawn).as_millis()).into();
        assert_eq!(waits, [500, 500, 1000, 2000]);
    }
}
