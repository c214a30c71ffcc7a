//! A response that is stored as it comes.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::{
    cache_status::CacheStatus,
    key::Key,
    store::{Generation, Outcome, Store},
    stored::{Errand, Stored},
    terms::Terms,
    vary::Selecting,
};

/// A response on its way into the store. It gets there by [`finish`](Self::finish) and in no other
/// way: what is dropped before, was cut off, and is forgotten.
#[derive(Debug)]
pub struct Recording {
    pub(crate) store: Arc<Store>,
    pub(crate) place: Place,
    pub(crate) head: RecordedHead,
    pub(crate) tape: Tape,
    pub(crate) cache_status: CacheStatus,
}

/// Where a response goes to.
#[derive(Debug)]
pub(crate) struct Place {
    pub key: Key,
    pub since: Generation,
    /// What it was asked for to replace.
    pub instead_of: Option<Arc<Stored>>,
    /// Held until it is there.
    pub _errand: Option<Errand>,
}

#[derive(Debug)]
pub(crate) struct RecordedHead {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub terms: Terms,
    pub selecting: Selecting,
    /// What `Content-Length` says.
    pub declared: Option<u64>,
}

/// Whether a response is still being recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recorded {
    /// It is.
    On,
    /// It is not any more, and need not be added to: it is too large, or there is no room.
    GaveUp,
}

impl Recording {
    /// Adds what came of the body.
    pub fn add(&mut self, bytes: &[u8]) -> Recorded {
        self.tape.add(bytes);
        match self.tape.gave_up {
            None => Recorded::On,
            Some(_) => Recorded::GaveUp,
        }
    }

    /// Stores the response: its body has come, all of it.
    pub fn finish(self) -> Outcome {
        let Self { store, place, head, tape, .. } = self;
        let body = match tape.end(head.declared) {
            Ok(body) => body,
            Err(outcome) => return outcome,
        };
        let how = (head.terms, head.selecting);
        let stored = Stored::new(head.status, &head.headers, body, how);
        let Place { key, since, instead_of, _errand } = place;
        store.keep((&key, since), &Arc::new(stored), instead_of.as_ref())
    }

    /// What `Cache-Status` says with the response, as it is passed on.
    pub fn cache_status(&self) -> CacheStatus {
        self.cache_status
    }
}

/// A body that comes, as far as it came.
#[derive(Debug)]
pub(crate) struct Tape {
    held: Held,
    /// `held.bytes.len() <= object_max`
    object_max: u64,
    gave_up: Option<Outcome>,
}

/// The bytes of a body, and the room that they take for as long as anybody has them: the store, or a
/// client that is slow to take them, which is no reason to have as many again.
#[derive(Debug)]
pub(crate) struct Held {
    bytes: Vec<u8>,
    /// Bytes of `room` that are ours: `bytes.len() <= taken`, unless it was given up.
    taken: u64,
    room: Arc<Room>,
}

/// What the holding of a body takes besides its bytes: a [`Held`], and the counter of its holders.
pub(crate) const HELD_BYTES: usize = size_of::<Held>() + 16;

/// How many bytes all bodies together may have.
#[derive(Debug)]
pub(crate) struct Room {
    left: AtomicU64,
}

impl Room {
    /// Room for so many bytes.
    pub(crate) fn of(bytes: u64) -> Self {
        Self { left: AtomicU64::new(bytes) }
    }

    /// Takes so many bytes of it, if they are there.
    fn take(&self, bytes: u64) -> Option<()> {
        let less = |left: u64| left.checked_sub(bytes);
        let took = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        took.is_ok().then_some(())
    }

    fn give_back(&self, bytes: u64) {
        self.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Tape {
    /// A tape for a body of so many bytes, if it is known.
    pub(crate) fn new(declared: Option<u64>, object_max: u64, room: Arc<Room>) -> Self {
        let held = Held { bytes: Vec::new(), taken: 0, room };
        let mut tape = Self { held, object_max, gave_up: None };
        if let Some(declared) = declared {
            tape.hold(declared);
            if tape.gave_up.is_none() {
                // Not touched, it is not there: it costs nothing until it is written to.
                tape.held.bytes.reserve_exact(usize::try_from(declared).unwrap_or_default());
            }
        }
        tape
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.gave_up.is_some() {
            return;
        }
        let len = (self.held.bytes.len() as u64).saturating_add(bytes.len() as u64);
        if len > self.held.taken {
            // As vectors grow, too.
            self.hold(len.max(self.held.taken.saturating_mul(2)).min(self.object_max.max(len)));
        }
        if self.gave_up.is_none() {
            self.held.bytes.extend_from_slice(bytes);
        }
    }

    /// Gets room for `len` bytes in all, or gives up.
    fn hold(&mut self, len: u64) {
        if len > self.object_max {
            return self.give_up(Outcome::TooLarge);
        }
        let more = len.saturating_sub(self.held.taken);
        match self.held.room.take(more) {
            Some(()) => self.held.taken += more,
            None => self.give_up(Outcome::NoRoom),
        }
    }

    fn give_up(&mut self, why: Outcome) {
        self.gave_up = Some(why);
        self.held.bytes = Vec::new();
        self.held.keep(0);
    }

    /// The body, if it is all there.
    fn end(self, declared: Option<u64>) -> Result<Bytes, Outcome> {
        let Self { mut held, gave_up, .. } = self;
        if let Some(why) = gave_up {
            return Err(why);
        }
        let len = held.bytes.len() as u64;
        if declared.is_some_and(|declared| declared != len) {
            return Err(Outcome::CutShort);
        }
        held.bytes.shrink_to_fit();
        held.keep(len);
        Ok(Bytes::from_owner(held))
    }
}

impl Held {
    /// Gives back all room but for so many bytes.
    fn keep(&mut self, bytes: u64) {
        self.room.give_back(self.taken.saturating_sub(bytes));
        self.taken = self.taken.min(bytes);
    }
}

impl AsRef<[u8]> for Held {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.keep(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_holds_no_more_than_one_object() {
        let room = room(1000);
        let mut tape = Tape::new(None, 10, Arc::clone(&room));
        tape.add(b"0123456789");
        assert_eq!(tape.gave_up, None);
        tape.add(b"x");
        assert_eq!(tape.gave_up, Some(Outcome::TooLarge));
        assert_eq!(left(&room), 1000);
        assert_eq!(tape.end(None), Err(Outcome::TooLarge));
        let declared = Tape::new(Some(11), 10, Arc::clone(&room));
        assert_eq!(declared.gave_up, Some(Outcome::TooLarge));
    }

    #[test]
    fn all_tapes_hold_no_more_than_there_is_room() {
        let room = room(10);
        let one = Tape::new(Some(6), 100, Arc::clone(&room));
        let mut two = Tape::new(None, 100, Arc::clone(&room));
        two.add(b"0123");
        assert_eq!((two.gave_up, left(&room)), (None, 0));
        two.add(b"4");
        assert_eq!((two.gave_up, left(&room)), (Some(Outcome::NoRoom), 4));
        drop(one);
        assert_eq!(left(&room), 10);
    }

    #[test]
    fn a_body_is_as_long_as_it_says() {
        let end = |declared| {
            let mut tape = Tape::new(declared, 100, room(100));
            tape.add(b"012");
            tape.add(b"34");
            tape.end(declared)
        };
        assert_eq!(end(None), Ok(Bytes::from_static(b"01234")));
        assert_eq!(end(Some(5)), Ok(Bytes::from_static(b"01234")));
        assert_eq!(end(Some(6)), Err(Outcome::CutShort));
        assert_eq!(end(Some(4)), Err(Outcome::CutShort));
    }

    #[test]
    fn what_is_over_gives_its_room_back_when_all_are_done_with_it() {
        let room = room(100);
        for len in [1, 7, 50] {
            let mut tape = Tape::new(None, 100, Arc::clone(&room));
            tape.add(&vec![0; len]);
            let body = tape.end(None).unwrap();
            let part = body.slice(..1);
            assert_eq!((body.len(), left(&room)), (len, 100 - len as u64));
            drop(body);
            assert_eq!(left(&room), 100 - len as u64);
            drop(part);
            assert_eq!(left(&room), 100);
        }
    }

    fn room(bytes: u64) -> Arc<Room> {
        Arc::new(Room::of(bytes))
    }

    fn left(room: &Room) -> u64 {
        room.left.load(Ordering::Relaxed)
    }
}
