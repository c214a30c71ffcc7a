//! A person who answers: several callers at once, told apart by their numbers.

mod callers;

use std::{
    future::pending,
    sync::{Arc, Mutex, PoisonError},
};

use relais_net::{Endpoint, Peer};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Instant,
};

use self::callers::{Callers, Hold, LINES_MAX, Seat, Turn};
use crate::lines::{Extent, Message};

/// How many events may wait to be shown.
const TOLD_MAX: usize = 64;

/// Who may speak when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    /// Everyone at any time.
    Freely,
    /// First the caller, then the person, and so on: who is early waits.
    Turns,
}

/// What the person is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// Somebody called.
    Came {
        /// The caller's number.
        number: u32,
        /// Where it calls from.
        from: Peer,
        /// At which endpoint.
        on: Arc<Endpoint>,
    },
    /// A caller said something.
    Said {
        /// The caller's number.
        number: u32,
        /// What, without its line end: bytes of a stranger.
        bytes: Vec<u8>,
        /// Whether the rest of it was dropped.
        is_cut: bool,
    },
    /// A caller is gone.
    Went {
        /// Its number.
        number: u32,
    },
}

/// What became of a line that the person typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typed {
    /// It is on its way to a caller.
    Sent {
        /// To whom.
        number: u32,
    },
    /// It waits until it is the person's turn with this caller.
    Waits {
        /// With whom.
        number: u32,
    },
    /// Nothing was said, but who is the current caller from now on.
    Turned {
        /// To whom.
        number: u32,
    },
    /// It was for everyone, and is on its way to so many of them.
    All {
        /// How many.
        sent: usize,
        /// To how many it is not: with those it waits for the person's turn, or they take nothing.
        others: usize,
    },
    /// It was begun for a caller who is gone, and goes to nobody.
    Gone {
        /// Who.
        number: u32,
    },
    /// There is nobody of this number.
    NoSuch {
        /// Which.
        number: u32,
    },
    /// There is nobody at all.
    Nobody,
    /// That caller does not take what is sent to it, and enough waits already.
    Full {
        /// Who.
        number: u32,
    },
}

/// A person and those who call. Clones of the handle are the same person.
#[derive(Debug)]
pub struct Person {
    manners: Manners,
    told: Sender<News>,
    callers: Mutex<Callers>,
}

/// A caller's end. Dropped, it says goodbye. Its `lines` end when its seat is given to another.
#[derive(Debug)]
pub(crate) struct Caller {
    pub(crate) number: u32,
    pub(crate) lines: Receiver<String>,
    person: Arc<Person>,
}

impl Person {
    /// A person, and what is told to it.
    pub fn new(manners: Manners) -> (Arc<Self>, Receiver<News>) {
        let (told, events) = channel(TOLD_MAX);
        (Arc::new(Self { manners, told, callers: Mutex::default() }), events)
    }

    /// Who may speak when.
    pub fn manners(&self) -> Manners {
        self.manners
    }

    /// To whom a line goes that names nobody, and how many are there. For the prompt.
    pub fn current(&self) -> (Option<u32>, usize) {
        let callers = self.lock();
        (callers.current, callers.seats.len())
    }

    /// Whether it is the person's turn with the current caller; always, where there are no turns.
    pub fn may_speak(&self) -> bool {
        self.manners == Manners::Freely || self.lock().lines_to_current(self.manners).is_some()
    }

    /// Who waits for an answer, where there are turns, but the current caller.
    pub fn waiting(&self) -> Vec<u32> {
        let callers = self.lock();
        let waits = |(number, seat): (&u32, &Seat)| {
            let is_waiting = seat.turn == Turn::Person && callers.current != Some(*number);
            (is_waiting && self.manners == Manners::Turns).then_some(*number)
        };
        callers.seats.iter().filter_map(waits).collect()
    }

    /// Passes on what the person typed: `text` to the current caller, `@2 text` to the second,
    /// who is the current one from then on, as it is if there is no text; `@all text` to everyone.
    pub fn type_line(&self, line: &str) -> Typed {
        self.type_begun(line, None)
    }

    /// The same, of a line that was begun for this caller: nobody else gets it who is the current one now
    /// because that one is gone.
    pub fn type_begun(&self, line: &str, begun_for: Option<u32>) -> Typed {
        let mut callers = self.lock();
        if let Some(text) = line.strip_prefix("@all ") {
            return callers.take_all(text, self.manners);
        }
        let (number, text) = match addressed(line) {
            Some((number, text)) => (number, text),
            None => match (begun_for, callers.current) {
                (Some(number), _) if !callers.seats.contains_key(&number) => {
                    return Typed::Gone { number };
                }
                (_, Some(current)) => (current, Some(line)),
                (_, None) => return Typed::Nobody,
            },
        };
        let Some(seat) = callers.seats.get_mut(&number) else { return Typed::NoSuch { number } };
        let typed = match text {
            Some(text) => seat.answer(text, number, self.manners),
            None => Typed::Turned { number },
        };
        callers.current = Some(number);
        typed
    }

    /// Waits until the current caller has room for a line, and in turns until the person is to speak. For
    /// ever, if that takes another current caller, or that it speaks: to be asked anew after each of the
    /// news.
    ///
    /// Cancel safe.
    pub async fn room(&self) {
        let lines = self.lock().lines_to_current(self.manners);
        match lines {
            Some(lines) if lines.reserve().await.is_ok() => (),
            _ => pending().await,
        }
    }

    /// Gives a caller a number. `None` if there are `callers_max` already, or its client's share of them.
    /// Waits, if the person has too much to read.
    ///
    /// Cancel safe: who does not wait for it is gone again.
    pub(crate) async fn come(
        self: &Arc<Self>,
        (from, on): (Peer, &Arc<Endpoint>),
        callers_max: usize,
    ) -> Option<Caller> {
        let call = self.sit(from, Hold::Fast, callers_max)?;
        self.tell(News::Came { number: call.number, from, on: Arc::clone(on) }).await;
        Some(call)
    }

    /// Gives a sender of datagrams a number, whom nobody may have heard of. If there are `callers_max`
    /// already, who was silent longest goes for it, of those whom the person never answered; the same
    /// within its client's share of them. `None` if there is none of those, or the person has too much to
    /// read.
    pub(crate) fn come_by_datagram(
        self: &Arc<Self>,
        (from, on): (Peer, &Arc<Endpoint>),
        callers_max: usize,
    ) -> Option<Caller> {
        let telling = self.told.try_reserve().ok()?;
        let call = self.sit(from, Hold::Loose(Instant::now()), callers_max)?;
        telling.send(News::Came { number: call.number, from, on: Arc::clone(on) });
        Some(call)
    }

    fn sit(self: &Arc<Self>, from: Peer, hold: Hold, callers_max: usize) -> Option<Caller> {
        let (sender, lines) = channel(LINES_MAX);
        let number = self.lock().sit(from.client(), (sender, hold), callers_max)?;
        Some(Caller { number, lines, person: Arc::clone(self) })
    }

    /// Waits, if the person has too much to read. Who is gone needs no telling.
    async fn tell(&self, told: News) {
        _ = self.told.send(told).await;
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Callers> {
        self.callers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Caller {
    /// Tells the person what the caller said. It is the person's turn then. Waits, if the person has
    /// too much to read.
    ///
    /// Cancel safe: what is not waited for is not told.
    pub(crate) async fn say(&self, message: &Message<'_>) {
        // News first: what is typed next may be the answer. An end that hears nothing more is gone.
        if let Ok(telling) = self.person.told.reserve().await {
            self.hear();
            telling.send(self.said(message));
        }
    }

    /// The same, or nothing, if the person has too much to read. Whether it was told.
    pub(crate) fn try_say(&self, message: &Message<'_>) -> bool {
        let Ok(telling) = self.person.told.try_reserve() else { return false };
        self.hear();
        telling.send(self.said(message));
        true
    }

    fn hear(&self) {
        if let Some(seat) = self.person.lock().seats.get_mut(&self.number) {
            seat.hear();
        }
    }

    fn said(&self, message: &Message<'_>) -> News {
        let is_cut = message.extent == Extent::Cut;
        News::Said { number: self.number, bytes: message.bytes.to_owned(), is_cut }
    }

    pub(crate) fn manners(&self) -> Manners {
        self.person.manners
    }
}

impl Drop for Caller {
    fn drop(&mut self) {
        self.person.lock().stand_up(self.number);
        // Where this finds no room, so much is unread that it matters little.
        _ = self.person.told.try_send(News::Went { number: self.number });
    }
}

/// Whom `@2 text` is for, and the text, if there is one: `@2 ` is an empty line for the second.
fn addressed(line: &str) -> Option<(u32, Option<&str>)> {
    let rest = line.strip_prefix('@')?;
    let (number, text) =
        rest.split_once(' ').map_or((rest, None), |(number, text)| (number, Some(text)));
    Some((number.parse().ok()?, text))
}

#[cfg(test)]
mod tests;
