//! How many bytes all bodies together may have.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{memory::Memory, stored_body::StoredBody};

/// How many bytes all bodies together may have: those that are stored, those that come in, and those
/// that clients are not done with.
#[derive(Debug)]
pub(crate) struct Room {
    left: AtomicU64,
}

/// There is not so much room.
#[derive(Debug)]
pub(crate) struct Full;

impl Room {
    /// Room for so many bytes.
    pub(crate) fn of(bytes: u64) -> Self {
        Self { left: AtomicU64::new(bytes) }
    }

    /// How many bytes are left.
    pub(crate) fn left(&self) -> u64 {
        self.left.load(Ordering::Relaxed)
    }
}

/// The bytes of a body, and the room that they take for as long as anybody has them: the store, or a
/// client that is slow to take them, which is no reason to have as many again.
#[derive(Debug)]
pub(crate) struct Held {
    /// `memory.bytes().len() <= taken`
    memory: Memory,
    /// Bytes of `room` that are ours.
    taken: u64,
    room: Arc<Room>,
}

/// What is needed to hold a body besides its bytes: a [`Held`], and the counter of those who do.
pub(crate) const HELD_BYTES: usize = size_of::<Held>() + 16;

impl Held {
    /// None yet, in `room`.
    pub(crate) fn none(room: Arc<Room>) -> Self {
        Self { memory: Memory::Heap(Vec::new()), taken: 0, room }
    }

    /// Takes room for `len` bytes in all, for which there will be memory when they come.
    pub(crate) fn take_room(&mut self, len: u64) -> Result<(), Full> {
        let more = len.saturating_sub(self.taken);
        let less = |left: u64| left.checked_sub(more);
        let took = self.room.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
        took.map_err(|_| Full)?;
        self.taken += more;
        Ok(())
    }

    /// How many bytes there is room for.
    pub(crate) fn room(&self) -> u64 {
        self.taken
    }

    /// How many bytes came.
    pub(crate) fn len(&self) -> u64 {
        self.memory.bytes().len() as u64
    }

    /// What came.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.memory.bytes()
    }

    /// Makes ready for all there is room for. Not touched, that memory costs nothing.
    pub(crate) fn reserve(&mut self) {
        debug_assert!(self.len() == 0, "before any come");
        self.memory = Memory::expecting(usize::try_from(self.taken).unwrap_or_default());
    }

    /// Adds what came, for which there is room.
    pub(crate) fn add(&mut self, bytes: &[u8]) {
        self.memory.add(bytes);
        debug_assert!(self.len() <= self.taken, "room is taken first");
    }

    /// All that came, to be had by many. The room that is not needed is given back at once.
    pub(crate) fn into_body(mut self) -> StoredBody {
        let len = self.len();
        self.give_back(self.taken - len);
        let memory = std::mem::replace(&mut self.memory, Memory::Heap(Vec::new()));
        StoredBody::settled(memory, self)
    }

    fn give_back(&mut self, bytes: u64) {
        self.taken -= bytes;
        self.room.left.fetch_add(bytes, Ordering::Relaxed);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.give_back(self.taken);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::PAGES_BYTES_MIN;

    #[test]
    fn room_is_taken_until_all_are_done_with_what_is_there() {
        let room = Arc::new(Room::of(100));
        let mut held = Held::none(Arc::clone(&room));
        held.take_room(50).unwrap();
        held.take_room(20).unwrap();
        held.reserve();
        held.add(b"0123456789");
        assert_eq!((held.len(), held.room(), room.left()), (10, 50, 50));
        let StoredBody::Heap(body) = held.into_body() else { panic!("pages for ten bytes") };
        let part = body.slice(..1);
        assert_eq!(room.left(), 90);
        drop(body);
        assert_eq!(room.left(), 90);
        drop(part);
        assert_eq!(room.left(), 100);
    }

    #[test]
    fn a_long_body_is_on_pages_of_its_own_whether_it_was_expected_or_not() {
        let bytes: Vec<u8> = (0..=255).cycle().take(PAGES_BYTES_MIN).collect();
        for expected in [0, PAGES_BYTES_MIN - 1, PAGES_BYTES_MIN, 2 * PAGES_BYTES_MIN] {
            check(expected, &bytes, true);
            check(expected, &bytes[1..], false);
        }
    }

    #[track_caller]
    fn check(expected: usize, bytes: &[u8], has_pages: bool) {
        let mut held = Held::none(Arc::new(Room::of(1 << 20)));
        held.take_room(expected as u64).unwrap();
        held.reserve();
        held.take_room(bytes.len() as u64).unwrap();
        for part in bytes.chunks(1000) {
            held.add(part);
        }
        let body = held.into_body();
        assert_eq!(matches!(body, StoredBody::Pages(_)), has_pages);
        assert_eq!(body.bytes(), bytes);
    }

    #[test]
    fn there_is_no_more_than_there_is() {
        let room = Arc::new(Room::of(10));
        let (mut one, mut two) = (Held::none(Arc::clone(&room)), Held::none(Arc::clone(&room)));
        one.take_room(6).unwrap();
        assert!(two.take_room(5).is_err());
        two.take_room(4).unwrap();
        assert!(one.take_room(7).is_err());
        drop(one);
        assert_eq!((two.room(), room.left()), (4, 6));
    }
}
