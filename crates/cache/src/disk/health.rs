//! How the tier does: whether its disk works, how much is in use, and what happened.

use std::{
    io::{self, ErrorKind},
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// Whether the disk works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum DiskState {
    /// It does.
    Working,
    /// It takes nothing. What is on it is still found, as far as it can be read; it is tried again
    /// from time to time.
    Degraded {
        /// What the system said.
        why: String,
    },
    /// It ended, and removals could not be written before.
    Ended {
        /// What became of what was removed.
        why: String,
    },
}

/// Told of each change of the state, by the thread that met it. It is to return soon.
pub type OnState = Box<dyn Fn(&DiskState) + Send + Sync>;

pub(super) struct Health {
    state: Mutex<DiskState>,
    /// The same, for who asks often.
    is_working: AtomicBool,
    is_full: AtomicBool,
    on_state: OnState,
}

impl std::fmt::Debug for Health {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Health").field(&self.state).finish()
    }
}

impl Health {
    pub(super) fn new(on_state: OnState) -> Self {
        let (state, is_working) = (Mutex::new(DiskState::Working), AtomicBool::new(true));
        Self { state, is_working, is_full: AtomicBool::new(false), on_state }
    }

    pub(super) fn state(&self) -> DiskState {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn is_working(&self) -> bool {
        self.is_working.load(Ordering::Acquire)
    }

    /// Tells of the state, if it is of another kind.
    fn set(&self, new: &DiskState) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let is_other = std::mem::discriminant(&*state) != std::mem::discriminant(new);
        state.clone_from(new);
        self.is_working.store(*new == DiskState::Working, Ordering::Release);
        drop(state);
        if is_other {
            (self.on_state)(new);
        }
    }

    /// Says that the disk works.
    pub(super) fn works(&self) {
        self.set(&DiskState::Working);
    }

    /// Says that it does not.
    pub(super) fn fails(&self, error: &io::Error) {
        let is_full = matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded);
        self.is_full.store(is_full, Ordering::Relaxed);
        self.set(&DiskState::Degraded { why: error.to_string() });
    }

    /// Says that the folder is left with removals that were not written: `emptied` for them, or not.
    pub(super) fn ends(&self, emptied: io::Result<()>) {
        let why = match emptied {
            Ok(()) => "what was removed could not be written to the folder, which was emptied for \
                       that: so nothing of it comes back"
                .to_owned(),
            Err(error) => format!(
                "what was removed could not be written to the folder, nor could that be emptied \
                 ({error}): some of it may be there again after the next start"
            ),
        };
        self.set(&DiskState::Ended { why });
    }

    /// Whether it fails because it is full.
    pub(super) fn is_full(&self) -> bool {
        !self.is_working() && self.is_full.load(Ordering::Relaxed)
    }
}

/// The bytes that the folder has, never more than it may have.
#[derive(Debug)]
pub(super) struct Space {
    used: AtomicU64,
    max: AtomicU64,
}

impl Space {
    pub(super) fn new(max: u64) -> Self {
        Self { used: AtomicU64::new(0), max: AtomicU64::new(max) }
    }

    /// Takes `bytes`, if there are so many.
    pub(super) fn take(&self, bytes: u64) -> bool {
        let max = self.max();
        let more = |used: u64| used.checked_add(bytes).filter(|&used| used <= max);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Takes `bytes` that are in use already.
    pub(super) fn add(&self, bytes: u64) {
        self.used.fetch_add(bytes, Ordering::Relaxed);
    }

    pub(super) fn give(&self, bytes: u64) {
        let less = |used: u64| Some(used.saturating_sub(bytes));
        let _ = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, less);
    }

    /// How many there may be.
    pub(super) fn max(&self) -> u64 {
        self.max.load(Ordering::Relaxed)
    }

    /// Says how many there may be from now on.
    pub(super) fn resize(&self, max: u64) {
        self.max.store(max, Ordering::Relaxed);
    }

    pub(super) fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// How many have to go so that `more` find room, and some besides: bodies that come are not to
    /// wait for eviction.
    pub(super) fn lacking(&self, more: u64) -> u64 {
        let mark = self.max() - self.max() / 16;
        self.used().saturating_add(more).saturating_sub(mark)
    }
}

/// What happened since the start.
#[derive(Debug, Default)]
pub(super) struct Counts {
    pub stored: AtomicU64,
    pub not_stored: AtomicU64,
    pub evicted: AtomicU64,
    pub spared: AtomicU64,
    pub bad: AtomicU64,
    pub purged: AtomicU64,
    pub snapshots: AtomicU64,
    /// Records that lookups read. Told to tests alone.
    pub read: AtomicU64,
}

impl Counts {
    pub(super) fn add(count: &AtomicU64, number: u64) {
        count.fetch_add(number, Ordering::Relaxed);
    }
}

/// How the tier does, in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiskStats {
    /// Objects that can be found.
    pub objects: u64,
    /// Those of them whose body has a file of its own.
    pub files: u64,
    /// Bytes that the folder has.
    pub bytes: u64,
    /// Bytes that it may have.
    pub bytes_max: u64,
    /// Segments that there are.
    pub segments: u64,
    /// Bytes of memory that the index has.
    pub index_bytes: u64,
    /// Purges that are still being carried out.
    pub purges: u64,
    /// Objects written since the start.
    pub stored: u64,
    /// Objects not written, as too much waited, there was no room or the disk failed.
    pub not_stored: u64,
    /// Objects that made room.
    pub evicted: u64,
    /// Objects whose turn it was, and that were spared as somebody had asked for them.
    pub spared: u64,
    /// Records and bodies that were not what their sums say, or gone: misses.
    pub bad: u64,
    /// Objects that were removed or purged.
    pub purged: u64,
    /// Snapshots of the index written.
    pub snapshots: u64,
}
