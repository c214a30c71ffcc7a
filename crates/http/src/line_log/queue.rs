//! The way from those who note to the one who writes. Never waited for at its entrance.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// With so many bytes the writer is called before its time.
const BATCH_BYTES: usize = 64 << 10;

/// How long the writer gathers after the first.
const GATHER: Duration = Duration::from_millis(250);

/// What waits to be written. Knows how much of it may wait.
pub(crate) trait Load: Default + Send + 'static {
    /// How many bytes of memory it takes; none if it is empty.
    fn bytes(&self) -> usize;

    /// Whether most of its room is free.
    fn is_roomy(&self) -> bool;

    /// Forgets what was written, and keeps its memory for more.
    fn clear(&mut self);
}

/// There is no room for more.
#[derive(Debug)]
pub(crate) struct Full;

/// What is on its way to the writer.
#[derive(Debug, Default)]
pub(crate) struct Queue<L> {
    inside: Mutex<Inside<L>>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Inside<L> {
    load: L,
    /// How many found no room since the last batch.
    dropped: u64,
    reopen: bool,
    closed: bool,
    writer: Doing,
}

/// What the writer is doing. Says when it is to be called, which costs a system call.
#[derive(Debug, Default, PartialEq, Eq)]
enum Doing {
    #[default]
    Writing,
    /// Waits for the first of a load.
    Sleeping,
    /// Waits for more of it, but not for long.
    Gathering,
}

/// What the writer takes at once.
#[derive(Debug, Default)]
pub(crate) struct Batch<L> {
    pub(crate) load: L,
    /// How many found no room since the last batch, after the last of `load`.
    pub(crate) dropped: u64,
    pub(crate) reopen: bool,
    /// Whether it is the last.
    pub(crate) closed: bool,
}

impl<L: Load> Queue<L> {
    /// Has `add` give one more to the load, and counts it as dropped if there is no room.
    pub(crate) fn push(&self, add: impl FnOnce(&mut L) -> Result<(), Full>) {
        let mut inside = self.lock();
        let before = inside.load.bytes();
        if inside.closed || add(&mut inside.load).is_err() {
            inside.dropped += 1;
            return;
        }
        let call = match inside.writer {
            Doing::Writing => false,
            Doing::Sleeping => {
                // Called once; from here on it is awake.
                inside.writer = Doing::Gathering;
                true
            }
            Doing::Gathering => before < BATCH_BYTES && !inside.lacks_more(),
        };
        drop(inside);
        if call {
            self.bell.notify_one();
        }
    }

    /// Has the writer open its file anew before it goes on.
    pub(crate) fn reopen(&self) {
        self.lock().reopen = true;
        self.bell.notify_one();
    }

    /// Has the writer end after what is in here. What comes later is dropped.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_one();
    }

    /// Waits for work, and a little longer for more of it. `spare` is where the next load goes.
    pub(crate) fn take(&self, spare: L) -> Batch<L> {
        debug_assert_eq!(spare.bytes(), 0);
        let mut inside = self.lock();
        inside.writer = Doing::Sleeping;
        let waited = self.bell.wait_while(inside, |inside| inside.is_quiet());
        inside = waited.unwrap_or_else(PoisonError::into_inner);
        inside.writer = Doing::Gathering;
        let waited = self.bell.wait_timeout_while(inside, GATHER, |inside| inside.lacks_more());
        (inside, _) = waited.unwrap_or_else(PoisonError::into_inner);
        inside.writer = Doing::Writing;
        Batch {
            load: std::mem::replace(&mut inside.load, spare),
            dropped: std::mem::take(&mut inside.dropped),
            reopen: std::mem::take(&mut inside.reopen),
            closed: inside.closed,
        }
    }

    /// Whether the writer keeps up: most of the room is free.
    pub(crate) fn is_roomy(&self) -> bool {
        self.lock().load.is_roomy()
    }

    fn lock(&self) -> MutexGuard<'_, Inside<L>> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: Load> Inside<L> {
    fn is_quiet(&self) -> bool {
        self.load.bytes() == 0 && !self.reopen && !self.closed
    }

    fn lacks_more(&self) -> bool {
        self.load.bytes() < BATCH_BYTES && !self.reopen && !self.closed
    }
}
