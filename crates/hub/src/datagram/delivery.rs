//! What was told by datagrams and not confirmed: told again, a few times, then given up.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use crate::json::carried::Hole;

/// After how long a datagram is sent again, each time; after the last, and as long again, it is given
/// up.
pub(crate) const AGAIN_AFTER: [Duration; 3] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1)];

/// How many datagrams may be unconfirmed: what comes after them waits.
pub(crate) const UNCONFIRMED_MAX: usize = 64;

/// What was told, and how far that is known to be heard.
#[derive(Debug, Default)]
pub(crate) struct Delivery {
    /// The last number that something was told as.
    last: u64,
    /// In the order of their numbers. At most [`UNCONFIRMED_MAX`].
    unconfirmed: VecDeque<Unconfirmed>,
    hole: Hole,
}

#[derive(Debug)]
struct Unconfirmed {
    number: u64,
    /// The very same bytes again: they are under one number of the key.
    datagram: Vec<u8>,
    /// How often it was sent again.
    times: usize,
    due: Instant,
}

impl Delivery {
    /// The number of what is told next.
    pub(crate) fn next(&self) -> u64 {
        self.last + 1
    }

    /// Whether as much is unconfirmed as may be.
    pub(crate) fn is_full(&self) -> bool {
        self.unconfirmed.len() >= UNCONFIRMED_MAX
    }

    /// Whether something was given up that the client did not ask for since.
    pub(crate) fn hole(&self) -> Hole {
        self.hole
    }

    /// The client asks for what it missed.
    pub(crate) fn resumed(&mut self) {
        self.hole = Hole::None;
    }

    /// `datagram` was sent, which tells what has the [next](Self::next) number.
    pub(crate) fn sent(&mut self, datagram: Vec<u8>, now: Instant) {
        self.last += 1;
        if self.is_full() {
            self.unconfirmed.pop_front();
            self.hole = Hole::Open;
        }
        let due = now + AGAIN_AFTER[0];
        self.unconfirmed.push_back(Unconfirmed { number: self.last, datagram, times: 0, due });
    }

    /// The client heard all up to a number, and some more.
    pub(crate) fn confirmed(&mut self, upto: u64, also: &[u64]) {
        self.unconfirmed.retain(|one| one.number > upto && !also.contains(&one.number));
    }

    /// What is to be sent again now. What was so often enough is given up.
    pub(crate) fn due(&mut self, now: Instant) -> Vec<Vec<u8>> {
        let mut again = Vec::new();
        let all = self.unconfirmed.len();
        self.unconfirmed.retain_mut(|one| {
            if one.due > now {
                return true;
            }
            one.times += 1;
            if one.times > AGAIN_AFTER.len() {
                return false;
            }
            let wait = AGAIN_AFTER.get(one.times).or(AGAIN_AFTER.last());
            one.due = now + *wait.expect("there are some");
            again.push(one.datagram.clone());
            true
        });
        if self.unconfirmed.len() < all {
            self.hole = Hole::Open;
        }
        again
    }

    /// When something is due, if nothing is confirmed before.
    pub(crate) fn wakes_at(&self) -> Option<Instant> {
        self.unconfirmed.iter().map(|one| one.due).min()
    }

    /// Nobody is told anything any more: what was not confirmed is given up.
    pub(crate) fn give_up(&mut self) {
        if !self.unconfirmed.is_empty() {
            self.hole = Hole::Open;
        }
        self.unconfirmed.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn what_is_not_confirmed_is_sent_three_times_again_and_given_up() {
        let (mut delivery, start) = (Delivery::default(), Instant::now());
        assert_eq!((delivery.next(), delivery.wakes_at()), (1, None));
        delivery.sent(vec![1], start);
        let mut sent = Vec::new();
        let mut at = start;
        while let Some(due) = delivery.wakes_at() {
            at = due;
            for datagram in delivery.due(at) {
                sent.push((datagram, (at - start).as_millis()));
            }
        }
        assert_eq!(sent, [(vec![1], 250), (vec![1], 750), (vec![1], 1750)]);
        assert_eq!((at - start, delivery.hole()), (ms(2750), Hole::Open));
        delivery.resumed();
        assert_eq!(delivery.hole(), Hole::None);
    }

    #[test]
    fn what_is_confirmed_is_not_sent_again() {
        let (mut delivery, start) = (Delivery::default(), Instant::now());
        (1..=5).for_each(|datagram| delivery.sent(vec![datagram], start));
        delivery.confirmed(2, &[4, 9]);
        assert_eq!(delivery.due(start + ms(250)), [[3], [5]]);
        delivery.confirmed(u64::MAX, &[]);
        assert_eq!((delivery.wakes_at(), delivery.hole()), (None, Hole::None));
        assert_eq!(delivery.next(), 6);
    }

    #[test]
    fn no_more_is_kept_than_may_be() {
        let (mut delivery, now) = (Delivery::default(), Instant::now());
        for _ in 0..UNCONFIRMED_MAX {
            assert!(!delivery.is_full());
            delivery.sent(vec![0], now);
        }
        assert!(delivery.is_full() && delivery.hole() == Hole::None);
        delivery.sent(vec![0], now);
        assert_eq!((delivery.unconfirmed.len(), delivery.hole()), (UNCONFIRMED_MAX, Hole::Open));
    }
}
