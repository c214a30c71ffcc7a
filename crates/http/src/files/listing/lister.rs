//! How many folders are listed at once, and how much memory their pages take, in all and for any one
//! client.
//!
//! A listing asks the file system about each of its entries, and its page may be megabytes that
//! belong to one caller alone.

use std::sync::Arc;

use bytes::Bytes;
use relais_cache::StoredBody;
use relais_net::Client;

use crate::{
    files::{options::Limits, refusal::Refusal, room::Room},
    one_each::{Entry, OneEach},
    places::{Place, Places},
};

/// Who lists, and what was listed.
#[derive(Debug)]
pub(in crate::files) struct Lister {
    all: Bounds,
    max: Max,
    /// Those who have anything now.
    clients: OneEach<Client, OfClient>,
}

/// How much there may be.
#[derive(Clone, Copy, Debug)]
struct Max {
    listed: usize,
    waiting: usize,
    bytes: usize,
}

/// What there is to be taken.
#[derive(Debug)]
struct Bounds {
    /// A place each for those being listed and those waiting for it.
    places: Places,
    /// A turn each for those being listed.
    turns: Places,
    /// For pages that are being sent.
    room: Room,
}

/// What one client may take, for as long as it has any of it.
#[derive(Debug)]
struct OfClient {
    _entry: Entry<Client, OfClient>,
    bounds: Bounds,
}

/// A turn to list a folder, until it is dropped.
#[derive(Debug)]
pub(in crate::files) struct Turn {
    _places: [Place; 4],
    _own: Arc<OfClient>,
}

impl Lister {
    pub(in crate::files) fn new(limits: &Limits) -> Self {
        let max = Max {
            listed: limits.listings_max,
            waiting: limits.listings_waiting_max,
            bytes: usize::try_from(limits.listings_bytes_max).unwrap_or(usize::MAX),
        };
        Self { all: Bounds::of(max), max, clients: OneEach::default() }
    }

    /// Waits for a turn of `client`'s. Who finds as many of its own being listed as one client may
    /// have waits for those, and takes no turn from others.
    ///
    /// # Errors
    ///
    /// [`Refusal::Busy`] if too many wait already, in all or of this client.
    pub(in crate::files) async fn turn(&self, client: Client) -> Result<Turn, Refusal> {
        let own = self.of(client);
        let own_place = own.bounds.places.take().ok_or(Refusal::Busy)?;
        let place = self.all.places.take().ok_or(Refusal::Busy)?;
        let own_turn = own.bounds.turns.wait().await;
        let turn = self.all.turns.wait().await;
        Ok(Turn { _places: [own_place, place, own_turn, turn], _own: own })
    }

    /// Keeps the page `text` in memory until it is sent to `client`.
    ///
    /// # Errors
    ///
    /// [`Refusal::Busy`] if there is no room left for it, or none for this client.
    pub(in crate::files) fn keep(&self, client: Client, text: String) -> Result<Bytes, Refusal> {
        // What it was given to grow is more than half of it at times.
        let bytes = text.into_boxed_str().into_string().into_bytes();
        let (own, len) = (self.of(client), bytes.len() as u64);
        let own_room = own.bounds.room.take(len).ok_or(Refusal::Busy)?;
        let room = self.all.room.take(len).ok_or(Refusal::Busy)?;
        Ok(StoredBody::guarded(bytes, (own_room, room, own)).bytes().clone())
    }

    /// What `client` may take.
    fn of(&self, client: Client) -> Arc<OfClient> {
        let max = self.max.of(client);
        self.clients.get_or(client, |entry| OfClient { _entry: entry, bounds: Bounds::of(max) })
    }
}

impl Max {
    /// How much of it `client` may have: [its share](Client::share_of).
    fn of(self, client: Client) -> Self {
        let Self { listed, waiting, bytes } = self;
        match client {
            Client::Local => self,
            Client::V4(_) | Client::V6(_) => Self {
                listed: Client::share_of(listed),
                waiting: Client::share_of(waiting),
                bytes: Client::share_of(bytes),
            },
        }
    }
}

impl Bounds {
    fn of(max: Max) -> Self {
        Self {
            places: Places::at_most(max.listed.saturating_add(max.waiting)),
            turns: Places::at_most(max.listed),
            room: Room::of(max.bytes as u64),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::Ipv4Addr, time::Duration};

    use super::*;

    const A: Client = Client::V4(Ipv4Addr::new(192, 0, 2, 1));
    const B: Client = Client::V4(Ipv4Addr::new(192, 0, 2, 2));

    fn lister() -> Lister {
        Lister::new(&Limits {
            listings_max: 4,
            listings_waiting_max: 4,
            listings_bytes_max: 4096,
            ..Limits::default()
        })
    }

    #[tokio::test(start_paused = true)]
    async fn one_client_waits_for_itself_and_leaves_a_turn_to_others() {
        let lister = lister();
        let mut of_a = Vec::new();
        for _ in 0..3 {
            of_a.push(lister.turn(A).await.unwrap());
        }
        let late = || async { tokio::time::timeout(Duration::from_secs(9), lister.turn(A)).await };
        let (first, second, third) = tokio::join!(late(), late(), late());
        assert!(first.is_err() && second.is_err() && third.is_err(), "there was a turn");
        let of_b = lister.turn(B).await.unwrap();
        assert_eq!(lister.clients.count(), 2);
        drop((of_a.pop(), of_b));
        of_a.push(late().await.unwrap().unwrap());
        drop(of_a);
        assert_eq!(lister.clients.count(), 0);
    }

    #[tokio::test]
    async fn one_client_has_three_quarters_of_the_places_and_of_the_room() {
        let lister = lister();
        let own = lister.of(A);
        let places: Vec<_> = std::iter::from_fn(|| own.bounds.places.take()).collect();
        assert_eq!(places.len(), 6);
        assert!(matches!(lister.turn(A).await, Err(Refusal::Busy)));
        drop(lister.turn(B).await.unwrap());
        let page = || "a".repeat(1000);
        let pages: Vec<_> = (0..3).map(|_| lister.keep(A, page()).unwrap()).collect();
        assert!(matches!(lister.keep(A, page()), Err(Refusal::Busy)));
        let other = lister.keep(B, page()).unwrap();
        assert!(matches!(lister.keep(Client::Local, page()), Err(Refusal::Busy)));
        drop((pages, other));
        assert!(lister.keep(A, page()).is_ok());
    }
}
