//! How a head or a body goes, as far as that is its client's doing: time in which there was nothing to
//! send, or nobody to take what came, is not the client's.

use std::{
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// How the head or body under way goes. Times are of the coarse clock, in milliseconds.
#[derive(Debug)]
pub(super) struct Pace {
    /// When it began.
    began: AtomicU64,
    /// Bytes in or out since then.
    bytes: AtomicU64,
    /// How long since then the client was waited for, until it was no more.
    waited: AtomicU64,
    /// Since when it is, or [`NEVER`].
    waits_since: AtomicU64,
}

const NEVER: u64 = u64::MAX;

impl Pace {
    pub(super) fn new(now: u64) -> Self {
        let [bytes, waited] = [0, 0].map(AtomicU64::new);
        let [began, waits_since] = [now, NEVER].map(AtomicU64::new);
        Self { began, bytes, waited, waits_since }
    }

    /// Another begins.
    pub(super) fn begin(&self, now: u64) {
        self.began.store(now, Relaxed);
        self.bytes.store(0, Relaxed);
        self.waited.store(0, Relaxed);
        if self.waits() {
            self.wait(now);
        }
    }

    /// So many bytes went in or out.
    pub(super) fn moved(&self, bytes: u64) {
        self.bytes.store(self.bytes().saturating_add(bytes), Relaxed);
    }

    /// From now on the client is to send or take more of it.
    pub(super) fn wait(&self, now: u64) {
        self.waits_since.store(now, Relaxed);
    }

    /// It is somebody else's turn.
    pub(super) fn go_on(&self, now: u64) {
        let waited = self.waited_millis(now);
        self.waited.store(waited, Relaxed);
        self.waits_since.store(NEVER, Relaxed);
    }

    /// Whether the client is waited for.
    pub(super) fn waits(&self) -> bool {
        self.waits_since.load(Relaxed) != NEVER
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Relaxed)
    }

    /// How long ago it began.
    pub(super) fn age(&self, now: u64) -> Duration {
        Duration::from_millis(now.saturating_sub(self.began.load(Relaxed)))
    }

    /// How long the client was waited for since then.
    pub(super) fn waited(&self, now: u64) -> Duration {
        Duration::from_millis(self.waited_millis(now))
    }

    fn waited_millis(&self, now: u64) -> u64 {
        let waits = now.saturating_sub(self.waits_since.load(Relaxed));
        self.waited.load(Relaxed).saturating_add(waits)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_the_client_was_waited_for_counts() {
        let pace = Pace::new(1_000);
        check(&pace, 61_000, (60, 0));
        pace.wait(61_000);
        check(&pace, 63_000, (62, 2));
        pace.go_on(64_000);
        check(&pace, 99_000, (98, 3));
        pace.wait(99_000);
        check(&pace, 100_000, (99, 4));
        pace.begin(100_000);
        assert!(pace.waits());
        check(&pace, 101_000, (1, 1));
        pace.go_on(102_000);
        pace.begin(200_000);
        assert!(!pace.waits());
        check(&pace, 205_000, (5, 0));
    }

    #[test]
    fn bytes_count_from_the_beginning() {
        let pace = Pace::new(0);
        pace.moved(2);
        pace.moved(3);
        assert_eq!(pace.bytes(), 5);
        pace.begin(1);
        assert_eq!(pace.bytes(), 0);
    }

    #[track_caller]
    fn check(pace: &Pace, now: u64, (age, waited): (u64, u64)) {
        let expect = (Duration::from_secs(age), Duration::from_secs(waited));
        assert_eq!((pace.age(now), pace.waited(now)), expect);
    }
}
