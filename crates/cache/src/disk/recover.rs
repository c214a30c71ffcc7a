//! A start: the snapshot, then the log behind it.
//!
//! What is read is what was acknowledged, however the process before this one ended. A record that
//! was cut off or damaged is not there. If one of the removals and purges is among these, everything
//! before it goes: better nothing than what was removed.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    io::ErrorKind,
    sync::{Arc, Mutex},
};

use super::{
    bodies::{Bodies, Listed, Turn},
    body_file,
    families::{self, Families},
    folder::Folder,
    health::{Counts, Health, OnState, Space},
    index::{Extent, Flags, Index, Slot},
    log::Log,
    open_error::{OpenError, failed},
    pending::Pending,
    purge::{Ban, Purge, Purges, What},
    queue::Queue,
    record::{Front, Kind, Place},
    retry::Timer,
    scan::Scan,
    segment::{Segment, Segments, number_of},
    settings::{Access, DiskSettings, FamiliesOf},
    snapshot::{self, Snapshot},
    store::{Bell, LogEnd, Store, Wanted},
};

/// What is read, piece by piece.
struct Recovery {
    folder: Folder,
    index: Index,
    segments: Segments,
    purges: Purges,
    families: Families,
    families_of: FamiliesOf,
    /// Removals and purges seen so far; `None` before the first record.
    removals: Option<u64>,
    seq: u64,
    /// How long the files are that records behind the snapshot speak of.
    file_lens: HashMap<u32, u64>,
    bad: u64,
    /// Segments that the snapshot speaks of, and that are not there.
    missing: u64,
}

/// Reads what is in `folder`.
///
/// # Errors
///
/// [`OpenError`] if its parts cannot be listed.
pub(super) fn recover(
    folder: Folder,
    settings: DiskSettings,
    on_state: OnState,
) -> Result<Log, OpenError> {
    let segments = Segments::new(folder.segments(), folder.access);
    let listed = segments.listed().map_err(failed("reading", &folder.segments()))?;
    let index = Index::new();
    let snapshot_path = folder.snapshot();
    let _ = folder.delete(&snapshot_path.with_extension("part"));
    let snapshot = snapshot::read(&snapshot_path, &folder.secret, (&index, &listed));
    let mut recovery = Recovery {
        purges: Purges::new(settings.name_of),
        families: Families::default(),
        families_of: settings.families_of,
        removals: snapshot.as_ref().map(|snapshot| snapshot.log_end.removals),
        seq: snapshot.as_ref().map_or(1, |snapshot| snapshot.next_seq.max(1)) - 1,
        folder,
        index,
        segments,
        file_lens: HashMap::new(),
        bad: 0,
        missing: snapshot.as_ref().map_or(0, |snapshot| missing(snapshot, &listed)),
    };
    let mut snapshot = snapshot.unwrap_or_default();
    recovery.families = std::mem::take(&mut snapshot.families);
    for ban in &snapshot.bans {
        recovery.purges.add(ban.clone());
    }
    let last = recovery.read_log(&listed, &snapshot);
    let bodies = recovery.read_bodies(&snapshot)?;
    Ok(recovery.into_log((settings, on_state), (snapshot, bodies), (&listed, last)))
}

/// How many segments a snapshot speaks of that were not evicted since, and are not among those that
/// are `listed`: segments go in the order of their numbers.
fn missing(snapshot: &Snapshot, listed: &[u32]) -> u64 {
    let is_lost = |id: &&u32| match listed.first() {
        Some(oldest) => **id > *oldest && listed.binary_search(id).is_err(),
        // There always is the newest.
        None => true,
    };
    snapshot.segments.iter().filter(is_lost).count() as u64
}

impl Recovery {
    /// Reads the segments behind the snapshot. Returns the last, if it can be written to.
    fn read_log(&mut self, listed: &[u32], snapshot: &Snapshot) -> Option<Arc<Segment>> {
        let mut last = None;
        for &id in listed {
            last = None;
            let Ok(segment) = self.segments.open(id) else {
                self.bad += 1;
                continue;
            };
            let from = match id.cmp(&snapshot.log_end.segment) {
                std::cmp::Ordering::Less => continue,
                std::cmp::Ordering::Equal => snapshot.log_end.offset,
                std::cmp::Ordering::Greater => 0,
            };
            if segment.end() < from {
                // Somebody has cut it: all that is left of it is in the snapshot.
                continue;
            }
            let end = self.read_segment(&segment, from);
            let is_whole = end.is_some_and(|end| {
                // What was cut off is not to be read as if it stood behind what comes now.
                end == segment.end()
                    || self.folder.access == Access::Look
                    || segment.file.set_len(end).is_ok()
            });
            if let (true, Some(end)) = (is_whole, end) {
                segment.ends_at(end);
                last = Some(segment);
            }
        }
        last
    }

    /// Reads a segment. Returns up to where it has records; `None` if it cannot be read.
    fn read_segment(&mut self, segment: &Arc<Segment>, from: u64) -> Option<u64> {
        let secret = self.folder.secret.clone();
        let mut scan = Scan::new(Arc::clone(segment), from, &secret);
        let end = loop {
            match scan.next() {
                Ok(Some((place, front))) => self.take(place, &front),
                Ok(None) => break Some(scan.whole_end()),
                Err(_) => break None,
            }
        };
        self.bad += scan.gaps();
        end
    }

    fn take(&mut self, place: Place, front: &Front) {
        let header = &front.header;
        if self.removals.is_some_and(|removals| removals != header.removals) {
            // A removal is lost, and nobody knows of what.
            self.bad += self.index.len();
            self.index.clear();
        }
        self.removals = Some(header.removals + u64::from(header.kind != Kind::Object));
        self.seq = self.seq.max(header.seq);
        match header.kind {
            Kind::Object => {
                let flags = if header.is_soft { Flags::STALE } else { Flags::default() };
                let extent = if header.file == 0 {
                    let len = u32::try_from(front.record_len()).unwrap_or(u32::MAX);
                    Extent::Inline(len)
                } else {
                    self.file_lens.insert(header.file, body_file::file_len(header.body_len));
                    Extent::File(header.file)
                };
                let (hash, variant) = (header.key_hash, header.variant);
                let Self { families, families_of, folder, .. } = self;
                families_of(&front.key(), &mut |names: &[&[u8]]| {
                    let kin = families::kin(names, (&folder.secret, hash));
                    kin.for_each(|kin| families.fill(kin));
                });
                self.index.put(Slot { hash, place, extent, variant, flags });
            }
            Kind::Removal | Kind::RemovalOfOne | Kind::Purge => {
                if let Some(ban) = ban_of(front) {
                    self.obey(ban);
                }
            }
        }
    }

    fn obey(&mut self, ban: Ban) {
        match (ban.what.key(), ban.manner) {
            (Some(key), Purge::Hard) => _ = self.index.remove_all(key),
            (Some(key), Purge::Soft) => {
                for slot in self.index.find_of(key) {
                    self.index.mark(&slot, Flags::STALE);
                }
            }
            (None, Purge::Hard) if ban.what == What::All => {
                self.index.clear();
                self.purges.forget(ban.seq);
            }
            _ => self.purges.add(ban),
        }
    }

    /// Brings the index and the files of bodies together: what is of no object goes, and objects
    /// whose file is gone.
    fn read_bodies(&self, snapshot: &Snapshot) -> Result<Bodies, OpenError> {
        let folder = self.folder.bodies();
        let owners = self.index.files();
        let (mut there, mut last) = (BTreeSet::new(), 0);
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            entries => Some(entries.map_err(failed("reading", &folder))?),
        };
        for entry in entries.into_iter().flatten() {
            let entry = entry.map_err(failed("reading", &folder))?;
            match number_of(&entry.file_name().to_string_lossy()) {
                Some(file) if owners.contains_key(&file) => _ = there.insert(file),
                _ => _ = self.folder.delete(&entry.path()),
            }
        }
        let bodies = Bodies::new(folder);
        for listed in self.files_in_turn(snapshot, &owners) {
            last = last.max(listed.turn.file);
            if there.contains(&listed.turn.file) {
                bodies.add(listed);
            } else if let Some(slot) = owners.get(&listed.turn.file) {
                self.index.remove(slot.hash, slot.place);
            }
        }
        bodies.used_up_to(last);
        Ok(bodies)
    }

    /// The files that objects have: those that the snapshot knows in its order, then newer ones.
    fn files_in_turn(&self, snapshot: &Snapshot, owners: &BTreeMap<u32, Slot>) -> Vec<Listed> {
        let known = snapshot.files.iter().filter(|listed| owners.contains_key(&listed.turn.file));
        let mut files: Vec<_> = known.copied().collect();
        let named: BTreeSet<_> = files.iter().map(|listed| listed.turn.file).collect();
        for (&file, slot) in owners.iter().filter(|(file, _)| !named.contains(file)) {
            let Some(&len) = self.file_lens.get(&file) else { continue };
            let turn = Turn { file, segment: slot.place.segment };
            files.push(Listed { turn, hash: slot.hash, len, is_hit: false });
        }
        files
    }

    fn into_log(
        self,
        (settings, on_state): (DiskSettings, OnState),
        (snapshot, bodies): (Snapshot, Bodies),
        (listed, last): (&[u32], Option<Arc<Segment>>),
    ) -> Log {
        let space = Space::new(settings.disk_max);
        let segments = listed.iter().filter_map(|&id| self.segments.get(id));
        space.add(segments.map(|segment| segment.end()).sum());
        space.add(bodies.list().iter().map(|listed| listed.len).sum());
        space.add(snapshot.len);
        let last_id = listed.last().copied().unwrap_or(0).max(snapshot.log_end.segment);
        let counts = Counts::default();
        Counts::add(&counts.bad, self.bad);
        let log_end = LogEnd {
            segment: last_id,
            offset: last.as_ref().map_or(u64::MAX, |segment| segment.end()),
            removals: self.removals.unwrap_or(0),
            seq: self.seq,
            since_snapshot: 0,
        };
        let bell = Bell::default();
        bell.ring(Wanted { sweep: self.purges.want_a_sweep(), ..Wanted::default() });
        let store = Store {
            queue: Queue::new(settings.queue_bytes, self.seq + 1),
            pending: Pending::new(),
            families: self.families,
            settings,
            folder: self.folder,
            index: self.index,
            segments: self.segments,
            bodies,
            purges: self.purges,
            space,
            health: Health::new(on_state),
            counts,
            log_end: Mutex::new(log_end),
            snapshot_len: snapshot.len.into(),
            missing_segments: self.missing,
            bell,
            timer: Timer::default(),
        };
        let last = last.filter(|segment| segment.id == last_id);
        Log::new(Arc::new(store), last_id, last)
    }
}

/// The purge that a record is.
fn ban_of(front: &Front) -> Option<Ban> {
    let header = &front.header;
    let what = match (header.kind, header.variant) {
        (Kind::Removal, _) => What::Key(header.key_hash),
        (Kind::RemovalOfOne, variant) => What::Variant(header.key_hash, variant),
        (Kind::Purge, 1) => What::All,
        (Kind::Purge, 2) => What::Tag(header.key_hash),
        (Kind::Purge, 3) => What::Prefix(front.key()),
        (Kind::Purge, 4) => What::Glob(front.key()),
        _ => return None,
    };
    let manner = if header.is_soft { Purge::Soft } else { Purge::Hard };
    Some(Ban { seq: header.seq, what, manner })
}
