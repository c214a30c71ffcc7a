//! What is found on disk.

use std::{io, sync::Arc};

use bytes::Bytes;

use super::{
    body_file::BodyFile,
    index::{Extent, Flags, Slot},
    purge::Verdict,
    record::Kind,
    store::{Read, Store},
};

/// An object that is on disk: what is stored beside its body was read and is what was stored.
#[derive(Debug)]
pub struct Found {
    store: Arc<Store>,
    slot: Slot,
    read: Read,
    is_stale: bool,
}

/// An object's body.
#[derive(Clone, Debug)]
pub enum Body {
    /// It is in memory, checked.
    Bytes(Bytes),
    /// It is in a file, to be checked as it is read.
    File(Arc<BodyFile>),
}

/// It was there, and is not any more, or not what was stored. Nobody finds it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what was stored on disk is gone or damaged")]
pub struct Gone;

/// Finds the objects of a key, newest first.
pub(super) fn find(store: &Arc<Store>, key: &[u8]) -> Vec<Found> {
    let epoch = store.purges.epoch();
    let slots = store.index.find(store.folder.secret.hash(key));
    slots.into_iter().filter_map(|slot| found(store, (slot, epoch), key)).collect()
}

fn found(store: &Arc<Store>, (mut slot, epoch): (Slot, u64), key: &[u8]) -> Option<Found> {
    let read = match store.read(&slot) {
        Ok(read) => read,
        Err(error) => {
            lost(store, &slot, &error);
            return None;
        }
    };
    if read.front.header.kind != Kind::Object || read.front.key() != key {
        return None;
    }
    let verdict = store.purges.verdict(&read.front);
    if store.purges.epoch() != epoch {
        // A purge was done meanwhile, and may have been about this.
        slot = store.index.at(slot.hash, slot.place)?;
    }
    let is_stale = match verdict {
        Verdict::Good => slot.flags.has(Flags::STALE),
        Verdict::Stale => true,
        Verdict::Gone => return None,
    };
    Some(Found { store: Arc::clone(store), slot, read, is_stale })
}

/// Gives up what cannot be read, unless it was evicted or moved while it was looked for.
fn lost(store: &Store, slot: &Slot, error: &io::Error) {
    /// `EMFILE` and `ENFILE`: it is there, and cannot be opened now.
    const TOO_MANY_OPEN: [Option<i32>; 2] = [Some(24), Some(23)];
    if !TOO_MANY_OPEN.contains(&error.raw_os_error()) {
        store.lose(slot);
    }
}

impl Found {
    /// The selection it was stored with.
    pub fn selection(&self) -> Bytes {
        self.read.front.selection()
    }

    /// The head it was stored with.
    pub fn head(&self) -> Bytes {
        self.read.front.head()
    }

    /// Its tags.
    pub fn tags(&self) -> impl Iterator<Item = u64> {
        self.read.front.tags()
    }

    /// When it was stored, as was said then.
    pub fn stored_at(&self) -> u64 {
        self.read.front.header.stored_at
    }

    /// Until when it is fresh, as was said then; a soft purge does not change it.
    pub fn fresh_until(&self) -> u64 {
        self.read.front.header.fresh_until
    }

    /// Whether a purge made it stale.
    pub fn is_stale(&self) -> bool {
        self.is_stale
    }

    /// How many bytes its body has.
    pub fn body_len(&self) -> u64 {
        self.read.front.header.body_len
    }

    /// Its body. It counts as asked for.
    ///
    /// *Cost*: a short one was read with the rest; for others a read, and a sum for the first since
    /// the start.
    ///
    /// # Errors
    ///
    /// [`Gone`]
    pub fn body(&self) -> Result<Body, Gone> {
        self.touch();
        let header = &self.read.front.header;
        let body = match self.slot.extent {
            Extent::Inline(_) => self.store.inline_body(&self.slot, &self.read).map(Body::Bytes),
            Extent::File(file) => {
                let what = (header.body_len, header.body_sum);
                let secret = &self.store.folder.secret;
                self.store.bodies.open(file, what, secret).map(Body::File)
            }
        };
        body.map_err(|error| {
            lost(&self.store, &self.slot, &error);
            Gone
        })
    }

    /// Notes that it was asked for, where its body is not wanted.
    pub fn touch(&self) {
        self.store.touch(&self.slot);
    }

    /// Takes it out: its body was found to be another than what was stored.
    pub fn give_up(&self) {
        self.store.lose(&self.slot);
    }

    pub(super) fn slot(&self) -> &Slot {
        &self.slot
    }
}
