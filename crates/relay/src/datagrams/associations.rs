//! Which senders are associated, and when they are forgotten. The table and its rules; sockets and
//! clocks are outside.
//!
//! Every step costs the same however many senders there are: a hash finds a sender's place, and the
//! places are a row for each standing, in the order in which their senders were last heard. Those of a
//! client who may have to make room are rows of their own besides.

use std::{collections::HashMap, time::Duration};

use relais_net::Client;
use tokio::time::Instant;

use super::{
    places::Places,
    rows::{Neighbours, Row},
    sender::Sender,
    standings::{Rows, Standing},
};

/// How many senders may be associated, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many in all, at every socket of a relay together. Each takes a descriptor.
    pub senders_max: usize,
    /// How many of one client, at all of them.
    pub senders_a_client_max: usize,
    /// How long neither side says anything before a sender is forgotten.
    pub idle_max: Duration,
}

/// Every sender that is associated, and what it is associated with.
#[derive(Debug)]
pub(super) struct Associations<T> {
    limits: Limits,
    /// Where there has to be one for one more, who takes it.
    sockets: Places,
    places: HashMap<Sender, usize>,
    /// Which of `places` are of each client: none has 0.
    clients: HashMap<Client, Share>,
    /// `None` where nobody is; those are in `free`.
    entries: Vec<Option<Entry<T>>>,
    free: Vec<usize>,
    rows: Rows,
    /// In `rows`.
    in_all: Neighbours,
    /// In [`Share::rows`].
    in_share: Neighbours,
}

/// What a client has of the table.
#[derive(Clone, Copy, Debug, Default)]
struct Share {
    senders: usize,
    /// Those who talk are in none.
    rows: Rows,
}

/// After how long a silence on both sides who does not talk makes room for another.
const SILENCE_MIN: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Entry<T> {
    sender: Sender,
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
    /// A table that is empty, of which each sender has one of `sockets` for as long as that is open.
    pub(super) fn new(limits: Limits, sockets: Places) -> Self {
        Self {
            limits,
            sockets,
            places: HashMap::new(),
            clients: HashMap::new(),
            entries: Vec::new(),
            free: Vec::new(),
            rows: Rows::default(),
            in_all: Neighbours::default(),
            in_share: Neighbours::default(),
        }
    }

    /// Judges a datagram from `sender` that came at `now`.
    pub(super) fn hear(&mut self, sender: Sender, now: Instant) -> Verdict {
        if let Some(&place) = self.places.get(&sender) {
            if self.entry(place).standing == Standing::Answered {
                self.stand(place, Standing::Talking);
            }
            self.renew_at(place, now);
            return Verdict::Known(place);
        }
        if self.sockets.are_taken_by(sender.client()) {
            return Verdict::ClientFull;
        }
        if self.sockets.are_taken() { Verdict::Full } else { Verdict::New }
    }

    /// Forgets one of those who do not talk, if it has been silent for a second: who was not heard for
    /// the longest, of those who never were answered before any other. Gives what it was associated with.
    pub(super) fn make_room(&mut self, now: Instant) -> Option<T> {
        self.rows.first_to_go().find_map(|place| self.give_up(place, now))
    }

    /// The same among those of the client that `newcomer` is of: who makes up the ports of an address
    /// does not keep out who is there.
    pub(super) fn make_room_of_client(&mut self, newcomer: Sender, now: Instant) -> Option<T> {
        let rows = self.clients.get(&newcomer.client())?.rows;
        rows.first_to_go().find_map(|place| self.give_up(place, now))
    }

    /// Forgets who is at `place`, if that has been silent for long enough to make room.
    fn give_up(&mut self, place: usize, now: Instant) -> Option<T> {
        let Entry { sender, heard, .. } = *self.entry(place);
        let is_silent = SILENCE_MIN <= now.saturating_duration_since(heard);
        is_silent.then(|| self.remove(sender)).flatten()
    }

    /// Associates `sender`, who is [`Verdict::New`] and was heard `now`, with what is made for its place.
    /// Gives that.
    pub(super) fn admit(
        &mut self,
        sender: Sender,
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
        debug_assert!(taken.is_none(), "{sender:?} was new");
        self.clients.entry(sender.client()).or_default().senders += 1;
        self.join(place);
        place
    }

    /// Notes that `sender`, if it is still the one at `place`, was answered `now`.
    pub(super) fn renew(&mut self, sender: Sender, place: usize, now: Instant) {
        let entry = self.entries[place].as_ref();
        let Some(entry) = entry.filter(|entry| entry.sender == sender) else { return };
        if entry.standing == Standing::Unanswered {
            self.stand(place, Standing::Answered);
        }
        self.renew_at(place, now);
    }

    /// Forgets `sender`. Gives what it was associated with.
    pub(super) fn remove(&mut self, sender: Sender) -> Option<T> {
        let place = self.places.remove(&sender)?;
        self.leave(place);
        let entry = self.entries[place].take()?;
        self.free.push(place);
        let client = sender.client();
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
        let firsts = self.rows.all().into_iter().filter_map(Row::first);
        firsts.map(|first| self.entry(first)).min_by_key(|first| first.heard)
    }

    /// What the sender at `place` is associated with.
    pub(super) fn with(&self, place: usize) -> &T {
        &self.entry(place).with
    }

    /// What `sender` is associated with.
    pub(super) fn find(&self, sender: Sender) -> Option<&T> {
        self.places.get(&sender).map(|&place| self.with(place))
    }

    /// All who are associated, in no order.
    pub(super) fn senders(&self) -> impl Iterator<Item = Sender> {
        self.places.keys().copied()
    }

    /// What those are associated with who were heard since `since`.
    pub(super) fn heard_since(&self, since: Instant) -> impl Iterator<Item = &T> {
        self.rows.all().into_iter().flat_map(move |row| {
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
        let entry = self.entry_mut(place);
        entry.heard = now;
        let standing = entry.standing;
        // The last of all is the last of its client, too.
        if self.rows.of(standing).last() != Some(place) {
            self.stand(place, standing);
        }
    }

    /// Has who is at `place` be of that standing, the last in its rows.
    fn stand(&mut self, place: usize, standing: Standing) {
        self.leave(place);
        self.entry_mut(place).standing = standing;
        self.join(place);
    }

    /// Has who is at `place` be the last in its rows.
    fn join(&mut self, place: usize) {
        let Entry { sender, standing, .. } = *self.entry(place);
        self.in_all.join(self.rows.of(standing), place);
        if standing != Standing::Talking {
            let share = self.clients.entry(sender.client()).or_default();
            self.in_share.join(share.rows.of(standing), place);
        }
    }

    /// Takes who is at `place` out of its rows.
    fn leave(&mut self, place: usize) {
        let Entry { sender, standing, .. } = *self.entry(place);
        self.in_all.leave(self.rows.of(standing), place);
        if standing != Standing::Talking {
            let share = self.clients.entry(sender.client()).or_default();
            self.in_share.leave(share.rows.of(standing), place);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{net::SocketAddr, sync::Arc};

    use relais_net::Room;

    use super::{super::places::Place, *};

    const IDLE: Duration = Duration::from_mins(1);
    const SECOND: Duration = Duration::from_secs(1);

    fn sender(port: u16) -> Sender {
        sender_of(1, port)
    }

    fn sender_of(client: u8, port: u16) -> Sender {
        let at = Some([127, 0, 0, 1].into());
        Sender { from: SocketAddr::from(([192, 0, 2, client], port)), at }
    }

    /// A sender, and its place.
    type Seat = (Sender, Place);

    fn table(senders_max: usize, senders_a_client_max: usize) -> Associations<Seat> {
        let limits = Limits { senders_max, senders_a_client_max, idle_max: IDLE };
        Associations::new(limits, Places::new(rooms(senders_max, senders_a_client_max)))
    }

    fn rooms(senders_max: usize, senders_a_client_max: usize) -> [Arc<Room>; 2] {
        let room = Room::shared_out(senders_max, senders_a_client_max);
        [Arc::new(room), Arc::new(Room::new(usize::MAX))]
    }

    /// Whose seat that is. It is given back.
    fn of(seat: Option<Seat>) -> Option<Sender> {
        seat.map(|(sender, _)| sender)
    }

    /// As the service does it.
    fn hear(table: &mut Associations<Seat>, sender: Sender, now: Instant) -> Verdict {
        let verdict = table.hear(sender, now);
        if verdict == Verdict::New {
            let place = table.sockets.take(sender.client());
            table.admit(sender, now, |_| (sender, place));
        }
        verdict
    }

    fn forget(table: &mut Associations<Seat>, now: Instant) -> Vec<u16> {
        std::iter::from_fn(|| table.forget(now)).map(|(sender, _)| sender.from.port()).collect()
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
        assert_eq!(of(table.remove(sender(1))), Some(sender(1)));
        assert_eq!(of(table.remove(sender(1))), None);
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
        assert_eq!(of(table.make_room(start + SECOND * 2)), None);
        assert_eq!(of(table.make_room(start + SECOND * 3)), Some(sender(2)));
        assert_eq!(hear(&mut table, sender(4), start + SECOND * 3), Verdict::New);
        assert_eq!(hear(&mut table, sender(5), start + SECOND * 3), Verdict::Full);
        assert_eq!(of(table.make_room(start + SECOND * 4)), Some(sender(3)));
        assert_eq!(of(table.make_room(start + SECOND * 4)), Some(sender(4)));
        assert_eq!(table.places.len(), 1);
    }

    #[test]
    fn who_was_answered_and_said_no_more_makes_room_after_those_who_never_were() {
        for one_client in [false, true] {
            let (mut table, start) = (table(4, 9), Instant::now());
            let make_room = |table: &mut Associations<Seat>, second| {
                of(if one_client {
                    table.make_room_of_client(sender(9), start + SECOND * second)
                } else {
                    table.make_room(start + SECOND * second)
                })
            };
            for port in [1, 2, 3, 4] {
                hear(&mut table, sender(port), start);
            }
            for port in [1, 2, 3] {
                table.renew(sender(port), table.places[&sender(port)], start + SECOND);
            }
            // It goes on: its address is its own.
            hear(&mut table, sender(1), start + SECOND);
            assert_eq!(make_room(&mut table, 1), Some(sender(4)));
            assert_eq!(make_room(&mut table, 1), None);
            // Whom the server goes on to speak to is not silent.
            table.renew(sender(2), table.places[&sender(2)], start + SECOND * 2);
            assert_eq!(make_room(&mut table, 2), Some(sender(3)));
            assert_eq!(make_room(&mut table, 2), None);
            assert_eq!(make_room(&mut table, 3), Some(sender(2)));
            // Who went on stays as long as any other, also once it was answered again.
            table.renew(sender(1), table.places[&sender(1)], start + SECOND * 3);
            assert_eq!(make_room(&mut table, 50), None);
            assert_eq!(forget(&mut table, start + SECOND * 3 + IDLE), [1]);
            assert!(table.clients.is_empty());
        }
    }

    #[test]
    fn who_never_was_answered_makes_room_for_its_own_client() {
        let (mut table, start) = (table(9, 3), Instant::now());
        let stranger = sender_of(2, 1);
        hear(&mut table, stranger, start);
        for port in [1, 2, 3] {
            hear(&mut table, sender(port), start + SECOND * u32::from(port));
        }
        let answered = table.places[&sender(1)];
        table.renew(sender(1), answered, start + SECOND * 3);
        let now = start + SECOND * 3;
        assert_eq!(hear(&mut table, sender(4), now), Verdict::ClientFull);
        assert_eq!(of(table.make_room_of_client(sender(4), start + SECOND * 2)), None);
        // The stranger is silent for longer, and leaves no room to this client.
        assert_eq!(of(table.make_room_of_client(sender(4), now)), Some(sender(2)));
        assert_eq!(hear(&mut table, sender(4), now), Verdict::New);
        assert_eq!(hear(&mut table, sender(5), now), Verdict::ClientFull);
        assert_eq!(of(table.make_room_of_client(sender(5), now)), None);
        // Who goes on is silent from then on.
        hear(&mut table, sender(3), start + SECOND * 4);
        assert_eq!(of(table.make_room_of_client(sender(5), start + SECOND * 4)), Some(sender(4)));
        assert_eq!(of(table.make_room_of_client(sender(5), start + SECOND * 5)), Some(sender(3)));
        // Who is of another client stays.
        assert_eq!(of(table.make_room_of_client(sender(5), start + SECOND * 50)), Some(sender(1)));
        assert_eq!(of(table.make_room_of_client(sender(5), start + SECOND * 50)), None);
        assert_eq!(table.places.len(), 1);
        let nobody = sender_of(3, 1);
        assert_eq!(of(table.make_room_of_client(nobody, start + SECOND * 50)), None);
    }

    #[test]
    fn two_tables_share_the_room_there_is() {
        let limits = Limits { senders_max: 2, senders_a_client_max: 9, idle_max: IDLE };
        let (rooms, now) = (rooms(2, 9), Instant::now());
        let mut tables = [0, 1].map(|_| Associations::new(limits, Places::new(rooms.clone())));
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
        assert_eq!(
            Associations::<Seat>::new(limits, Places::new(scarce)).hear(sender(1), now),
            Verdict::Full
        );
    }

    #[test]
    fn one_client_has_its_share_at_all_sockets_together() {
        let limits = Limits { senders_max: 8, senders_a_client_max: 6, idle_max: IDLE };
        let (rooms, now) = (rooms(8, 6), Instant::now());
        let mut tables = [0, 1].map(|_| Associations::new(limits, Places::new(rooms.clone())));
        for port in 1..=3 {
            for table in &mut tables {
                assert_eq!(hear(table, sender(port), now), Verdict::New);
            }
        }
        for table in &mut tables {
            assert_eq!(hear(table, sender(4), now), Verdict::ClientFull);
            assert_eq!(hear(table, sender_of(2, 1), now), Verdict::New);
        }
        // With what it has of the descriptors otherwise, too.
        let scarce = Arc::new(Room::new(8));
        scarce.take(sender(1).client(), 6);
        let places = Places::new([Arc::new(Room::new(8)), scarce]);
        let mut table = Associations::new(limits, places);
        assert_eq!(hear(&mut table, sender(1), now), Verdict::ClientFull);
        assert_eq!(hear(&mut table, sender_of(2, 1), now), Verdict::New);
    }

    #[test]
    fn who_sends_to_two_of_our_addresses_is_two() {
        let (mut table, now) = (table(8, 8), Instant::now());
        let other = Sender { at: Some([127, 0, 0, 2].into()), ..sender(1) };
        let unknown = Sender { at: None, ..sender(1) };
        for (place, sender) in [sender(1), other, unknown].into_iter().enumerate() {
            assert_eq!(hear(&mut table, sender, now), Verdict::New);
            assert_eq!(hear(&mut table, sender, now), Verdict::Known(place));
        }
    }

    #[test]
    fn one_client_does_not_take_every_place() {
        let (mut table, now) = (table(3, 1), Instant::now());
        let other = sender_of(2, 1);
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
        let heard: Vec<_> =
            table.heard_since(start + SECOND * 4).map(|(sender, _)| sender.from.port()).collect();
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
        // The longest silent first.
        let mut plain: Vec<(Sender, Instant, Standing)> = Vec::new();
        for step in 0..20_000_u64 {
            let now = start + Duration::from_millis(step * 100);
            let draw = relais_net::mix(step);
            let sender = sender(u16::try_from(draw % 32).unwrap());
            let known = plain.iter().position(|(known, ..)| *known == sender);
            match (draw >> 32) % 8 {
                0 => {
                    table.remove(sender);
                    known.map(|known| plain.remove(known));
                }
                1 => {
                    let cut = now - IDLE;
                    let gone = plain.iter().filter(|(_, heard, _)| *heard <= cut).count();
                    assert_eq!(forget(&mut table, now).len(), gone);
                    plain.retain(|(_, heard, _)| *heard > cut);
                }
                2 => {
                    let cut = now - SECOND;
                    let firsts = [Standing::Unanswered, Standing::Answered].map(|standing| {
                        plain.iter().position(|(_, heard, is)| *heard <= cut && *is == standing)
                    });
                    let gone = firsts.into_iter().flatten().next().map(|place| plain.remove(place));
                    let made = match draw >> 41 & 1 {
                        0 => table.make_room(now),
                        _ => table.make_room_of_client(sender, now),
                    };
                    assert_eq!(of(made), gone.map(|(gone, ..)| gone));
                }
                _ => {
                    let verdict = hear(&mut table, sender, now);
                    let is_full = known.is_none() && plain.len() == 16;
                    assert_eq!(matches!(verdict, Verdict::Known(_)), known.is_some());
                    assert_eq!(verdict == Verdict::Full, is_full);
                    let known = known.map(|known| plain.remove(known).2);
                    let standing = match known {
                        None | Some(Standing::Unanswered) => Standing::Unanswered,
                        Some(Standing::Answered | Standing::Talking) => Standing::Talking,
                    };
                    if !is_full {
                        plain.push((sender, now, standing));
                    }
                }
            }
            // Some are answered at once, and change the row.
            if let Some((last, heard, standing)) = plain.last_mut()
                && (*last, *heard, draw >> 40 & 1) == (sender, now, 0)
            {
                table.renew(sender, table.places[&sender], now);
                if *standing == Standing::Unanswered {
                    *standing = Standing::Answered;
                }
            }
            let first = plain.first().map(|(_, heard, _)| *heard + IDLE);
            assert_eq!((table.places.len(), table.next_silence()), (plain.len(), first));
        }
    }
}
