//! Which senders are associated, and when they are forgotten. The table and its rules; sockets and
//! clocks are outside.
//!
//! Every step costs the same however many senders there are: a hash finds a sender's place, and the
//! places are two rows in the order in which their senders were last heard: one of those who never
//! were answered, who may be nobody at all, and one of those who were. Those of a client who never were
//! answered are a row of their own besides.

use std::{collections::HashMap, net::SocketAddr, sync::Arc, time::Duration};

use relais_net::{Client, Peer, Room};
use tokio::time::Instant;

use super::rows::{Neighbours, Row};

/// How many senders may be associated, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many in all, at every socket of a relay together. Each takes a descriptor.
    pub senders_max: usize,
    /// How many of one client at one socket.
    pub senders_a_client_max: usize,
    /// How long neither side says anything before a sender is forgotten.
    pub idle_max: Duration,
}

/// Every sender that is associated, and what it is associated with.
#[derive(Debug)]
pub(super) struct Associations<T> {
    limits: Limits,
    /// What has to have room for one more.
    rooms: [Arc<Room>; 2],
    places: HashMap<SocketAddr, usize>,
    /// Which of `places` are of each client: none has 0.
    clients: HashMap<Client, Share>,
    /// `None` where nobody is; those are in `free`.
    entries: Vec<Option<Entry<T>>>,
    free: Vec<usize>,
    unanswered: Row,
    answered: Row,
    /// In `unanswered` or `answered`.
    in_all: Neighbours,
    /// In [`Share::unanswered`].
    in_share: Neighbours,
}

/// What a client has of the table.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    senders: usize,
    unanswered: Row,
}

/// Whether a sender was ever answered. Whose address is made up never is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    Unanswered,
    Answered,
}

/// After how long a silence who never was answered makes room for another.
const UNANSWERED_MIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Entry<T> {
    sender: SocketAddr,
    heard: Instant,
    standing: Standing,
    with: T,
}

/// What to do with a datagram.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Send it on with what its sender has, which is at this place.
    Known(usize),
    /// Its sender may be admitted.
    New,
    /// Drop it, unless somebody [makes room](Associations::make_room): as many senders are associated as
    /// may be.
    Full,
    /// The same with as many of its client's, where [one of those](Associations::make_room_of_client)
    /// makes room.
    ClientFull,
}

impl<T> Associations<T> {
    /// A table that is empty, of which each sender takes a place in both `rooms`.
    pub(super) fn new(limits: Limits, rooms: [Arc<Room>; 2]) -> Self {
        Self {
            limits,
            rooms,
            places: HashMap::new(),
            clients: HashMap::new(),
            entries: Vec::new(),
            free: Vec::new(),
            unanswered: Row::default(),
            answered: Row::default(),
            in_all: Neighbours::default(),
            in_share: Neighbours::default(),
        }
    }

    /// Judges a datagram from `sender` that came at `now`.
    pub(super) fn hear(&mut self, sender: SocketAddr, now: Instant) -> Verdict {
        if let Some(&place) = self.places.get(&sender) {
            self.renew_at(place, now);
            return Verdict::Known(place);
        }
        let of_client = self.clients.get(&client_of(sender)).map_or(0, |share| share.senders);
        if of_client >= self.limits.senders_a_client_max {
            return Verdict::ClientFull;
        }
        let is_full = self.rooms.iter().any(|room| room.is_full());
        if is_full { Verdict::Full } else { Verdict::New }
    }

    /// Forgets who was not heard for the longest of those that were never answered, if that is longer
    /// than a second. Gives what it was associated with.
    pub(super) fn make_room(&mut self, now: Instant) -> Option<T> {
        self.give_up(self.unanswered.first()?, now)
    }

    /// The same among those of the client that `newcomer` is of: who makes up the ports of an address
    /// does not keep out who is there.
    pub(super) fn make_room_of_client(&mut self, newcomer: SocketAddr, now: Instant) -> Option<T> {
        let share = self.clients.get(&client_of(newcomer))?;
        self.give_up(share.unanswered.first()?, now)
    }

    /// Forgets who is at `place` and never was answered, if that has been silent for long enough.
    fn give_up(&mut self, place: usize, now: Instant) -> Option<T> {
        let Entry { sender, heard, .. } = *self.entry(place);
        let is_silent = UNANSWERED_MIN <= now.saturating_duration_since(heard);
        is_silent.then(|| self.remove(sender)).flatten()
    }

    /// Associates `sender`, who is [`Verdict::New`] and was heard `now`, with what is made for its place.
    /// Gives that.
    pub(super) fn admit(
        &mut self,
        sender: SocketAddr,
        now: Instant,
        with: impl FnOnce(usize) -> T,
    ) -> usize {
        let place = self.free.pop().unwrap_or(self.entries.len());
        let (standing, with) = (Standing::Unanswered, with(place));
        let entry = Entry { sender, heard: now, standing, with };
        if place == self.entries.len() {
            self.entries.push(None);
        }
        self.entries[place] = Some(entry);
        let taken = self.places.insert(sender, place);
        debug_assert!(taken.is_none(), "{sender} was new");
        self.clients.entry(client_of(sender)).or_default().senders += 1;
        self.join(place);
        self.rooms.iter().for_each(|room| room.take(1));
        place
    }

    /// Notes that `sender`, if it is still the one at `place`, was answered `now`.
    pub(super) fn renew(&mut self, sender: SocketAddr, place: usize, now: Instant) {
        let entry = self.entries[place].as_ref();
        let Some(entry) = entry.filter(|entry| entry.sender == sender) else { return };
        if entry.standing == Standing::Unanswered {
            self.leave(place);
            self.entry_mut(place).standing = Standing::Answered;
            self.join(place);
        }
        self.renew_at(place, now);
    }

    /// Forgets `sender`. Gives what it was associated with.
    pub(super) fn remove(&mut self, sender: SocketAddr) -> Option<T> {
        let place = self.places.remove(&sender)?;
        self.leave(place);
        let entry = self.entries[place].take()?;
        self.free.push(place);
        self.rooms.iter().for_each(|room| room.give_back(1));
        let client = client_of(sender);
        if let Some(share) = self.clients.get_mut(&client) {
            share.senders -= 1;
            if share.senders == 0 {
                self.clients.remove(&client);
            }
        }
        Some(entry.with)
    }

    /// Forgets one of those who have been silent for too long, as long as there is one. Gives what it
    /// was associated with.
    pub(super) fn forget(&mut self, now: Instant) -> Option<T> {
        let first = self.first()?;
        let is_silent = self.limits.idle_max <= now.saturating_duration_since(first.heard);
        if !is_silent {
            return None;
        }
        let sender = first.sender;
        self.remove(sender)
    }

    /// When the first sender will have been silent for too long; `None` if there is none.
    pub(super) fn next_silence(&self) -> Option<Instant> {
        self.first().map(|first| first.heard + self.limits.idle_max)
    }

    /// Who was not heard for the longest.
    fn first(&self) -> Option<&Entry<T>> {
        let firsts = [self.unanswered.first(), self.answered.first()];
        firsts.into_iter().flatten().map(|first| self.entry(first)).min_by_key(|first| first.heard)
    }

    /// What the sender at `place` is associated with.
    pub(super) fn with(&self, place: usize) -> &T {
        &self.entry(place).with
    }

    /// What `sender` is associated with.
    pub(super) fn find(&self, sender: SocketAddr) -> Option<&T> {
        self.places.get(&sender).map(|&place| self.with(place))
    }

    /// What those are associated with who were heard since `since`.
    pub(super) fn heard_since(&self, since: Instant) -> impl Iterator<Item = &T> {
        [self.unanswered, self.answered].into_iter().flat_map(move |row| {
            let from_last = self.in_all.backwards(row).map(|place| self.entry(place));
            from_last.take_while(move |entry| entry.heard >= since).map(|entry| &entry.with)
        })
    }

    fn entry(&self, place: usize) -> &Entry<T> {
        self.entries[place].as_ref().expect("a place that is taken")
    }

    fn entry_mut(&mut self, place: usize) -> &mut Entry<T> {
        self.entries[place].as_mut().expect("a place that is taken")
    }

    fn renew_at(&mut self, place: usize, now: Instant) {
        self.entry_mut(place).heard = now;
        let row = match self.entry(place).standing {
            Standing::Unanswered => self.unanswered,
            Standing::Answered => self.answered,
        };
        // The last of all is the last of its client, too.
        if row.last() != Some(place) {
            self.leave(place);
            self.join(place);
        }
    }

    /// Has who is at `place` be the last in its rows.
    fn join(&mut self, place: usize) {
        let Entry { sender, standing, .. } = *self.entry(place);
        match standing {
            Standing::Answered => self.in_all.join(&mut self.answered, place),
            Standing::Unanswered => {
                self.in_all.join(&mut self.unanswered, place);
                let share = self.clients.entry(client_of(sender)).or_default();
                self.in_share.join(&mut share.unanswered, place);
            }
        }
    }

    /// Takes who is at `place` out of its rows.
    fn leave(&mut self, place: usize) {
        let Entry { sender, standing, .. } = *self.entry(place);
        match standing {
            Standing::Answered => self.in_all.leave(&mut self.answered, place),
            Standing::Unanswered => {
                self.in_all.leave(&mut self.unanswered, place);
                let share = self.clients.entry(client_of(sender)).or_default();
                self.in_share.leave(&mut share.unanswered, place);
            }
        }
    }
}

impl<T> Drop for Associations<T> {
    fn drop(&mut self) {
        self.rooms.iter().for_each(|room| room.give_back(self.places.len()));
    }
}

fn client_of(sender: SocketAddr) -> Client {
    Peer::Net(sender).client()
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDLE: Duration = Duration::from_mins(1);
    const SECOND: Duration = Duration::from_secs(1);

    fn sender(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    fn table(senders_max: usize, senders_a_client_max: usize) -> Associations<SocketAddr> {
        let limits = Limits { senders_max, senders_a_client_max, idle_max: IDLE };
        Associations::new(limits, rooms(senders_max))
    }

    fn rooms(senders_max: usize) -> [Arc<Room>; 2] {
        [Arc::new(Room::new(senders_max)), Arc::new(Room::new(usize::MAX))]
    }

    /// As the service does it.
    fn hear(table: &mut Associations<SocketAddr>, sender: SocketAddr, now: Instant) -> Verdict {
        let verdict = table.hear(sender, now);
        if verdict == Verdict::New {
            table.admit(sender, now, |_| sender);
        }
        verdict
    }

    fn forget(table: &mut Associations<SocketAddr>, now: Instant) -> Vec<u16> {
        std::iter::from_fn(|| table.forget(now)).map(|sender| sender.port()).collect()
    }

    #[test]
    fn a_sender_is_known_until_both_sides_are_silent_for_too_long() {
        let (mut table, start) = (table(8, 8), Instant::now());
        assert_eq!(table.next_silence(), None);
        assert_eq!(hear(&mut table, sender(1), start), Verdict::New);
        assert_eq!(hear(&mut table, sender(1), start + IDLE / 4), Verdict::Known(0));
        table.renew(sender(1), 0, start + IDLE / 2);
        assert_eq!(forget(&mut table, start + IDLE), []);
        assert_eq!(table.next_silence(), Some(start + IDLE / 2 + IDLE));
        assert_eq!(forget(&mut table, start + IDLE / 2 + IDLE), [1]);
        table.renew(sender(1), 0, start + IDLE * 2);
        assert_eq!(table.next_silence(), None);
        assert_eq!(hear(&mut table, sender(1), start + IDLE * 2), Verdict::New);
        // Who had the place before is not who has it.
        table.renew(sender(2), 0, start + IDLE * 3);
        assert_eq!(table.next_silence(), Some(start + IDLE * 3));
    }

    #[test]
    fn a_full_table_turns_new_senders_away_and_keeps_the_known() {
        let (mut table, now) = (table(1, 9), Instant::now());
        assert_eq!(hear(&mut table, sender(1), now), Verdict::New);
        assert_eq!(hear(&mut table, sender(2), now), Verdict::Full);
        assert_eq!(hear(&mut table, sender(1), now), Verdict::Known(0));
        assert_eq!(table.remove(sender(1)), Some(sender(1)));
        assert_eq!(table.remove(sender(1)), None);
        assert_eq!(hear(&mut table, sender(2), now), Verdict::New);
        assert_eq!(table.entries.len(), 1);
    }

    #[test]
    fn who_never_was_answered_makes_room_after_a_second() {
        let (mut table, start) = (table(3, 9), Instant::now());
        for port in [1, 2, 3] {
            hear(&mut table, sender(port), start + SECOND * u32::from(port));
        }
        table.renew(sender(1), 0, start + SECOND * 3);
        assert_eq!(table.make_room(start + SECOND * 2), None);
        assert_eq!(table.make_room(start + SECOND * 3), Some(sender(2)));
        assert_eq!(hear(&mut table, sender(4), start + SECOND * 3), Verdict::New);
        assert_eq!(hear(&mut table, sender(5), start + SECOND * 3), Verdict::Full);
        assert_eq!(table.make_room(start + SECOND * 4), Some(sender(3)));
        assert_eq!(table.make_room(start + SECOND * 4), Some(sender(4)));
        // Who was answered stays as long as any other.
        assert_eq!(table.make_room(start + SECOND * 50), None);
        assert_eq!(forget(&mut table, start + SECOND * 3 + IDLE), [1]);
    }

    #[test]
    fn who_never_was_answered_makes_room_for_its_own_client() {
        let (mut table, start) = (table(9, 3), Instant::now());
        let stranger = SocketAddr::from(([192, 0, 2, 2], 1));
        hear(&mut table, stranger, start);
        for port in [1, 2, 3] {
            hear(&mut table, sender(port), start + SECOND * u32::from(port));
        }
        let answered = table.places[&sender(1)];
        table.renew(sender(1), answered, start + SECOND * 3);
        let now = start + SECOND * 3;
        assert_eq!(hear(&mut table, sender(4), now), Verdict::ClientFull);
        assert_eq!(table.make_room_of_client(sender(4), start + SECOND * 2), None);
        // The stranger is silent for longer, and leaves no room to this client.
        assert_eq!(table.make_room_of_client(sender(4), now), Some(sender(2)));
        assert_eq!(hear(&mut table, sender(4), now), Verdict::New);
        assert_eq!(hear(&mut table, sender(5), now), Verdict::ClientFull);
        assert_eq!(table.make_room_of_client(sender(5), now), None);
        // Who goes on is silent from then on.
        hear(&mut table, sender(3), start + SECOND * 4);
        assert_eq!(table.make_room_of_client(sender(5), start + SECOND * 4), Some(sender(4)));
        assert_eq!(table.make_room_of_client(sender(5), start + SECOND * 5), Some(sender(3)));
        // Who was answered stays, and so does who is of another client.
        assert_eq!(table.make_room_of_client(sender(5), start + SECOND * 50), None);
        assert_eq!(table.places.len(), 2);
        let nobody = SocketAddr::from(([192, 0, 2, 3], 1));
        assert_eq!(table.make_room_of_client(nobody, start + SECOND * 50), None);
    }

    #[test]
    fn two_tables_share_the_room_there_is() {
        let limits = Limits { senders_max: 2, senders_a_client_max: 9, idle_max: IDLE };
        let (rooms, now) = (rooms(2), Instant::now());
        let mut tables = [0, 1].map(|_| Associations::new(limits, rooms.clone()));
        for table in &mut tables {
            assert_eq!(hear(table, sender(1), now), Verdict::New);
        }
        for table in &mut tables {
            assert_eq!(hear(table, sender(2), now), Verdict::Full);
        }
        let [mut one, other] = tables;
        drop(other);
        assert_eq!(hear(&mut one, sender(2), now), Verdict::New);
        assert_eq!(hear(&mut one, sender(3), now), Verdict::Full);
        one.remove(sender(1));
        assert_eq!(hear(&mut one, sender(3), now), Verdict::New);
        drop(one);
        assert!(rooms.iter().all(|room| !Room::is_full(room)));
        // Where all relays together have too little.
        let scarce = [Arc::new(Room::new(9)), Arc::new(Room::new(0))];
        assert_eq!(Associations::<()>::new(limits, scarce).hear(sender(1), now), Verdict::Full);
    }

    #[test]
    fn one_client_does_not_take_every_place() {
        let (mut table, now) = (table(3, 1), Instant::now());
        let other = SocketAddr::from(([192, 0, 2, 2], 1));
        assert_eq!(hear(&mut table, sender(1), now), Verdict::New);
        assert_eq!(hear(&mut table, sender(2), now), Verdict::ClientFull);
        assert_eq!(hear(&mut table, other, now), Verdict::New);
        table.remove(sender(1));
        assert_eq!(hear(&mut table, sender(2), now), Verdict::New);
        table.remove(sender(2));
        table.remove(other);
        assert!(table.clients.is_empty() && table.first().is_none());
    }

    #[test]
    fn those_are_forgotten_first_who_were_heard_first() {
        let (mut table, start) = (table(8, 8), Instant::now());
        for (port, second) in [(1, 0), (2, 1), (3, 2), (4, 3), (2, 4), (4, 5), (1, 6), (1, 7)] {
            hear(&mut table, sender(port), start + SECOND * second);
        }
        let heard: Vec<_> = table.heard_since(start + SECOND * 4).map(SocketAddr::port).collect();
        assert_eq!(heard, [1, 4, 2]);
        let mut order = Vec::new();
        while let Some(silence) = table.next_silence() {
            assert_eq!(forget(&mut table, silence - Duration::from_nanos(1)), []);
            order.extend(forget(&mut table, silence));
        }
        assert_eq!(order, [3, 2, 4, 1]);
        assert_eq!((table.places.len(), table.clients.len(), table.free.len()), (0, 0, 4));
    }

    /// Held against a list that is searched and sorted each time.
    #[test]
    fn whatever_comes_the_table_is_what_a_plain_list_would_be() {
        let (mut table, start) = (table(16, 99), Instant::now());
        let mut plain: Vec<(SocketAddr, Instant)> = Vec::new();
        for step in 0..20_000_u64 {
            let now = start + Duration::from_millis(step * 100);
            let draw = relais_net::mix(step);
            let sender = sender(u16::try_from(draw % 32).unwrap());
            let known = plain.iter().position(|(known, _)| *known == sender);
            match (draw >> 32) % 8 {
                0 => {
                    table.remove(sender);
                    known.map(|known| plain.remove(known));
                }
                1 => {
                    let cut = now - IDLE;
                    let gone = plain.iter().filter(|(_, heard)| *heard <= cut).count();
                    assert_eq!(forget(&mut table, now).len(), gone);
                    plain.retain(|(_, heard)| *heard > cut);
                }
                _ => {
                    let verdict = hear(&mut table, sender, now);
                    let is_full = known.is_none() && plain.len() == 16;
                    assert_eq!(matches!(verdict, Verdict::Known(_)), known.is_some());
                    assert_eq!(verdict == Verdict::Full, is_full);
                    known.map(|known| plain.remove(known));
                    if !is_full {
                        plain.push((sender, now));
                    }
                }
            }
            // Some are answered at once, and change the list.
            let is_last = plain.last().is_some_and(|last| *last == (sender, now));
            if is_last && draw >> 40 & 1 == 0 {
                table.renew(sender, table.places[&sender], now);
            }
            let first = plain.first().map(|(_, heard)| *heard + IDLE);
            assert_eq!((table.places.len(), table.next_silence()), (plain.len(), first));
        }
    }
}
