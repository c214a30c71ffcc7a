//! What goes to make room: segments and files, oldest first, but for what was asked for since.
//!
//! A segment goes as a whole; its objects that were asked for are written again at the log's end,
//! and have to be asked for anew to be spared once more (a clock with one hand). So one scan of a
//! large site drives out what was not asked for, and not the rest.

use std::io;

use super::{
    bodies::Turn,
    health::Counts,
    index::{Extent, Flags, Slot},
    log::Log,
    purge::Verdict,
    record::{Front, Kind, Parts},
    scan::Scan,
    segment::Patience,
};

/// Evicts until `need` bytes find room. By the writer, between two batches: readers find what is
/// there until it goes.
pub(super) fn make_room(log: &mut Log, need: u64) {
    // Each file is spared once at most, each segment's half.
    let mut steps = (log.store.bodies.len() + log.store.segments.ids().len() as u64) * 4 + 4;
    while log.store.space.lacking(need) > 0 && steps > 0 {
        steps -= 1;
        if !step(log) {
            break;
        }
    }
}

/// Lets go of the oldest, asked for or not.
pub(super) fn drop_oldest(log: &mut Log) {
    match oldest(log) {
        Some(Oldest::File(turn)) => drop_file(log, turn),
        Some(Oldest::Segment(id)) => drop_segment(log, id),
        None => (),
    }
}

enum Oldest {
    File(Turn),
    Segment(u32),
}

fn oldest(log: &Log) -> Option<Oldest> {
    let file = log.store.bodies.oldest();
    let segment = log.store.segments.oldest();
    match (file, segment) {
        (Some(turn), Some(id)) if turn.segment <= id || log.writes_to(id) => {
            Some(Oldest::File(turn))
        }
        (Some(turn), None) => Some(Oldest::File(turn)),
        (_, Some(id)) => Some(Oldest::Segment(id)),
        (None, None) => None,
    }
}

/// Makes some room. Whether that went well.
fn step(log: &mut Log) -> bool {
    match oldest(log) {
        Some(Oldest::File(turn)) => {
            match log.store.bodies.take_turn(turn, log.segment_id()) {
                Some(_) => drop_file(log, turn),
                None => Counts::add(&log.store.counts.spared, 1),
            }
            true
        }
        Some(Oldest::Segment(id)) => {
            let is_alone = log.writes_to(id);
            if is_alone && log.roll().is_err() {
                return false;
            }
            evict_segment(log, id).is_ok()
        }
        None => false,
    }
}

fn drop_file(log: &Log, turn: Turn) {
    let store = &*log.store;
    let listed = store.bodies.hash_of(turn.file);
    let slots = listed.map(|hash| store.index.find(hash)).unwrap_or_default();
    for slot in slots.iter().filter(|slot| slot.extent == Extent::File(turn.file)) {
        store.remove(slot);
        Counts::add(&store.counts.evicted, 1);
    }
    // One that no object has.
    store.space.give(store.bodies.delete(turn.file, &store.folder));
}

/// Writes what was asked for again, and deletes the segment.
fn evict_segment(log: &mut Log, id: u32) -> io::Result<()> {
    let store = std::sync::Arc::clone(&log.store);
    let Some(segment) = store.segments.get(id) else { return Ok(()) };
    // Half of it goes, whatever was asked for: else room would never be made.
    let mut spare_bytes = segment.end() / 2;
    let mut purged_upto = 0;
    let mut scan = Scan::new(segment, 0, &store.folder.secret);
    while let Ok(Some((place, front))) = scan.next() {
        if front.header.kind == Kind::Purge {
            purged_upto = purged_upto.max(front.header.seq);
        }
        // Before it is looked up: what is done meanwhile is done in the index.
        let verdict = store.purges.verdict(&front);
        let Some(slot) = store.index.at(front.header.key_hash, place) else { continue };
        let is_spared = match slot.extent {
            // The file has its own turn.
            Extent::File(_) => true,
            Extent::Inline(len) => slot.flags.has(Flags::HIT) && u64::from(len) <= spare_bytes,
        };
        if verdict == Verdict::Gone || !is_spared || !spare(log, slot, &front, verdict)? {
            store.remove(&slot);
            Counts::add(&store.counts.evicted, u64::from(verdict != Verdict::Gone));
        } else if let Extent::Inline(len) = slot.extent {
            spare_bytes -= u64::from(len);
        }
    }
    log.flush()?;
    drop_segment(log, id);
    if !log.is_behind() {
        // All that was before these in the log has gone, or was held against them when it was spared.
        store.purges.forget(purged_upto);
    }
    Ok(())
}

/// Writes a record again. `false` if it cannot be read or has no room.
fn spare(log: &mut Log, mut slot: Slot, front: &Front, verdict: Verdict) -> io::Result<bool> {
    let store = std::sync::Arc::clone(&log.store);
    if verdict == Verdict::Stale {
        slot.flags = slot.flags.with(Flags::STALE);
        store.index.mark(&slot, Flags::STALE);
    }
    let body = match slot.extent {
        Extent::File(file) if !store.bodies.has(file) => return Ok(false),
        Extent::File(_) => bytes::Bytes::new(),
        Extent::Inline(_) => {
            let body = store
                .read(&slot, Patience::Waits)
                .and_then(|read| store.inline_body(&slot, &read, Patience::Waits));
            let Ok(body) = body else {
                Counts::add(&store.counts.bad, 1);
                return Ok(false);
            };
            body
        }
    };
    let tags: Vec<u64> = front.tags().collect();
    let (key, selection, head) = (front.key(), front.selection(), front.head());
    let parts = Parts { tags: &tags, key: &key, selection: &selection, head: &head, body: &body };
    if log.pushed_bytes() > FLUSH_BYTES {
        log.flush()?;
    }
    log.push_copy(&slot, &front.header, &parts)
}

/// Deletes a segment, with what the index still has of it.
fn drop_segment(log: &mut Log, id: u32) {
    let store = std::sync::Arc::clone(&log.store);
    let Some(segment) = store.segments.get(id) else { return };
    if log.writes_to(id) && log.roll().is_err() {
        log.abandon();
    }
    let mut scan = Scan::new(std::sync::Arc::clone(&segment), 0, &store.folder.secret);
    while let Ok(Some((place, front))) = scan.next() {
        if let Some(slot) = store.index.at(front.header.key_hash, place) {
            store.remove(&slot);
            Counts::add(&store.counts.evicted, 1);
        }
    }
    if store.segments.delete(id).is_ok() {
        store.space.give(segment.end());
    }
}

/// What is written again is not gathered beyond this.
const FLUSH_BYTES: usize = 2 << 20;
