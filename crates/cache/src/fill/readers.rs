//! Who waits for a fill or reads it, and how far each is.

use std::task::{Context, Waker};

/// Who waits for a fill or reads it.
#[derive(Debug, Default)]
pub(super) struct Readers {
    slots: Vec<Option<Slot>>,
    /// The places of every `None`.
    free: Vec<usize>,
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

    pub(super) fn take_wakers(&mut self) -> Vec<Waker> {
        self.slots.iter_mut().flatten().filter_map(|slot| slot.waker.take()).collect()
    }
}
