//! Who of the clients of one core is told what. The log tells every core the same, in the same
//! order: who is in which room here follows from that.

mod post;
mod row;

use std::{
    collections::{HashMap, HashSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

pub(crate) use self::post::{Group, Haste, Move, Post, RoomPost};
use self::row::{Row, Seat};
use crate::{
    counts::Handed,
    model::{AccountId, RoomId, Seq},
    outbox::{Outbox, Pushed, Spoken},
    protocol::{Event, Place, Told},
};

/// A client, on its core.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Key(pub(crate) u64);

impl Key {
    /// Of no client: what is told it nobody hears.
    pub(crate) const NOBODY: Self = Self(0);
}

/// A client among all: its hall, and who it is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct ClientId {
    pub(crate) hall: usize,
    pub(crate) key: Key,
}

/// The clients of one core.
#[derive(Debug)]
pub(crate) struct Hall {
    /// Its number.
    pub(crate) number: usize,
    seats: Mutex<Seats>,
}

#[derive(Debug, Default)]
struct Seats {
    last: u64,
    clients: HashMap<Key, Client>,
    accounts: HashMap<AccountId, HashSet<Key>>,
    rooms: HashMap<RoomId, Row>,
    /// What was told of the group that is being told.
    handed: Handed,
}

#[derive(Debug)]
struct Client {
    outbox: Arc<Outbox>,
    account: Option<AccountId>,
    /// Where it has a seat.
    rooms: Vec<RoomId>,
}

impl Hall {
    pub(crate) fn new(number: usize) -> Arc<Self> {
        Arc::new(Self { number, seats: Mutex::default() })
    }

    /// Has a client come in, who is nobody yet.
    pub(crate) fn enter(&self, outbox: Arc<Outbox>) -> ClientId {
        let mut seats = self.seats();
        seats.last += 1;
        let key = Key(seats.last);
        seats.clients.insert(key, Client { outbox, account: None, rooms: Vec::new() });
        ClientId { hall: self.number, key }
    }

    /// Forgets a client that is gone.
    pub(crate) fn leave(&self, key: Key) {
        let mut seats = self.seats();
        seats.unseat(key);
        seats.clients.remove(&key);
    }

    /// Tells clients what was written down. Gives how much that was.
    ///
    /// *Cost*: a push for each client that is told something.
    pub(crate) fn hear(&self, group: &Group) -> Handed {
        let mut seats = self.seats();
        for post in group {
            seats.hear(post, self.number);
        }
        std::mem::take(&mut seats.handed)
    }

    fn seats(&self) -> MutexGuard<'_, Seats> {
        // What is half changed by a panic here concerns who is told, and is right again at the next login.
        self.seats.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seats {
    fn hear(&mut self, post: &Post, hall: usize) {
        match post {
            Post::One(to, spoken) if to.hall == hall => {
                self.with(to.key, |client| client.outbox.push_anyway(spoken));
            }
            Post::Account { who, spoken, but } => {
                let but = but.filter(|but| but.hall == hall).map(|but| but.key);
                for key in self.accounts.get(who).into_iter().flatten() {
                    if let Some(client) = self.clients.get(key).filter(|_| Some(*key) != but) {
                        client.outbox.push(spoken);
                    }
                }
            }
            Post::Everybody(spoken) => {
                let clients = self.clients.values().filter(|client| client.account.is_some());
                clients.for_each(|client| _ = client.outbox.push(spoken));
            }
            Post::Room(post) => self.tell_room(post),
            Post::Seat { who, account, rooms, upto } if who.hall == hall => {
                self.seat(who.key, *account, (rooms, *upto));
            }
            Post::Again { who, room, upto } if who.hall == hall => {
                self.place(who.key, *room, *upto);
            }
            Post::Hold(who) if who.hall == hall => {
                self.with(who.key, |client| client.outbox.hold());
            }
            Post::Release(who) if who.hall == hall => {
                self.with(who.key, |client| client.outbox.release());
            }
            Post::Unseat(who) if who.hall == hall => self.unseat(who.key),
            // Of another hall.
            Post::One(..)
            | Post::Seat { .. }
            | Post::Again { .. }
            | Post::Hold(_)
            | Post::Release(_)
            | Post::Unseat(_) => {}
        }
    }

    fn with(&self, key: Key, tell: impl FnOnce(&Client)) {
        if let Some(client) = self.clients.get(&key) {
            tell(client);
        }
    }

    fn tell_room(&mut self, post: &RoomPost) {
        for key in self.who_move(post, Move::In) {
            self.place(key, post.room, post.seq.unwrap_or_default());
        }
        let slow = self.hand_out(post);
        let seated = self.rooms.get(&post.room).map_or(0, Row::len);
        self.handed.events += seated - slow.len();
        self.handed.lagged += slow.len();
        for key in slow {
            self.fall_behind(key, post);
        }
        for key in self.who_move(post, Move::Out) {
            self.displace(key, post.room);
        }
    }

    /// Whose accounts come into the room with what is posted there, or leave it.
    fn who_move(&self, post: &RoomPost, way: Move) -> Vec<Key> {
        let who = post.moves.iter().filter(|(_, own)| *own == way).map(|(who, _)| who);
        who.flat_map(|who| self.accounts.get(who).into_iter().flatten().copied()).collect()
    }

    /// Gives all in the room what is posted there. Gives who has no place for it.
    fn hand_out(&mut self, post: &RoomPost) -> Vec<Key> {
        let mut slow = Vec::new();
        let seats = self.rooms.get_mut(&post.room);
        let are_few = seats.as_ref().is_some_and(|seats| seats.len() <= AT_ONCE_MAX);
        let haste = if are_few { post.haste } else { Haste::Together };
        for seat in seats.into_iter().flat_map(Row::seats) {
            let spoken = post.spoken_to(seat.account);
            let pushed = match haste {
                Haste::Together => seat.outbox.push(spoken),
                Haste::AtOnce => seat.outbox.push_at_once(spoken),
            };
            if pushed == Pushed::Full {
                slow.push(seat.key);
            } else if let Some(seq) = post.seq {
                seat.told = seq;
            }
        }
        slow
    }

    /// A client reads too slowly: nothing more of this room, and a word about it.
    fn fall_behind(&mut self, key: Key, post: &RoomPost) {
        let Some(seat) = take_from(&mut self.rooms, post.room, key) else { return };
        if let Some(client) = self.clients.get_mut(&key) {
            client.rooms.retain(|room| *room != post.room);
        }
        let Some(room) = place_of(post.spoken_to(seat.account)) else { return };
        let lagged = Event::Lagged { room, last: seat.told };
        seat.outbox.push_behind(&Spoken::new(Told::Event(lagged)));
    }

    fn seat(&mut self, key: Key, account: AccountId, (rooms, upto): (&[RoomId], Seq)) {
        self.unseat(key);
        let Some(client) = self.clients.get_mut(&key) else { return };
        client.account = Some(account);
        self.accounts.entry(account).or_default().insert(key);
        for room in rooms {
            self.place(key, *room, upto);
        }
    }

    fn unseat(&mut self, key: Key) {
        let Some(client) = self.clients.get_mut(&key) else { return };
        let account = client.account.take();
        for room in std::mem::take(&mut client.rooms) {
            take_from(&mut self.rooms, room, key);
        }
        if let Some(account) = account
            && let Some(keys) = self.accounts.get_mut(&account)
        {
            keys.remove(&key);
            if keys.is_empty() {
                self.accounts.remove(&account);
            }
        }
    }

    fn place(&mut self, key: Key, room: RoomId, told: Seq) {
        let Some(client) = self.clients.get_mut(&key) else { return };
        let Some(account) = client.account else { return };
        if !client.rooms.contains(&room) {
            client.rooms.push(room);
        }
        let seat = Seat { key, outbox: Arc::clone(&client.outbox), account, told };
        self.rooms.entry(room).or_default().sit(seat);
    }

    fn displace(&mut self, key: Key, room: RoomId) {
        if let Some(client) = self.clients.get_mut(&key) {
            client.rooms.retain(|own| *own != room);
        }
        take_from(&mut self.rooms, room, key);
    }
}

/// To how many something is told at once. All others of the core wait meanwhile: for some ten milliseconds.
const AT_ONCE_MAX: usize = 2000;

/// Takes the seat of a client in a room, if it has one there.
fn take_from(rooms: &mut HashMap<RoomId, Row>, room: RoomId, key: Key) -> Option<Seat> {
    let row = rooms.get_mut(&room)?;
    let seat = row.get_up(key);
    if row.is_empty() {
        rooms.remove(&room);
    }
    seat
}

/// Of which room it tells.
fn place_of(spoken: &Spoken) -> Option<Place> {
    match &spoken.told {
        Told::Event(event) => event.room().cloned(),
        Told::Answer { .. } => None,
    }
}

#[cfg(test)]
mod tests;
