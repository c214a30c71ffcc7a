//! What waits for the writer.

use std::{
    collections::VecDeque,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;

use super::{
    purge::{Ban, Purge, Purges, What},
    ticket::{Done, NotDurable},
};

/// What is stored beside a body: opaque bytes, but for tags and times.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Meta {
    /// Under what it is found.
    pub key: Bytes,
    /// What tells variants of a key apart: an object takes the place of the one with the same.
    pub selection: Bytes,
    /// What else is to come back.
    pub head: Bytes,
    /// By [`Disk::tag`](super::Disk::tag).
    pub tags: Vec<u64>,
    /// When it was stored: Unix time in milliseconds. Told, not judged.
    pub stored_at: u64,
    /// Until when it is fresh; the same.
    pub fresh_until: u64,
}

/// An object to store.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Object {
    /// What is stored beside its body.
    pub meta: Meta,
    /// Its body.
    pub body: Bytes,
}

/// Why an object will not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotQueued {
    /// Too much waits to be written already.
    #[error("too much waits to be written")]
    Full,
    /// Key, selection, head and tags are too large together, or the body is.
    #[error("it is too large")]
    TooLarge,
    /// The disk fails.
    #[error("the disk fails")]
    Degraded,
    /// The tier was closed.
    #[error("the cache's folder was closed")]
    Closed,
}

/// A body that is in a file under its temporary name.
#[derive(Clone, Copy, Debug)]
pub(super) struct WrittenFile {
    pub file: u32,
    pub body_len: u64,
    /// Of the sums that stand behind the body.
    pub body_sum: u64,
    /// How many bytes the file has.
    pub file_len: u64,
}

#[derive(Debug)]
pub(super) enum Job {
    Insert(Object),
    InsertFile(Meta, WrittenFile),
    /// A newer head of an object whose body stays.
    Refresh(Meta),
    Purge(What, Purge),
}

#[derive(Debug)]
pub(super) struct Queued {
    pub seq: u64,
    pub job: Job,
    pub done: Option<Arc<Done>>,
}

#[derive(Debug)]
pub(super) struct Queue {
    state: Mutex<State>,
    filled: Condvar,
    bytes_max: u64,
}

#[derive(Debug)]
struct State {
    jobs: VecDeque<Queued>,
    bytes: u64,
    purges: usize,
    next_seq: u64,
    is_nudged: bool,
    has_rung: bool,
    is_closed: bool,
}

/// What the writer finds.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub jobs: Vec<Queued>,
    pub is_closed: bool,
    /// Nothing came for as long as was waited.
    pub is_idle: bool,
    /// The time has come that was asked for.
    pub has_rung: bool,
}

/// Who removes faster than a disk takes down, loses what is on it: then all of it is purged.
pub(super) const PURGES_WAITING_MAX: usize = 1 << 14;

impl Job {
    /// What it stores beside a body.
    pub(super) fn meta(&self) -> Option<&Meta> {
        match self {
            Self::Insert(object) => Some(&object.meta),
            Self::InsertFile(meta, _) | Self::Refresh(meta) => Some(meta),
            Self::Purge(..) => None,
        }
    }

    /// How many bytes it holds.
    pub(super) fn weight(&self) -> u64 {
        const OWN: usize = size_of::<Queued>();
        let meta = |meta: &Meta| {
            meta.key.len() + meta.selection.len() + meta.head.len() + meta.tags.len() * 8
        };
        let bytes = match self {
            Self::Insert(object) => meta(&object.meta) + object.body.len(),
            Self::InsertFile(about, _) | Self::Refresh(about) => meta(about),
            Self::Purge(..) => 0,
        };
        (bytes + OWN) as u64
    }
}

impl Queue {
    pub(super) fn new(bytes_max: u64, next_seq: u64) -> Self {
        let state = State {
            jobs: VecDeque::new(),
            bytes: 0,
            purges: 0,
            next_seq,
            is_nudged: false,
            has_rung: false,
            is_closed: false,
        };
        Self { state: Mutex::new(state), filled: Condvar::new(), bytes_max }
    }

    /// Puts an object in the queue.
    pub(super) fn push(&self, job: Job) -> Result<(), NotQueued> {
        let mut state = self.lock();
        if state.is_closed {
            return Err(NotQueued::Closed);
        }
        let bytes = state.bytes + job.weight();
        if bytes > self.bytes_max {
            let is_alone = job.weight() > self.bytes_max;
            return Err(if is_alone { NotQueued::TooLarge } else { NotQueued::Full });
        }
        state.bytes = bytes;
        state.push(job, None);
        drop(state);
        self.filled.notify_one();
        Ok(())
    }

    /// Puts a purge in the queue, which always has room for one. It counts at once.
    pub(super) fn push_purge(&self, (what, manner): (What, Purge), done: Arc<Done>, to: &Purges) {
        let mut state = self.lock();
        if state.is_closed {
            drop(state);
            return done.tell(Err(NotDurable::Closed));
        }
        let is_last = state.purges + 1 >= PURGES_WAITING_MAX;
        let (what, manner) = if is_last { (What::All, Purge::Hard) } else { (what, manner) };
        if is_last {
            state.forget_unawaited_purges();
        }
        to.add(Ban { seq: state.next_seq, what: what.clone(), manner });
        state.purges += 1;
        state.push(Job::Purge(what, manner), Some(done));
        drop(state);
        self.filled.notify_one();
    }

    /// How many more purges may wait before everything is purged instead.
    pub(super) fn room_for_purges(&self) -> usize {
        PURGES_WAITING_MAX.saturating_sub(self.lock().purges)
    }

    /// Waits for something to do, and takes at most `bytes_max` of it. Returns with nothing after
    /// `patience`, or when it was nudged.
    pub(super) fn take(&self, bytes_max: u64, patience: Duration) -> Batch {
        let mut state = self.lock();
        let mut is_idle = false;
        if state.jobs.is_empty() && !state.is_closed && !state.is_nudged && !state.has_rung {
            let waited = self.filled.wait_timeout(state, patience);
            let (woken, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            (state, is_idle) = (woken, waited.timed_out());
        }
        state.is_nudged = false;
        let has_rung = std::mem::take(&mut state.has_rung);
        let (mut jobs, mut bytes) = (Vec::new(), 0);
        while let Some(next) = state.jobs.pop_front() {
            bytes += next.job.weight();
            state.bytes -= if next.done.is_some() { 0 } else { next.job.weight() };
            state.purges -= usize::from(next.done.is_some());
            jobs.push(next);
            if bytes >= bytes_max {
                break;
            }
        }
        Batch { is_closed: state.is_closed && jobs.is_empty(), jobs, is_idle, has_rung }
    }

    /// Wakes the writer to make room.
    pub(super) fn nudge(&self) {
        self.lock().is_nudged = true;
        self.filled.notify_one();
    }

    /// Wakes the writer, as the time has come.
    pub(super) fn ring(&self) {
        self.lock().has_rung = true;
        self.filled.notify_one();
    }

    /// Takes nothing more in.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_one();
    }

    /// The number that comes next.
    pub(super) fn next_seq(&self) -> u64 {
        self.lock().next_seq
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn push(&mut self, job: Job, done: Option<Arc<Done>>) {
        let seq = self.next_seq;
        self.next_seq += 1;
        self.jobs.push_back(Queued { seq, job, done });
    }

    /// Takes out the purges that nobody waits for, as everything is about to be purged. The others
    /// are as many as their callers.
    fn forget_unawaited_purges(&mut self) {
        self.jobs.retain(|queued| queued.done.as_ref().is_none_or(Done::is_awaited));
        self.purges = self.jobs.iter().filter(|queued| queued.done.is_some()).count();
    }
}
