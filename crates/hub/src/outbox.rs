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
    wire::{Tried, Wire},
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
    /// On what frames are told at once.
    wire: Option<Arc<Wire>>,
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
    /// Whether its session waits, and has told all that it began to tell: others may tell something then.
    is_lent: bool,
    /// How many bytes they told, or began to tell.
    told_at_once: u64,
    /// Whether they began to tell something, and its session does not know.
    has_begun: bool,
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
        Self::on(None, bytes_max)
    }

    /// The same of who is told things on `wire`.
    pub(crate) fn on(wire: Option<Arc<Wire>>, bytes_max: usize) -> Arc<Self> {
        Arc::new(Self { waiting: Mutex::default(), wire, bytes_max })
    }

    /// Has others tell frames on the wire, just as they are, where nothing waits. Its session tells
    /// nothing until it [has it back](Self::have_back).
    pub(crate) fn lend(&self) {
        self.waiting().is_lent = self.wire.is_some();
    }

    /// Nobody but the session tells anything from here on.
    pub(crate) fn have_back(&self) {
        self.waiting().is_lent = false;
    }

    /// How many bytes others told on the wire, or began to.
    pub(crate) fn told_at_once(&self) -> u64 {
        self.waiting().told_at_once
    }

    /// Tells an event here and now, if its session lent the wire and nothing waits; else puts it in.
    ///
    /// *Cost*: a call of the system. What wakes a session, and has it tell one event, is twice that.
    pub(crate) fn push_at_once(&self, spoken: &Arc<Spoken>) -> Pushed {
        let mut waiting = self.waiting();
        if let Some(wire) = self.wire.as_ref().filter(|_| waiting.is_idle()) {
            let tried = wire.try_tell(&spoken.json);
            if tried != Tried::Nothing {
                waiting.told_at_once += spoken.json.len() as u64;
                if tried == Tried::InPart {
                    waiting.have_finished();
                }
                return Pushed::Taken;
            }
        }
        waiting.push_if(spoken, self.bytes_max)
    }

    /// Puts in an event, if there is room for it.
    pub(crate) fn push(&self, spoken: &Arc<Spoken>) -> Pushed {
        self.waiting().push_if(spoken, self.bytes_max)
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

    /// Takes out all that waits, as soon as something does, be it the rest of what others began to tell: that is
    /// on the wire.
    pub(crate) fn poll_take(
        &self,
        cx: &mut Context<'_>,
        taken: &mut VecDeque<Arc<Spoken>>,
    ) -> Poll<()> {
        let mut waiting = self.waiting();
        let has_begun = std::mem::take(&mut waiting.has_begun);
        if waiting.spoken.is_empty() && !has_begun {
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
    /// Whether its session waits, and for nothing that is there already.
    fn is_idle(&self) -> bool {
        self.is_lent && self.spoken.is_empty() && self.holds == 0
    }

    /// Has its session tell the rest of what others began to tell.
    fn have_finished(&mut self) {
        (self.is_lent, self.has_begun) = (false, true);
        self.wake();
    }

    fn push_if(&mut self, spoken: &Arc<Spoken>, bytes_max: usize) -> Pushed {
        if self.bytes + spoken.json.len() > bytes_max {
            return Pushed::Full;
        }
        self.push_behind(spoken);
        Pushed::Taken
    }

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
mod tests;
