//! What is done to bytes on their way besides passing them on: slower, later, in pieces, changed, or
//! not to the end. The rules; [`shaped`](super::shaped) does it.

use std::{sync::Arc, time::Duration};

use arc_swap::ArcSwapOption;
use relais_net::mix;
use relais_tap::Direction;
use tokio::time::Instant;

/// What is done to bytes on their way. By default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shape {
    /// The most bytes a second of one connection that go to the server.
    pub rate_up: Option<u64>,
    /// The same that come back.
    pub rate_down: Option<u64>,
    /// What makes it like a bad network.
    pub impairment: Impairment,
}

/// What makes a good network like a bad one, for tests. By default nothing does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Impairment {
    /// How much later bytes arrive, each way.
    pub delay: Duration,
    /// How much that differs, more or less, from one time to the next.
    pub jitter: Duration,
    /// After so many bytes of one direction both sides are reset.
    pub reset_after: Option<u64>,
    /// After so many bytes of one direction both sides are closed, as if that were the end.
    pub close_after: Option<u64>,
    /// The share of bytes that arrive changed: 0 to 1.
    pub corrupt: f64,
    /// How many bytes are written at a time, at most.
    pub slice: Option<usize>,
    /// What all that is random is drawn from.
    pub seed: u64,
}

impl Shape {
    /// Whether bytes are just passed on.
    pub fn is_nothing(&self) -> bool {
        let Self { rate_up, rate_down, impairment } = self;
        let unseeded = Impairment { seed: 0, ..*impairment };
        rate_up.is_none() && rate_down.is_none() && unseeded == Impairment::default()
    }

    pub(super) fn rate(&self, direction: Direction) -> Option<u64> {
        match direction {
            Direction::ToServer => self.rate_up,
            Direction::ToClient => self.rate_down,
        }
    }
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

/// Numbers that look random, the same for the same seed.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    /// Those of one direction of the connection of this `number`.
    pub(super) fn of(seed: u64, number: u64, direction: Direction) -> Self {
        let way = match direction {
            Direction::ToServer => 0,
            Direction::ToClient => 1,
        };
        Self(mix(seed) ^ mix(number.wrapping_mul(2).wrapping_add(way)))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(1);
        mix(self.0)
    }

    /// From 0 to less than 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are what an f64 holds exactly")]
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A delay within its jitter, never less than none.
    pub(super) fn delay(&mut self, Impairment { delay, jitter, .. }: &Impairment) -> Duration {
        if jitter.is_zero() {
            return *delay;
        }
        (*delay + jitter.mul_f64(2.0 * self.share())).saturating_sub(*jitter)
    }
}

/// Which bytes of a direction are changed: it counts down to the next, so that how they are cut into
/// pieces changes nothing.
#[derive(Debug, Default)]
pub(super) struct Corruption {
    /// Bytes before the next that is changed; `None` before that was drawn.
    before: Option<u64>,
}

impl Corruption {
    /// Changes a `share` of `bytes`.
    pub(super) fn apply(&mut self, bytes: &mut [u8], share: f64, random: &mut Random) {
        if share <= 0.0 {
            return;
        }
        let mut at = 0;
        loop {
            let before = *self.before.get_or_insert_with(|| gap(share, random.share()));
            let left = (bytes.len() - at) as u64;
            if before >= left {
                self.before = Some(before - left);
                return;
            }
            at += usize::try_from(before).unwrap_or(usize::MAX);
            // Never by nothing.
            bytes[at] ^= (random.next() % 255 + 1).to_le_bytes()[0];
            at += 1;
            self.before = None;
        }
    }
}

/// How many bytes come through before one is changed, if each is with a chance of `share`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "casts of floats stop at the ends of what an u64 holds"
)]
fn gap(share: f64, drawn: f64) -> u64 {
    if share >= 1.0 { 0 } else { ((1.0 - drawn).ln() / (1.0 - share).ln()) as u64 }
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
    fn what_does_nothing_is_known() {
        assert!(Shape::default().is_nothing());
        let seeded = Impairment { seed: 7, ..Impairment::default() };
        assert!(Shape { impairment: seeded, ..Shape::default() }.is_nothing());
        assert!(!Shape { rate_up: Some(1), ..Shape::default() }.is_nothing());
        let sliced = Impairment { slice: Some(1), ..Impairment::default() };
        assert!(!Shape { impairment: sliced, ..Shape::default() }.is_nothing());
        let shaping = Shaping::default();
        assert_eq!(shaping.now(), None);
        shaping.set(Shape { rate_up: Some(1), ..Shape::default() });
        assert_eq!(shaping.now().unwrap().rate(Direction::ToServer), Some(1));
        assert_eq!(shaping.now().unwrap().rate(Direction::ToClient), None);
    }

    fn random() -> Random {
        Random::of(1, 2, Direction::ToServer)
    }

    /// Where of so many bytes, in pieces of this length, which are changed.
    fn changed(share: f64, piece: usize, mut random: Random) -> Vec<usize> {
        let (mut bytes, mut corruption) = (vec![0; 100_000], Corruption::default());
        for piece in bytes.chunks_mut(piece) {
            corruption.apply(piece, share, &mut random);
        }
        (0..bytes.len()).filter(|at| bytes[*at] != 0).collect()
    }

    #[test]
    fn about_the_share_that_was_asked_for_is_changed_the_same_each_time() {
        assert_eq!(changed(0.0, 1000, random()), []);
        assert_eq!(changed(1.0, 1000, random()).len(), 100_000);
        let some = changed(0.01, 1000, random());
        assert!((900..1100).contains(&some.len()), "{}", some.len());
        assert_eq!(changed(0.01, 77, random()), some);
        assert_ne!(changed(0.01, 1000, Random::of(2, 2, Direction::ToServer)), some);
        assert_ne!(changed(0.01, 1000, Random::of(1, 2, Direction::ToClient)), some);
    }

    #[test]
    fn delays_stay_within_their_jitter() {
        let millis = Duration::from_millis;
        let check = |delay, jitter, least, most| {
            let impairment = Impairment {
                delay: millis(delay),
                jitter: millis(jitter),
                ..Impairment::default()
            };
            let mut random = random();
            for _ in 0..1000 {
                let drawn = random.delay(&impairment);
                assert!((millis(least)..=millis(most)).contains(&drawn), "{drawn:?}");
            }
        };
        check(50, 0, 50, 50);
        check(50, 10, 40, 60);
        check(5, 10, 0, 15);
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
