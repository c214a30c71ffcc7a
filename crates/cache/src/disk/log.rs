//! The log's end: where records are written, by the writer alone.

mod pushing;

use std::{collections::VecDeque, io, os::unix::fs::FileExt, sync::Arc};

use super::{
    effect::{self, Effect},
    folder::Mended,
    health::Counts,
    open_error::naming,
    purge::{Ban, Purge, What},
    segment::Segment,
    store::{LogEnd, Store, Wanted},
    ticket::{Done, NotDurable},
};

/// The log's end. What is pushed stands in memory until it is flushed; only then the index says so.
#[derive(Debug)]
pub(super) struct Log {
    pub store: Arc<Store>,
    segment: Option<Arc<Segment>>,
    /// The highest number that a segment had.
    last_id: u32,
    /// Where the next record is written: all before is whole.
    end: u64,
    /// A write failed behind `end`: nothing may be written before that is cut off.
    is_torn: bool,
    buffer: Vec<u8>,
    /// How many removals stand before `end`, and in the buffer.
    removals: u64,
    removals_pushed: u64,
    /// What is to be said once the buffer is written.
    effects: Vec<Effect>,
    /// Purges that count and that the disk did not take.
    owed: VecDeque<Ban>,
    seq: u64,
}

/// Whether what was to be written is in the buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pushed {
    /// It is, or there is nothing to write any more.
    All,
    /// It is not, and is counted.
    Not,
}

/// More purges are not owed one by one: then everything is.
const OWED_MAX: usize = 4096;

impl Log {
    /// The end as it was found; `segment` has room.
    pub(super) fn new(store: Arc<Store>, last_id: u32, segment: Option<Arc<Segment>>) -> Self {
        let LogEnd { removals, seq, .. } = *store.log_end();
        let end = segment.as_ref().map_or(0, |segment| segment.end());
        Self {
            store,
            segment,
            last_id,
            end,
            is_torn: false,
            buffer: Vec::new(),
            removals,
            removals_pushed: removals,
            effects: Vec::new(),
            owed: VecDeque::new(),
            seq,
        }
    }

    /// The number of the segment that is written to; that of the last one if there is none.
    pub(super) fn segment_id(&self) -> u32 {
        self.last_id
    }

    /// Whether the segment that is written to is this.
    pub(super) fn writes_to(&self, id: u32) -> bool {
        self.segment.as_ref().is_some_and(|segment| segment.id == id)
    }

    /// How many bytes are pushed and not flushed.
    pub(super) fn pushed_bytes(&self) -> usize {
        self.buffer.len()
    }

    /// Leaves the segment as it is: it goes.
    pub(super) fn abandon(&mut self) {
        (self.segment, self.is_torn) = (None, false);
    }

    /// Writes to another segment from now on.
    pub(super) fn roll(&mut self) -> io::Result<()> {
        self.flush()?;
        self.leave_segment()
    }

    /// Writes to the segment no more: it is to end as the index knows it.
    fn leave_segment(&mut self) -> io::Result<()> {
        if let (Some(segment), true) = (&self.segment, self.is_torn) {
            segment.file.set_len(self.end)?;
        }
        (self.segment, self.is_torn) = (None, false);
        Ok(())
    }

    /// Tries whether the disk works again, and writes what is owed.
    ///
    /// # Errors
    ///
    /// What the system says: it does not.
    pub(super) fn try_again(&mut self) -> io::Result<()> {
        let mended = self.store.folder.mend().inspect_err(|error| self.degrade(error))?;
        if mended == Mended::Emptied {
            // Files that are open could be read still, but by nobody after the next start.
            self.abandon();
            effect::forget_all(&self.store);
        }
        self.store.folder.probe().inspect_err(|error| self.degrade(error))?;
        for _ in 0..self.owed.len() {
            let Some(ban) = self.owed.pop_front() else { break };
            // One that fails is owed again.
            let _ = self.push_purge(ban, None);
        }
        self.flush()?;
        if self.segment.is_none() {
            self.begin_segment()?;
        }
        if self.owed.is_empty() {
            self.store.health.works();
        }
        Ok(())
    }

    /// Ends it: what is owed is written, or all goes that the next start would find. Better nothing than
    /// what was removed.
    pub(super) fn end(&mut self) {
        if self.owed.is_empty() || (self.try_again().is_ok() && self.owed.is_empty()) {
            return;
        }
        self.abandon();
        self.store.health.ends(effect::leave_nothing(&self.store));
    }

    /// Whether the disk should be tried again.
    pub(super) fn is_behind(&self) -> bool {
        !self.owed.is_empty() || !self.store.health.is_working()
    }

    fn begin_segment(&mut self) -> io::Result<Arc<Segment>> {
        // Even if no other can be made: what fails then is tried again.
        self.leave_segment()?;
        let begun = self.last_id.checked_add(1).ok_or_else(|| io::ErrorKind::StorageFull.into());
        let segment = begun.and_then(|id| {
            self.last_id = id;
            self.store.segments.create(id).map_err(naming(&self.store.segments.path(id)))
        });
        let segment = segment.inspect_err(|error| self.degrade(error))?;
        self.segment = Some(Arc::clone(&segment));
        self.end = 0;
        Ok(segment)
    }

    /// Writes what was pushed, syncs it if somebody waits for that, and says it.
    ///
    /// # Errors
    ///
    /// What the system says: then nothing of it counts, but purges, which are owed.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        if self.buffer.is_empty() {
            return Ok(());
        }
        let path = self.store.segments.path(self.last_id);
        let written = self.write().map_err(naming(&path));
        let effects = std::mem::take(&mut self.effects);
        let len = self.buffer.len() as u64;
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES_KEPT);
        if let Err(error) = written {
            self.is_torn = true;
            self.removals_pushed = self.removals;
            self.store.space.give(len);
            self.degrade(&error);
            self.fail(effects, &error);
            return Err(error);
        }
        self.end += len;
        self.removals = self.removals_pushed;
        let awaited: Vec<_> = self.carry_out(effects);
        self.tell(len);
        for done in awaited {
            done.tell(Ok(()));
        }
        Ok(())
    }

    fn write(&mut self) -> io::Result<()> {
        let segment = self.segment.as_ref().expect("what is pushed has a segment");
        if self.is_torn {
            // Else what is left of it might be read as if it stood behind what comes now.
            segment.file.set_len(self.end)?;
            self.is_torn = false;
        }
        segment.file.write_all_at(&self.buffer, self.end)?;
        let is_awaited = |effect: &Effect| match effect {
            Effect::Purge(_, Some(done)) => Done::is_awaited(done),
            _ => false,
        };
        if self.effects.iter().any(is_awaited) {
            segment.file.sync_data()?;
        }
        segment.ends_at(self.end + self.buffer.len() as u64);
        Ok(())
    }

    /// Has the index say what was written. Returns whom to tell.
    fn carry_out(&mut self, effects: Vec<Effect>) -> Vec<Arc<Done>> {
        for effect in &effects {
            if let Effect::Purge(ban, _) = effect {
                self.seq = self.seq.max(ban.seq);
            }
        }
        let all = effects.into_iter();
        all.filter_map(|effect| effect.carry_out(&self.store, self.last_id)).collect()
    }

    /// Forgets what could not be written, with what it was to take the place of; but purges are owed.
    fn fail(&mut self, effects: Vec<Effect>, error: &io::Error) {
        for effect in effects {
            match effect {
                Effect::Put(seq, slot, listed) => {
                    if let Some(listed) = listed {
                        self.store.bodies.delete(listed.turn.file, &self.store.folder);
                        self.store.space.give(listed.len);
                    }
                    Counts::add(&self.store.counts.not_stored, 1);
                    if self.has((slot.hash, slot.variant)) {
                        let what = What::Variant(slot.hash, slot.variant);
                        self.owe(Ban { seq, what, manner: Purge::Hard }, None, error);
                    }
                }
                Effect::Move(..) => (),
                Effect::Purge(ban, done) => self.owe(ban, done, error),
            }
        }
    }

    /// Whether the index has this variant of a key.
    fn has(&self, (hash, variant): (u64, u32)) -> bool {
        !self.store.index.find_of((hash, Some(variant))).is_empty()
    }

    /// A purge that could not be written counts all the same, and is written when that goes.
    fn owe(&mut self, ban: Ban, done: Option<Arc<Done>>, error: &io::Error) {
        if ban.what != What::All || ban.manner != Purge::Hard {
            effect::obey(&ban, &self.store, self.last_id);
        }
        if let Some(done) = done {
            done.tell(Err(NotDurable::Disk(error.to_string())));
        }
        if self.owed.len() >= OWED_MAX {
            let seq = ban.seq;
            self.owed = [Ban { seq, what: What::All, manner: Purge::Hard }].into();
            self.store.purges.add(self.owed[0].clone());
        } else {
            self.owed.push_back(ban);
        }
    }

    fn degrade(&self, error: &io::Error) {
        self.store.health.fails(error);
    }

    /// Says up to where the log is written.
    fn tell(&self, written: u64) {
        /// Four times what a snapshot has to be written for it, and no more than is scanned in a
        /// fraction of a second.
        const SNAPSHOT_EVERY: u64 = 64 << 20;
        let store = &*self.store;
        let mut log_end = store.log_end();
        log_end.segment = self.last_id;
        log_end.offset = self.end;
        log_end.removals = self.removals;
        if self.owed.is_empty() {
            log_end.seq = self.seq;
        }
        log_end.since_snapshot += written;
        let every = SNAPSHOT_EVERY.max(store.index.len() * 24 * 4).min(store.space.max() / 4);
        if log_end.since_snapshot >= every {
            log_end.since_snapshot = 0;
            store.bell.ring(Wanted { snapshot: true, ..Wanted::default() });
        }
    }
}

/// A buffer that grew for a large batch is given back.
const BUFFER_BYTES_KEPT: usize = 1 << 20;
