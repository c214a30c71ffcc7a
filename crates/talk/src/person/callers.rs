//! Who is there: seats with numbers, and whose turn it is at each.

use std::collections::{BTreeMap, VecDeque};

use relais_net::Client;
use tokio::{sync::mpsc::Sender, time::Instant};

use super::{Manners, Typed};

/// How many lines may wait for a caller that does not take them, and for a turn.
pub(super) const LINES_MAX: usize = 64;

/// Who is there. `current` is one of `seats`, if there is any.
#[derive(Debug, Default)]
pub(super) struct Callers {
    pub(super) seats: BTreeMap<u32, Seat>,
    last: u32,
    pub(super) current: Option<u32>,
}

#[derive(Debug)]
pub(super) struct Seat {
    client: Client,
    lines: Sender<String>,
    /// Whether it is the person's turn, where there are turns.
    pub(super) turn: Turn,
    /// What was typed out of turn.
    early: VecDeque<String>,
    hold: Hold,
}

/// How safe a seat is when somebody else wants one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hold {
    /// Its caller keeps it.
    Fast,
    /// Whoever sent a datagram may have forged its sender: until the person answers it alone, it is given
    /// to another if there is none left. Last heard of then.
    Loose(Instant),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Caller,
    Person,
}

impl Callers {
    /// The number of who calls from `client`, if there is a seat: of all, and of its client's share.
    pub(super) fn sit(
        &mut self,
        client: Client,
        (lines, hold): (Sender<String>, Hold),
        callers_max: usize,
    ) -> Option<u32> {
        let of_client = self.seats.values().filter(|seat| seat.client == client).count();
        let has_share = client != Client::Local && of_client >= Client::share_of(callers_max);
        if has_share || self.seats.len() >= callers_max {
            let loosest = self.loosest(|seat| !has_share || seat.client == client)?;
            self.stand_up(loosest);
        }
        self.last += 1;
        let seat = Seat { client, lines, turn: Turn::Caller, early: VecDeque::new(), hold };
        self.seats.insert(self.last, seat);
        self.current.get_or_insert(self.last);
        Some(self.last)
    }

    /// Who was silent longest, of those of `whom` who hold loosely.
    fn loosest(&self, whom: impl Fn(&Seat) -> bool) -> Option<u32> {
        let seats = self.seats.iter().filter(|(_, seat)| whom(seat));
        let loose = seats.filter_map(|(number, seat)| match seat.hold {
            Hold::Fast => None,
            Hold::Loose(heard) => Some((heard, *number)),
        });
        loose.min().map(|(_, number)| number)
    }

    /// Passes a text on to everyone. Who holds loosely does so on: that is no answer to anybody, and would
    /// have all who are made up keep their seats.
    pub(super) fn take_all(&mut self, text: &str, manners: Manners) -> Typed {
        let all = self.seats.len();
        if all == 0 {
            return Typed::Nobody;
        }
        let take = |(number, seat): (&u32, &mut Seat)| {
            matches!(seat.take(text, *number, manners), Typed::Sent { .. })
        };
        let sent = self.seats.iter_mut().map(take).filter(|is_sent| *is_sent).count();
        Typed::All { sent, others: all - sent }
    }

    /// The way to the current caller, if there is one, and it is the person's turn with it.
    pub(super) fn lines_to_current(&self, manners: Manners) -> Option<Sender<String>> {
        let seat = self.seats.get(&self.current?)?;
        let may_speak = manners == Manners::Freely || seat.turn == Turn::Person;
        may_speak.then(|| seat.lines.clone())
    }

    pub(super) fn stand_up(&mut self, number: u32) {
        self.seats.remove(&number);
        if self.current == Some(number) {
            self.current = self.seats.keys().next().copied();
        }
    }
}

impl Seat {
    /// Passes on what is for its caller alone, who keeps the seat from then on.
    pub(super) fn answer(&mut self, text: &str, number: u32, manners: Manners) -> Typed {
        let typed = self.take(text, number, manners);
        if let Typed::Sent { .. } = typed {
            self.hold = Hold::Fast;
        }
        typed
    }

    fn take(&mut self, text: &str, number: u32, manners: Manners) -> Typed {
        if manners == Manners::Turns && self.turn == Turn::Caller {
            if self.early.len() == LINES_MAX {
                return Typed::Full { number };
            }
            self.early.push_back(text.to_owned());
            return Typed::Waits { number };
        }
        self.turn = Turn::Caller;
        match self.lines.try_send(text.to_owned()) {
            Ok(()) => Typed::Sent { number },
            Err(_) => Typed::Full { number },
        }
    }

    /// The caller spoke: what was typed too early has its turn now.
    pub(super) fn hear(&mut self) {
        self.turn = Turn::Person;
        if let Hold::Loose(heard) = &mut self.hold {
            *heard = Instant::now();
        }
        if let Some(line) = self.early.pop_front() {
            self.turn = Turn::Caller;
            _ = self.lines.try_send(line);
        }
    }
}
