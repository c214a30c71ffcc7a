//! How often a client may be wrong.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use relais_net::{Client, Peer};
use tokio::time::Instant;

use super::Debts;

/// In this time a client's debt is forgiven.
const WINDOW: Duration = Duration::from_mins(1);

/// Counts failures by client.
///
/// Nothing else is counted, so the table is empty until somebody fails.
#[derive(Debug)]
pub(super) struct Throttle {
    debts: Mutex<Debts<Client>>,
    /// How many `debts` there are, to be read without the lock.
    debtors: AtomicUsize,
}

impl Throttle {
    /// Lets each client fail `failures_max` times a minute, and remembers `clients_max` of them.
    pub(super) fn new(failures_max: u32, clients_max: usize) -> Self {
        let debts = Mutex::new(Debts::new(failures_max, WINDOW, clients_max));
        Self { debts, debtors: AtomicUsize::new(0) }
    }

    /// How long `peer` has to wait before it may try again at `now`; `None` if not at all.
    pub(super) fn wait(&self, peer: Peer, now: Instant) -> Option<Duration> {
        if self.debtors.load(Ordering::Relaxed) == 0 {
            return None;
        }
        let debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        debts.wait(&peer.client(), now)
    }

    /// Notes that `peer` failed at `now`.
    pub(super) fn failed(&self, peer: Peer, now: Instant) {
        let mut debts = self.debts.lock().unwrap_or_else(PoisonError::into_inner);
        debts.owe(peer.client(), now);
        self.debtors.store(debts.len(), Ordering::Relaxed);
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

    #[test]
    fn who_fails_as_often_as_is_forgiven_has_to_wait() {
        let (throttle, now) = (Throttle::new(10, 8), Instant::now());
        failed(&throttle, "192.0.2.1", 9, now);
        assert_eq!(throttle.wait(peer("192.0.2.1"), now), None);
        failed(&throttle, "192.0.2.1", 1, now);
        assert_eq!(throttle.wait(peer("192.0.2.1"), now), Some(Duration::from_secs(6)));
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
}
