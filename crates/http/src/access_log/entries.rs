//! Entries on their way to the writer.

use super::entry::Entry;
use crate::line_log::{Full, Load};

/// How many entries wait at most, and how many bytes of memory they take at most.
const ENTRIES_MAX: usize = 16_384;
const BYTES_MAX: usize = 16 << 20;

/// Entries on their way to the writer.
#[derive(Debug, Default)]
pub(super) struct Entries {
    /// At most `ENTRIES_MAX`.
    pub(super) list: Vec<Entry>,
    /// The sum of their sizes. At most `BYTES_MAX`.
    bytes: usize,
}

impl Entries {
    pub(super) fn add(&mut self, entry: Entry) -> Result<(), Full> {
        let size = entry.size();
        if self.list.len() >= ENTRIES_MAX || self.bytes + size > BYTES_MAX {
            return Err(Full);
        }
        self.list.push(entry);
        self.bytes += size;
        Ok(())
    }
}

impl Load for Entries {
    fn bytes(&self) -> usize {
        self.bytes
    }

    fn is_roomy(&self) -> bool {
        self.list.len() < ENTRIES_MAX / 2 && self.bytes < BYTES_MAX / 2
    }

    fn clear(&mut self) {
        self.list.clear();
        self.bytes = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::time::UNIX_EPOCH;

    use relais_net::Peer;

    use super::*;
    use crate::{line_log::Queue, says::ask};

    fn entry(agent: &str) -> Entry {
        Entry::of(&ask(Peer::Local, "/", &[("user-agent", agent)]), UNIX_EPOCH)
    }

    fn push(queue: &Queue<Entries>, agent: &str) {
        queue.push(|entries| entries.add(entry(agent)));
    }

    #[test]
    fn a_full_queue_drops_and_counts() {
        let queue = Queue::<Entries>::default();
        for _ in 0..ENTRIES_MAX + 3 {
            push(&queue, "");
        }
        assert!(!queue.is_roomy());
        let batch = queue.take(Entries::default());
        assert_eq!((batch.load.list.len(), batch.dropped), (ENTRIES_MAX, 3));
        assert!(queue.is_roomy());
        push(&queue, "");
        queue.close();
        let batch = queue.take(Entries::default());
        assert_eq!((batch.load.list.len(), batch.dropped, batch.closed), (1, 0, true));
    }

    #[test]
    fn long_entries_fill_it_sooner() {
        let queue = Queue::<Entries>::default();
        let long = "a".repeat(2048);
        let fit = BYTES_MAX / entry(&long).size();
        assert!(fit < ENTRIES_MAX);
        for _ in 0..=fit {
            push(&queue, &long);
        }
        let batch = queue.take(Entries::default());
        assert_eq!((batch.load.list.len(), batch.dropped), (fit, 1));
    }

    #[test]
    fn after_the_end_all_is_dropped() {
        let queue = Queue::<Entries>::default();
        queue.close();
        push(&queue, "");
        let batch = queue.take(Entries::default());
        assert_eq!((batch.load.list.len(), batch.dropped, batch.closed), (0, 1, true));
    }

    #[test]
    fn an_entry_is_small() {
        assert!(size_of::<Entry>() <= 192, "{}", size_of::<Entry>());
    }
}
