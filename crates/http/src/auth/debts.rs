//! How much everybody did lately.

use std::{collections::HashMap, hash::Hash, time::Duration};

use tokio::time::Instant;

/// A full table forgets this part of it at once, so that making room is cheap on average.
const FORGOTTEN: usize = 16;

/// Counts what was done by each of many, as a token bucket each: what may be done ten times a
/// minute, may be done ten times at once, and then once in six seconds.
///
/// Nothing else is kept, so the table is empty until somebody does something.
#[derive(Debug)]
pub struct Debts<K> {
    /// How long one deed weighs.
    one: Duration,
    /// In this time a debt is forgiven.
    window: Duration,
    debtors_max: usize,
    /// When each will owe nothing. At most `debtors_max`.
    free: HashMap<K, Instant>,
}

impl<K: Copy + Eq + Hash> Debts<K> {
    /// Lets each do `times_max` in a `window`, and remembers `debtors_max` of them; at least one.
    pub fn new(times_max: u32, window: Duration, debtors_max: usize) -> Self {
        let one = window / times_max.max(1);
        Self { one, window, debtors_max: debtors_max.max(1), free: HashMap::new() }
    }

    /// Notes that `debtor` did it at `now`, and gives when it will owe nothing.
    ///
    /// *Cost*: if the table is full, now and then a look at all of it.
    pub fn owe(&mut self, debtor: K, now: Instant) -> Instant {
        if self.free.len() >= self.debtors_max && !self.free.contains_key(&debtor) {
            self.make_room(now);
        }
        let free = self.free.entry(debtor).or_insert(now);
        *free = (*free).max(now) + self.one;
        let free = *free;
        debug_assert!(self.free.len() <= self.debtors_max);
        free
    }

    /// Takes back what `debtor` did at `then`, as far as it is not forgiven by `now`.
    pub fn take_back(&mut self, debtor: &K, then: Instant, now: Instant) {
        let left = self.one.saturating_sub(now.saturating_duration_since(then));
        if let Some(free) = self.free.get_mut(debtor) {
            *free = free.checked_sub(left).unwrap_or(now);
        }
    }

    /// Makes room: forgets who owes nothing any more and, if few do, who owes least.
    fn make_room(&mut self, now: Instant) {
        self.free.retain(|_, free| *free > now);
        let kept_max = self.debtors_max - self.debtors_max.div_ceil(FORGOTTEN);
        let Some(over @ 1..) = self.free.len().checked_sub(kept_max) else { return };
        let mut debtors: Vec<_> = self.free.iter().map(|(key, free)| (*free, *key)).collect();
        debtors.select_nth_unstable_by_key(over - 1, |(free, _)| *free);
        for (_, key) in &debtors[..over] {
            self.free.remove(key);
        }
    }

    /// How long `debtor` has to wait before it may do it again at `now`; `None` if not at all.
    pub fn wait(&self, debtor: &K, now: Instant) -> Option<Duration> {
        let debt = self.free.get(debtor)?.saturating_duration_since(now);
        let over = (debt + self.one).saturating_sub(self.window);
        (!over.is_zero()).then_some(over)
    }

    /// How many are remembered.
    pub fn len(&self) -> usize {
        self.free.len()
    }

    /// Whether nobody did anything lately.
    pub fn is_empty(&self) -> bool {
        self.free.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    fn owe(debts: &mut Debts<u32>, debtor: u32, times: u32, now: Instant) {
        for _ in 0..times {
            debts.owe(debtor, now);
        }
    }

    #[test]
    fn ten_a_minute_are_ten_at_once_and_then_one_every_six_seconds() {
        let (mut debts, now) = (Debts::new(10, MINUTE, 8), Instant::now());
        owe(&mut debts, 1, 9, now);
        assert_eq!(debts.wait(&1, now), None);
        owe(&mut debts, 1, 1, now);
        assert_eq!(debts.wait(&1, now), Some(seconds(6)));
        assert_eq!(debts.wait(&1, now + seconds(5)), Some(seconds(1)));
        assert_eq!(debts.wait(&1, now + seconds(6)), None);
        owe(&mut debts, 1, 1, now + seconds(6));
        assert_eq!(debts.wait(&1, now + seconds(6)), Some(seconds(6)));
        assert_eq!(debts.wait(&1, now + seconds(66)), None);
        assert_eq!(debts.wait(&2, now), None, "one pays for no other");
    }

    #[test]
    fn what_is_taken_back_was_never_done() {
        let (mut debts, now) = (Debts::new(2, MINUTE, 8), Instant::now());
        owe(&mut debts, 1, 2, now);
        debts.take_back(&1, now, now);
        assert_eq!(debts.wait(&1, now), None);
        owe(&mut debts, 1, 1, now);
        assert_eq!(debts.wait(&1, now), Some(seconds(30)));
        debts.take_back(&2, now, now);
        assert_eq!((debts.wait(&2, now), debts.len()), (None, 1));
    }

    #[test]
    fn no_more_is_taken_back_than_is_not_yet_forgiven() {
        let (mut debts, now) = (Debts::new(2, MINUTE, 8), Instant::now());
        owe(&mut debts, 1, 1, now);
        let later = now + seconds(40);
        owe(&mut debts, 1, 2, later);
        debts.take_back(&1, now, later);
        assert_eq!(debts.wait(&1, later), Some(seconds(30)));
    }

    #[test]
    fn a_full_table_forgets_who_owes_nothing_then_who_owes_least() {
        let (mut debts, now) = (Debts::new(2, MINUTE, 2), Instant::now());
        let owes = |debts: &Debts<u32>, debtor, now| debts.wait(&debtor, now).is_some();
        owe(&mut debts, 1, 2, now);
        owe(&mut debts, 2, 4, now);
        owe(&mut debts, 3, 2, now);
        assert!(!owes(&debts, 1, now) && owes(&debts, 2, now) && owes(&debts, 3, now));
        let now = now + seconds(61);
        owe(&mut debts, 4, 2, now);
        assert!(owes(&debts, 4, now) && owes(&debts, 2, now) && !owes(&debts, 3, now));
        assert_eq!(debts.len(), 2);
    }

    #[test]
    fn a_flood_finds_a_table_that_neither_grows_nor_forgets_who_owes_most() {
        let (mut debts, now) = (Debts::new(2, MINUTE, 64), Instant::now());
        owe(&mut debts, 0, 3, now);
        for debtor in 1..10_000 {
            owe(&mut debts, debtor, 1, now);
            assert!(debts.len() <= 64);
        }
        assert!(debts.wait(&0, now).is_some());
        assert!(debts.len() > 48, "of those who owe, few are forgotten at once: {}", debts.len());
    }
}
