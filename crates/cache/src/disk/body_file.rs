//! A body in a file of its own, to be read.
//!
//! *Shape*: the body, then the sum of each chunk of 256 KiB of it, 8 bytes each. The sum of these
//! sums and the length are in the object's record, so a body can be held against them from any point
//! on, a chunk at a time.

use std::{
    any::Any,
    fs::File,
    io,
    ops::Range,
    os::unix::fs::FileExt,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use super::{secret::Secret, segment::read_from_memory};

/// How many bytes of a body have a sum of their own.
pub(super) const CHUNK_BYTES: u64 = 256 << 10;

/// An object's body in its file, which stays while somebody has this.
#[derive(Debug)]
pub struct BodyFile {
    pub(super) number: u32,
    file: Arc<File>,
    len: u64,
    sums: Box<[u64]>,
    /// Chunks that were found to be what their sums say.
    verified: Box<[AtomicBool]>,
    secret: Secret,
    /// What its reader keeps with it.
    beside: OnceLock<Arc<dyn Any + Send + Sync>>,
}

impl BodyFile {
    /// Takes `file` for a body of so many bytes, the sum of whose sums is `sum`.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::InvalidData`] if it is not that body.
    pub(super) fn open(
        number: u32,
        file: File,
        (len, sum): (u64, u64),
        secret: &Secret,
    ) -> io::Result<Self> {
        let count = chunks(len)?;
        if file.metadata()?.len() != len + count as u64 * 8 {
            return Err(not_it());
        }
        let mut bytes = vec![0; count * 8];
        file.read_exact_at(&mut bytes, len)?;
        if secret.sum_about(len, &bytes) != sum {
            return Err(not_it());
        }
        let word = |word: &[u8]| u64::from_le_bytes(word.try_into().expect("eight bytes"));
        let sums = bytes.chunks_exact(8).map(word).collect();
        Ok(Self::of(number, (Arc::new(file), len), sums, secret))
    }

    /// A body of `len` bytes in `file`, the sums of whose chunks are these.
    pub(super) fn of(
        number: u32,
        (file, len): (Arc<File>, u64),
        sums: Box<[u64]>,
        secret: &Secret,
    ) -> Self {
        let verified = sums.iter().map(|_| AtomicBool::new(false)).collect();
        let (secret, beside) = (secret.clone(), OnceLock::new());
        Self { number, file, len, sums, verified, secret, beside }
    }

    /// How many bytes the body has.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The file, in which the body stands from the start on. What is sent from it is right if it was
    /// [checked](Self::check) before.
    pub fn file(&self) -> &Arc<File> {
        &self.file
    }

    /// What its reader keeps with it for as long as it is open: what `make` made first.
    ///
    /// # Errors
    ///
    /// Those of `make`.
    ///
    /// # Panics
    ///
    /// If it is asked for different kinds of things.
    pub fn beside<T, E>(&self, make: impl FnOnce(&Arc<File>) -> Result<T, E>) -> Result<Arc<T>, E>
    where
        T: Send + Sync + 'static,
    {
        let kept = if let Some(kept) = self.beside.get() {
            kept
        } else {
            let new: Arc<dyn Any + Send + Sync> = Arc::new(make(&self.file)?);
            self.beside.get_or_init(|| new)
        };
        Ok(Arc::clone(kept).downcast().expect("one reader has one kind of thing"))
    }

    /// Says that all of it is right, as it was written just now.
    pub(super) fn is_right(&self) {
        for chunk in &self.verified {
            chunk.store(true, Ordering::Release);
        }
    }

    /// Whether all of it was found to be right.
    pub(super) fn was_right(&self) -> bool {
        self.verified.iter().all(|chunk| chunk.load(Ordering::Acquire))
    }

    /// How many bytes from `offset` on were found to be right.
    pub fn checked_from(&self, offset: u64) -> u64 {
        let first = usize::try_from(offset / CHUNK_BYTES).unwrap_or(usize::MAX);
        let chunks = self.verified.iter().skip(first);
        let right = chunks.take_while(|chunk| chunk.load(Ordering::Acquire)).count();
        let end = (offset / CHUNK_BYTES + right as u64) * CHUNK_BYTES;
        end.min(self.len).saturating_sub(offset)
    }

    /// Holds a part of the body against its sums, as far as that was not done before.
    ///
    /// *Cost*: of what was not, a read and a sum of each chunk that the part touches.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::InvalidData`] if they differ; else what the system says. The object should
    /// be given up then: [`Found::give_up`](super::Found::give_up).
    pub fn check(&self, part: Range<u64>) -> io::Result<()> {
        let part = part.start.min(self.len)..part.end.min(self.len);
        if part.is_empty() {
            return Ok(());
        }
        let (first, last) = (part.start / CHUNK_BYTES, (part.end - 1) / CHUNK_BYTES);
        for number in first..=last {
            let at = usize::try_from(number).expect("a chunk");
            if self.verified[at].load(Ordering::Acquire) {
                continue;
            }
            let start = number * CHUNK_BYTES;
            let len = usize::try_from(CHUNK_BYTES.min(self.len - start)).expect("a chunk");
            let mut bytes = vec![0; len];
            self.file.read_exact_at(&mut bytes, start)?;
            if self.secret.sum(&bytes) != self.sums[at] {
                return Err(not_it());
            }
            self.verified[at].store(true, Ordering::Release);
        }
        Ok(())
    }

    /// Reads from `offset` on what fits in `out`, checked; 0 behind the end.
    ///
    /// # Errors
    ///
    /// As [`Self::check`].
    pub fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.len.saturating_sub(offset);
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(out.len());
        self.check(offset..offset + len as u64)?;
        self.file.read_exact_at(&mut out[..len], offset)?;
        Ok(len)
    }

    /// The same of what is checked and the system has in its memory: some of it, or all.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if it is to be waited for; else what the system says.
    pub(crate) fn read_now(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let left = self.len.saturating_sub(offset);
        let checked = usize::try_from(self.checked_from(offset)).unwrap_or(usize::MAX);
        match checked.min(out.len()) {
            0 if left > 0 => Err(io::ErrorKind::WouldBlock.into()),
            0 => Ok(0),
            len => read_from_memory(&self.file, &mut out[..len], offset),
        }
    }
}

/// How many chunks a body of `len` bytes has.
fn chunks(len: u64) -> io::Result<usize> {
    usize::try_from(len.div_ceil(CHUNK_BYTES)).map_err(|_| not_it())
}

/// How many bytes the file of a body of `len` bytes has.
pub(super) fn file_len(len: u64) -> u64 {
    len.saturating_add(len.div_ceil(CHUNK_BYTES).saturating_mul(8))
}

pub(super) fn not_it() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "the body is not what was stored")
}
