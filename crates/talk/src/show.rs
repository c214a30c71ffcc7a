//! What a role shows where the server runs, on its way to whoever prints it.
//!
//! The way is bounded and nobody waits for it: a slow terminal never stops a dialogue. What finds no
//! room is dropped, and counted.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, PoisonError},
    time::SystemTime,
};

use relais_net::{Endpoint, Peer};

/// A message to be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    /// When it came.
    pub at: SystemTime,
    /// Where it came to.
    pub on: Arc<Endpoint>,
    /// Who said it.
    pub from: Peer,
    /// What was said, without its line end: bytes of a stranger.
    pub bytes: Vec<u8>,
    /// Whether the rest of it, past what a message may have, was dropped.
    pub is_cut: bool,
}

/// What there is to print next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A message.
    Shown(Shown),
    /// So many messages are missing here: they came faster than they could be printed.
    Missed(u64),
}

/// The way from the dialogues to whoever prints. Clones are the same way.
#[derive(Clone, Debug)]
pub struct Showcase(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    bytes_max: usize,
    waiting: Mutex<Waiting>,
    stirred: Condvar,
}

/// `bytes` is what all of `shown` take.
#[derive(Debug, Default)]
struct Waiting {
    shown: VecDeque<Shown>,
    bytes: usize,
    missed: u64,
    is_closed: bool,
}

impl Showcase {
    /// A way on which messages of `bytes_max` may wait, counted with what they take beside their
    /// text.
    pub fn new(bytes_max: usize) -> Self {
        let (waiting, stirred) = (Mutex::default(), Condvar::new());
        Self(Arc::new(Inner { bytes_max, waiting, stirred }))
    }

    /// Passes a message on, or drops it if there is no room.
    pub fn show(&self, shown: Shown) {
        let mut waiting = self.lock();
        // Who prints waits only where there is nothing: to wake it is a system call.
        let is_waited_for = waiting.shown.is_empty() && waiting.missed == 0;
        let bytes = waiting.bytes + cost(&shown);
        // What was missed is told where it is missing: nothing comes before that.
        if bytes > self.0.bytes_max || waiting.missed > 0 {
            waiting.missed += 1;
        } else {
            waiting.bytes = bytes;
            waiting.shown.push_back(shown);
        }
        drop(waiting);
        if is_waited_for {
            self.0.stirred.notify_one();
        }
    }

    /// Waits for what is to be printed next. `None` once it is closed and all is printed. Blocks.
    pub fn next(&self) -> Option<Next> {
        let mut waiting = self.lock();
        loop {
            if let Some(shown) = waiting.shown.pop_front() {
                waiting.bytes -= cost(&shown);
                return Some(Next::Shown(shown));
            }
            if waiting.missed > 0 {
                return Some(Next::Missed(std::mem::take(&mut waiting.missed)));
            }
            if waiting.is_closed {
                return None;
            }
            waiting = self.0.stirred.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Says that nothing more will come.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.0.stirred.notify_all();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cost(shown: &Shown) -> usize {
    size_of::<Shown>() + shown.bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> Shown {
        Shown {
            at: SystemTime::UNIX_EPOCH,
            on: Arc::new("tcp://127.0.0.1:1".parse().unwrap()),
            from: Peer::Local,
            bytes: text.into(),
            is_cut: false,
        }
    }

    #[test]
    fn what_finds_no_room_is_counted_and_told_where_it_is_missing() {
        let way = Showcase::new(2 * cost(&shown("a")));
        for text in ["a", "b", "c", "d"] {
            way.show(shown(text));
        }
        assert_eq!(way.next(), Some(Next::Shown(shown("a"))));
        // There is room again, but the gap comes first.
        way.show(shown("e"));
        assert_eq!(way.next(), Some(Next::Shown(shown("b"))));
        assert_eq!(way.next(), Some(Next::Missed(3)));
        way.show(shown("f"));
        way.close();
        assert_eq!(way.next(), Some(Next::Shown(shown("f"))));
        assert_eq!(way.next(), None);
    }

    #[test]
    fn a_gap_is_told_before_what_comes_behind_it_even_if_all_before_it_is_printed() {
        let way = Showcase::new(cost(&shown("a")));
        way.show(shown("a"));
        way.show(shown("b"));
        assert_eq!(way.next(), Some(Next::Shown(shown("a"))));
        way.show(shown("c"));
        assert_eq!(way.next(), Some(Next::Missed(2)));
        way.show(shown("d"));
        assert_eq!(way.next(), Some(Next::Shown(shown("d"))));
    }

    #[test]
    fn who_waits_is_woken() {
        let way = Showcase::new(1 << 10);
        let printer = std::thread::spawn({
            let way = way.clone();
            move || (way.next(), way.next())
        });
        way.show(shown("a"));
        way.close();
        assert_eq!(printer.join().unwrap(), (Some(Next::Shown(shown("a"))), None));
    }
}
