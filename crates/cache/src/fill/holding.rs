//! Where a body is held while it comes: in memory, or in a file if it is long and there is a disk.

use std::sync::Arc;

use bytes::Bytes;

use super::in_file::{COPY_BYTES_MAX, InFile};
use crate::{
    disk::{BodyReader, BodyWriter, Disk},
    outcome::Outcome,
    room::{Full, Held, Room},
    stored_body::StoredBody,
};

/// How much of one body is held, and where.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    /// No body that is held has more bytes.
    pub object_max: u64,
    /// In memory, none has more.
    pub memory_max: u64,
    /// Where longer ones go than this.
    pub disk: Option<(Arc<Disk>, u64)>,
}

/// A body, as far as it is held.
#[derive(Debug)]
pub(super) enum Holding {
    Memory(Held),
    /// So many bytes in a file, to which who writes the fill adds: see [`ToFile`].
    File(BodyReader, u64),
}

/// The file that a body is added to, if it has one. Who writes the fill has it alone and uses it
/// without the fill's lock, as a disk may take its time.
pub(crate) type ToFile = Option<Box<BodyWriter>>;

/// Where what comes next goes to.
#[derive(Debug)]
pub(super) enum Way {
    Memory,
    File,
    /// With what came before, to a file that is to be begun on this disk.
    Move(Arc<Disk>),
    /// It is not held.
    Not(Outcome),
}

/// Where what came was put, before it is added.
#[derive(Debug)]
pub(super) enum Put {
    /// It is to be held in memory, if that may be.
    Nowhere,
    /// Behind the rest in a file.
    File(BodyReader),
    /// It is not held.
    Not(Outcome),
}

/// A body of which all came.
#[derive(Debug)]
pub(crate) enum Whole {
    Memory(StoredBody),
    File(Box<BodyWriter>),
}

/// What there is behind so many bytes.
#[derive(Debug)]
pub(super) enum Next {
    Bytes(Bytes),
    /// It is to be read from there.
    File(InFile),
    /// Nothing yet.
    Later,
    /// Nothing any more.
    End,
    /// It is gone.
    Lost,
}

impl Limits {
    /// So many bytes, in memory.
    #[cfg(test)]
    pub(crate) fn memory(object_max: u64) -> Self {
        Self { object_max, memory_max: object_max, disk: None }
    }

    /// The disk for a body of so many bytes, if it is to have a file.
    fn disk(&self, len: u64) -> Option<&Arc<Disk>> {
        self.disk.as_ref().filter(|(_, min)| len > *min).map(|(disk, _)| disk)
    }
}

impl Holding {
    /// Makes ready for a body of so many bytes, if it is known.
    pub(super) fn new(
        declared: Option<u64>,
        limits: &Limits,
        room: Arc<Room>,
    ) -> Result<(Self, ToFile), Outcome> {
        let mut held = Held::none(room);
        let Some(declared) = declared else { return Ok((Self::Memory(held), None)) };
        if declared > limits.object_max {
            return Err(Outcome::TooLarge);
        }
        // A disk that fails says so where that is told; memory may do.
        let disk = limits.disk(declared);
        if let Some(writer) = disk.and_then(|disk| disk.begin_file(Some(declared)).ok()) {
            return Ok((Self::File(writer.reader(), 0), Some(Box::new(writer))));
        }
        if declared > limits.memory_max {
            return Err(Outcome::TooLarge);
        }
        held.take_room(declared).map_err(|Full| Outcome::NoRoom)?;
        held.reserve();
        Ok((Self::Memory(held), None))
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Memory(held) => held.len(),
            Self::File(_, len) => *len,
        }
    }

    /// Where `more` bytes go to.
    pub(super) fn way(&self, more: u64, limits: &Limits) -> Way {
        let len = self.len().saturating_add(more);
        match self {
            _ if len > limits.object_max => Way::Not(Outcome::TooLarge),
            Self::Memory(held) if len > held.room() => {
                limits.disk(len).map_or(Way::Memory, |disk| Way::Move(Arc::clone(disk)))
            }
            Self::Memory(_) => Way::Memory,
            Self::File(..) => Way::File,
        }
    }

    /// Adds what came, and was `put` there.
    ///
    /// # Errors
    ///
    /// Why it is not held; what was before still is.
    pub(super) fn add(&mut self, bytes: &[u8], put: Put, limits: &Limits) -> Result<(), Outcome> {
        let len = self.len().saturating_add(bytes.len() as u64);
        match (put, self) {
            (Put::Not(why), _) => Err(why),
            (Put::File(reader), held) => {
                *held = Self::File(reader, len);
                Ok(())
            }
            (Put::Nowhere, Self::Memory(held)) => {
                if len > held.room() {
                    make_room(held, len, limits.memory_max)?;
                }
                held.add(bytes);
                Ok(())
            }
            (Put::Nowhere, Self::File(..)) => Err(Outcome::NoRoom),
        }
    }

    /// What is held from `at` on, some of it, copied; or where it is to be read.
    pub(super) fn after(&self, at: u64) -> Next {
        match self {
            Self::Memory(held) => {
                let at = usize::try_from(at).expect("a place in memory");
                let rest = &held.bytes()[at..];
                Next::Bytes(Bytes::copy_from_slice(&rest[..rest.len().min(COPY_BYTES_MAX)]))
            }
            Self::File(reader, _) => Next::File(InFile::Coming(reader.clone())),
        }
    }

    /// Lets go of it: what it was is to be dropped without a lock.
    pub(super) fn take(&mut self, room: &Arc<Room>) -> Self {
        std::mem::replace(self, Self::Memory(Held::none(Arc::clone(room))))
    }

    /// All of it; if it is in a `file`, that.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub(super) fn into_whole(self, file: ToFile) -> Result<Whole, Outcome> {
        match self {
            Self::Memory(held) => Ok(Whole::Memory(held.into_body())),
            Self::File(..) => file.map(Whole::File).ok_or(Outcome::NoRoom),
        }
    }
}

/// Makes room for `len` bytes in all.
fn make_room(held: &mut Held, len: u64, memory_max: u64) -> Result<(), Outcome> {
    if len > memory_max {
        return Err(Outcome::TooLarge);
    }
    // As vectors grow, too.
    let room = len.max(held.room().saturating_mul(2)).min(memory_max);
    held.take_room(room).map_err(|Full| Outcome::NoRoom)
}
