//! What is pushed to the log: objects, copies of them, and purges, each become a record.

use std::{io, sync::Arc};

use super::{Log, Pushed};
use crate::disk::{
    bodies::{Listed, Turn},
    effect::Effect,
    health::Counts,
    index::{Extent, Flags, Slot, variant_of},
    purge::{Ban, Purge, What},
    queue::{Meta, WrittenFile},
    record::{self, Header, Kind, Parts, Place},
    ticket::Done,
};

impl Log {
    /// Pushes an object whose body stands in the record.
    pub(in crate::disk) fn push_inline(
        &mut self,
        seq: u64,
        meta: &Meta,
        body: &[u8],
    ) -> io::Result<Pushed> {
        let mut header = self.header_of(seq, meta);
        header.body_len = body.len() as u64;
        header.body_sum = self.store.folder.secret.sum(body);
        let parts = Parts { body, ..parts_of(meta) };
        let Some(place) = self.push_object(&mut header, &parts)? else { return Ok(Pushed::Not) };
        let len = u32::try_from(parts.record_len()).expect("less than a segment");
        let slot = slot_of(&header, place, Extent::Inline(len));
        self.effects.push(Effect::Put(seq, slot, None));
        Ok(Pushed::All)
    }

    /// Pushes an object whose body has a file, under its own name already.
    pub(in crate::disk) fn push_file(
        &mut self,
        seq: u64,
        meta: &Meta,
        file: &WrittenFile,
    ) -> io::Result<Pushed> {
        let mut header = self.header_of(seq, meta);
        header.body_len = file.body_len;
        header.body_sum = file.body_sum;
        header.file = file.file;
        let pushed = self.push_object(&mut header, &parts_of(meta));
        let Ok(Some(place)) = pushed else {
            self.store
                .space
                .give(file.file_len + self.store.bodies.delete(file.file, &self.store.folder));
            return pushed.map(|_| Pushed::Not);
        };
        let slot = slot_of(&header, place, Extent::File(file.file));
        let turn = Turn { file: file.file, segment: place.segment };
        let listed = Listed { turn, hash: slot.hash, len: file.file_len, is_hit: false };
        self.effects.push(Effect::Put(seq, slot, Some(listed)));
        Ok(Pushed::All)
    }

    /// Pushes a newer head of an object whose body has a file that is there.
    pub(in crate::disk) fn push_head(
        &mut self,
        seq: u64,
        meta: &Meta,
        old: &Header,
    ) -> io::Result<Pushed> {
        let mut header = self.header_of(seq, meta);
        (header.body_len, header.body_sum) = (old.body_len, old.body_sum);
        header.file = old.file;
        let Some(place) = self.push_object(&mut header, &parts_of(meta))? else {
            return Ok(Pushed::Not);
        };
        self.effects.push(Effect::Put(seq, slot_of(&header, place, Extent::File(old.file)), None));
        Ok(Pushed::All)
    }

    /// Pushes a copy of a record, whose object stays what it is. Whether there was room.
    pub(in crate::disk) fn push_copy(
        &mut self,
        slot: &Slot,
        header: &Header,
        parts: &Parts<'_>,
    ) -> io::Result<bool> {
        let mut header = header.clone();
        header.is_soft |= slot.flags.has(Flags::STALE);
        let Some(place) = self.push_object(&mut header, parts)? else { return Ok(false) };
        self.effects.push(Effect::Move(*slot, place));
        Ok(true)
    }

    /// Pushes a purge.
    pub(in crate::disk) fn push_purge(
        &mut self,
        ban: Ban,
        done: Option<Arc<Done>>,
    ) -> io::Result<()> {
        if ban.what == What::All && ban.manner == Purge::Hard {
            // All segments before can go, then.
            if let Err(error) = self.roll() {
                self.owe(ban, done, &error);
                return Err(error);
            }
        }
        let mut header = self.header_of(ban.seq, &Meta::default());
        let parts = Parts { key: fill_in(&mut header, &ban), ..Parts::default() };
        // It is to be written however little room there is.
        self.store.space.add(parts.record_len());
        match self.push(&mut header, &parts) {
            Ok(_) => {
                self.removals_pushed += 1;
                self.effects.push(Effect::Purge(ban, done));
                Ok(())
            }
            Err(error) => {
                self.store.space.give(parts.record_len());
                self.owe(ban, done, &error);
                Err(error)
            }
        }
    }

    /// Takes out what is older than a change that is not written: it would be found again. `of` is the
    /// key and the variant that were to be changed by what was asked for as `seq`.
    pub(in crate::disk) fn take_older_out(
        &mut self,
        seq: u64,
        of @ (hash, variant): (u64, u32),
    ) -> io::Result<()> {
        let is_pushed = |effect: &Effect| match effect {
            Effect::Put(_, slot, _) => (slot.hash, slot.variant) == of,
            Effect::Move(..) | Effect::Purge(..) => false,
        };
        if !self.has(of) && !self.effects.iter().any(is_pushed) {
            return Ok(());
        }
        self.push_purge(Ban { seq, what: What::Variant(hash, variant), manner: Purge::Hard }, None)
    }

    fn header_of(&self, seq: u64, meta: &Meta) -> Header {
        let secret = &self.store.folder.secret;
        Header {
            kind: Kind::Object,
            is_soft: false,
            seq,
            removals: 0,
            key_hash: secret.hash(&meta.key),
            variant: variant_of(secret.hash(&meta.selection)),
            body_len: 0,
            body_sum: 0,
            file: 0,
            stored_at: meta.stored_at,
            fresh_until: meta.fresh_until,
        }
    }

    /// Pushes an object's record; `None` if there is no room for it.
    fn push_object(&mut self, header: &mut Header, parts: &Parts<'_>) -> io::Result<Option<Place>> {
        if !self.store.space.take(parts.record_len()) {
            Counts::add(&self.store.counts.not_stored, 1);
            return Ok(None);
        }
        let pushed = self.push(header, parts);
        if pushed.is_err() {
            self.store.space.give(parts.record_len());
            Counts::add(&self.store.counts.not_stored, 1);
        }
        pushed.map(Some)
    }

    /// Prints a record into the buffer. Its bytes are in use already.
    fn push(&mut self, header: &mut Header, parts: &Parts<'_>) -> io::Result<Place> {
        let len = parts.record_len();
        let filled = self.end + self.buffer.len() as u64 + len;
        let segment = match &self.segment {
            Some(segment) if filled <= self.store.settings.segment_bytes => Arc::clone(segment),
            _ => {
                self.flush()?;
                self.begin_segment()?
            }
        };
        let place = Place::new(segment.id, self.end + self.buffer.len() as u64);
        header.removals = self.removals_pushed;
        record::print(header, parts, (place, &self.store.folder.secret), &mut self.buffer);
        Ok(place)
    }
}

/// Says in `header` what `ban` takes out, and gives the rest of it, which stands where an object's key
/// does.
fn fill_in<'b>(header: &mut Header, ban: &'b Ban) -> &'b [u8] {
    let (kind, variant, key_hash, key) = match &ban.what {
        What::Key(hash) => (Kind::Removal, 0, *hash, &b""[..]),
        What::Variant(hash, variant) => (Kind::RemovalOfOne, *variant, *hash, &b""[..]),
        What::All => (Kind::Purge, 1, 0, &b""[..]),
        What::Tag(hash) => (Kind::Purge, 2, *hash, &b""[..]),
        What::Prefix(prefix) => (Kind::Purge, 3, 0, &**prefix),
        What::Glob(pattern) => (Kind::Purge, 4, 0, &**pattern),
    };
    (header.kind, header.variant, header.key_hash) = (kind, variant, key_hash);
    header.is_soft = ban.manner == Purge::Soft;
    key
}

fn parts_of(meta: &Meta) -> Parts<'_> {
    let Meta { key, selection, head, tags, .. } = meta;
    Parts { tags, key, selection, head, body: &[] }
}

fn slot_of(header: &Header, place: Place, extent: Extent) -> Slot {
    let (hash, variant) = (header.key_hash, header.variant);
    Slot { hash, place, extent, variant, flags: Flags::default() }
}
