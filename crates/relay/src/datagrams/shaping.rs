//! What makes a good network like a bad one, for tests: datagrams that are lost, late, changed, twice,
//! out of order, or more than a line takes. The rules: what becomes of a datagram, and when.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

use relais_tap::Direction;
use tokio::time::Instant;

use crate::shape::{Corruption, Random};

/// What is done to datagrams.
pub type Shape = crate::shape::Shape<Losses>;

/// How little a line is to be relied on. By default it is. Shares are from 0 to 1.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Losses {
    /// The share of datagrams that are lost, each way.
    pub loss: f64,
    /// The share of datagrams that arrive twice.
    pub duplicate: f64,
    /// The share of datagrams that arrive 20 ms later than the others, behind those that follow.
    pub reorder: f64,
}

/// A datagram that is to be sent at some time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at: Instant,
    pub(super) bytes: Vec<u8>,
}

/// When a line that takes so much a second is free again. `None` if it never was used.
pub(super) type Line = Option<Instant>;

/// How late a datagram is that others overtake.
const OVERTAKEN_BY: Duration = Duration::from_millis(20);

/// How much may wait for a line, in time. What comes then is lost, as at a queue that is full.
const WAITING_MAX: Duration = Duration::from_secs(1);

/// The shape that holds now, and what was drawn. May be changed while datagrams pass.
#[derive(Debug, Default)]
pub(super) struct Shaping {
    is_something: AtomicBool,
    shaper: Mutex<Shaper>,
}

impl Shaping {
    pub(super) fn new(shape: Shape) -> Self {
        let shaping = Self::default();
        shaping.set(shape);
        shaping
    }

    /// Has `shape` hold from now on.
    pub(super) fn set(&self, shape: Shape) {
        *self.lock() = Shaper::new(shape);
        self.is_something.store(!shape.is_nothing(), Relaxed);
    }

    /// Whether anything is to be [judged](Self::judge). Costs one load.
    pub(super) fn is_something(&self) -> bool {
        self.is_something.load(Relaxed)
    }

    /// See [`Shaper::judge`].
    pub(super) fn judge(
        &self,
        datagram: &[u8],
        (direction, line): (Direction, &mut Line),
        now: Instant,
    ) -> Vec<Due> {
        self.lock().judge(datagram, (direction, line), now)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Shaper> {
        // Nothing that holds the lock can panic half-way through a change.
        self.shaper.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A shape, and what was drawn for it.
#[derive(Debug, Default)]
struct Shaper {
    shape: Shape,
    random: Random,
    corruption: Corruption,
}

impl Shaper {
    fn new(shape: Shape) -> Self {
        let (random, corruption) = (Random::of_all(shape.noise.seed), Corruption::default());
        Self { shape, random, corruption }
    }

    /// What becomes of a datagram that came `now` and goes over `line`: nothing if it is lost.
    fn judge(
        &mut self,
        datagram: &[u8],
        (direction, line): (Direction, &mut Line),
        now: Instant,
    ) -> Vec<Due> {
        let Losses { loss, duplicate, .. } = self.shape.own;
        let through = match self.shape.rates.of(direction) {
            Some(rate) => match through(line, datagram.len(), (rate, now)) {
                Some(through) => through,
                None => return Vec::new(),
            },
            None => now,
        };
        if self.random.happens(loss) {
            return Vec::new();
        }
        let copies = if self.random.happens(duplicate) { 2 } else { 1 };
        (0..copies).map(|_| self.arrive(datagram, through)).collect()
    }

    /// One copy of a datagram, and when it arrives that is through `now`.
    fn arrive(&mut self, datagram: &[u8], now: Instant) -> Due {
        let Shape { noise, own: Losses { reorder, .. }, .. } = self.shape;
        let overtaken = self.random.happens(reorder);
        let late = if overtaken { OVERTAKEN_BY } else { Duration::ZERO };
        let at = now + self.random.delay(&noise) + late;
        let mut bytes = datagram.to_vec();
        self.corruption.apply(&mut bytes, noise.corrupt, &mut self.random);
        Due { at, bytes }
    }
}

/// When `length` bytes that came `now` are through a line that takes `rate` bytes a second. `None` if
/// too much waits for it.
fn through(line: &mut Line, length: usize, (rate, now): (u64, Instant)) -> Option<Instant> {
    let begin = line.map_or(now, |free| free.max(now));
    if begin.saturating_duration_since(now) > WAITING_MAX {
        return None;
    }
    let nanos = u64::try_from(length).ok()?.saturating_mul(1_000_000_000) / rate.max(1);
    let end = begin + Duration::from_nanos(nanos);
    *line = Some(end);
    Some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shape::{Noise, Rates};

    const MS: Duration = Duration::from_millis(1);

    fn judge((own, noise): (Losses, Noise), count: u64) -> Vec<Vec<Due>> {
        let mut shaper = Shaper::new(Shape { noise, own, ..Shape::default() });
        let now = Instant::now();
        (0..count)
            .map(|_| shaper.judge(b"0123456789", (Direction::ToServer, &mut None), now))
            .collect()
    }

    fn lossy(own: Losses) -> (Losses, Noise) {
        (own, Noise::default())
    }

    #[test]
    fn a_share_of_datagrams_is_lost_and_another_twice() {
        let fates = judge(lossy(Losses { loss: 0.1, duplicate: 0.2, ..Losses::default() }), 10_000);
        let count = |copies| fates.iter().filter(|fate| fate.len() == copies).count();
        assert!((900..1100).contains(&count(0)), "{}", count(0));
        assert!((1600..2000).contains(&count(2)), "{}", count(2));
        assert_eq!(judge(lossy(Losses { loss: 1.0, ..Losses::default() }), 9).concat(), []);
    }

    #[test]
    fn a_share_of_bytes_is_changed() {
        let fates = judge((Losses::default(), Noise { corrupt: 0.05, ..Noise::default() }), 1000);
        let changed =
            fates.concat().into_iter().flat_map(|due| due.bytes).zip(b"0123456789".repeat(1000));
        let changed = changed.filter(|(is, was)| is != was).count();
        assert!((400..600).contains(&changed), "{changed}");
    }

    #[test]
    fn datagrams_are_late_and_some_are_overtaken() {
        let noise = Noise { delay: 50 * MS, jitter: 10 * MS, ..Noise::default() };
        let own = Losses { reorder: 0.1, ..Losses::default() };
        let start = Instant::now();
        let late: Vec<_> =
            judge((own, noise), 1000).concat().into_iter().map(|due| due.at - start).collect();
        let in_time = late.iter().filter(|&&late| (40 * MS..61 * MS).contains(&late)).count();
        let overtaken = late.iter().filter(|&&late| (61 * MS..81 * MS).contains(&late)).count();
        assert!(late.iter().all(|late| (39 * MS..82 * MS).contains(late)), "{late:?}");
        assert!(in_time > 850 && overtaken > 20, "{in_time} {overtaken}");
    }

    #[test]
    fn the_same_seed_has_the_same_happen() {
        let with = |seed| {
            let fates = judge(
                (Losses { loss: 0.5, ..Losses::default() }, Noise { seed, ..Noise::default() }),
                64,
            );
            fates.iter().map(Vec::len).collect::<Vec<_>>()
        };
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
    }

    #[test]
    fn a_line_takes_so_much_a_second_and_a_full_one_nothing() {
        let shape = Shape { rates: Rates { up: Some(1000), down: None }, ..Shape::default() };
        let (mut shaper, mut line, now) = (Shaper::new(shape), None, Instant::now());
        let mut judge = |now| shaper.judge(&[0; 500], (Direction::ToServer, &mut line), now);
        for halves in 1..=3 {
            assert_eq!(judge(now)[0].at, now + 500 * MS * halves);
        }
        assert_eq!(judge(now), []);
        assert_eq!(judge(now + 500 * MS)[0].at, now + 2000 * MS);
        assert_eq!(judge(now + 5000 * MS)[0].at, now + 5500 * MS);
        let back = shaper.judge(&[0; 500], (Direction::ToClient, &mut None), now);
        assert_eq!(back[0].at, now);
    }
}
