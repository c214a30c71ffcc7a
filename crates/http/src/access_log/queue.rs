//! The way from those who answer to the one who writes. Never waited for at its entrance.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use super::entry::Entry;

/// How many entries wait at most, and how many bytes of memory they take at most.
const ENTRIES_MAX: usize = 16_384;
const BYTES_MAX: usize = 16 << 20;

/// With so many bytes of entries the writer is called before its time.
const BATCH_BYTES: usize = 64 << 10;

/// How long the writer gathers entries after the first.
const GATHER: Duration = Duration::from_millis(250);

/// Entries on their way to the writer.
#[derive(Debug, Default)]
pub(super) struct Queue {
    inside: Mutex<Inside>,
    bell: Condvar,
}

#[derive(Debug, Default)]
struct Inside {
    /// At most `ENTRIES_MAX`.
    entries: Vec<Entry>,
    /// The sum of their sizes. At most `BYTES_MAX`.
    bytes: usize,
    /// How many found no place since the last batch.
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
    /// Waits for the first entry.
    Sleeping,
    /// Waits for more entries, but not for long.
    Gathering,
}

/// What the writer takes at once.
#[derive(Debug, Default)]
pub(super) struct Batch {
    pub(super) entries: Vec<Entry>,
    /// How many found no place since the last batch.
    pub(super) dropped: u64,
    pub(super) reopen: bool,
    /// Whether it is the last.
    pub(super) closed: bool,
}

impl Queue {
    /// Gives `entry` to the writer, or drops and counts it if there is no place.
    pub(super) fn push(&self, entry: Entry) {
        let size = entry.size();
        let mut inside = self.lock();
        if inside.closed || inside.entries.len() >= ENTRIES_MAX || inside.bytes + size > BYTES_MAX {
            inside.dropped += 1;
            return;
        }
        inside.entries.push(entry);
        inside.bytes += size;
        let call = match inside.writer {
            Doing::Writing => false,
            Doing::Sleeping => {
                // Called once; from here on it is awake.
                inside.writer = Doing::Gathering;
                true
            }
            Doing::Gathering => (inside.bytes - size < BATCH_BYTES) && !inside.lacks_more(),
        };
        drop(inside);
        if call {
            self.bell.notify_one();
        }
    }

    /// Has the writer open its file anew before it goes on.
    pub(super) fn reopen(&self) {
        self.lock().reopen = true;
        self.bell.notify_one();
    }

    /// Has the writer end after what is in here. Later entries are dropped.
    pub(super) fn close(&self) {
        self.lock().closed = true;
        self.bell.notify_one();
    }

    /// Waits for work, and a little longer for more of it. `spare` is where the next entries go.
    pub(super) fn take(&self, spare: Vec<Entry>) -> Batch {
        debug_assert!(spare.is_empty());
        let mut inside = self.lock();
        inside.writer = Doing::Sleeping;
        let waited = self.bell.wait_while(inside, |inside| inside.is_quiet());
        inside = waited.unwrap_or_else(PoisonError::into_inner);
        inside.writer = Doing::Gathering;
        let waited = self.bell.wait_timeout_while(inside, GATHER, |inside| inside.lacks_more());
        (inside, _) = waited.unwrap_or_else(PoisonError::into_inner);
        inside.writer = Doing::Writing;
        inside.bytes = 0;
        Batch {
            entries: std::mem::replace(&mut inside.entries, spare),
            dropped: std::mem::take(&mut inside.dropped),
            reopen: std::mem::take(&mut inside.reopen),
            closed: inside.closed,
        }
    }

    /// Whether the writer keeps up: most places are free.
    pub(super) fn is_roomy(&self) -> bool {
        let inside = self.lock();
        inside.entries.len() < ENTRIES_MAX / 2 && inside.bytes < BYTES_MAX / 2
    }

    fn lock(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inside {
    fn is_quiet(&self) -> bool {
        self.entries.is_empty() && !self.reopen && !self.closed
    }

    fn lacks_more(&self) -> bool {
        self.bytes < BATCH_BYTES && !self.reopen && !self.closed
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use relais_net::Peer;

    use super::*;
    use crate::says::ask;

    fn entry(agent: &str) -> Entry {
        Entry::of(&ask(Peer::Local, "/", &[("user-agent", agent)]), UNIX_EPOCH)
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let queue = Queue::default();
        for _ in 0..ENTRIES_MAX + 3 {
            queue.push(entry(""));
        }
        assert!(!queue.is_roomy());
        let batch = queue.take(Vec::new());
        assert_eq!((batch.entries.len(), batch.dropped), (ENTRIES_MAX, 3));
        assert!(queue.is_roomy());
        queue.push(entry(""));
        queue.close();
        let batch = queue.take(Vec::new());
        assert_eq!((batch.entries.len(), batch.dropped, batch.closed), (1, 0, true));
    }

    #[test]
    fn long_entries_fill_it_sooner() {
        let queue = Queue::default();
        let long = "a".repeat(2048);
        let fit = BYTES_MAX / entry(&long).size();
        assert!(fit < ENTRIES_MAX);
        for _ in 0..=fit {
            queue.push(entry(&long));
        }
        let batch = queue.take(Vec::new());
        assert_eq!((batch.entries.len(), batch.dropped), (fit, 1));
    }

    #[test]
    fn after_the_end_all_is_dropped() {
        let queue = Queue::default();
        queue.close();
        queue.push(entry(""));
        let batch = queue.take(Vec::new());
        assert_eq!((batch.entries.len(), batch.dropped, batch.closed), (0, 1, true));
    }

    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<Entry>() <= 192, "{}", size_of::<Entry>());
    }
}
