//! Who asked by datagram to be told what comes by stream.

use std::{
    collections::HashMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use relais_net::{Datagrams, Gate, Peer, Permit};
use tokio::{task::coop::consume_budget, time::Instant};

/// Those who are notified. A table of a fixed size, of which a client has its share: when it is full,
/// newcomers are told so, and those in it stay for as long as their lease runs.
#[derive(Debug)]
pub struct Subscribers {
    lease: Duration,
    leases: Mutex<Leases<Weak<Datagrams>>>,
}

/// The table. `S` is where a subscriber's datagrams leave.
///
/// Each of `subscribers` has one of `places`, and no lease ends before `first_end`: until then there is
/// none to look for.
#[derive(Debug)]
struct Leases<S> {
    subscribers: HashMap<SocketAddr, (Lease<S>, Permit)>,
    places: Gate,
    first_end: Option<Instant>,
}

#[derive(Clone, Debug)]
struct Lease<S> {
    until: Instant,
    socket: S,
}

/// What a datagram comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Subscribed,
    Renewed,
    Left,
    Full,
    Stranger,
}

impl Subscribers {
    /// A table for `subscribers_max`, each of whom is told for `lease` after it was last heard of.
    pub fn new(subscribers_max: usize, lease: Duration) -> Self {
        Self { lease, leases: Mutex::new(Leases::new(subscribers_max)) }
    }

    /// What a datagram is answered that came from `from` to `socket`: nothing, unless it is one of the
    /// two words. Two servers that answer each other's answers would never end, and one forged
    /// datagram makes them begin.
    pub(crate) fn hear(
        &self,
        message: &[u8],
        from: SocketAddr,
        socket: &Arc<Datagrams>,
    ) -> Option<String> {
        let heard = {
            let mut leases = self.lock();
            leases.forget(Instant::now());
            let until = Instant::now() + self.lease;
            leases.hear(message, from, Lease { until, socket: Arc::downgrade(socket) })
        };
        let seconds = self.lease.as_secs();
        match heard {
            Heard::Subscribed => Some(format!("subscribed for {seconds} s")),
            Heard::Left => Some("unsubscribed".to_owned()),
            Heard::Full => Some("error: no place left".to_owned()),
            Heard::Renewed | Heard::Stranger => None,
        }
    }

    /// Sends `message` to everyone whose lease runs. Gives how many that were.
    ///
    /// That a datagram was sent is no proof that it came.
    pub(crate) async fn notify(&self, message: &[u8]) -> usize {
        let told = self.lock().at(Instant::now());
        let mut sent = 0;
        for (to, socket) in told {
            let Some(socket) = socket.upgrade() else { continue };
            // To send waits for nothing: others of this core are to have their turns between.
            consume_budget().await;
            sent += usize::from(socket.send(message, to).await.is_ok());
        }
        sent
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Leases<Weak<Datagrams>>> {
        self.leases.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: Clone> Leases<S> {
    fn new(subscribers_max: usize) -> Self {
        let places = Gate::shared_by_clients(subscribers_max);
        Self { subscribers: HashMap::new(), places, first_end: None }
    }

    /// Judges a datagram. `lease` is what its sender has from now on, if it has one.
    fn hear(&mut self, message: &[u8], from: SocketAddr, lease: Lease<S>) -> Heard {
        let message = message.trim_ascii();
        if message == b"unsubscribe" {
            self.subscribers.remove(&from);
            return Heard::Left;
        }
        if let Some((known, _)) = self.subscribers.get_mut(&from) {
            *known = lease;
            return if message == b"subscribe" { Heard::Subscribed } else { Heard::Renewed };
        }
        if message != b"subscribe" {
            return Heard::Stranger;
        }
        let Ok(place) = self.places.enter(Peer::Net(from).client(), 0) else { return Heard::Full };
        self.first_end = Some(self.first_end.map_or(lease.until, |end| end.min(lease.until)));
        self.subscribers.insert(from, (lease, place));
        Heard::Subscribed
    }

    /// Forgets those whose leases ended before `now`. Looks at the table only if there may be one:
    /// a flood of datagrams costs no look each.
    fn forget(&mut self, now: Instant) {
        if self.first_end.is_some_and(|end| end <= now) {
            self.subscribers.retain(|_, (lease, _)| lease.until > now);
            self.first_end = self.subscribers.values().map(|(lease, _)| lease.until).min();
        }
    }

    /// Those whose leases run at `now`.
    fn at(&mut self, now: Instant) -> Vec<(SocketAddr, S)> {
        self.forget(now);
        self.subscribers.iter().map(|(to, (lease, _))| (*to, lease.socket.clone())).collect()
    }
}

#[cfg(test)]
mod tests {
    use relais_net::Client;

    use super::*;

    const LEASE: Duration = Duration::from_secs(10);

    /// Has these say something at these seconds, and tells what it came to.
    #[track_caller]
    fn check(steps: &[(u64, u16, &str, Heard)]) -> Leases<()> {
        let (mut table, start) = (Leases::new(2), Instant::now());
        for &(seconds, port, said, expect) in steps {
            let now = start + Duration::from_secs(seconds);
            table.forget(now);
            let lease = Lease { until: now + LEASE, socket: () };
            let heard = table.hear(said.as_bytes(), ([127, 0, 0, 1], port).into(), lease);
            assert_eq!(heard, expect, "{port} said {said} at {seconds}");
            assert!(table.subscribers.len() <= 2);
        }
        table
    }

    use Heard::{Full, Left, Renewed, Stranger, Subscribed};

    #[test]
    fn who_asks_is_told_and_any_datagram_renews() {
        check(&[
            (0, 1, "hello", Stranger),
            (0, 1, "subscribe\n", Subscribed),
            (9, 1, "", Renewed),
            (18, 1, "subscribe", Subscribed),
            (28, 1, "still here", Stranger),
        ]);
        check(&[
            (0, 1, "unsubscribe", Left),
            (0, 1, "subscribe", Subscribed),
            (0, 1, "unsubscribe", Left),
            (0, 1, "x", Stranger),
        ]);
    }

    #[test]
    fn a_full_table_turns_newcomers_away_until_a_lease_ends() {
        check(&[
            (0, 1, "subscribe", Subscribed),
            (1, 2, "subscribe", Subscribed),
            (2, 3, "subscribe", Full),
            (2, 1, "x", Renewed),
            (11, 3, "subscribe", Subscribed),
            (11, 1, "x", Renewed),
        ]);
    }

    #[test]
    fn one_client_leaves_places_to_others() {
        let (mut table, now) = (Leases::new(8), Instant::now());
        let mut subscribe = |ip: [u8; 4], port| {
            table.hear(b"subscribe", (ip, port).into(), Lease { until: now + LEASE, socket: () })
        };
        let count = (0..9).filter(|port| subscribe([192, 0, 2, 1], *port) == Subscribed).count();
        assert_eq!(count, Client::share_of(8));
        assert_eq!(subscribe([192, 0, 2, 2], 1), Subscribed);
        // Who leaves gives its place back.
        table.hear(b"unsubscribe", ([192, 0, 2, 1], 0).into(), Lease { until: now, socket: () });
        assert_eq!(table.places.inside(), Client::share_of(8));
        table.forget(now + LEASE);
        assert_eq!(table.places.inside(), 0);
    }

    #[test]
    fn only_those_are_told_whose_lease_runs() {
        let mut table = check(&[(0, 1, "subscribe", Subscribed), (5, 2, "subscribe", Subscribed)]);
        let first_end = table.first_end.unwrap();
        assert_eq!(table.at(first_end - Duration::from_secs(1)).len(), 2);
        assert_eq!(table.at(first_end), [(([127, 0, 0, 1], 2).into(), ())]);
    }
}
