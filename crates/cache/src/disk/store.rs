//! What readers, the writer and the keeper share.

use std::{
    io,
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;

use super::{
    bodies::Bodies,
    body_file::BodyFile,
    families::{self, Families},
    folder::Folder,
    health::{Counts, DiskStats, Health, Space},
    index::{Extent, Flags, Index, Slot, variant_of},
    pending::Pending,
    purge::Purges,
    queue::{Job, Meta, NotQueued, Queue},
    record::{self, Front, HEADER_BYTES},
    retry::Timer,
    segment::{Patience, Segment, Segments},
    settings::DiskSettings,
};

#[derive(Debug)]
pub(super) struct Store {
    pub settings: DiskSettings,
    pub folder: Folder,
    pub index: Index,
    pub segments: Segments,
    pub bodies: Bodies,
    pub purges: Purges,
    pub queue: Queue,
    pub pending: Pending,
    pub families: Families,
    pub space: Space,
    pub health: Health,
    pub counts: Counts,
    pub log_end: Mutex<LogEnd>,
    /// How many bytes the snapshot has.
    pub snapshot_len: AtomicU64,
    /// Segments that were not there at the start, though the snapshot speaks of them.
    pub missing_segments: u64,
    pub bell: Bell,
    pub timer: Timer,
}

/// Up to where the log is written, and the index says what it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct LogEnd {
    pub segment: u32,
    pub offset: u64,
    /// How many removals and purges stand before it.
    pub removals: u64,
    /// All purges up to this stand before it.
    pub seq: u64,
    /// Bytes written since the last snapshot.
    pub since_snapshot: u64,
}

/// Wakes the keeper.
#[derive(Debug, Default)]
pub(super) struct Bell {
    wanted: Mutex<Wanted>,
    rung: Condvar,
}

/// What the keeper is to do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Wanted {
    pub snapshot: bool,
    pub sweep: bool,
    pub end: bool,
}

/// Of a record that is shorter, all is read at once.
const READ_AT_ONCE: u64 = 16 << 10;

/// A record as far as it was read.
#[derive(Debug)]
pub(super) struct Read {
    pub front: Front,
    /// From the front's first byte on.
    pub bytes: Bytes,
    pub segment: Arc<Segment>,
}

impl Store {
    /// Reads the front of an object's record.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::InvalidData`] if there is no such front.
    pub(super) fn read(&self, slot: &Slot, patience: Patience) -> io::Result<Read> {
        let segment = self.segments.get(slot.place.segment).ok_or(io::ErrorKind::NotFound)?;
        let offset = slot.place.offset();
        let left = segment.end().saturating_sub(offset);
        let guess = match slot.extent {
            Extent::Inline(len) => u64::from(len),
            Extent::File(_) => READ_AT_ONCE / 4,
        };
        let len = usize::try_from(guess.min(READ_AT_ONCE).min(left)).expect("few bytes");
        let mut bytes = Bytes::from(segment.read(offset, len, patience)?);
        let front_len = bytes.get(..HEADER_BYTES).and_then(record::lens).map_or(0, |(len, _)| len);
        if front_len > bytes.len() {
            bytes = segment.read(offset, front_len, patience)?.into();
        }
        let front = record::parse(&bytes, slot.place, &self.folder.secret);
        let front = front.filter(|front| front.header.key_hash == slot.hash);
        let front = front.ok_or(io::ErrorKind::InvalidData)?;
        Ok(Read { front, bytes, segment })
    }

    /// The body that stands in a record, held against its sum if that was not done since the start.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::InvalidData`] if it is another.
    pub(super) fn inline_body(
        &self,
        slot: &Slot,
        read: &Read,
        patience: Patience,
    ) -> io::Result<Bytes> {
        let header = &read.front.header;
        let len = usize::try_from(header.body_len).expect("less than a segment");
        let start = read.front.len();
        let body = if start + len <= read.bytes.len() {
            read.bytes.slice(start..start + len)
        } else {
            let offset = slot.place.offset() + start as u64;
            read.segment.read(offset, len, patience)?.into()
        };
        if !slot.flags.has(Flags::VERIFIED) {
            if self.folder.secret.sum(&body) != header.body_sum {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.index.mark(slot, Flags::VERIFIED);
        }
        Ok(body)
    }

    /// Opens a body that has a file, and keeps it open for who comes next. What was found to be right
    /// since the start, is so still.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::InvalidData`] if it is not that body.
    pub(super) fn open_body(
        &self,
        (hash, file): (u64, u32),
        what: (u64, u64),
    ) -> io::Result<Arc<BodyFile>> {
        if let Some(opened) = self.bodies.opened(file, what.0) {
            return Ok(opened);
        }
        let body = Arc::new(self.bodies.open_anew(file, what, &self.folder.secret)?);
        let slots = self.index.find(hash);
        let is_right =
            |slot: &Slot| slot.extent == Extent::File(file) && slot.flags.has(Flags::VERIFIED);
        if slots.iter().any(is_right) {
            body.is_right();
        }
        self.keep_open(Arc::clone(&body));
        Ok(body)
    }

    /// Keeps a body open for who comes next. Of the one that is closed for it, is remembered if all of
    /// it was found to be right: no more would cost the index nothing.
    pub(super) fn keep_open(&self, body: Arc<BodyFile>) {
        let Some(closed) = self.bodies.keep_open(body).filter(|closed| closed.was_right()) else {
            return;
        };
        let Some(hash) = self.bodies.hash_of(closed.number) else { return };
        for slot in self.index.find(hash) {
            if slot.extent == Extent::File(closed.number) {
                self.index.mark(&slot, Flags::VERIFIED);
            }
        }
    }

    /// Does what is to be done when `slot` was taken out of the index.
    pub(super) fn released(&self, slot: &Slot) {
        if let Extent::File(file) = slot.extent {
            self.space.give(self.bodies.delete(file, &self.folder));
        }
    }

    /// Takes out an object, if it is still what it was.
    pub(super) fn remove(&self, slot: &Slot) -> bool {
        let removed = self.index.remove(slot.hash, slot.place);
        if let Some(slot) = &removed {
            self.released(slot);
        }
        removed.is_some()
    }

    /// Gives up an object that is not what its sums say.
    pub(super) fn lose(&self, slot: &Slot) {
        if self.remove(slot) {
            Counts::add(&self.counts.bad, 1);
        }
    }

    /// Puts an object in the queue.
    pub(super) fn push(&self, job: Job) -> Result<(), NotQueued> {
        let hash = self.hash_of(&job);
        hash.inspect(|&hash| self.pending.add(hash));
        if let Some(meta) = job.meta() {
            self.add_to_families(&meta.key);
        }
        self.queue.push(job).inspect_err(|_| {
            hash.inspect(|&hash| self.pending.remove(hash));
        })
    }

    /// Notes what a key has in common with others.
    fn add_to_families(&self, key: &[u8]) {
        let secret = &self.folder.secret;
        (self.settings.families_of)(key, &mut |names: &[&[u8]]| {
            let kin = families::kin(names, (secret, secret.hash(key)));
            self.families.add(kin, |key| self.has(key));
        });
    }

    /// Whether something may be stored under a key of this hash, or waits to be.
    pub(super) fn has(&self, hash: u64) -> bool {
        self.pending.has(hash) || self.index.has(hash)
    }

    /// The hash of the key that `job` stores something under.
    pub(super) fn hash_of(&self, job: &Job) -> Option<u64> {
        job.meta().map(|meta| self.folder.secret.hash(&meta.key))
    }

    /// The hash of the key of what has this `meta`, and which variant it is.
    pub(super) fn variant_of(&self, meta: &Meta) -> (u64, u32) {
        let secret = &self.folder.secret;
        (secret.hash(&meta.key), variant_of(secret.hash(&meta.selection)))
    }

    /// Notes that an object was asked for.
    pub(super) fn touch(&self, slot: &Slot) {
        match slot.extent {
            Extent::File(file) => self.bodies.touch(file),
            Extent::Inline(_) => self.index.mark(slot, Flags::HIT),
        }
    }

    pub(super) fn log_end(&self) -> MutexGuard<'_, LogEnd> {
        self.log_end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn stats(&self) -> DiskStats {
        let Counts { stored, not_stored, evicted, spared, bad, purged, snapshots, read: _ } =
            &self.counts;
        DiskStats {
            objects: self.index.len(),
            files: self.bodies.len(),
            bytes: self.space.used(),
            bytes_max: self.space.max(),
            segments: self.segments.ids().len() as u64,
            index_bytes: self.index.bytes() + self.bodies.bytes() + self.families.bytes(),
            purges: self.purges.list().len() as u64,
            stored: stored.load(Ordering::Relaxed),
            not_stored: not_stored.load(Ordering::Relaxed),
            evicted: evicted.load(Ordering::Relaxed),
            spared: spared.load(Ordering::Relaxed),
            bad: bad.load(Ordering::Relaxed),
            purged: purged.load(Ordering::Relaxed),
            snapshots: snapshots.load(Ordering::Relaxed),
        }
    }
}

impl Bell {
    pub(super) fn ring(&self, wanted: Wanted) {
        let mut all = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        all.snapshot |= wanted.snapshot;
        all.sweep |= wanted.sweep;
        all.end |= wanted.end;
        self.rung.notify_all();
    }

    /// Waits for something to do, and takes it; the end stays.
    pub(super) fn wait(&self) -> Wanted {
        let mut all = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        while *all == Wanted::default() {
            all = self.rung.wait(all).unwrap_or_else(PoisonError::into_inner);
        }
        let taken = *all;
        *all = Wanted { end: taken.end, ..Wanted::default() };
        taken
    }

    /// Lets others work for a while. Whether the end has come.
    pub(super) fn pause(&self, pause: Duration) -> bool {
        let all = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.rung.wait_timeout_while(all, pause, |all| !all.end);
        waited.unwrap_or_else(PoisonError::into_inner).0.end
    }
}
