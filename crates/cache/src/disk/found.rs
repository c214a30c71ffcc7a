//! What is found on disk.

use std::{
    io,
    sync::{Arc, Mutex, PoisonError, Weak},
};

use bytes::Bytes;

use super::{
    body_file::BodyFile,
    health::Counts,
    index::{Extent, Flags, Slot},
    purge::Verdict,
    record::Kind,
    segment::Patience,
    store::{Read, Store},
};

/// An object that is on disk: what is stored beside its body was read and is what was stored.
#[derive(Debug)]
pub struct Found {
    store: Arc<Store>,
    slot: Slot,
    read: Read,
    is_stale: bool,
    patience: Patience,
}

/// An object's body.
#[derive(Clone, Debug)]
pub enum Body {
    /// It is in memory, checked.
    Bytes(Bytes),
    /// It is in a file.
    File(FileBody),
}

/// A body that has a file of its own. It holds none open; but as long as somebody has it open by this, or
/// by a clone of it, it is there, whatever became of the file.
#[derive(Clone, Debug)]
pub struct FileBody {
    store: Arc<Store>,
    /// Of the key whose object it is.
    hash: u64,
    number: u32,
    len: u64,
    /// Of the sums of its parts.
    sum: u64,
    /// As it was opened last.
    last: Arc<Mutex<Weak<BodyFile>>>,
}

/// Why something that is on disk is not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unread {
    /// It is to be waited for, and who asked does not wait.
    #[error("what is stored on disk is to be waited for")]
    WouldBlock,
    /// So many files are open that this one cannot be.
    #[error("too many files are open")]
    TooManyOpen,
    /// It is not there any more, or not what was stored.
    #[error(transparent)]
    Gone(#[from] Gone),
}

/// What is on disk is to be waited for, and who asked does not wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what is stored on disk is to be waited for")]
pub struct WouldBlock;

/// It was there, and is not any more, or not what was stored. Nobody finds it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was stored on disk is gone or damaged")]
pub struct Gone;

/// Finds the objects of a key, newest first, but for the variants that are `known` already: these are
/// not read.
///
/// # Errors
///
/// [`WouldBlock`], if who asks does not wait.
pub(super) fn find(
    store: &Arc<Store>,
    (key, known): (&[u8], &[u32]),
    patience: Patience,
) -> Result<Vec<Found>, WouldBlock> {
    let epoch = store.purges.epoch();
    let mut slots = store.index.find(store.folder.secret.hash(key));
    slots.retain(|slot| !known.contains(&slot.variant));
    let mut all = Vec::with_capacity(slots.len());
    for slot in slots {
        Counts::add(&store.counts.read, 1);
        match store.read(&slot, patience) {
            Ok(read) => all.extend(found(store, (slot, epoch), (read, patience), key)),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Err(WouldBlock),
            Err(error) => {
                lost(store, &slot, &error);
            }
        }
    }
    Ok(all)
}

fn found(
    store: &Arc<Store>,
    (mut slot, epoch): (Slot, u64),
    (read, patience): (Read, Patience),
    key: &[u8],
) -> Option<Found> {
    if read.front.header.kind != Kind::Object || read.front.key() != key {
        return None;
    }
    let verdict = store.purges.verdict(&read.front);
    if store.purges.epoch() != epoch {
        // A purge was done meanwhile, and may have been about this.
        slot = store.index.at(slot.hash, slot.place)?;
    }
    let is_stale = match verdict {
        Verdict::Good => slot.flags.has(Flags::STALE),
        Verdict::Stale => true,
        Verdict::Gone => return None,
    };
    Some(Found { store: Arc::clone(store), slot, read, is_stale, patience })
}

/// Gives up what cannot be read, unless it was evicted or moved while it was looked for.
fn lost(store: &Store, slot: &Slot, error: &io::Error) -> Unread {
    let unread = unread(error);
    if unread == Unread::Gone(Gone) {
        store.lose(slot);
    }
    unread
}

/// What an `error` means.
fn unread(error: &io::Error) -> Unread {
    /// `EMFILE` and `ENFILE`: it is there, and cannot be opened now.
    const TOO_MANY_OPEN: [Option<i32>; 2] = [Some(24), Some(23)];
    match error.raw_os_error() {
        _ if error.kind() == io::ErrorKind::WouldBlock => Unread::WouldBlock,
        number if TOO_MANY_OPEN.contains(&number) => Unread::TooManyOpen,
        _ => Gone.into(),
    }
}

impl Found {
    /// The selection it was stored with.
    pub fn selection(&self) -> Bytes {
        self.read.front.selection()
    }

    /// The head it was stored with.
    pub fn head(&self) -> Bytes {
        self.read.front.head()
    }

    /// Its tags.
    pub fn tags(&self) -> impl Iterator<Item = u64> {
        self.read.front.tags()
    }

    /// When it was stored, as was said then.
    pub fn stored_at(&self) -> u64 {
        self.read.front.header.stored_at
    }

    /// Until when it is fresh, as was said then; a soft purge does not change it.
    pub fn fresh_until(&self) -> u64 {
        self.read.front.header.fresh_until
    }

    /// Whether a purge made it stale.
    pub fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// How many bytes its body has.
    pub fn body_len(&self) -> u64 {
        self.read.front.header.body_len
    }

    /// Its body. It counts as asked for.
    ///
    /// *Cost*: a short one was read with the rest; for others a read, and a sum for the first since
    /// the start. None for one that has a file.
    ///
    /// # Errors
    ///
    /// [`Unread`]
    pub fn body(&self) -> Result<Body, Unread> {
        self.touch();
        let header = &self.read.front.header;
        match self.slot.extent {
            Extent::Inline(_) => {
                let body = self.store.inline_body(&self.slot, &self.read, self.patience);
                body.map(Body::Bytes).map_err(|error| lost(&self.store, &self.slot, &error))
            }
            Extent::File(number) => {
                let what = (number, header.body_len, header.body_sum);
                Ok(Body::File(FileBody::new(&self.store, self.slot.hash, what)))
            }
        }
    }

    /// Notes that it was asked for, where its body is not wanted.
    pub fn touch(&self) {
        self.store.touch(&self.slot);
    }

    /// Takes it out: its body was found to be another than what was stored.
    pub fn give_up(&self) {
        self.store.lose(&self.slot);
    }
}

impl FileBody {
    pub(super) fn new(store: &Arc<Store>, hash: u64, (number, len, sum): (u32, u64, u64)) -> Self {
        Self { store: Arc::clone(store), hash, number, len, sum, last: Arc::default() }
    }

    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What tells it from others that are there at the same time.
    pub fn number(&self) -> u32 {
        self.number
    }

    /// The same, if its file is open already.
    pub fn opened(&self) -> Option<Arc<BodyFile>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner).upgrade();
        last.or_else(|| {
            self.store.bodies.opened(self.number, self.len).inspect(|body| self.note(body))
        })
    }

    /// Says that it is open.
    pub(super) fn note(&self, opened: &Arc<BodyFile>) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Arc::downgrade(opened);
    }

    /// Opens its file.
    ///
    /// *Cost*: of the system's calls, and of a read of 8 bytes for each 256 KiB.
    ///
    /// # Errors
    ///
    /// [`Unread`]
    pub fn open(&self) -> Result<Arc<BodyFile>, Unread> {
        self.store.bodies.touch(self.number);
        if let Some(opened) = self.opened() {
            return Ok(opened);
        }
        let opened = self.store.open_body((self.hash, self.number), (self.len, self.sum));
        opened.inspect(|body| self.note(body)).map_err(|error| {
            let unread = unread(&error);
            if unread == Unread::Gone(Gone) {
                self.give_up();
            }
            unread
        })
    }

    /// Takes its object out: what is in the file was found to be another than what was stored. It
    /// cannot be opened again, whoever still reads what is right of it.
    pub fn give_up(&self) {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Weak::new();
        let slots = self.store.index.find(self.hash);
        for slot in slots.iter().filter(|slot| slot.extent == Extent::File(self.number)) {
            self.store.lose(slot);
        }
    }
}
