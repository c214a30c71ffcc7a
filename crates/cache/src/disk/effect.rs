//! What records mean for the index, once they are written.

use std::{
    io,
    sync::{Arc, atomic::Ordering},
};

use super::{
    bodies::Listed,
    health::Counts,
    index::{Extent, Flags, Slot},
    purge::{Ban, Purge, What},
    record::Place,
    store::{Store, Wanted},
    ticket::Done,
};

/// What a record means.
#[derive(Debug)]
pub(super) enum Effect {
    /// What was asked for as this number.
    Put(u64, Slot, Option<Listed>),
    /// The object of this slot has another record.
    Move(Slot, Place),
    Purge(Ban, Option<Arc<Done>>),
}

impl Effect {
    /// Has the index say what was written. Returns whom to tell.
    ///
    /// `newest` is the segment that it is written to.
    pub(super) fn carry_out(self, store: &Store, newest: u32) -> Option<Arc<Done>> {
        match self {
            Self::Put(_, slot, listed) => {
                if let Some(listed) = listed {
                    store.bodies.add(listed);
                }
                for gone in store.index.put(slot) {
                    if gone.extent != slot.extent || matches!(slot.extent, Extent::Inline(_)) {
                        store.released(&gone);
                    }
                }
                Counts::add(&store.counts.stored, 1);
                None
            }
            Self::Move(slot, place) => {
                if store.index.relocate(&slot, place) {
                    Counts::add(&store.counts.spared, 1);
                }
                None
            }
            Self::Purge(ban, done) => {
                obey(&ban, store, newest);
                done
            }
        }
    }
}

/// Carries a purge out, or has the keeper do it.
pub(super) fn obey(ban: &Ban, store: &Store, newest: u32) {
    let purged = if let Some(key) = ban.what.key() {
        let purged = obey_key(key, ban.manner, store);
        store.purges.forget_key(key, ban.seq);
        purged
    } else if ban.what == What::All && ban.manner == Purge::Hard {
        let purged = delete_all(store, newest);
        store.purges.forget_keys(ban.seq);
        store.purges.forget(ban.seq);
        purged
    } else {
        store.bell.ring(Wanted { sweep: store.purges.want_a_sweep(), ..Wanted::default() });
        0
    };
    Counts::add(&store.counts.purged, purged);
}

/// Takes out what a key has, or one variant of it, or makes it stale. Returns how many those were.
fn obey_key(key: (u64, Option<u32>), manner: Purge, store: &Store) -> u64 {
    let found = match manner {
        Purge::Hard => store.index.remove_all(key),
        Purge::Soft => store.index.find_of(key),
    };
    for slot in &found {
        match manner {
            Purge::Hard => store.released(slot),
            Purge::Soft => store.index.mark(slot, Flags::STALE),
        }
    }
    found.len() as u64
}

/// Forgets what was in a folder that somebody has emptied.
pub(super) fn forget_all(store: &Store) {
    const NO_SEGMENT: u32 = 0;
    let count = delete_all(store, NO_SEGMENT);
    Counts::add(&store.counts.bad, count);
    store.space.give(store.snapshot_len.swap(0, Ordering::Relaxed));
}

/// Deletes what was stored, and what the next start would find it by.
///
/// # Errors
///
/// What the system says: then it may find some of it.
pub(super) fn leave_nothing(store: &Store) -> io::Result<()> {
    const NO_SEGMENT: u32 = 0;
    delete_all(store, NO_SEGMENT);
    store.folder.delete(&store.folder.snapshot())?;
    store.space.give(store.snapshot_len.swap(0, Ordering::Relaxed));
    // All that could be deleted is.
    let left = std::fs::read_dir(store.folder.segments())?.next().is_some();
    if left { Err(io::Error::other("not all of it can be deleted")) } else { Ok(()) }
}

/// Deletes all but the segment that is written to. Returns how many objects there were.
fn delete_all(store: &Store, newest: u32) -> u64 {
    let count = store.index.len();
    store.index.clear();
    store.index.shrink();
    for listed in store.bodies.list() {
        store.space.give(store.bodies.delete(listed.turn.file, &store.folder));
    }
    let before = store.segments.ids().into_iter().filter(|&id| id != newest);
    for segment in before.filter_map(|id| store.segments.get(id)) {
        // A file that stays has nothing that counts, and its bytes are counted by the next start.
        let _ = store.segments.delete(segment.id);
        store.space.give(segment.end());
    }
    count
}
