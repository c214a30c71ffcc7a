//! What waits to be told to one client, which takes it at its own pace.

use std::{
    collections::VecDeque,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use bytes::Bytes;

use crate::{
    json,
    protocol::{Event, Told},
};

/// Something told, spelled once for all who are told it.
pub(crate) struct Spoken {
    /// A frame, its line end included.
    pub(crate) json: Bytes,
    /// What it says, for those who read something else.
    pub(crate) told: Told,
}

/// Without the frame: there may be a token in it.
impl fmt::Debug for Spoken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Spoken").field("told", &self.told).finish_non_exhaustive()
    }
}

impl Spoken {
    pub(crate) fn new(told: Told) -> Arc<Self> {
        let mut json = Vec::with_capacity(256);
        json::write(&told, &mut json);
        Arc::new(Self { json: json.into(), told })
    }

    /// Whether there are words for people in its frame, which are in English.
    pub(crate) fn is_in_words(&self) -> bool {
        matches!(self.told, Told::Answer { answer: Err(_), .. } | Told::Event(Event::Bye(_)))
    }

    /// Whether somebody asked for it.
    pub(crate) fn is_answer(&self) -> bool {
        matches!(self.told, Told::Answer { .. })
    }
}

/// What waits for one client. Filled by the hall, emptied by the client's own task.
#[derive(Debug)]
pub(crate) struct Outbox {
    waiting: Mutex<Waiting>,
    bytes_max: usize,
}

#[derive(Debug, Default)]
struct Waiting {
    spoken: VecDeque<Arc<Spoken>>,
    /// Events that wait for older ones to be told first.
    held: VecDeque<Arc<Spoken>>,
    /// For how many times they do.
    holds: usize,
    /// Of all of it, in JSON.
    bytes: usize,
    waker: Option<Waker>,
}

/// Whether there was room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pushed {
    Taken,
    Full,
}

impl Outbox {
    /// One in which events of at most so many bytes wait.
    pub(crate) fn new(bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { waiting: Mutex::default(), bytes_max })
    }

    /// Puts in an event, if there is room for it.
    pub(crate) fn push(&self, spoken: &Arc<Spoken>) -> Pushed {
        let mut waiting = self.waiting();
        if waiting.bytes + spoken.json.len() > self.bytes_max {
            return Pushed::Full;
        }
        waiting.push_behind(spoken);
        Pushed::Taken
    }

    /// Holds events back: older ones are to be told first, [anyway](Self::push_anyway).
    pub(crate) fn hold(&self) {
        self.waiting().holds += 1;
    }

    /// Lets go what was held back, once that was said as often as to hold it.
    pub(crate) fn release(&self) {
        let mut waiting = self.waiting();
        waiting.holds = waiting.holds.saturating_sub(1);
        if waiting.holds > 0 {
            return;
        }
        let held = std::mem::take(&mut waiting.held);
        if !held.is_empty() {
            waiting.spoken.extend(held);
            waiting.wake();
        }
    }

    /// Puts in what the client has to know, and of which there is never much: answers to what it asked,
    /// that it ends.
    pub(crate) fn push_anyway(&self, spoken: &Arc<Spoken>) {
        self.waiting().push(spoken);
    }

    /// The same of what is to be told behind the events that are held back.
    pub(crate) fn push_behind(&self, spoken: &Arc<Spoken>) {
        self.waiting().push_behind(spoken);
    }

    /// Takes out all that waits, as soon as something does.
    pub(crate) fn poll_take(
        &self,
        cx: &mut Context<'_>,
        taken: &mut VecDeque<Arc<Spoken>>,
    ) -> Poll<()> {
        let mut waiting = self.waiting();
        if waiting.spoken.is_empty() {
            if waiting.waker.as_ref().is_none_or(|waker| !waker.will_wake(cx.waker())) {
                waiting.waker = Some(cx.waker().clone());
            }
            return Poll::Pending;
        }
        taken.append(&mut waiting.spoken);
        // What waits seldom holds no memory.
        if taken.len() > KEPT_MAX {
            waiting.spoken = VecDeque::new();
        }
        let held = waiting.held.iter();
        waiting.bytes = held.map(|spoken| spoken.json.len()).sum();
        Poll::Ready(())
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        // Nothing that holds the lock can panic half-way through a change.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// For how many things room is kept.
const KEPT_MAX: usize = 64;

impl Waiting {
    fn push(&mut self, spoken: &Arc<Spoken>) {
        self.bytes += spoken.json.len();
        self.spoken.push_back(Arc::clone(spoken));
        self.wake();
    }

    fn push_behind(&mut self, spoken: &Arc<Spoken>) {
        if self.holds > 0 {
            self.held.push_back(Arc::clone(spoken));
            self.bytes += spoken.json.len();
        } else {
            self.push(spoken);
        }
    }

    fn wake(&mut self) {
        if let Some(waker) = self.waker.take() {
            waker.wake();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::{Answer, Place};

    fn typing(user: &str) -> Arc<Spoken> {
        let room = Place::Room("#lab".into());
        Spoken::new(Told::Event(Event::Typing { room, user: user.into(), on: true }))
    }

    #[test]
    fn older_events_go_before_those_that_are_held_back() {
        let outbox = Outbox::new(1 << 16);
        outbox.hold();
        outbox.hold();
        assert_eq!(outbox.push(&typing("new")), Pushed::Taken);
        outbox.release();
        assert_eq!(take(&outbox), None);
        outbox.push_anyway(&typing("old"));
        outbox.push_anyway(&typing("old"));
        assert_eq!(take(&outbox), Some(2));
        outbox.release();
        assert_eq!(outbox.push(&typing("newer")), Pushed::Taken);
        assert_eq!(take(&outbox), Some(2));
    }

    fn take(outbox: &Outbox) -> Option<usize> {
        let mut taken = VecDeque::new();
        let polled = outbox.poll_take(&mut Context::from_waker(Waker::noop()), &mut taken);
        polled.is_ready().then_some(taken.len())
    }

    #[test]
    fn what_waits_is_taken_at_once_and_in_its_order() {
        let outbox = Outbox::new(1 << 16);
        assert_eq!(take(&outbox), None);
        for user in ["ana", "bob"] {
            assert_eq!(outbox.push(&typing(user)), Pushed::Taken);
        }
        assert_eq!((take(&outbox), take(&outbox)), (Some(2), None));
    }

    #[test]
    fn who_takes_nothing_gets_no_more_events_but_its_answers() {
        let one = typing("ana");
        let outbox = Outbox::new(one.json.len() * 2);
        assert_eq!(
            [(); 3].map(|()| outbox.push(&one)),
            [Pushed::Taken, Pushed::Taken, Pushed::Full]
        );
        let answer = Told::Answer { re: Some(1), answer: Ok(Answer::Done) };
        outbox.push_anyway(&Spoken::new(answer));
        assert_eq!(take(&outbox), Some(3));
        assert_eq!(outbox.push(&one), Pushed::Taken);
    }
}
