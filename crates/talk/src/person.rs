//! A person who answers: several callers at once, told apart by their numbers.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use relais_net::Peer;
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::Instant,
};

use crate::lines::{Extent, Message};

/// How many lines may wait for a caller that does not take them, and for a turn.
const LINES_MAX: usize = 64;

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

/// Who is there. `current` is one of `seats`, if there is any.
#[derive(Debug, Default)]
struct Callers {
    seats: BTreeMap<u32, Seat>,
    last: u32,
    current: Option<u32>,
}

#[derive(Debug)]
struct Seat {
    lines: Sender<String>,
    /// Whether it is the person's turn, where there are turns.
    turn: Turn,
    /// What was typed out of turn.
    early: VecDeque<String>,
    hold: Hold,
}

/// How safe a seat is when somebody else wants one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hold {
    /// Its caller keeps it.
    Fast,
    /// Whoever sent a datagram may have forged its sender: until the person answers, it is given to
    /// another if there is none left. Last heard of then.
    Loose(Instant),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Turn {
    Caller,
    Person,
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
        let callers = self.lock();
        let seat = callers.current.and_then(|current| callers.seats.get(&current));
        self.manners == Manners::Freely || seat.is_some_and(|seat| seat.turn == Turn::Person)
    }

    /// Passes on what the person typed: `text` to the current caller, `@2 text` to the second,
    /// who is the current one from then on, as it is if there is no text.
    pub fn type_line(&self, line: &str) -> Typed {
        let mut callers = self.lock();
        let (number, text) = match addressed(line) {
            Some((number, text)) => (number, text),
            None => match callers.current {
                Some(current) => (current, Some(line)),
                None => return Typed::Nobody,
            },
        };
        let Some(seat) = callers.seats.get_mut(&number) else { return Typed::NoSuch { number } };
        let typed = match text {
            Some(text) => seat.take(text, number, self.manners),
            None => Typed::Turned { number },
        };
        callers.current = Some(number);
        typed
    }

    /// Gives a caller a number. `None` if there are `callers_max` already. Waits, if the person has too
    /// much to read.
    ///
    /// Cancel safe: who does not wait for it is gone again.
    pub(crate) async fn come(self: &Arc<Self>, from: Peer, callers_max: usize) -> Option<Caller> {
        let call = self.sit(Hold::Fast, callers_max)?;
        self.tell(News::Came { number: call.number, from }).await;
        Some(call)
    }

    /// Gives a sender of datagrams a number, whom nobody may have heard of. If there are `callers_max`
    /// already, who was silent longest goes for it, of those whom the person never answered. `None` if
    /// there is none of those, or the person has too much to read.
    pub(crate) fn come_by_datagram(
        self: &Arc<Self>,
        from: Peer,
        callers_max: usize,
    ) -> Option<Caller> {
        let telling = self.told.try_reserve().ok()?;
        let call = self.sit(Hold::Loose(Instant::now()), callers_max)?;
        telling.send(News::Came { number: call.number, from });
        Some(call)
    }

    fn sit(self: &Arc<Self>, hold: Hold, callers_max: usize) -> Option<Caller> {
        let (sender, lines) = channel(LINES_MAX);
        let number = self.lock().sit((sender, hold), callers_max)?;
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

    /// The same, or nothing, if the person has too much to read.
    pub(crate) fn try_say(&self, message: &Message<'_>) {
        if let Ok(telling) = self.person.told.try_reserve() {
            self.hear();
            telling.send(self.said(message));
        }
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

impl Callers {
    fn sit(&mut self, (lines, hold): (Sender<String>, Hold), callers_max: usize) -> Option<u32> {
        if self.seats.len() >= callers_max {
            let loosest = self.loosest()?;
            self.stand_up(loosest);
        }
        self.last += 1;
        let seat = Seat { lines, turn: Turn::Caller, early: VecDeque::new(), hold };
        self.seats.insert(self.last, seat);
        self.current.get_or_insert(self.last);
        Some(self.last)
    }

    /// Who was silent longest, of those who hold loosely.
    fn loosest(&self) -> Option<u32> {
        let loose = self.seats.iter().filter_map(|(number, seat)| match seat.hold {
            Hold::Fast => None,
            Hold::Loose(heard) => Some((heard, *number)),
        });
        loose.min().map(|(_, number)| number)
    }

    fn stand_up(&mut self, number: u32) {
        self.seats.remove(&number);
        if self.current == Some(number) {
            self.current = self.seats.keys().next().copied();
        }
    }
}

impl Seat {
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
            Ok(()) => {
                self.hold = Hold::Fast;
                Typed::Sent { number }
            }
            Err(_) => Typed::Full { number },
        }
    }

    /// The caller spoke: what was typed too early has its turn now.
    fn hear(&mut self) {
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

/// Whom `@2 text` is for, and the text, if there is one: `@2 ` is an empty line for the second.
fn addressed(line: &str) -> Option<(u32, Option<&str>)> {
    let rest = line.strip_prefix('@')?;
    let (number, text) =
        rest.split_once(' ').map_or((rest, None), |(number, text)| (number, Some(text)));
    Some((number.parse().ok()?, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn two(manners: Manners) -> (Arc<Person>, Receiver<News>, [Caller; 2]) {
        let (person, told) = Person::new(manners);
        let first = person.come(Peer::Local, 2).await.unwrap();
        let second = person.come(Peer::Local, 2).await.unwrap();
        (person, told, [first, second])
    }

    #[tokio::test]
    async fn callers_are_told_apart_and_answered_by_number() {
        let (person, mut told, [mut first, mut second]) = two(Manners::Freely).await;
        assert!(person.come(Peer::Local, 2).await.is_none());
        second.say(&Message::of(b"hi")).await;
        assert_eq!(person.type_line("to the first"), Typed::Sent { number: 1 });
        assert_eq!(person.type_line("@2 you"), Typed::Sent { number: 2 });
        assert_eq!(person.type_line("you again"), Typed::Sent { number: 2 });
        assert_eq!(person.type_line("@1"), Typed::Turned { number: 1 });
        assert_eq!(person.current(), (Some(1), 2));
        assert_eq!(person.type_line("@3 you"), Typed::NoSuch { number: 3 });
        assert_eq!(first.lines.recv().await.unwrap(), "to the first");
        assert_eq!(second.lines.recv().await.unwrap(), "you");
        assert_eq!(second.lines.recv().await.unwrap(), "you again");
        drop(second);
        assert_eq!(person.current(), (Some(1), 1));
        drop(first);
        assert_eq!(person.type_line("anybody?"), Typed::Nobody);
        let came = |number| News::Came { number, from: Peer::Local };
        let said = News::Said { number: 2, bytes: b"hi".to_vec(), is_cut: false };
        let went = |number| News::Went { number };
        for expect in [came(1), came(2), said, went(2), went(1)] {
            assert_eq!(told.recv().await, Some(expect));
        }
    }

    #[tokio::test]
    async fn what_is_typed_out_of_turn_waits() {
        let (person, _told, [mut first, _second]) = two(Manners::Turns).await;
        assert!(!person.may_speak());
        assert_eq!(person.type_line("early"), Typed::Waits { number: 1 });
        assert!(first.lines.try_recv().is_err());
        first.say(&Message::of(b"one")).await;
        assert_eq!(first.lines.try_recv().unwrap(), "early");
        assert!(!person.may_speak());
        first.say(&Message::of(b"two")).await;
        assert!(person.may_speak());
        assert_eq!(person.type_line("in turn"), Typed::Sent { number: 1 });
        assert!(!person.may_speak());
        assert_eq!(first.lines.try_recv().unwrap(), "in turn");
    }

    #[tokio::test]
    async fn what_nobody_takes_does_not_pile_up() {
        for (manners, expect) in [
            (Manners::Freely, Typed::Sent { number: 1 }),
            (Manners::Turns, Typed::Waits { number: 1 }),
        ] {
            let (person, _told, _calls) = two(manners).await;
            for _ in 0..LINES_MAX {
                assert_eq!(person.type_line("x"), expect);
            }
            assert_eq!(person.type_line("x"), Typed::Full { number: 1 });
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_may_be_forged_and_was_never_answered_makes_room() {
        let (person, mut told) = Person::new(Manners::Freely);
        let come = || person.come_by_datagram(Peer::Local, 3);
        let mut calls = Vec::new();
        for _ in 0..3 {
            calls.push(come().unwrap());
            tokio::time::advance(std::time::Duration::from_secs(1)).await;
        }
        // The first is answered, the second says more: the third was silent longest.
        assert_eq!(person.type_line("@1 hello"), Typed::Sent { number: 1 });
        calls[1].try_say(&Message::of(b"again"));
        let fourth = come().unwrap();
        assert_eq!(person.type_line("@3 you"), Typed::NoSuch { number: 3 });
        assert!(calls[2].lines.recv().await.is_none());
        // Who comes by a stream is as good, and stays.
        let mut others = vec![person.come(Peer::Local, 3).await.unwrap()];
        assert_eq!(person.type_line("@2 you"), Typed::NoSuch { number: 2 });
        others.extend(person.come(Peer::Local, 3).await);
        assert_eq!(person.type_line("@4 you"), Typed::NoSuch { number: 4 });
        assert!(come().is_none() && person.come(Peer::Local, 3).await.is_none());
        assert_eq!(person.current().1, 3);
        drop((calls, fourth));
        assert_eq!(person.current().1, 2);
        assert!(told.recv().await.is_some());
    }

    #[tokio::test]
    async fn who_reads_nothing_is_told_of_no_more_senders() {
        let (person, _told) = Person::new(Manners::Freely);
        let call = person.come_by_datagram(Peer::Local, 2).unwrap();
        for _ in 0..2 * TOLD_MAX {
            call.try_say(&Message::of(b"x"));
        }
        assert!(person.come_by_datagram(Peer::Local, 2).is_none());
        assert_eq!(person.current().1, 1);
    }

    #[test]
    fn a_line_may_say_whom_it_is_for() {
        assert_eq!(addressed("@2 hello you"), Some((2, Some("hello you"))));
        assert_eq!(addressed("@2 "), Some((2, Some(""))));
        assert_eq!(addressed("@2"), Some((2, None)));
        for text in ["hello", "@ x", "@anna x", "2 x", "@-1 x"] {
            assert_eq!(addressed(text), None, "{text}");
        }
    }
}
