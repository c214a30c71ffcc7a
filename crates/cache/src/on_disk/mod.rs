//! The disk below the memory: what is stored goes to both, and what memory let go of is brought up
//! again. What is taken out of the one is taken out of the other.

mod at_rest;
mod fields;
mod record;
mod removing;

use std::sync::Arc;

pub use self::at_rest::AtRest;
use crate::{
    disk::{self, BodyWriter, Disk, DiskSettings, FileBody, Patience, WouldBlock},
    key::Key,
    object::Object,
    room::{Held, Room},
    stored::{self, Stored},
    stored_body::StoredBody,
    tags::TagsOf,
};

/// The disk below the memory.
#[derive(Clone, Debug)]
pub(crate) struct OnDisk {
    disk: Arc<Disk>,
    /// Stands for whose answers are found: others in the same folder are not.
    of_whom: u64,
}

/// What a response took the place of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Replaced<'a> {
    /// What was in memory under its key.
    pub there: &'a [Arc<Stored>],
    /// What it was asked for to replace.
    pub instead_of: Option<&'a Arc<Stored>>,
}

/// Whether there is a body to what was kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    /// There is: in memory, or in a file.
    There,
    /// Its file is gone, or goes: it cannot be sent.
    Gone,
}

/// The usual settings of a disk for a cache whose folder has at most so many bytes.
pub fn disk_settings(disk_max: u64) -> DiskSettings {
    let (name_of, families_of) = (record::uri_of, record::families_of);
    DiskSettings { name_of, families_of, ..DiskSettings::of(disk_max) }
}

impl OnDisk {
    pub(crate) fn new(disk: Arc<Disk>, of_whom: &str) -> Self {
        Self { of_whom: disk.tag(of_whom.as_bytes()), disk }
    }

    pub(crate) fn disk(&self) -> &Arc<Disk> {
        &self.disk
    }

    fn print_key(&self, key: &Key) -> Vec<u8> {
        record::print_key(key, self.of_whom)
    }

    /// Whether something may be found under `key` besides what is `there`, in memory.
    pub(crate) fn has_besides(&self, key: &Key, there: &[Arc<Stored>]) -> bool {
        self.disk.has_besides(&self.print_key(key), &self.known(there))
    }

    fn known(&self, there: &[Arc<Stored>]) -> Vec<disk::Variant> {
        let selections = there.iter().map(|stored| record::print_selection(stored.selecting()));
        selections.map(|selection| self.disk.variant(&selection)).collect()
    }

    /// Has `newer` written, which is stored under `key` from now on; its body's `file` if it has one
    /// that is new. What cannot be written is not there, nor what it took the place of.
    pub(crate) fn keep(
        &self,
        key: &Key,
        (newer, file): (&Stored, Option<&mut BodyWriter>),
        Replaced { there, instead_of }: Replaced<'_>,
    ) -> Body {
        let other = instead_of.filter(|old| old.selecting() != newer.selecting());
        if let Some(old) = other {
            self.forget_variant(key, old);
        }
        let is_of = |old: &Arc<Stored>| newer.has_body_of(old);
        let is_known = there.iter().chain(instead_of).any(is_of);
        match (file, newer.file()) {
            (Some(file), _) => self.end_file(key, newer, file),
            _ if newer.parts().is_some() => {
                // They are in memory alone, and outlive no whole.
                self.forget_variant(key, newer);
                Body::There
            }
            // It has gone with what it was of.
            (None, Some(_)) if other.is_some_and(is_of) => Body::Gone,
            (None, Some(_)) => self.refresh(key, newer),
            (None, None) if is_known && other.is_none() && self.has_variant(key, newer) => {
                // Its body is in memory, whatever becomes of this.
                self.refresh(key, newer);
                Body::There
            }
            (None, None) => {
                self.write(key, newer);
                Body::There
            }
        }
    }

    /// Stores what has all its body in a file.
    fn end_file(&self, key: &Key, newer: &Stored, file: &mut BodyWriter) -> Body {
        if file.finish(self.meta(key, newer)).is_ok() {
            return Body::There;
        }
        self.forget_variant(key, newer);
        Body::Gone
    }

    /// Has a newer head written of what has the same body.
    fn refresh(&self, key: &Key, newer: &Stored) -> Body {
        if self.disk.refresh_head(self.meta(key, newer)).is_ok() {
            return Body::There;
        }
        self.forget_variant(key, newer);
        Body::Gone
    }

    /// Ends a body in a file, which is to be stored under `key`.
    pub(crate) fn seal(&self, key: &Key, writer: &mut BodyWriter) -> Option<FileBody> {
        writer.seal(&self.print_key(key)).ok()
    }

    fn write(&self, key: &Key, stored: &Stored) {
        let object = disk::Object { meta: self.meta(key, stored), body: stored.body().clone() };
        if self.disk.insert(object).is_err() {
            // It is counted; and what was there before is past.
            self.forget_variant(key, stored);
        }
    }

    /// What is written of a response beside its body.
    pub(crate) fn meta(&self, key: &Key, stored: &Stored) -> disk::Meta {
        let has_tags = stored.tags() > 0 || !key.apart_by().is_empty();
        let tags = || TagsOf::read(&stored.headers()).lasting(key, disk::TAGS_MAX);
        let tags = if has_tags { tags() } else { Vec::new() };
        let lifetime = u64::try_from(stored.terms().lifetime.duration.as_millis());
        disk::Meta {
            key: self.print_key(key).into(),
            selection: record::print_selection(stored.selecting()).into(),
            head: record::print_head(stored).into(),
            tags: tags.iter().map(|name| self.disk.tag(name)).collect(),
            stored_at: stored.came_at(),
            fresh_until: stored.came_at().saturating_add(lifetime.unwrap_or(u64::MAX)),
        }
    }

    fn has_variant(&self, key: &Key, stored: &Stored) -> bool {
        let (key, selection) = self.print_variant(key, stored);
        self.disk.has_variant(&key, &selection)
    }

    fn print_variant(&self, key: &Key, stored: &Stored) -> (Vec<u8>, Vec<u8>) {
        (self.print_key(key), record::print_selection(stored.selecting()))
    }

    /// Notes that what is stored under `key` is asked for.
    pub(crate) fn touch(&self, key: &Key) {
        self.disk.touch(&self.print_key(key));
    }

    /// What is stored under `key` besides what is `there`, in memory; newest first. Short bodies are in
    /// memory, as far as there is `room`.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`]
    pub(crate) fn find(
        &self,
        (key, there): (&Key, &[Arc<Stored>]),
        room: &Arc<Room>,
        patience: Patience,
    ) -> Result<Vec<Arc<Stored>>, WouldBlock> {
        let mut all = Vec::new();
        let known = self.known(there);
        for found in self.disk.find_besides(&self.print_key(key), &known, patience)? {
            let body = match found.body() {
                Ok(disk::Body::Bytes(bytes)) => match held(&bytes, room) {
                    Some(body) => stored::Body::Memory(body),
                    None => continue,
                },
                Ok(disk::Body::File(file)) => stored::Body::File(file),
                Err(disk::Unread::WouldBlock) => return Err(WouldBlock),
                Err(_) => continue,
            };
            let texts = (&*found.selection(), &*found.head());
            match record::read_stored(texts, body, (found.stored_at(), found.is_stale())) {
                Some(stored) => all.push(Arc::new(stored)),
                // Another version has written it.
                None => found.give_up(),
            }
        }
        Ok(all)
    }

    /// All that is there of ours, without bodies.
    pub(crate) fn objects(&self) -> impl Iterator<Item = Object> {
        let ours = pages(&self.disk).filter_map(|listed| read_listed(&listed));
        ours.filter(|(_, of_whom)| *of_whom == self.of_whom).map(|(object, _)| object)
    }
}

/// `bytes` in memory of their own, if there is room.
fn held(bytes: &[u8], room: &Arc<Room>) -> Option<StoredBody> {
    let mut held = Held::none(Arc::clone(room));
    held.take_room(bytes.len() as u64).ok()?;
    held.reserve();
    held.add(bytes);
    Some(held.into_body())
}

/// All that is on `disk`.
fn pages(disk: &Disk) -> impl Iterator<Item = disk::Listed> {
    const PAGE: usize = 1000;
    let mut next = Some(disk::Cursor::default());
    let pages = std::iter::from_fn(move || {
        let page = disk.list(next?, PAGE);
        next = page.next;
        Some(page.entries)
    });
    pages.flatten()
}

/// What `listed` is, without its body, and whose; `None` if another version has written it.
fn read_listed(listed: &disk::Listed) -> Option<(Object, u64)> {
    let (key, of_whom) = record::read_key(&listed.key)?;
    let texts = (&*listed.selection, &*listed.head);
    let body = stored::Body::Memory(StoredBody::nothing());
    let stored = record::read_stored(texts, body, (listed.stored_at, listed.is_stale))?;
    Some((Object::on_disk(key, Arc::new(stored), listed.body_len), of_whom))
}
