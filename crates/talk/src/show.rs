//! What a role shows where the server runs, on its way to whoever prints it.
//!
//! The way is bounded and nobody waits for it: a slow terminal never stops a dialogue. What finds no
//! room is dropped, and counted. But for what is received byte for byte: that waits its turn.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::SystemTime,
};

use relais_net::{Endpoint, Peer};
use tokio::sync::{Notify, Semaphore};

use crate::lines::LineEnd;

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
    /// Its line end.
    pub end: LineEnd,
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
    /// There is more room.
    eased: Notify,
    /// Whose turn it is to wait for room: of many, one is woken by it.
    turn: Semaphore,
}

/// `bytes` is what all of `shown` take.
#[derive(Debug, Default)]
struct Waiting {
    shown: VecDeque<Shown>,
    bytes: usize,
    missed: u64,
    is_closed: bool,
    /// Whether who prints has printed all, and waits for more.
    is_idle: bool,
}

impl Showcase {
    /// A way on which messages of `bytes_max` may wait, counted with what they take beside their
    /// text.
    pub fn new(bytes_max: usize) -> Self {
        let (waiting, stirred, eased) = (Mutex::default(), Condvar::new(), Notify::new());
        let turn = Semaphore::new(1);
        Self(Arc::new(Inner { bytes_max, waiting, stirred, eased, turn }))
    }

    /// Passes a message on, or drops it if there is no room; if nothing else waits, there is.
    pub fn show(&self, shown: Shown) {
        let mut waiting = self.lock();
        if self.has_room(&waiting, &shown) {
            return self.put(waiting, shown);
        }
        let is_waited_for = waiting.shown.is_empty() && waiting.missed == 0;
        waiting.missed += 1;
        drop(waiting);
        if is_waited_for {
            self.0.stirred.notify_one();
        }
    }

    /// Passes a message on once there is room, and what others passed on before; if nothing else waits, there
    /// is. Once the way is closed nobody wants it any more.
    ///
    /// Cancel safe: what is not waited for is not passed on.
    pub async fn show_in_turn(&self, shown: Shown) {
        let _turn = self.0.turn.acquire().await.expect("an open semaphore");
        loop {
            let eased = self.0.eased.notified();
            {
                let waiting = self.lock();
                if waiting.is_closed {
                    return;
                }
                if self.has_room(&waiting, &shown) {
                    return self.put(waiting, shown);
                }
            }
            eased.await;
        }
    }

    /// Waits until all that was passed on is printed.
    ///
    /// Cancel safe.
    pub async fn printed(&self) {
        loop {
            let eased = self.0.eased.notified();
            let is_printed = {
                let waiting = self.lock();
                waiting.is_closed || waiting.is_idle && waiting.missed == 0
            };
            if is_printed {
                return;
            }
            eased.await;
        }
    }

    fn has_room(&self, waiting: &Waiting, shown: &Shown) -> bool {
        let fits = waiting.bytes + cost(shown) <= self.0.bytes_max;
        // What was missed is told where it is missing: nothing comes before that.
        waiting.missed == 0 && (fits || waiting.shown.is_empty())
    }

    fn put(&self, mut waiting: MutexGuard<'_, Waiting>, shown: Shown) {
        // Who prints waits only where there is nothing: to wake it is a system call.
        let is_waited_for = waiting.shown.is_empty();
        waiting.bytes += cost(&shown);
        waiting.shown.push_back(shown);
        waiting.is_idle = false;
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
                self.0.eased.notify_waiters();
                return Some(Next::Shown(shown));
            }
            if waiting.missed > 0 {
                self.0.eased.notify_waiters();
                return Some(Next::Missed(std::mem::take(&mut waiting.missed)));
            }
            if waiting.is_closed {
                return None;
            }
            waiting.is_idle = true;
            self.0.eased.notify_waiters();
            waiting = self.0.stirred.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Says that nothing more will come.
    pub fn close(&self) {
        self.lock().is_closed = true;
        self.0.stirred.notify_all();
        self.0.eased.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn cost(shown: &Shown) -> usize {
    size_of::<Shown>() + shown.bytes.len()
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use tokio::task::JoinSet;

    use super::*;

    fn shown(text: &str) -> Shown {
        Shown {
            at: SystemTime::UNIX_EPOCH,
            on: Arc::new("tcp://127.0.0.1:1".parse().unwrap()),
            from: Peer::Local,
            bytes: text.into(),
            end: LineEnd::None,
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
    fn what_is_longer_than_there_is_room_for_is_shown_where_nothing_else_waits() {
        let way = Showcase::new(cost(&shown("a")));
        for text in ["a longer one", "b"] {
            way.show(shown(text));
        }
        assert_eq!(way.next(), Some(Next::Shown(shown("a longer one"))));
        assert_eq!(way.next(), Some(Next::Missed(1)));
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

    #[tokio::test]
    async fn what_waits_its_turn_is_not_missed() {
        let way = Showcase::new(cost(&shown("a")));
        way.show_in_turn(shown("longer than there is room for")).await;
        let others = ["b", "c"].map(|text| tokio::spawn(showing(way.clone(), text)));
        tokio::task::yield_now().await;
        let mut found = Vec::new();
        while found.len() < 3 {
            if let Some(Next::Shown(next)) = way.next() {
                found.push(next.bytes.len());
            }
            tokio::task::yield_now().await;
        }
        assert_eq!(found, [29, 1, 1]);
        for other in others {
            other.await.unwrap();
        }
        // Nobody is kept by an end.
        way.show_in_turn(shown("a")).await;
        let late = tokio::spawn(showing(way.clone(), "too late"));
        tokio::task::yield_now().await;
        way.close();
        late.await.unwrap();
        assert!(matches!(way.next(), Some(Next::Shown(_))) && way.next().is_none());
    }

    #[tokio::test]
    async fn of_many_who_wait_one_is_woken_by_room_and_all_have_their_turns() {
        const COUNT: usize = 100;
        let way = Showcase::new(cost(&shown("a")));
        let polls = Arc::new(AtomicUsize::new(0));
        let mut others = JoinSet::new();
        for _ in 0..COUNT {
            let (mut showing, polls) = (Box::pin(showing(way.clone(), "a")), Arc::clone(&polls));
            others.spawn(poll_fn(move |cx| {
                polls.fetch_add(1, Ordering::Relaxed);
                showing.as_mut().poll(cx)
            }));
        }
        for _ in 0..COUNT {
            tokio::task::yield_now().await;
            assert!(matches!(way.next(), Some(Next::Shown(_))));
        }
        others.join_all().await;
        let polls = polls.load(Ordering::Relaxed);
        assert!(polls <= 3 * COUNT, "{polls}");
    }

    async fn showing(way: Showcase, text: &'static str) {
        way.show_in_turn(shown(text)).await;
    }

    #[test]
    fn who_waits_is_woken() {
        let way = Showcase::new(1 << 10);
        let printer = std::thread::spawn({
            let way = way.clone();
            move || (way.next(), way.next())
        });
        way.show(shown("a"));
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(way.printed());
        assert!(way.lock().shown.is_empty());
        way.close();
        assert_eq!(printer.join().unwrap(), (Some(Next::Shown(shown("a"))), None));
    }
}
