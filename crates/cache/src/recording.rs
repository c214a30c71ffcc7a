//! A response that is stored as it comes.

use std::sync::Arc;

use http::{HeaderMap, StatusCode};

use crate::{
    cache_status::CacheStatus,
    joining::{Part, stored_with},
    key::Key,
    part::Generation,
    room::{Full, Held, Room},
    store::{Outcome, Store},
    stored::{Revalidation, Stored},
    stored_body::StoredBody,
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
    pub _revalidation: Option<Revalidation>,
}

#[derive(Debug)]
pub(crate) struct RecordedHead {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub terms: Terms,
    pub selecting: Selecting,
    /// What `Content-Length` says.
    pub declared: Option<u64>,
    /// Where the body stands in the whole, if it is a part.
    pub part: Option<Part>,
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
        match self.tape.held {
            Ok(_) => Recorded::On,
            Err(_) => Recorded::GaveUp,
        }
    }

    /// Stores the response: its body has come, all of it.
    pub fn finish(self) -> Outcome {
        self.kept().map_or_else(|why| why, |(_, outcome)| outcome)
    }

    /// The same: what it became, whether it is stored or not.
    ///
    /// # Errors
    ///
    /// Why there is no such thing.
    pub(crate) fn finish_stored(self) -> Result<Arc<Stored>, Outcome> {
        self.kept().map(|(stored, _)| stored)
    }

    fn kept(self) -> Result<(Arc<Stored>, Outcome), Outcome> {
        let Self { store, place, mut head, tape, .. } = self;
        let Place { key, since, instead_of, _revalidation } = place;
        let body = tape.end(head.declared)?;
        let stored = match head.part.take() {
            None => {
                let how = (head.terms, head.selecting);
                Stored::new(head.status, &head.headers, body, how)
            }
            Some(part) => {
                let older = store.alike(&key, &head.selecting);
                let how = (head.terms, head.selecting);
                stored_with(older.as_deref(), (&head.headers, how), part, body)
                    .ok_or(Outcome::CutShort)?
            }
        };
        let stored = Arc::new(stored);
        let outcome = store.keep((&key, since), &stored, instead_of.as_ref());
        Ok((stored, outcome))
    }

    /// What `Cache-Status` says with the response, as it is passed on. What will become of a body
    /// whose length nobody declared is not known then: it is said to be stored.
    pub fn cache_status(&self) -> CacheStatus {
        self.cache_status
    }
}

/// A body that comes, as far as it came.
#[derive(Debug)]
pub(crate) struct Tape {
    /// What came, or why it is not held.
    held: Result<Held, Outcome>,
    /// No more bytes are held.
    object_max: u64,
}

impl Tape {
    /// A tape for a body of so many bytes, if it is known.
    ///
    /// # Errors
    ///
    /// Why it will not be held, if that is known already.
    pub(crate) fn new(
        declared: Option<u64>,
        object_max: u64,
        room: Arc<Room>,
    ) -> Result<Self, Outcome> {
        let mut held = Held::none(room);
        if let Some(declared) = declared {
            if declared > object_max {
                return Err(Outcome::TooLarge);
            }
            held.take_room(declared).map_err(|Full| Outcome::NoRoom)?;
            held.reserve();
        }
        Ok(Self { held: Ok(held), object_max })
    }

    fn add(&mut self, bytes: &[u8]) {
        let Ok(held) = &self.held else { return };
        let len = held.len().saturating_add(bytes.len() as u64);
        if len > held.room() {
            // As vectors grow, too.
            self.take_room(len.max(held.room().saturating_mul(2)).min(self.object_max.max(len)));
        }
        if let Ok(held) = &mut self.held {
            held.add(bytes);
        }
    }

    /// Takes room for `len` bytes in all, or gives up.
    fn take_room(&mut self, len: u64) {
        let Ok(held) = &mut self.held else { return };
        if len > self.object_max {
            self.held = Err(Outcome::TooLarge);
        } else if held.take_room(len).is_err() {
            self.held = Err(Outcome::NoRoom);
        }
    }

    /// The body, if it is all there.
    fn end(self, declared: Option<u64>) -> Result<StoredBody, Outcome> {
        let held = self.held?;
        if declared.is_some_and(|declared| declared != held.len()) {
            return Err(Outcome::CutShort);
        }
        Ok(held.into_body())
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn a_tape_holds_no_more_than_one_object() {
        let room = room(1000);
        let mut tape = Tape::new(None, 10, Arc::clone(&room)).unwrap();
        tape.add(b"0123456789");
        assert_eq!(gave_up(&tape), None);
        tape.add(b"x");
        assert_eq!(gave_up(&tape), Some(Outcome::TooLarge));
        assert_eq!(room.left(), 1000);
        assert_eq!(tape.end(None).unwrap_err(), Outcome::TooLarge);
        assert_eq!(Tape::new(Some(11), 10, Arc::clone(&room)).err(), Some(Outcome::TooLarge));
    }

    #[test]
    fn all_tapes_hold_no_more_than_there_is_room() {
        let room = room(10);
        let one = Tape::new(Some(6), 100, Arc::clone(&room)).unwrap();
        let mut two = Tape::new(None, 100, Arc::clone(&room)).unwrap();
        assert_eq!(Tape::new(Some(5), 100, Arc::clone(&room)).err(), Some(Outcome::NoRoom));
        two.add(b"0123");
        assert_eq!((gave_up(&two), room.left()), (None, 0));
        two.add(b"4");
        assert_eq!((gave_up(&two), room.left()), (Some(Outcome::NoRoom), 4));
        drop(one);
        assert_eq!(room.left(), 10);
    }

    #[test]
    fn a_body_is_as_long_as_it_says() {
        let end = |declared| {
            let mut tape = Tape::new(declared, 100, room(100)).unwrap();
            tape.add(b"012");
            tape.add(b"34");
            tape.end(declared).map(|body| body.bytes().clone())
        };
        assert_eq!(end(None), Ok(Bytes::from_static(b"01234")));
        assert_eq!(end(Some(5)), Ok(Bytes::from_static(b"01234")));
        assert_eq!(end(Some(6)), Err(Outcome::CutShort));
        assert_eq!(end(Some(4)), Err(Outcome::CutShort));
    }

    fn room(bytes: u64) -> Arc<Room> {
        Arc::new(Room::of(bytes))
    }

    fn gave_up(tape: &Tape) -> Option<Outcome> {
        tape.held.as_ref().err().copied()
    }
}
