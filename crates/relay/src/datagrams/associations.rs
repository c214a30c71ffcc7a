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
mod tests;
