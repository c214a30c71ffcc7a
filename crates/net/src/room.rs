//! How many of something there may be, where several share it, and how many of one client.

use std::{
    collections::HashMap,
    sync::{
        Mutex, MutexGuard, PoisonError,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
};

use crate::Client;

/// A number of places that several share, and of which one client has not all.
#[derive(Debug)]
pub struct Room {
    places_max: usize,
    /// How many of them one client may have.
    a_client_max: AtomicUsize,
    /// By all, those in `clients` among them.
    taken: AtomicUsize,
    /// How many each client has, if any; nothing of who is [local](Client::Local).
    clients: Mutex<HashMap<Client, usize>>,
}

impl Room {
    /// Room for so many, of which any one client has [its share](Client::share_of).
    pub fn new(places_max: usize) -> Self {
        Self::shared_out(places_max, Client::share_of(places_max))
    }

    /// Room for `places_max`, of which any one client has `a_client_max`.
    pub fn shared_out(places_max: usize, a_client_max: usize) -> Self {
        let (a_client_max, taken) = (AtomicUsize::new(a_client_max), AtomicUsize::new(0));
        Self { places_max, a_client_max, taken, clients: Mutex::default() }
    }

    /// Has any one client have so many from now on, if that is more than [its
    /// share](Client::share_of): somebody means it.
    pub fn grant_a_client(&self, places: usize) {
        self.a_client_max.store(places.max(Client::share_of(self.places_max)), Relaxed);
    }

    /// How many places there are.
    pub fn places_max(&self) -> usize {
        self.places_max
    }

    /// Whether every place is taken.
    pub fn is_full(&self) -> bool {
        self.is_full_beyond(0)
    }

    /// Whether every place is taken, and so many more.
    pub fn is_full_beyond(&self, more: usize) -> bool {
        self.taken.load(Relaxed) >= self.places_max.saturating_add(more)
    }

    /// How many places one client may have, if `client` has taken all of those, and so many `more`.
    ///
    /// Costs one load as long as all together have not taken as many.
    pub fn is_full_of(&self, client: Client, more: usize) -> Option<usize> {
        let a_client_max = self.a_client_max.load(Relaxed).saturating_add(more);
        if self.taken.load(Relaxed) < a_client_max {
            return None;
        }
        let taken = self.lock().get(&client).copied();
        taken.is_some_and(|taken| taken >= a_client_max).then_some(a_client_max)
    }

    /// Takes so many places for `client`, be they there or not: whoever looks first, and does so at the
    /// same time as others, may take some too many.
    pub fn take(&self, client: Client, places: usize) {
        self.taken.fetch_add(places, Relaxed);
        self.count_for(client, places);
    }

    /// Has so many that were taken for nobody, as [local](Client::Local), count as `client`'s.
    pub fn count_for(&self, client: Client, places: usize) {
        if self.is_counted(client, places) {
            *self.lock().entry(client).or_default() += places;
        }
    }

    /// Gives back so many of `client`'s.
    pub fn give_back(&self, client: Client, places: usize) {
        self.taken.fetch_sub(places, Relaxed);
        if !self.is_counted(client, places) {
            return;
        }
        let mut clients = self.lock();
        if let Some(taken) = clients.get_mut(&client) {
            *taken -= places;
            if *taken == 0 {
                clients.remove(&client);
            }
        }
    }

    /// Where there is no end of places nobody is counted, nor is who is held to no share.
    fn is_counted(&self, client: Client, places: usize) -> bool {
        places > 0 && self.places_max < usize::MAX && client != Client::Local
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Client, usize>> {
        // Nothing that holds the lock can panic half-way through a change.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANN: Client = Client::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const BOB: Client = Client::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn it_is_full_until_enough_is_given_back() {
        let room = Room::new(3);
        room.take(ANN, 2);
        assert!(!room.is_full());
        room.take(BOB, 2);
        assert!(room.is_full());
        assert!(room.is_full_beyond(1) && !room.is_full_beyond(2));
        room.give_back(ANN, 1);
        assert!(room.is_full());
        room.give_back(BOB, 1);
        assert!(!room.is_full());
    }

    #[test]
    fn one_client_has_its_share_or_what_it_is_granted() {
        let room = Room::new(8);
        room.take(Client::Local, 2);
        room.take(ANN, 5);
        assert_eq!(room.is_full_of(ANN, 0), None);
        room.take(ANN, 1);
        assert_eq!((room.is_full_of(ANN, 0), room.is_full_of(ANN, 1)), (Some(6), None));
        assert_eq!((room.is_full_of(BOB, 0), room.is_full_of(Client::Local, 0)), (None, None));
        room.grant_a_client(7);
        assert_eq!(room.is_full_of(ANN, 0), None);
        room.grant_a_client(2);
        assert_eq!(room.is_full_of(ANN, 0), Some(6));
        room.give_back(Client::Local, 2);
        room.give_back(ANN, 6);
        assert!(room.lock().is_empty());
    }

    #[test]
    fn what_was_nobodys_becomes_a_clients() {
        let room = Room::new(4);
        room.take(Client::Local, 3);
        assert_eq!(room.is_full_of(ANN, 0), None);
        room.count_for(ANN, 3);
        assert_eq!(room.is_full_of(ANN, 0), Some(3));
        room.give_back(ANN, 3);
        assert!(!room.is_full() && room.is_full_of(ANN, 0).is_none());
    }
}
