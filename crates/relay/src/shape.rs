//! What is done to bytes and datagrams on their way besides passing them on, as far as it is the same
//! for both. What only one of them can have done to it is beside the service that does it:
//! [`Cuts`](crate::Cuts), [`Losses`](crate::datagrams::Losses).

use std::time::Duration;

use relais_net::mix;
use relais_tap::Direction;

/// What is done on the way. By default nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Shape<Own> {
    /// How fast it goes.
    pub rates: Rates,
    /// How late, and how badly, it arrives.
    pub noise: Noise,
    /// What else is done, to streams or to datagrams alone.
    pub own: Own,
}

/// The most bytes a second of one connection, or of one sender of datagrams. By default any number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rates {
    /// Those that go to the server.
    pub up: Option<u64>,
    /// Those that come back.
    pub down: Option<u64>,
}

/// What makes a good line like a bad one, for tests. By default nothing does.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Noise {
    /// How much later what is sent arrives, each way.
    pub delay: Duration,
    /// How much that differs, more or less, from one time to the next.
    pub jitter: Duration,
    /// The share of bytes that arrive changed: 0 to 1.
    pub corrupt: f64,
    /// What all that is random is drawn from.
    pub seed: u64,
}

impl<Own: Default + PartialEq> Shape<Own> {
    /// Whether what comes is just passed on.
    pub fn is_nothing(&self) -> bool {
        let Self { rates, noise, own } = self;
        let unseeded = Noise { seed: 0, ..*noise };
        *rates == Rates::default() && unseeded == Noise::default() && *own == Own::default()
    }
}

impl Rates {
    /// The one of this direction.
    pub(crate) fn of(&self, direction: Direction) -> Option<u64> {
        match direction {
            Direction::ToServer => self.up,
            Direction::ToClient => self.down,
        }
    }
}

/// Numbers that look random, the same for the same seed.
#[derive(Debug, Default)]
pub(crate) struct Random(u64);

impl Random {
    /// Those of all datagrams.
    pub(crate) fn of_all(seed: u64) -> Self {
        Self(mix(seed))
    }

    /// Those of one direction of the connection of this `number`.
    pub(crate) fn of(seed: u64, number: u64, direction: Direction) -> Self {
        let way = match direction {
            Direction::ToServer => 0,
            Direction::ToClient => 1,
        };
        Self(mix(seed) ^ mix(number.wrapping_mul(2).wrapping_add(way)))
    }

    /// Whether something happens to which this `share` of all comes.
    pub(crate) fn happens(&mut self, share: f64) -> bool {
        share > 0.0 && self.share() < share
    }

    /// A delay within its jitter, never less than none.
    pub(crate) fn delay(&mut self, Noise { delay, jitter, .. }: &Noise) -> Duration {
        if jitter.is_zero() {
            return *delay;
        }
        (*delay + jitter.mul_f64(2.0 * self.share())).saturating_sub(*jitter)
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
}

/// Which of the bytes that pass are changed: it counts down to the next, so that how they are cut into
/// pieces changes nothing.
#[derive(Debug, Default)]
pub(crate) struct Corruption {
    /// Bytes before the next that is changed, and the share that this was drawn for; `None` before
    /// that.
    next: Option<(u64, f64)>,
}

impl Corruption {
    /// Changes a `share` of `bytes`.
    pub(crate) fn apply(&mut self, bytes: &mut [u8], share: f64, random: &mut Random) {
        if share <= 0.0 {
            return;
        }
        let mut at = 0;
        loop {
            // What was drawn for another share may be far off.
            let drawn = self.next.filter(|(_, of)| of.to_bits() == share.to_bits());
            let before = drawn.map_or_else(|| gap(share, random.share()), |(before, _)| before);
            let left = (bytes.len() - at) as u64;
            if before >= left {
                self.next = Some((before - left, share));
                return;
            }
            at += usize::try_from(before).unwrap_or(usize::MAX);
            // Never by nothing.
            bytes[at] ^= (random.next() % 255 + 1).to_le_bytes()[0];
            at += 1;
            self.next = None;
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

#[cfg(test)]
mod tests {
    use super::*;

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
    fn another_share_holds_at_once() {
        let (mut corruption, mut random, mut bytes) = (Corruption::default(), random(), [0; 1000]);
        corruption.apply(&mut bytes, 1e-12, &mut random);
        assert_eq!(bytes, [0; 1000]);
        corruption.apply(&mut bytes, 1.0, &mut random);
        assert!(bytes.iter().all(|byte| *byte != 0));
    }

    #[test]
    fn delays_stay_within_their_jitter() {
        let millis = Duration::from_millis;
        let check = |delay, jitter, least, most| {
            let noise = Noise { delay: millis(delay), jitter: millis(jitter), ..Noise::default() };
            let mut random = random();
            for _ in 0..1000 {
                let drawn = random.delay(&noise);
                assert!((millis(least)..=millis(most)).contains(&drawn), "{drawn:?}");
            }
        };
        check(50, 0, 50, 50);
        check(50, 10, 40, 60);
        check(5, 10, 0, 15);
    }

    #[test]
    fn nothing_is_nothing_whatever_the_seed() {
        let with = |rates, noise| Shape { rates, noise, own: () };
        let check = |rates, noise, expect| {
            assert_eq!(with(rates, noise).is_nothing(), expect, "{rates:?} {noise:?}");
        };
        let slow = Rates { up: Some(1), down: None };
        let late = Noise { delay: Duration::from_millis(1), ..Noise::default() };
        check(Rates::default(), Noise::default(), true);
        check(Rates::default(), Noise { seed: 7, ..Noise::default() }, true);
        check(slow, Noise::default(), false);
        check(Rates::default(), late, false);
        assert!(!Shape { own: 1, ..Shape::default() }.is_nothing());
    }
}
