//! A folder that no cache uses.

use std::{ops::ControlFlow, path::Path};

use super::{disk_settings, pages, read_listed};
use crate::{
    disk::{self, Disk, DiskStats, NotDurable, OpenError, Ticket, Verified},
    object::Object,
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
        /// If more waited for the disk than that takes, it would purge everything instead.
        const AT_ONCE: usize = 4096;
        // First all of them: what is written meanwhile would be read again.
        let chosen = self.chosen(pattern).map(|(_, variant)| variant);
        let chosen: Vec<disk::Pattern> = chosen.collect();
        let how = match purge {
            Purge::Hard => disk::Purge::Hard,
            Purge::Soft => disk::Purge::Soft,
        };
        let ticket = |variant: &disk::Pattern| {
            self.0.purge(variant.clone(), how).expect("a variant is never one too many")
        };
        for some in chosen.chunks(AT_ONCE) {
            // Each is on disk once the last is.
            let last = some.iter().map(ticket).last();
            last.map_or(Ok(()), Ticket::wait)?;
        }
        Ok(chosen.len())
    }

    /// Reads all that is stored and holds it against its sums; what differs goes. `progress` hears of
    /// each object, and may end it.
    pub fn verify(&self, progress: impl FnMut(Verified) -> ControlFlow<()>) -> Verified {
        self.0.verify(progress)
    }

    fn chosen<'a>(
        &'a self,
        pattern: &'a Pattern,
    ) -> impl Iterator<Item = (Object, disk::Pattern)> + 'a {
        pages(&self.0).filter_map(|listed| {
            let (object, _whose) = read_listed(&listed)?;
            let tags = TagsOf::read(&object.stored.headers()).ids(&object.key);
            let disk::Listed { key, selection, .. } = listed;
            let variant = disk::Pattern::Variant { key, selection };
            pattern.chooses(&object.key, &tags).then_some((object, variant))
        })
    }
}
