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
    File(Box<(BodyWriter, BodyReader)>),
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

    /// A file for a body of so many bytes, if it is to have one.
    fn file(&self, len: u64, declared: Option<u64>) -> Option<BodyWriter> {
        let (disk, min) = self.disk.as_ref()?;
        // A disk that fails says so where that is told; memory may do.
        if len > *min { disk.begin_file(declared).ok() } else { None }
    }
}

impl Holding {
    /// Makes ready for a body of so many bytes, if it is known.
    pub(super) fn new(
        declared: Option<u64>,
        limits: &Limits,
        room: Arc<Room>,
    ) -> Result<Self, Outcome> {
        let mut held = Held::none(room);
        let Some(declared) = declared else { return Ok(Self::Memory(held)) };
        if declared > limits.object_max {
            return Err(Outcome::TooLarge);
        }
        if let Some(writer) = limits.file(declared, Some(declared)) {
            return Ok(Self::of(writer));
        }
        if declared > limits.memory_max {
            return Err(Outcome::TooLarge);
        }
        held.take_room(declared).map_err(|Full| Outcome::NoRoom)?;
        held.reserve();
        Ok(Self::Memory(held))
    }

    fn of(writer: BodyWriter) -> Self {
        let reader = writer.reader();
        Self::File(Box::new((writer, reader)))
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Memory(held) => held.len(),
            Self::File(file) => file.0.len(),
        }
    }

    /// Adds what came.
    ///
    /// # Errors
    ///
    /// Why it is not held; what was before still is.
    pub(super) fn add(&mut self, bytes: &[u8], limits: &Limits) -> Result<(), Outcome> {
        let len = self.len().saturating_add(bytes.len() as u64);
        if len > limits.object_max {
            return Err(Outcome::TooLarge);
        }
        if let Self::Memory(held) = self
            && len > held.room()
        {
            match limits.file(len, None).and_then(|writer| moved(held.bytes(), writer)) {
                Some(writer) => *self = Self::of(writer),
                None => make_room(held, len, limits.memory_max)?,
            }
        }
        match self {
            Self::Memory(held) => {
                held.add(bytes);
                Ok(())
            }
            Self::File(file) => file.0.append(bytes).map_err(|_| Outcome::NoRoom),
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
            Self::File(file) => Next::File(InFile::Coming(file.1.clone())),
        }
    }

    /// Lets go of it.
    pub(super) fn clear(&mut self, room: &Arc<Room>) {
        *self = Self::Memory(Held::none(Arc::clone(room)));
    }

    /// All of it.
    pub(super) fn into_whole(self) -> Whole {
        match self {
            Self::Memory(held) => Whole::Memory(held.into_body()),
            Self::File(file) => Whole::File(Box::new(file.0)),
        }
    }
}

/// What `held` has, in the file of `writer`.
fn moved(held: &[u8], mut writer: BodyWriter) -> Option<BodyWriter> {
    writer.append(held).ok()?;
    Some(writer)
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
