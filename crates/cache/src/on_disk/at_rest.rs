//! A folder that no cache uses.

use std::{ops::ControlFlow, path::Path, sync::Arc};

use super::{disk_settings, pages, read_listed};
use crate::{
    disk::{self, Disk, DiskStats, NotDurable, OpenError, Ticket, Verified},
    object::{Object, Tier},
    purge::{Pattern, Purge},
    tags::TagsOf,
};

/// A cache's folder that no cache uses: whatever it was for, all in it is found.
#[derive(Debug)]
pub struct AtRest(Disk);

impl AtRest {
    /// Opens the folder at `path`, which is not made if it is not there.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        /// It is as large as it is: nothing has to go.
        const DISK_MAX: u64 = 1 << 60;
        if let Err(source) = path.read_dir() {
            return Err(OpenError::Io { doing: "reading", path: path.to_owned(), source });
        }
        Disk::open(path, disk_settings(DISK_MAX)).map(Self)
    }

    /// How much there is.
    pub fn stats(&self) -> DiskStats {
        self.0.stats()
    }

    /// What is stored that `pattern` chooses, without bodies.
    ///
    /// *Cost*: reads all records.
    pub fn objects<'a>(&'a self, pattern: &'a Pattern) -> impl Iterator<Item = Object> + 'a {
        self.chosen(pattern).map(|(object, _)| object)
    }

    /// Purges what `pattern` chooses. Gives how many objects that were, once it is on disk that they
    /// are.
    ///
    /// # Errors
    ///
    /// [`NotDurable`]
    pub fn purge(&self, pattern: &Pattern, purge: Purge) -> Result<usize, NotDurable> {
        // First all of them: what is written meanwhile would be read again.
        let chosen: Vec<_> = self.chosen(pattern).map(|(_, key)| key).collect();
        let ticket = |key: bytes::Bytes| match purge {
            Purge::Hard => self.0.remove(&key),
            Purge::Soft => {
                let key = disk::Pattern::Key(key);
                self.0.purge(key, disk::Purge::Soft).expect("a key is never one too many")
            }
        };
        let count = chosen.len();
        let mut last: Option<Ticket> = None;
        for key in chosen {
            if let Some(before) = last.replace(ticket(key)) {
                drop(before);
            }
        }
        last.map_or(Ok(()), Ticket::wait).map(|()| count)
    }

    /// Reads all that is stored and holds it against its sums; what differs goes. `progress` hears of
    /// each object, and may end it.
    pub fn verify(&self, progress: impl FnMut(Verified) -> ControlFlow<()>) -> Verified {
        self.0.verify(progress)
    }

    fn chosen<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> impl Iterator<Item = (Object, bytes::Bytes)> + 'a {
        pages(&self.0).filter_map(|listed| {
            let (found, _whose) = read_listed(&listed)?;
            let tags = TagsOf::read(&found.stored.headers()).ids(&found.key);
            let object = Object {
                key: found.key,
                stored: Arc::new(found.stored),
                bytes: found.body_len,
                tier: Tier::Disk,
            };
            pattern.chooses(&object.key, &tags).then_some((object, listed.key))
        })
    }
}
