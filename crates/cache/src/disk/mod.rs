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
mod folder;
mod format;
mod found;
mod health;
mod index;
mod keeper;
mod list;
mod lock;
mod log;
mod pending;
mod purge;
mod queue;
mod record;
mod recover;
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
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

pub use self::{
    body_file::BodyFile,
    body_writer::{BodyReader, BodyWriter, End, NotWritten, Progress},
    folder::OpenError,
    found::{Body, FileBody, Found, Gone, Unread, WouldBlock},
    health::{DiskState, DiskStats, OnState},
    index::VARIANTS_MAX,
    list::{Cursor, Listed, Page, Verified},
    purge::{Pattern, Purge},
    queue::{Meta, NotQueued, Object},
    record::TAGS_MAX,
    segment::Patience,
    settings::{Access, DiskSettings, SMALL_BODY_MAX},
    ticket::{NotDurable, Ticket},
};
use self::{
    folder::{Folder, failed},
    health::Counts,
    index::variant_of,
    log::Log,
    purge::{PATTERN_BYTES_MAX, What},
    queue::Job,
    store::{Store, Wanted},
};

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

/// The disk was not done with what waits to be written, in the time there was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what waits to be written to the cache's folder takes longer")]
pub struct StillWriting;

/// What tells the variants of a key apart in the index, where it is all that is known of them: of two
/// with the same there is one.
pub type Variant = u32;

/// Why a purge is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPurged {
    /// The pattern is longer than one may be.
    #[error("a pattern of more than {PATTERN_BYTES_MAX} bytes")]
    TooLong,
    /// As many purges are still being carried out as are held at once.
    #[error("too many purges are still being carried out")]
    TooMany,
}

impl Disk {
    /// Opens the folder at `path`, which is made if it is not there.
    ///
    /// *Cost*: reads the snapshot, 24 bytes an object, and the log written since.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub fn open(path: &Path, settings: DiskSettings) -> Result<Self, OpenError> {
        Self::open_and_tell(path, settings, Box::new(|_| ()))
    }

    /// The same; `on_state` is told when the disk begins to fail, and when it works again.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub fn open_and_tell(
        path: &Path,
        settings: DiskSettings,
        on_state: OnState,
    ) -> Result<Self, OpenError> {
        let log = recover::recover(Folder::take(path)?, settings, on_state)?;
        let store = Arc::clone(&log.store);
        let writing = start(log, &store).map_err(failed("starting the threads for", path))?;
        Ok(Self { store, writing: Mutex::new(Some(writing)) })
    }

    /// Opens a folder that no cache uses, and that holds one. To be looked at, it stays as it is,
    /// whatever is asked: what is stored or removed is refused, and what is damaged stays.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub fn open_at_rest(
        path: &Path,
        settings: DiskSettings,
        access: Access,
    ) -> Result<Self, OpenError> {
        let folder = Folder::take_at_rest(path, access)?;
        let log = recover::recover(folder, settings, Box::new(|_| ()))?;
        let store = Arc::clone(&log.store);
        if access == Access::Change {
            let writing = start(log, &store).map_err(failed("starting the threads for", path))?;
            return Ok(Self { store, writing: Mutex::new(Some(writing)) });
        }
        store.queue.close();
        Ok(Self { store, writing: Mutex::default() })
    }

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
        let hash = self.store.folder.secret.hash(key);
        self.store.pending.has(hash) || self.store.index.has(hash)
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

    /// Removes all that a key has, and what waits to be stored under it. From here on it is not
    /// found; the ticket says when that is on disk.
    pub fn remove(&self, key: &[u8]) -> Ticket {
        self.push_purge(What::Key(self.store.folder.secret.hash(key)), Purge::Hard)
    }

    /// The same of the one variant with this selection.
    pub fn remove_variant(&self, key: &[u8], selection: &[u8]) -> Ticket {
        self.push_purge(self.one_variant(key, selection), Purge::Hard)
    }

    /// Removes everything.
    pub fn clear(&self) -> Ticket {
        self.push_purge(What::All, Purge::Hard)
    }

    /// Purges what was stored, or waits to be, until now: no lookup finds it otherwise from here on.
    /// The ticket says when that is on disk. Bodies that still come are not meant.
    ///
    /// *Cost*: none for each object now; a lookup holds the record's tags and key against the purges
    /// until a sweep is done.
    ///
    /// # Errors
    ///
    /// [`NotPurged`]
    pub fn purge(&self, pattern: Pattern, manner: Purge) -> Result<Ticket, NotPurged> {
        let what = match pattern {
            Pattern::All => What::All,
            Pattern::Key(key) => What::Key(self.store.folder.secret.hash(&key)),
            Pattern::Variant { key, selection } => self.one_variant(&key, &selection),
            Pattern::Tag(tag) => What::Tag(tag),
            Pattern::Prefix(text) | Pattern::Glob(text) if text.len() > PATTERN_BYTES_MAX => {
                return Err(NotPurged::TooLong);
            }
            Pattern::Prefix(prefix) => What::Prefix(prefix),
            Pattern::Glob(pattern) => What::Glob(pattern),
        };
        if !self.store.purges.has_room(&what) {
            return Err(NotPurged::TooMany);
        }
        Ok(self.push_purge(what, manner))
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

    fn one_variant(&self, key: &[u8], selection: &[u8]) -> What {
        What::Variant(self.store.folder.secret.hash(key), self.variant(selection))
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

    fn push_purge(&self, what: What, manner: Purge) -> Ticket {
        let (ticket, done) = Ticket::new();
        self.store.queue.push_purge((what, manner), done, &self.store.purges);
        ticket
    }
}

impl Disk {
    /// Has what waits written, and a snapshot, and takes nothing more. What is there is still found.
    /// Blocks, for at most `patience`.
    ///
    /// # Errors
    ///
    /// [`StillWriting`]: that goes on.
    pub fn close(&self, patience: Duration) -> Result<(), StillWriting> {
        self.store.queue.close();
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ended) = &*writing else { return Ok(()) };
        if ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            return Err(StillWriting);
        }
        *writing = None;
        Ok(())
    }
}

/// Nobody who drops it waits for a disk: it may be an event loop that does.
impl Drop for Disk {
    fn drop(&mut self) {
        self.store.queue.close();
        let store = Arc::clone(&self.store);
        let Some(ended) = self.writing.get_mut().unwrap_or_else(PoisonError::into_inner).take()
        else {
            // Those who still read what they found do not keep it.
            return store.folder.leave();
        };
        let leave = move || {
            let _ = ended.recv();
            store.folder.leave();
        };
        // Where there are no threads to be had, the system frees the folder with the process.
        let _ = thread::Builder::new().name("disk-closer".to_owned()).spawn(leave);
    }
}

/// Starts the writer, and the keeper and the timer, which end after it. Gives what hangs up when all is
/// written.
fn start(mut log: Log, store: &Arc<Store>) -> std::io::Result<Receiver<()>> {
    let (keeping, timing) = (Arc::clone(store), Arc::clone(store));
    let keeper = thread::Builder::new()
        .name("disk-keeper".to_owned())
        .spawn(move || keeper::keep(&keeping))?;
    let timer = thread::Builder::new()
        .name("disk-timer".to_owned())
        .spawn(move || timing.timer.run(|| timing.queue.ring()));
    let timer = timer.inspect_err(|_| end(store))?;
    let (hangs_up, ended) = mpsc::channel::<()>();
    let writer = thread::Builder::new().name("disk-writer".to_owned()).spawn(move || {
        let _hangs_up = hangs_up;
        let store = Arc::clone(&log.store);
        let refusing = writer::RefuseRest(Arc::clone(&store));
        writer::write_all(&mut log);
        drop(refusing);
        end(&store);
        let _ = (keeper.join(), timer.join());
        keeper::write_snapshot(&store);
    });
    writer.inspect_err(|_| end(store))?;
    Ok(ended)
}

/// Has the threads end that stand beside the writer.
fn end(store: &Store) {
    store.bell.ring(Wanted { end: true, ..Wanted::default() });
    store.timer.end();
}
