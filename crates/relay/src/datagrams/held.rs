//! Datagrams that are to be sent later, in the order in which they are due.

use std::{
    cmp::Ordering,
    collections::{BinaryHeap, HashMap, hash_map::Entry},
    hash::Hash,
    net::SocketAddr,
};

use relais_net::{Client, Peer};
use tokio::time::Instant;

use super::shaping::Due;

/// Datagrams that wait, each with what it belongs to.
#[derive(Debug)]
pub(super) struct Held<T> {
    waiting: BinaryHeap<Waiting<T>>,
    /// Of those that wait, with [`OVERHEAD_BYTES`] for each. At most [`BYTES_MAX`].
    bytes: usize,
    /// The same of each client, and of each sender. None has 0.
    clients: HashMap<Client, usize>,
    senders: HashMap<SocketAddr, usize>,
    /// How many ever waited.
    count: u64,
}

#[derive(Debug)]
struct Waiting<T> {
    due: Due,
    sender: SocketAddr,
    /// Of those that are due at once, who came first goes first.
    number: u64,
    with: T,
}

/// As much waits as may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

/// How much of memory may wait.
const BYTES_MAX: usize = 16 * 1024 * 1024;

/// How often as much one may have as is left to others. So much is left however many have what they may,
/// and who is alone has three quarters of it.
const TIMES_LEFT: usize = 3;

/// What a datagram takes besides its bytes.
const OVERHEAD_BYTES: usize = 128;

impl<T> Default for Held<T> {
    fn default() -> Self {
        Self {
            waiting: BinaryHeap::new(),
            bytes: 0,
            clients: HashMap::new(),
            senders: HashMap::new(),
            count: 0,
        }
    }
}

impl<T> Held<T> {
    /// Holds what `sender` sent, or is sent, until it is due; or drops it if there is no room: in all, in
    /// what others leave to its client, or in what others of its client leave to it.
    pub(super) fn hold(&mut self, (sender, due): (SocketAddr, Due), with: T) -> Result<(), Full> {
        let (bytes, client) = (due.bytes.len() + OVERHEAD_BYTES, client_of(sender));
        let of_client = self.clients.get(&client).copied().unwrap_or_default() + bytes;
        let of_sender = self.senders.get(&sender).copied().unwrap_or_default() + bytes;
        let left = BYTES_MAX.saturating_sub(self.bytes + bytes);
        let left_to_client = (TIMES_LEFT * left).saturating_sub(of_client);
        if of_sender > TIMES_LEFT * left_to_client {
            return Err(Full);
        }
        self.bytes += bytes;
        self.clients.insert(client, of_client);
        self.senders.insert(sender, of_sender);
        self.count += 1;
        self.waiting.push(Waiting { due, sender, number: self.count, with });
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
        let Waiting { due, sender, with, .. } = self.waiting.pop()?;
        let bytes = due.bytes.len() + OVERHEAD_BYTES;
        self.bytes -= bytes;
        give_back(&mut self.clients, client_of(sender), bytes);
        give_back(&mut self.senders, sender, bytes);
        Some((due.bytes, with))
    }
}

fn give_back<K: Eq + Hash>(shares: &mut HashMap<K, usize>, whose: K, bytes: usize) {
    if let Entry::Occupied(mut share) = shares.entry(whose) {
        *share.get_mut() -= bytes;
        if *share.get() == 0 {
            share.remove();
        }
    }
}

fn client_of(sender: SocketAddr) -> Client {
    Peer::Net(sender).client()
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
            held.hold((sender(1, 1), Due { at: at(second), bytes: vec![1] }), name).unwrap();
        }
        let mut take = |second| {
            let names = std::iter::from_fn(|| held.take(at(second))).map(|(_, name)| name);
            (names.collect::<String>(), held.next_due())
        };
        assert_eq!(take(0), (String::new(), Some(at(1))));
        assert_eq!(take(2), ("abcd".to_owned(), Some(at(3))));
        assert_eq!(take(9), ("e".to_owned(), None));
        assert_eq!((held.bytes, held.clients.len(), held.senders.len()), (0, 0, 0));
    }

    fn sender(client: u8, port: u16) -> SocketAddr {
        ([192, 0, 2, client], port).into()
    }

    /// How many datagrams as long as this are held for `sender` until there is no room for it.
    fn fill(held: &mut Held<()>, sender: SocketAddr, length: usize) -> usize {
        let at = Instant::now();
        let mut one_more = || held.hold((sender, Due { at, bytes: vec![0; length] }), ());
        (0..200_000).take_while(|_| one_more().is_ok()).count()
    }

    #[test]
    fn what_waits_has_a_bound() {
        let mut held = Held::default();
        for client in 0..=255 {
            fill(&mut held, sender(client, 1), 65_507);
        }
        assert!(held.bytes <= BYTES_MAX && held.bytes > BYTES_MAX * 9 / 10, "{}", held.bytes);
        while held.take(Instant::now()).is_some() {}
        assert_eq!(held.bytes, 0);
        let most = fill(&mut held, sender(1, 1), 65_507) * (65_507 + OVERHEAD_BYTES);
        assert!((BYTES_MAX / 2..BYTES_MAX * 3 / 4).contains(&most), "{most}");
    }

    #[test]
    fn whoever_floods_leaves_room_for_others_of_its_client_and_for_other_clients() {
        let mut held = Held::default();
        let at = Instant::now();
        // All at the same time, as often as one of them has room.
        let one_more = |held: &mut Held<()>, port| {
            held.hold((sender(1, port), Due { at, bytes: vec![0; 64] }), ()).is_ok()
        };
        while (1..=20).filter(|port| one_more(&mut held, *port)).count() > 0 {}
        let quarter = Client::share_of(BYTES_MAX) + OVERHEAD_BYTES + 64;
        assert!(held.bytes <= quarter, "{}", held.bytes);
        assert!(fill(&mut held, sender(1, 21), 1200) > 10);
        assert!(fill(&mut held, sender(2, 1), 1200) > 1000);
        assert!(fill(&mut held, sender(3, 1), 1200) > 300);
    }
}
