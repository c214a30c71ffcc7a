//! Memory for bytes on their way. A connection has some only while its bytes wait.

use std::cell::RefCell;

/// The sizes of buffers: little for what trickles, much for what flows.
///
/// With many connections 16 KiB was best, which stay in the processor's cache; with one, 256 KiB.
const SIZES: [usize; 3] = [16 << 10, 64 << 10, 256 << 10];

/// How many buffers of each size a core keeps for the next.
const SPARE_MAX: [usize; 3] = [16, 8, 4];

thread_local! {
    static SPARE: RefCell<[Vec<Box<[u8]>>; 3]> =
        const { RefCell::new([Vec::new(), Vec::new(), Vec::new()]) };
}

/// How much is likely to come at once, as far as the last reads tell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Size(u8);

/// Memory, some of which holds bytes. Goes back to its core when dropped.
#[derive(Debug)]
pub(super) struct Buffer {
    room: Box<[u8]>,
    size: Size,
    /// What is held. `start <= end <= room.len()`.
    start: usize,
    end: usize,
}

impl Size {
    /// What is known of a connection that begins.
    pub(super) const LEAST: Self = Self(0);
    const MOST: Self = Self(2);

    fn place(self) -> usize {
        usize::from(self.0)
    }

    fn bytes(self) -> usize {
        SIZES[self.place()]
    }

    /// What is likely after `read` bytes came into a buffer of this size.
    pub(super) fn after(self, read: usize) -> Self {
        if read == self.bytes() {
            Self(self.0 + 1).min(Self::MOST)
        } else if read < self.bytes() / 8 {
            Self(self.0.saturating_sub(1))
        } else {
            self
        }
    }

    /// Whether as much came as a buffer of the largest size holds a good part of.
    pub(super) fn is_most(self) -> bool {
        self == Self::MOST
    }
}

impl Buffer {
    /// An empty buffer.
    pub(super) fn take(size: Size) -> Self {
        let spare = SPARE.with_borrow_mut(|spare| spare[size.place()].pop());
        let room = spare.unwrap_or_else(|| vec![0; size.bytes()].into());
        Self { room, size, start: 0, end: 0 }
    }

    /// A buffer of just what is in `bytes`.
    pub(super) fn of(bytes: Vec<u8>) -> Self {
        let end = bytes.len();
        Self { room: bytes.into(), size: Size::LEAST, start: 0, end }
    }

    /// The whole of it, to be read into from its beginning.
    pub(super) fn room(&mut self) -> &mut [u8] {
        &mut self.room
    }

    /// What is behind what it holds, to be read into.
    pub(super) fn rest(&mut self) -> &mut [u8] {
        &mut self.room[self.end..]
    }

    /// `bytes` more were read into its rest.
    pub(super) fn grew(&mut self, bytes: usize) {
        self.end += bytes;
        debug_assert!(self.end <= self.room.len(), "no more than there is room for");
    }

    /// `bytes` were read into its room.
    pub(super) fn filled(&mut self, bytes: usize) {
        debug_assert!(bytes <= self.room.len(), "no more than there is room for");
        (self.start, self.end) = (0, bytes);
    }

    /// What it holds.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.room[self.start..self.end]
    }

    /// The first `bytes` of what it held went on.
    pub(super) fn took(&mut self, bytes: usize) {
        self.start += bytes;
        debug_assert!(self.start <= self.end, "no more than it held");
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        // Not what was made for just what it held, and not at a thread's end.
        if self.room.len() != self.size.bytes() {
            return;
        }
        _ = SPARE.try_with(|spare| {
            let spare = &mut spare.borrow_mut()[self.size.place()];
            if spare.len() < SPARE_MAX[self.size.place()] {
                spare.push(std::mem::take(&mut self.room));
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_fills_a_buffer_gets_a_larger_one_and_what_trickles_a_smaller() {
        let check = |reads: &[usize], expect| {
            let size = reads.iter().fold(Size::LEAST, |size, &read| size.after(read));
            assert_eq!(size.bytes() >> 10, expect, "{reads:?}");
        };
        let [small, middle, large] = SIZES;
        check(&[], 16);
        check(&[64], 16);
        check(&[small], 64);
        check(&[small, middle], 256);
        check(&[small, middle, large, large], 256);
        check(&[small, middle, large / 2], 256);
        check(&[small, middle, 1000], 64);
        check(&[small, middle, 1000, 1000, 1000], 16);
    }

    #[test]
    fn buffers_are_used_again_and_few_are_kept() {
        let spare = || SPARE.with_borrow(|spare| spare.each_ref().map(Vec::len));
        let many: Vec<_> = (0..40).map(|_| Buffer::take(Size::LEAST)).collect();
        assert_eq!(spare(), [0; 3]);
        drop(many);
        assert_eq!(spare(), [SPARE_MAX[0], 0, 0]);
        drop(Buffer::take(Size::MOST));
        let mut buffer = Buffer::take(Size::MOST);
        assert_eq!(spare(), [SPARE_MAX[0], 0, 0]);
        buffer.room()[..3].copy_from_slice(b"abc");
        buffer.filled(3);
        buffer.took(1);
        assert_eq!(buffer.bytes(), b"bc");
        drop((buffer, Buffer::of(b"x".to_vec())));
        assert_eq!(spare(), [SPARE_MAX[0], 0, 1]);
    }
}
