//! The disk tier: objects in a folder, which outlive the process.
//!
//! An object is a key, a selection that tells its variants apart, a head and a body: bytes that mean
//! nothing here. Small ones stand in an append-only log of segments, as checksummed records; bodies
//! of more than [`SMALL_BODY_MAX`] have files of their own, and their heads a record. What finds them
//! is an index in memory, which a start reads from a snapshot and the log behind it.
//!
//! One thread writes. What is to be stored waits for it in a bounded queue; nobody waits for a disk
//! but who reads, and who wants to know that a removal is on it. It knows no clock: times are told by
//! the caller and given back.

mod bodies;
mod body_file;
mod body_writer;
mod effect;
mod evict;
mod families;
mod folder;
mod format;
mod found;
mod health;
mod index;
mod keeper;
mod life;
mod list;
mod lock;
mod log;
mod open_error;
mod pending;
mod purge;
mod queue;
mod record;
mod recover;
mod removing;
mod retry;
mod scan;
mod secret;
mod segment;
mod settings;
mod snapshot;
mod store;
#[cfg(test)]
mod tests;
mod ticket;
mod writer;

use std::{
    ops::ControlFlow,
    sync::{Arc, Mutex, mpsc::Receiver},
};

pub use self::{
    body_file::BodyFile,
    body_writer::{BodyReader, BodyWriter, End, NotWritten, Progress},
    found::{Body, FileBody, Found, Gone, Unread, WouldBlock},
    health::{DiskState, DiskStats, OnState},
    index::VARIANTS_MAX,
    life::StillWriting,
    list::{Cursor, Listed, Page, Verified},
    open_error::OpenError,
    purge::{Pattern, Purge},
    queue::{Meta, NotQueued, Object},
    record::TAGS_MAX,
    removing::NotPurged,
    segment::Patience,
    settings::{Access, DiskSettings, FamiliesOf, SMALL_BODY_MAX},
    ticket::{NotDurable, Ticket},
};
use self::{health::Counts, index::variant_of, purge::What, queue::Job, store::Store};

/// A folder of objects. To be shared by all threads; the process that has it has it alone.
///
/// Dropped, it has what waits and a snapshot written, on a thread of its own: others may have the
/// folder after that. Who wants to know when, [closes](Self::close) it first.
#[derive(Debug)]
pub struct Disk {
    store: Arc<Store>,
    /// What the writer drops at its end; `None` where there is no writer.
    writing: Mutex<Option<Receiver<()>>>,
}

/// What tells the variants of a key apart in the index, where it is all that is known of them: of two
/// with the same there is one.
pub type Variant = u32;

impl Disk {
    /// Whether nobody else can use the folder meanwhile: one that cannot be written to may have no
    /// lock.
    pub fn is_locked(&self) -> bool {
        self.store.folder.is_locked()
    }

    /// Finds the objects of a key, newest first.
    ///
    /// *Cost*: for each a read of the disk, or of what the system has of it in memory, and a sum of
    /// its head. Nothing that others hold for long is waited for.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`], if `patience` is [`None`](Patience::None) and the system has to read it first.
    pub fn find(&self, key: &[u8], patience: Patience) -> Result<Vec<Found>, WouldBlock> {
        self.find_besides(key, &[], patience)
    }

    /// The same but for the `known` variants, of which nothing is read.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`]
    pub fn find_besides(
        &self,
        key: &[u8],
        known: &[Variant],
        patience: Patience,
    ) -> Result<Vec<Found>, WouldBlock> {
        found::find(&self.store, (key, known), patience)
    }

    /// What the index has for the variant with this selection.
    pub fn variant(&self, selection: &[u8]) -> Variant {
        variant_of(self.store.folder.secret.hash(selection))
    }

    /// Whether a lookup of a key would find something besides the `known` variants. What only waits to
    /// be written is not found yet.
    ///
    /// *Cost*: a hash and a look into the index.
    pub fn has_besides(&self, key: &[u8], known: &[Variant]) -> bool {
        let slots = self.store.index.find(self.store.folder.secret.hash(key));
        slots.iter().any(|slot| !known.contains(&slot.variant))
    }

    /// How many records were read for lookups.
    #[cfg(test)]
    pub(crate) fn reads(&self) -> u64 {
        self.store.counts.read.load(std::sync::atomic::Ordering::Relaxed)
    }

    /// Whether something may be stored under a key, or waits to be. If not, there is nothing to find,
    /// nor to remove.
    ///
    /// *Cost*: a hash and a look into the index.
    pub fn may_have(&self, key: &[u8]) -> bool {
        self.store.has(self.store.folder.secret.hash(key))
    }

    /// The same of the one variant with this selection.
    pub fn may_have_variant(&self, key: &[u8], selection: &[u8]) -> bool {
        let (hash, variant) = (self.store.folder.secret.hash(key), self.variant(selection));
        self.store.pending.has(hash) || !self.store.index.find_of((hash, Some(variant))).is_empty()
    }

    /// Whether there is such a variant; one that only waits to be written is not there yet.
    pub fn has_variant(&self, key: &[u8], selection: &[u8]) -> bool {
        let key = (self.store.folder.secret.hash(key), Some(self.variant(selection)));
        !self.store.index.find_of(key).is_empty()
    }

    /// Notes that the objects of a key were asked for, where that was answered from elsewhere: else
    /// what is asked for most would be evicted first.
    pub fn touch(&self, key: &[u8]) {
        let hash = self.store.folder.secret.hash(key);
        for slot in self.store.index.find(hash) {
            self.store.touch(&slot);
        }
    }

    /// Stores an object, in the place of the one with the same key and selection. It is found once
    /// it is written, and is on disk when the system likes.
    ///
    /// # Errors
    ///
    /// [`NotQueued`]: then it is counted, and what was there before stays.
    pub fn insert(&self, object: Object) -> Result<(), NotQueued> {
        let checked = self.check(&object.meta);
        self.counted(checked.and_then(|()| self.push(Job::Insert(object))))
    }

    /// Begins a body of more than [`SMALL_BODY_MAX`], of so many bytes if that is known.
    ///
    /// # Errors
    ///
    /// [`NotWritten`]
    pub fn begin_file(&self, declared: Option<u64>) -> Result<BodyWriter, NotWritten> {
        if !self.store.health.is_working() {
            return Err(NotWritten::Degraded);
        }
        BodyWriter::begin(&self.store, declared)
    }

    /// Stores a newer head of the object with the same key, selection and time, whose body stays. If
    /// there is no such object, nothing is stored.
    ///
    /// # Errors
    ///
    /// [`NotQueued`]
    pub fn refresh_head(&self, meta: Meta) -> Result<(), NotQueued> {
        let checked = self.check(&meta);
        self.counted(checked.and_then(|()| self.push(Job::Refresh(meta))))
    }

    /// What stands for a tag: the same name has the same for as long as the folder lives.
    pub fn tag(&self, name: &[u8]) -> u64 {
        self.store.folder.secret.hash(name)
    }

    /// Says how many bytes the folder may have from now on. What is more, is evicted.
    pub fn resize(&self, disk_max: u64) {
        self.store.space.resize(disk_max);
        self.store.queue.nudge();
    }

    /// Whether the disk works.
    pub fn state(&self) -> DiskState {
        self.store.health.state()
    }

    /// How it does, in numbers.
    ///
    /// *Cost*: a look at each of 256 shards.
    pub fn stats(&self) -> DiskStats {
        self.store.stats()
    }

    /// Lists at most `limit` objects from `cursor` on; from the start for the default. A page may
    /// have fewer, and still not be the last. What changes meanwhile may be missing, or there twice.
    ///
    /// *Cost*: reads the records.
    pub fn list(&self, cursor: Cursor, limit: usize) -> Page {
        list::page(&self.store, cursor, limit)
    }

    /// Reads all that is stored and holds it against its sums; what differs goes. `progress` hears
    /// of each object, and may end it.
    pub fn verify(&self, progress: impl FnMut(Verified) -> ControlFlow<()>) -> Verified {
        list::verify(&self.store, progress)
    }

    /// Waits until all that was asked for before is written and, with what was written before it,
    /// on disk.
    ///
    /// # Errors
    ///
    /// [`NotDurable`]
    pub fn sync(&self) -> Result<(), NotDurable> {
        // A mark that means nothing: no key has this hash but by chance, and then it stays.
        self.push_purge(What::Key(0), Purge::Soft).wait()
    }

    fn check(&self, meta: &Meta) -> Result<(), NotQueued> {
        body_writer::check_meta(meta)?;
        if self.store.health.is_working() { Ok(()) } else { Err(NotQueued::Degraded) }
    }

    fn push(&self, job: Job) -> Result<(), NotQueued> {
        self.store.push(job)
    }

    fn counted(&self, queued: Result<(), NotQueued>) -> Result<(), NotQueued> {
        queued.inspect_err(|_| Counts::add(&self.store.counts.not_stored, 1))
    }
}
