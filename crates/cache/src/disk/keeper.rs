//! The keeper: one thread that writes snapshots and takes out what was purged.

use std::{sync::atomic::Ordering, time::Duration};

use super::{
    health::Counts, index::Flags, open_error::naming, purge::Verdict, scan::Scan, snapshot,
    store::Store,
};

/// After so many records the sweep lets others work.
const STEP_RECORDS: u32 = 4096;
const STEP_PAUSE: Duration = Duration::from_millis(1);

/// Keeps until the end, and writes a last snapshot.
pub(super) fn keep(store: &Store) {
    loop {
        let wanted = store.bell.wait();
        if wanted.sweep && !wanted.end {
            sweep(store);
        }
        if wanted.snapshot && !wanted.end {
            write_snapshot(store);
        }
        if wanted.end {
            return;
        }
    }
}

/// Writes a snapshot, if there is room for one beside the one that is there.
pub(super) fn write_snapshot(store: &Store) {
    const ROOM_FOR_NEWER: u64 = 64 << 10;
    let guess = store.index.len() * 25
        + store.bodies.len() * 24
        + store.families.len() * 16
        + ROOM_FOR_NEWER;
    // However little room there is: what does not fit is evicted with the next batch. Without a
    // snapshot, the next start would read the whole log.
    store.space.add(guess);
    let written = snapshot::write(store);
    store.space.give(guess);
    match written {
        Ok(len) => {
            let before = store.snapshot_len.swap(len, Ordering::Relaxed);
            store.space.add(len);
            store.space.give(before);
            Counts::add(&store.counts.snapshots, 1);
        }
        Err(error) => {
            store.health.fails(&naming(&store.folder.snapshot())(error));
            store.queue.nudge();
        }
    }
}

/// Takes out, or makes stale, all that the purges are about that are written by now; then nobody has
/// to look at them any more.
pub(super) fn sweep(store: &Store) {
    let written = store.log_end().seq;
    let mut records = 0;
    for id in store.segments.ids() {
        let Some(segment) = store.segments.get(id) else { continue };
        let mut scan = Scan::new(segment, 0, &store.folder.secret);
        while let Ok(Some((place, front))) = scan.next() {
            let is_asked = front.header.seq < written;
            if let Some(slot) = store.index.at(front.header.key_hash, place).filter(|_| is_asked) {
                match store.purges.verdict(&front) {
                    Verdict::Good => (),
                    Verdict::Stale => store.index.mark(&slot, Flags::STALE),
                    Verdict::Gone => Counts::add(&store.counts.purged, store.remove(&slot).into()),
                }
            }
            records += 1;
            if records % STEP_RECORDS == 0 && store.bell.pause(STEP_PAUSE) {
                return;
            }
        }
    }
    store.purges.forget(written);
    store.index.shrink();
}
