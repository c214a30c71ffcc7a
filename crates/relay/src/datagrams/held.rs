//! Datagrams that are to be sent later, in the order in which they are due.

use std::{cmp::Ordering, collections::BinaryHeap};

use tokio::time::Instant;

use super::shaping::Due;

/// Datagrams that wait, each with what it belongs to.
#[derive(Debug)]
pub(super) struct Held<T> {
    waiting: BinaryHeap<Waiting<T>>,
    /// Of those that wait, with [`OVERHEAD_BYTES`] for each. At most [`BYTES_MAX`].
    bytes: usize,
    /// How many ever waited.
    count: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    due: Due,
    /// Of those that are due at once, who came first goes first.
    number: u64,
    with: T,
}

/// As much waits as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// How much of memory may wait.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// What a datagram takes besides its bytes.
const OVERHEAD_BYTES: usize = 128;

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self { waiting: BinaryHeap::new(), bytes: 0, count: 0 }
    }
}

impl<T> Held<T> {
    /// Holds `due` until then, or drops it if there is no room.
    pub(super) fn hold(&mut self, due: Due, with: T) -> Result<(), Full> {
        let bytes = due.bytes.len() + OVERHEAD_BYTES;
        if self.bytes + bytes > BYTES_MAX {
            return Err(Full);
        }
        self.bytes += bytes;
        self.count += 1;
        self.waiting.push(Waiting { due, number: self.count, with });
        Ok(())
    }

    /// When the first is due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        self.waiting.peek().map(|waiting| waiting.due.at)
    }

    /// Takes the first, if it is due.
    pub(super) fn take(&mut self, now: Instant) -> Option<(Vec<u8>, T)> {
        if self.next_due()? > now {
            return None;
        }
        let Waiting { due, with, .. } = self.waiting.pop()?;
        self.bytes -= due.bytes.len() + OVERHEAD_BYTES;
        Some((due.bytes, with))
    }
}

impl<T> Ord for Waiting<T> {
    /// The heap's greatest is what is due first.
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due.at, other.number).cmp(&(self.due.at, self.number))
    }
}

impl<T> PartialOrd for Waiting<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Waiting<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Waiting<T> {}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn what_is_due_first_goes_first_and_nothing_before() {
        let (mut held, start) = (Held::default(), Instant::now());
        let at = |second| start + Duration::from_secs(second);
        for (name, second) in [("c", 2), ("a", 1), ("d", 2), ("b", 1), ("e", 3)] {
            held.hold(Due { at: at(second), bytes: vec![1] }, name).unwrap();
        }
        let mut take = |second| {
            let names = std::iter::from_fn(|| held.take(at(second))).map(|(_, name)| name);
            (names.collect::<String>(), held.next_due())
        };
        assert_eq!(take(0), (String::new(), Some(at(1))));
        assert_eq!(take(2), ("abcd".to_owned(), Some(at(3))));
        assert_eq!(take(9), ("e".to_owned(), None));
        assert_eq!(held.bytes, 0);
    }

    #[test]
    fn what_waits_has_a_bound() {
        let (mut held, now) = (Held::default(), Instant::now());
        let mut one_more = || held.hold(Due { at: now, bytes: vec![0; 65_507] }, ());
        let count = (0..1000).take_while(|_| one_more().is_ok()).count();
        assert_eq!(count, BYTES_MAX / (65_507 + OVERHEAD_BYTES));
        assert!(held.take(now).is_some());
        assert_eq!(held.hold(Due { at: now, bytes: vec![0; 65_507] }, ()), Ok(()));
    }
}
