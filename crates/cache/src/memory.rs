//! Where bodies are: from the allocator, or on pages of their own.

use memmap2::MmapMut;

/// Where a body is.
#[derive(Debug)]
pub(crate) enum Memory {
    Heap(Vec<u8>),
    /// Pages, and on how many of their bytes it is.
    Pages(MmapMut, usize),
}

/// A body of fewer bytes is not worth pages of its own: to copy it costs no more than to lend them.
pub(crate) const PAGES_BYTES_MIN: usize = 64 * 1024;

impl Memory {
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::Heap(bytes) => bytes,
            Self::Pages(pages, len) => &pages[..*len],
        }
    }

    /// Makes ready for `len` bytes, of which none came.
    pub(crate) fn expecting(len: usize) -> Self {
        let pages = if len < PAGES_BYTES_MIN { None } else { MmapMut::map_anon(len).ok() };
        // There may be none left: the system counts them for a process.
        pages.map_or_else(|| Self::Heap(Vec::with_capacity(len)), |pages| Self::Pages(pages, 0))
    }

    pub(crate) fn add(&mut self, more: &[u8]) {
        match self {
            Self::Heap(bytes) => bytes.extend_from_slice(more),
            Self::Pages(pages, len) => match pages.get_mut(*len..*len + more.len()) {
                Some(place) => {
                    place.copy_from_slice(more);
                    *len += more.len();
                }
                None => *self = Self::Heap([self.bytes(), more].concat()),
            },
        }
    }

    /// The same without room for more, and on pages if it is long.
    pub(crate) fn settled(self) -> Self {
        match self {
            Self::Pages(pages, len) if pages.len() == len => Self::Pages(pages, len),
            Self::Heap(mut bytes) if bytes.len() < PAGES_BYTES_MIN => {
                bytes.shrink_to_fit();
                Self::Heap(bytes)
            }
            memory => {
                let mut settled = Self::expecting(memory.bytes().len());
                settled.add(memory.bytes());
                settled
            }
        }
    }
}
