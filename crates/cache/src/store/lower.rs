//! What is on disk and not in memory.

use std::{sync::Arc, time::SystemTime};

use super::{Found, Store};
use crate::{
    disk::{Patience, WouldBlock},
    key::Key,
    on_disk::OnDisk,
    part::Generation,
    request::Request,
    room::Room,
    stored::Stored,
};

/// Whether what was found on disk is in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Admitted {
    /// It is, as far as it was not there before or purged.
    Yes,
    /// Something was changed meanwhile: it is to be looked for anew.
    NotAny,
}

/// So often the disk is read for what others change meanwhile.
const LOOKS_MAX: usize = 3;

impl Store {
    /// The disk below, if there is one.
    pub(crate) fn on_disk(&self) -> Option<&OnDisk> {
        self.on_disk.as_ref()
    }

    /// Whether what `asked` wants under `key` is not in memory, and may be on disk.
    pub(crate) fn may_be_below(&self, key: &Key, asked: &Request<'_>) -> bool {
        self.on_disk.as_ref().is_some_and(|on_disk| {
            match self.find(key, asked) {
                Found::Variant(_) => false,
                Found::Nothing => on_disk.has_besides(key, &[]),
                // They are mostly all that there are.
                Found::OtherVariants => on_disk.has_besides(key, &self.variants(key)),
            }
        })
    }

    /// Whether something under `key` that is not in memory may be on disk.
    pub(crate) fn may_have_below(&self, key: &Key) -> bool {
        self.on_disk.as_ref().is_some_and(|on_disk| on_disk.has_besides(key, &self.variants(key)))
    }

    /// Brings what the disk has under `key` to memory, but for what is there already.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`]
    pub(crate) fn bring_up(
        &self,
        key: &Key,
        room: &Arc<Room>,
        patience: Patience,
    ) -> Result<(), WouldBlock> {
        let Some(on_disk) = &self.on_disk else { return Ok(()) };
        for _ in 0..LOOKS_MAX {
            let since = self.generation(key);
            let found = on_disk.find((key, &self.variants(key)), room, patience)?;
            if found.is_empty() || self.admit((key, since), &found) == Admitted::Yes {
                break;
            }
        }
        Ok(())
    }

    /// Has what was `found` on disk in memory, if nothing was changed under its key since then: it may
    /// be what was taken out.
    pub(crate) fn admit(
        &self,
        (key, since): (&Key, Generation),
        found: &[Arc<Stored>],
    ) -> Admitted {
        for stored in found {
            stored.enter(&self.tags, key);
        }
        let recent = self.recent();
        let hash = self.hash(key);
        let part = self.lock(hash);
        if part.was_changed(hash, since) {
            return Admitted::NotAny;
        }
        let there = self.objects.peek(key);
        let there = there.as_deref().unwrap_or_default();
        let is_new = |stored: &&Arc<Stored>| {
            let is_there = there.iter().any(|other| other.selecting() == stored.selecting());
            !is_there && !recent.has((key, stored.tag_ids()), since.purges(), |_| true)
        };
        // What is in memory is newer.
        let found: Vec<_> = found.iter().filter(is_new).collect();
        if !found.is_empty() {
            self.put(key, there.iter().chain(found));
        }
        Admitted::Yes
    }

    /// Lets go of what is in memory.
    #[cfg(test)]
    pub(crate) fn forget_memory(&self) {
        self.objects.clear();
    }

    /// Takes `stored` out, whose body on disk cannot be read.
    pub(crate) fn lose(&self, key: &Key, stored: &Arc<Stored>) {
        let _part = self.lock(self.hash(key));
        self.put_without(key, stored);
    }

    /// Notes that `stored`, which is under `key`, is sent at `now`.
    pub(crate) fn note_sent(&self, key: &Key, stored: &Stored, now: SystemTime) {
        if let Some(on_disk) = &self.on_disk
            && stored.is_to_be_told(now)
        {
            on_disk.touch(key);
        }
    }
}
