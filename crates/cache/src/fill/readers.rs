//! Who waits for a fill or reads it, and how far each is.

use std::task::{Context, Waker};

/// Who waits for a fill or reads it.
#[derive(Debug, Default)]
pub(super) struct Readers {
    slots: Vec<Option<Slot>>,
    /// The places of every `None`.
    free: Vec<usize>,
    /// Whose turn it is to be woken: `next < slots.len()`, or nobody is here yet.
    next: usize,
    /// How many places, from there and round, had their turn before more came.
    due: usize,
}

#[derive(Debug)]
struct Slot {
    /// How many bytes it has, or does not want.
    at: u64,
    waker: Option<Waker>,
}

impl Readers {
    /// One more, who wants what is behind the first `at` bytes.
    pub(super) fn add(&mut self, at: u64) -> usize {
        let slot = Some(Slot { at, waker: None });
        if let Some(place) = self.free.pop() {
            self.slots[place] = slot;
            return place;
        }
        self.slots.push(slot);
        // It lies on the way round.
        self.due += usize::from(self.due > 0);
        self.slots.len() - 1
    }

    pub(super) fn remove(&mut self, place: usize) {
        if self.slots.get_mut(place).is_some_and(|slot| slot.take().is_some()) {
            self.free.push(place);
        }
    }

    /// Whether it is still here: who is too slow is put out.
    pub(super) fn has(&self, place: usize) -> bool {
        matches!(self.slots.get(place), Some(Some(_)))
    }

    pub(super) fn is_empty(&self) -> bool {
        self.free.len() == self.slots.len()
    }

    pub(super) fn is_at(&mut self, place: usize, at: u64) {
        if let Some(Some(slot)) = self.slots.get_mut(place) {
            slot.at = at;
        }
    }

    /// Has it woken when there is more.
    pub(super) fn waits(&mut self, place: usize, cx: &mut Context<'_>) {
        let Some(Some(slot)) = self.slots.get_mut(place) else { return };
        match &mut slot.waker {
            Some(waker) => waker.clone_from(cx.waker()),
            None => slot.waker = Some(cx.waker().clone()),
        }
    }

    /// The same, or when it is its turn: those who are to be woken have theirs before.
    pub(super) fn waits_in_turn(&mut self, place: usize, cx: &mut Context<'_>) {
        debug_assert!(self.are_due(), "or nobody gives turns");
        self.waits(place, cx);
        self.more_came();
    }

    /// How far the slowest is.
    ///
    /// *Cost*: a look at each.
    pub(super) fn slowest(&self) -> Option<u64> {
        self.slots.iter().flatten().map(|slot| slot.at).min()
    }

    /// Puts out all who are behind `at`, and gives whom to wake.
    pub(super) fn put_out_behind(&mut self, at: u64) -> Vec<Waker> {
        let mut woken = Vec::new();
        for (place, slot) in self.slots.iter_mut().enumerate() {
            if slot.as_ref().is_some_and(|slot| slot.at < at) {
                woken.extend(slot.take().and_then(|slot| slot.waker));
                self.free.push(place);
            }
        }
        woken
    }

    /// More came: all who wait are to be woken.
    pub(super) fn more_came(&mut self) {
        self.due = self.slots.len();
    }

    /// Whether some are to be woken.
    pub(super) fn are_due(&self) -> bool {
        self.due > 0
    }

    /// Up to `max` of those who are to be woken, in turn.
    pub(super) fn take_some_wakers(&mut self, max: usize) -> Vec<Waker> {
        let mut woken = Vec::new();
        while self.due > 0 && woken.len() < max {
            woken.extend(self.slots[self.next].as_mut().and_then(|slot| slot.waker.take()));
            self.next = (self.next + 1) % self.slots.len();
            self.due -= 1;
        }
        woken
    }

    /// All, those first who have nothing yet.
    pub(super) fn take_wakers(&mut self) -> Vec<Waker> {
        self.due = 0;
        let mut slots: Vec<_> = self.slots.iter_mut().flatten().collect();
        slots.sort_by_key(|slot| slot.at > 0);
        slots.into_iter().filter_map(|slot| slot.waker.take()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::{
            Arc,
            atomic::{AtomicUsize, Ordering},
        },
        task::Wake,
    };

    use super::*;

    #[test]
    fn some_are_woken_at_a_time_and_all_in_turn() {
        let mut herd = Herd::of(5);
        herd.readers.more_came();
        assert_eq!(herd.wake(2), [0, 1]);
        // Who waits again before more comes has had its turn.
        herd.wait(0);
        assert_eq!(herd.wake(2), [2, 3]);
        assert!(herd.readers.are_due());
        assert_eq!(herd.wake(2), [4]);
        assert!(!herd.readers.are_due());
        assert_eq!(herd.wake(2), []);
    }

    #[test]
    fn more_that_comes_meanwhile_keeps_nobody_from_its_turn() {
        let mut herd = Herd::of(5);
        for expect in [[0, 1], [2, 3], [4, 0], [1, 2]] {
            herd.readers.more_came();
            assert_eq!(herd.wake(2), expect);
            for place in expect {
                herd.wait(place);
            }
        }
    }

    #[test]
    fn who_comes_and_goes_meanwhile_keeps_nobody_from_its_turn() {
        let mut herd = Herd::of(4);
        herd.readers.more_came();
        assert_eq!(herd.wake(3), [0, 1, 2]);
        herd.readers.more_came();
        for place in [0, 1, 2] {
            herd.wait(place);
        }
        herd.readers.remove(1);
        herd.add();
        herd.add();
        assert_eq!(herd.wake(9), [3, 4, 0, 1, 2]);
        assert!(!herd.readers.are_due());
    }

    #[test]
    fn who_waits_for_its_turn_is_behind_those_who_are_to_be_woken() {
        let mut herd = Herd::of(4);
        herd.readers.more_came();
        assert_eq!(herd.wake(2), [0, 1]);
        let waker = Waker::from(Arc::clone(&herd.woken[0]));
        herd.readers.waits_in_turn(0, &mut Context::from_waker(&waker));
        assert_eq!(herd.wake(2), [2, 3]);
        assert!(herd.readers.are_due());
        assert_eq!(herd.wake(2), [0]);
        assert!(!herd.readers.are_due());
    }

    #[test]
    fn in_the_end_those_are_woken_first_who_have_nothing() {
        let mut herd = Herd::of(4);
        herd.readers.is_at(0, 7);
        herd.readers.is_at(2, 1);
        let all = herd.readers.take_wakers();
        assert_eq!(herd.who(all), [1, 3, 0, 2]);
        assert_eq!(herd.wake(9), []);
    }

    #[test]
    fn nobody_is_woken_where_nobody_is() {
        let mut herd = Herd::of(0);
        herd.readers.more_came();
        assert_eq!(herd.wake(2), []);
        assert!(!herd.readers.are_due());
    }

    /// Some who wait.
    struct Herd {
        readers: Readers,
        /// How often each place was woken.
        woken: Vec<Arc<Count>>,
    }

    #[derive(Default)]
    struct Count(AtomicUsize);

    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }

    impl Herd {
        fn of(size: usize) -> Self {
            let mut herd = Self { readers: Readers::default(), woken: Vec::new() };
            (0..size).for_each(|_| herd.add());
            herd
        }

        fn add(&mut self) {
            let place = self.readers.add(0);
            self.woken.resize_with(self.woken.len().max(place + 1), Arc::default);
            self.wait(place);
        }

        fn wait(&mut self, place: usize) {
            let waker = Waker::from(Arc::clone(&self.woken[place]));
            self.readers.waits(place, &mut Context::from_waker(&waker));
        }

        /// Wakes some, and tells who they were.
        fn wake(&mut self, max: usize) -> Vec<usize> {
            let wakers = self.readers.take_some_wakers(max);
            self.who(wakers)
        }

        fn who(&self, wakers: Vec<Waker>) -> Vec<usize> {
            let place_of = |waker: Waker| {
                waker.wake();
                let woken = |count: &Arc<Count>| count.0.swap(0, Ordering::Relaxed) > 0;
                self.woken.iter().position(woken).unwrap()
            };
            wakers.into_iter().map(place_of).collect()
        }
    }
}
