//! How often a client may be wrong.

use std::{
    collections::HashMap,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use relais_net::{Client, Peer};
use tokio::time::Instant;

/// In this time a client's debt is forgiven.
const WINDOW: Duration = Duration::from_mins(1);

/// Counts failures by client, as a token bucket each: one more failure is forgiven every so often.
///
/// Nothing else is counted, so the table is empty until somebody fails.
#[derive(Debug)]
pub(super) struct Throttle {
    /// How long one failure weighs.
    failure: Duration,
    clients_max: usize,
    /// When each client will owe nothing. At most `clients_max`.
    debts: Mutex<HashMap<Client, Instant>>,
    /// How many `debts` there are, to be read without the lock.
    debtors: AtomicUsize,
}

impl Throttle {
    /// Lets each client fail `failures_max` times a minute, and remembers `clients_max` of them.
    pub(super) fn new(failures_max: u32, clients_max: usize) -> Self {
        Self {
            failure: WINDOW / failures_max.max(1),
            clients_max: clients_max.max(1),
            debts: Mutex::default(),
            debtors: AtomicUsize::new(0),
        }
    }

    /// How long `peer` has to wait before it may try again at `now`; `None` if not at all.
    pub(super) fn wait(&self, peer: Peer, now: Instant) -> Option<Duration> {
        if self.debtors.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        let debt = debts.get(&peer.client())?.saturating_duration_since(now);
        let over = (debt + self.failure).saturating_sub(WINDOW);
        (!over.is_zero()).then_some(over)
    }

    /// Notes that `peer` failed at `now`.
    ///
    /// *Cost*: a look at every debt when the table is full, which is cheap beside the hash that was
    /// computed to find the failure.
    pub(super) fn failed(&self, peer: Peer, now: Instant) {
        let client = peer.client();
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        if debts.len() >= self.clients_max && !debts.contains_key(&client) {
            forgive(&mut debts, now);
        }
        let free = debts.entry(client).or_insert(now);
        *free = (*free).max(now) + self.failure;
        debug_assert!(debts.len() <= self.clients_max);
        self.debtors.store(debts.len(), Ordering::Relaxed);
    }
}

/// Makes room: forgets who owes nothing any more or, if all do, who owes least.
fn forgive(debts: &mut HashMap<Client, Instant>, now: Instant) {
    let before = debts.len();
    debts.retain(|_, free| *free > now);
    if debts.len() == before {
        let least = debts.iter().min_by_key(|(_, free)| **free).map(|(client, _)| *client);
        debts.remove(&least.expect("a full table has an entry"));
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use super::*;

    fn peer(ip: &str) -> Peer {
        Peer::Net((ip.parse::<IpAddr>().unwrap(), 1).into())
    }

    fn failed(throttle: &Throttle, ip: &str, times: u32, now: Instant) {
        for _ in 0..times {
            throttle.failed(peer(ip), now);
        }
    }

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn ten_failures_a_minute_and_then_one_every_six_seconds() {
        let (throttle, now) = (Throttle::new(10, 8), Instant::now());
        failed(&throttle, "192.0.2.1", 9, now);
        assert_eq!(throttle.wait(peer("192.0.2.1"), now), None);
        failed(&throttle, "192.0.2.1", 1, now);
        assert_eq!(throttle.wait(peer("192.0.2.1"), now), Some(seconds(6)));
        assert_eq!(throttle.wait(peer("192.0.2.1"), now + seconds(5)), Some(seconds(1)));
        assert_eq!(throttle.wait(peer("192.0.2.1"), now + seconds(6)), None);
        failed(&throttle, "192.0.2.1", 1, now + seconds(6));
        assert_eq!(throttle.wait(peer("192.0.2.1"), now + seconds(6)), Some(seconds(6)));
        assert_eq!(throttle.wait(peer("192.0.2.1"), now + seconds(66)), None);
    }

    #[test]
    fn one_client_pays_for_no_other() {
        let (throttle, now) = (Throttle::new(1, 8), Instant::now());
        failed(&throttle, "192.0.2.1", 1, now);
        assert_eq!(throttle.wait(peer("192.0.2.2"), now), None);
        assert_eq!(throttle.wait(Peer::Local, now), None);
        failed(&throttle, "2001:db8::1", 1, now);
        assert!(throttle.wait(peer("2001:db8::ffff"), now).is_some(), "the same household");
        assert_eq!(throttle.wait(peer("2001:db8:0:1::1"), now), None);
    }

    #[test]
    fn a_full_table_forgets_who_owes_nothing_then_who_owes_least() {
        let (throttle, now) = (Throttle::new(2, 2), Instant::now());
        let owes = |ip, now| throttle.wait(peer(ip), now).is_some();
        failed(&throttle, "192.0.2.1", 2, now);
        failed(&throttle, "192.0.2.2", 4, now);
        failed(&throttle, "192.0.2.3", 2, now);
        assert!(!owes("192.0.2.1", now) && owes("192.0.2.2", now) && owes("192.0.2.3", now));
        failed(&throttle, "192.0.2.4", 2, now + seconds(61));
        let now = now + seconds(61);
        assert!(owes("192.0.2.4", now) && owes("192.0.2.2", now) && !owes("192.0.2.3", now));
        assert_eq!(throttle.debts.lock().unwrap().len(), 2);
    }
}
