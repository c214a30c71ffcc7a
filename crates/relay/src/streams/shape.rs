//! What is done to bytes on their way besides passing them on: slower, later, in pieces, changed, or
//! not to the end. The rules; [`shaped`](super::shaped) does it, and what is the same for datagrams is in
//! [`crate::shape`].

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use tokio::time::Instant;

/// What is done to the bytes of a connection.
pub type Shape = crate::shape::Shape<Cuts>;

/// Where connections break, and into which pieces their bytes. By default nothing does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cuts {
    /// After so many bytes of one direction both sides are reset.
    pub reset_after: Option<u64>,
    /// After so many bytes of one direction both sides are closed, as if that were the end.
    pub close_after: Option<u64>,
    /// How many bytes are written at a time, at most.
    pub slice: Option<usize>,
}

/// The shape that holds now. It may be changed while connections are open, and holds for what comes
/// to them from then on.
#[derive(Debug, Default)]
pub struct Shaping {
    /// `None` if bytes are just passed on.
    now: ArcSwapOption<Shape>,
}

impl Shaping {
    /// Begins with `shape`.
    pub fn new(shape: Shape) -> Self {
        let shaping = Self::default();
        shaping.set(shape);
        shaping
    }

    /// Has `shape` hold from now on.
    pub fn set(&self, shape: Shape) {
        self.now.store((!shape.is_nothing()).then(|| Arc::new(shape)));
    }

    pub(super) fn now(&self) -> Option<Shape> {
        self.now.load().as_deref().copied()
    }
}

/// How many bytes may go at a rate: a bucket that fills as time goes by.
#[derive(Debug)]
pub(super) struct Bucket {
    /// In bytes, at most what comes in [`BURST`].
    filled: f64,
    at: Instant,
}

/// How long a rate may be saved up.
const BURST: Duration = Duration::from_millis(20);

impl Bucket {
    pub(super) fn new(now: Instant) -> Self {
        Self { filled: 0.0, at: now }
    }

    /// How many of `wanted` bytes may go now at `rate`, or when some may.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "bytes of 20 ms, and times to the nearest microsecond"
    )]
    pub(super) fn allows(
        &mut self,
        wanted: usize,
        rate: u64,
        now: Instant,
    ) -> Result<usize, Instant> {
        let rate = rate.max(1) as f64;
        let most = (rate * BURST.as_secs_f64()).max(1.0);
        let passed = now.saturating_duration_since(self.at).as_secs_f64();
        self.filled = (self.filled + passed * rate).min(most);
        self.at = now;
        // As much as there can be, rather than byte by byte.
        let enough = most.min(wanted as f64);
        if self.filled + 1e-6 >= enough.floor().max(1.0) {
            return Ok(wanted.min((self.filled + 1e-6) as usize));
        }
        let missing = (enough - self.filled) / rate;
        Err(now + Duration::from_secs_f64(missing).max(Duration::from_millis(1)))
    }

    /// `bytes` went.
    #[expect(clippy::cast_precision_loss, reason = "bytes of 20 ms")]
    pub(super) fn took(&mut self, bytes: usize) {
        self.filled -= bytes as f64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_nothing_is_not_kept() {
        let shaping = Shaping::default();
        assert_eq!(shaping.now(), None);
        let sliced = Shape { own: Cuts { slice: Some(1), ..Cuts::default() }, ..Shape::default() };
        shaping.set(sliced);
        assert_eq!(shaping.now(), Some(sliced));
        shaping.set(Shape::default());
        assert_eq!(shaping.now(), None);
    }

    #[test]
    fn a_bucket_lets_as_much_through_as_its_rate() {
        let start = Instant::now();
        let (mut bucket, mut now, mut sent) = (Bucket::new(start), start, 0);
        while now < start + Duration::from_secs(2) {
            match bucket.allows(100_000, 1_000_000, now) {
                Ok(allowed) => {
                    assert!(allowed <= 20_000);
                    bucket.took(allowed);
                    sent += allowed;
                }
                Err(later) => {
                    assert!(later > now);
                    now = later;
                }
            }
        }
        assert!((1_950_000..=2_000_100).contains(&sent), "{sent}");
    }

    #[test]
    fn a_rate_of_next_to_nothing_is_still_one() {
        let start = Instant::now();
        let mut bucket = Bucket::new(start);
        let later = bucket.allows(10, 1, start).unwrap_err();
        assert_eq!(later, start + Duration::from_secs(1));
        assert_eq!(bucket.allows(10, 1, later), Ok(1));
    }
}
