//! All that is stored, a page at a time; and whether it is what it was.

use std::{ops::ControlFlow, sync::Arc};

use bytes::Bytes;

use super::{
    index::{Extent, Flags, Slot},
    purge::Verdict,
    record::{Front, Place},
    scan::Scan,
    segment::Patience,
    settings::Access,
    store::{Read, Store},
};

/// Where a list goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cursor {
    segment: u32,
    offset: u64,
}

/// A part of the list.
#[derive(Clone, Debug, Default)]
pub struct Page {
    /// In the order in which they were written.
    pub entries: Vec<Listed>,
    /// Where it goes on; `None` if that was all.
    pub next: Option<Cursor>,
}

/// An object, without its body.
#[derive(Clone, Debug)]
pub struct Listed {
    /// Its key.
    pub key: Bytes,
    /// Its selection.
    pub selection: Bytes,
    /// Its head.
    pub head: Bytes,
    /// How many bytes its body has.
    pub body_len: u64,
    /// When it was stored, in Unix milliseconds.
    pub stored_at: u64,
    /// Until when it is fresh; the same.
    pub fresh_until: u64,
    /// Whether a purge made it stale.
    pub is_stale: bool,
}

/// How far a check has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// Objects that were looked at.
    pub objects: u64,
    /// Objects that there are, about.
    pub objects_max: u64,
    /// Bytes of bodies that were read.
    pub bytes: u64,
    /// Objects that were not what was stored, and are gone now, unless the folder is only looked at.
    pub bad: u64,
    /// Segments of a folder that is only looked at that are not there, though its index speaks of
    /// them: whatever was stored in them is lost.
    pub missing_segments: u64,
}

/// So many records are looked at for a page, whether they count or not.
const PAGE_RECORDS_MAX: usize = 65_536;

/// Gives at most `limit` objects from `cursor` on. What changes meanwhile may be missing, or in it
/// twice.
pub(super) fn page(store: &Store, cursor: Cursor, limit: usize) -> Page {
    let mut page = Page::default();
    let mut looked_at = 0;
    for id in store.segments.ids().into_iter().filter(|&id| id >= cursor.segment) {
        let Some(segment) = store.segments.get(id) else { continue };
        let offset = if id == cursor.segment { cursor.offset } else { 0 };
        let mut scan = Scan::new(segment, offset, &store.folder.secret);
        while let Ok(Some((place, front))) = scan.next() {
            page.entries.extend(listed(store, place, &front));
            looked_at += 1;
            if page.entries.len() >= limit || looked_at >= PAGE_RECORDS_MAX {
                page.next = Some(Cursor { segment: id, offset: scan.whole_end() });
                return page;
            }
        }
    }
    page
}

fn listed(store: &Store, place: Place, front: &Front) -> Option<Listed> {
    // Before it is looked up: what is done meanwhile is done in the index.
    let verdict = store.purges.verdict(front);
    let slot = store.index.at(front.header.key_hash, place)?;
    (verdict != Verdict::Gone).then(|| Listed {
        key: front.key(),
        selection: front.selection(),
        head: front.head(),
        body_len: front.header.body_len,
        stored_at: front.header.stored_at,
        fresh_until: front.header.fresh_until,
        is_stale: verdict == Verdict::Stale || slot.flags.has(Flags::STALE),
    })
}

/// Reads all that is stored and holds it against its sums; what differs goes. Tells `progress` after
/// each object, which may end it.
pub(super) fn verify(
    store: &Arc<Store>,
    mut progress: impl FnMut(Verified) -> ControlFlow<()>,
) -> Verified {
    let mut verified = Verified { objects_max: store.index.len(), ..Verified::default() };
    if store.folder.access == Access::Look {
        // Who starts on it copes with that, and tells no more of it.
        verified.missing_segments = store.missing_segments;
    }
    let mut slots = Vec::new();
    store.index.each_shard(|shard| slots.extend_from_slice(shard));
    // As they lie on disk.
    slots.sort_unstable_by_key(|slot| slot.place);
    for slot in &slots {
        // It may have gone, and come elsewhere, meanwhile.
        if store.index.at(slot.hash, slot.place).is_none() {
            continue;
        }
        match check(store, slot) {
            Checked::Good(bytes) => verified.bytes += bytes,
            Checked::Bad => {
                store.lose(slot);
                verified.bad += 1;
            }
            // Nobody finds it, and the sweep takes it out.
            Checked::Purged => continue,
        }
        verified.objects += 1;
        if progress(verified).is_break() {
            break;
        }
    }
    verified
}

/// What an object is found to be.
enum Checked {
    /// What was stored, with a body of so many bytes.
    Good(u64),
    /// Something else.
    Bad,
    /// One that was purged.
    Purged,
}

/// Holds an object against its sums. All of it is read anew.
fn check(store: &Store, slot: &Slot) -> Checked {
    let Ok(read) = store.read(slot, Patience::Waits) else { return Checked::Bad };
    if store.purges.verdict(&read.front) == Verdict::Gone {
        return Checked::Purged;
    }
    body_len(store, slot, &read).map_or(Checked::Bad, Checked::Good)
}

/// How many bytes the body has, if it is what was stored.
fn body_len(store: &Store, slot: &Slot, read: &Read) -> Option<u64> {
    let header = &read.front.header;
    match slot.extent {
        Extent::Inline(_) => {
            let unverified = Slot { flags: Flags::default(), ..*slot };
            store.inline_body(&unverified, read, Patience::Waits).ok()?;
        }
        Extent::File(file) => {
            let what = (header.body_len, header.body_sum);
            let body = store.bodies.open_anew(file, what, &store.folder.secret).ok()?;
            body.check(0..body.len()).ok()?;
        }
    }
    Some(header.body_len)
}
