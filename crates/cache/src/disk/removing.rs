//! What is removed and purged: it counts at once, and is on disk when its ticket says so.

use super::{
    Disk,
    purge::{PATTERN_BYTES_MAX, Pattern, Purge, What},
    store::Wanted,
    ticket::Ticket,
};

/// Why a purge is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotPurged {
    /// The pattern is longer than one may be.
    #[error("a pattern of more than {PATTERN_BYTES_MAX} bytes")]
    TooLong,
    /// As many purges are still being carried out as are held at once.
    #[error("too many purges are still being carried out")]
    TooMany,
}

impl Disk {
    /// Removes all that a key has, and what waits to be stored under it. From here on it is not
    /// found; the ticket says when that is on disk.
    pub fn remove(&self, key: &[u8]) -> Ticket {
        self.push_purge(What::Key(self.store.folder.secret.hash(key)), Purge::Hard)
    }

    /// The same of the one variant with this selection.
    pub fn remove_variant(&self, key: &[u8], selection: &[u8]) -> Ticket {
        self.push_purge(self.one_variant(key, selection), Purge::Hard)
    }

    /// Purges all keys of a [family](super::DiskSettings::families_of) and of those in it, but for
    /// `others` of these: what is stored under them, or waits to be. They are all tagged with its name.
    ///
    /// *Cost*: of those that there are, up to 256; where they are more, or many purges wait already, it is
    /// one purge of their tag, whatever else they are of.
    ///
    /// # Errors
    ///
    /// [`NotPurged`]
    pub fn purge_family(
        &self,
        name: &[u8],
        others: &[Vec<u8>],
        manner: Purge,
    ) -> Result<Vec<Ticket>, NotPurged> {
        /// Of the room for purges that is left, one takes no more than such a part.
        const PART_OF_ROOM: usize = 64;
        let (store, tag) = (&self.store, self.tag(name));
        let others: Vec<_> = others.iter().map(|name| self.tag(name)).collect();
        // What a disk that fails does not take is owed, and that has less room.
        let is_working = store.health.is_working();
        let keys_max = if is_working { store.queue.room_for_purges() / PART_OF_ROOM } else { 1 };
        let Some(keys) = store.families.keys(tag, &others, keys_max) else {
            return self.purge(Pattern::Tag(tag), manner).map(|ticket| vec![ticket]);
        };
        let keys = keys.into_iter().filter(|key| store.has(*key));
        Ok(keys.map(|key| self.push_purge(What::Key(key), manner)).collect())
    }

    /// Removes everything.
    pub fn clear(&self) -> Ticket {
        self.push_purge(What::All, Purge::Hard)
    }

    /// Purges what was stored, or waits to be, until now: no lookup finds it otherwise from here on.
    /// The ticket says when that is on disk. Bodies that still come are not meant.
    ///
    /// *Cost*: none for each object now; a lookup holds the record's tags and key against the purges
    /// until a sweep is done.
    ///
    /// # Errors
    ///
    /// [`NotPurged`]
    pub fn purge(&self, pattern: Pattern, manner: Purge) -> Result<Ticket, NotPurged> {
        let what = match pattern {
            Pattern::All => What::All,
            Pattern::Key(key) => What::Key(self.store.folder.secret.hash(&key)),
            Pattern::Variant { key, selection } => self.one_variant(&key, &selection),
            Pattern::Tag(tag) => What::Tag(tag),
            Pattern::Prefix(text) | Pattern::Glob(text) if text.len() > PATTERN_BYTES_MAX => {
                return Err(NotPurged::TooLong);
            }
            Pattern::Prefix(prefix) => What::Prefix(prefix),
            Pattern::Glob(pattern) => What::Glob(pattern),
        };
        if !self.store.purges.has_room(&what) {
            return Err(NotPurged::TooMany);
        }
        Ok(self.push_purge(what, manner))
    }

    /// Has what was purged be taken out soon, where lookups pass over it as well: then it counts no
    /// longer. That is for purges that are on disk already.
    ///
    /// *Cost*: all records are read, by a thread that does so at its leisure.
    pub fn sweep(&self) {
        let sweep = self.store.purges.are_held();
        self.store.bell.ring(Wanted { sweep, ..Wanted::default() });
    }

    fn one_variant(&self, key: &[u8], selection: &[u8]) -> What {
        What::Variant(self.store.folder.secret.hash(key), self.variant(selection))
    }

    pub(super) fn push_purge(&self, what: What, manner: Purge) -> Ticket {
        let (ticket, done) = Ticket::new();
        self.store.queue.push_purge((what, manner), done, &self.store.purges);
        ticket
    }
}
