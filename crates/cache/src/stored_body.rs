//! The bytes of a stored body.

use std::ops::RangeInclusive;

use bytes::{Buf, Bytes};

use crate::memory::Memory;

/// A stored body, or a part of one.
#[derive(Clone, Debug)]
pub enum StoredBody {
    /// Memory as usual.
    Heap(Bytes),
    /// Memory that the kernel may be lent: long bodies have it, if the system gives any.
    Pages(Pages),
}

/// Bytes on pages of memory that have nothing else, that nobody writes to, and that go back to the
/// system when nobody has them any more. So the kernel may be told to send what is on them later,
/// and they may be let go of meanwhile: what an allocator takes back, the next would write to.
#[derive(Clone, Debug, Default)]
pub struct Pages(Bytes);

impl StoredBody {
    /// `bytes`, on pages if they are many; then they are copied. `guard` is dropped with the last of
    /// them.
    pub fn guarded(bytes: Vec<u8>, guard: impl Send + 'static) -> Self {
        Self::settled(Memory::Heap(bytes), guard)
    }

    /// The same of what is in `memory`, which is copied unless it is on pages that it fills.
    pub(crate) fn settled(memory: Memory, guard: impl Send + 'static) -> Self {
        let memory = memory.settled();
        let has_pages = matches!(memory, Memory::Pages(..));
        let bytes = Bytes::from_owner(Guarded { memory, _guard: guard });
        if has_pages { Self::Pages(Pages(bytes)) } else { Self::Heap(bytes) }
    }

    /// No bytes.
    pub(crate) fn nothing() -> Self {
        Self::Heap(Bytes::new())
    }

    /// Its bytes.
    pub fn bytes(&self) -> &Bytes {
        match self {
            Self::Heap(bytes) | Self::Pages(Pages(bytes)) => bytes,
        }
    }

    /// A part of it, which shares its memory.
    pub(crate) fn slice(&self, part: RangeInclusive<usize>) -> Self {
        match self {
            Self::Heap(bytes) => Self::Heap(bytes.slice(part)),
            Self::Pages(Pages(bytes)) => Self::Pages(Pages(bytes.slice(part))),
        }
    }
}

struct Guarded<G> {
    memory: Memory,
    _guard: G,
}

impl<G> AsRef<[u8]> for Guarded<G> {
    fn as_ref(&self) -> &[u8] {
        self.memory.bytes()
    }
}

impl Pages {
    /// What is on them.
    pub fn bytes(&self) -> &Bytes {
        &self.0
    }

    /// What is on them, where they are not to be lent.
    pub fn take(&mut self) -> Bytes {
        std::mem::take(&mut self.0)
    }

    /// Lets go of the first `count` bytes.
    ///
    /// # Panics
    ///
    /// If there are fewer.
    pub fn advance(&mut self, count: usize) {
        self.0.advance(count);
    }
}
