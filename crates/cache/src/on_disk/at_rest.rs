//! A folder that no cache uses.

use std::{ops::ControlFlow, path::Path, time::Duration};

use super::{disk_settings, pages, read_listed};
use crate::{
    disk::{self, Access, Disk, DiskStats, NotDurable, OpenError, Ticket, Verified},
    key::Key,
    object::Object,
    purge::{Pattern, Purge},
    searches::{path, word_of},
    tags::{TagId, TagsOf},
};

/// A cache's folder that no cache uses: whatever it was for, all in it is found.
#[derive(Debug)]
pub struct AtRest(Disk);

/// What was purged is to be known to its snapshot, too, where that takes no forever.
impl Drop for AtRest {
    fn drop(&mut self) {
        const CLOSING_MAX: Duration = Duration::from_secs(10);
        // What takes longer stands in the log, and is read from there.
        let _ = self.0.close(CLOSING_MAX);
    }
}

impl AtRest {
    /// Opens the folder at `path`, in which there is a cache. To be looked at, it stays as it is.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub fn open(path: &Path, access: Access) -> Result<Self, OpenError> {
        /// It is as large as it is: nothing has to go.
        const DISK_MAX: u64 = 1 << 60;
        Disk::open_at_rest(path, disk_settings(DISK_MAX), access).map(Self)
    }

    /// Whether no relais can use it meanwhile: one that cannot be written to may have no lock.
    pub fn is_locked(&self) -> bool {
        self.0.is_locked()
    }

    /// How much there is.
    pub fn stats(&self) -> DiskStats {
        self.0.stats()
    }

    /// What is stored that `pattern` chooses, without bodies.
    ///
    /// *Cost*: reads all records.
    pub fn objects<'a>(&'a self, pattern: &'a Pattern) -> impl Iterator<Item = Object> + 'a {
        self.chosen(|key, tags| pattern.chooses(key, tags)).map(|(object, _)| object)
    }

    /// Purges what `pattern` chooses; of a URL, also what is kept of its path by words of `No-Vary-Search`:
    /// whether they make a difference, nobody can tell any more. Gives how many objects that were, once
    /// it is on disk that they are.
    ///
    /// # Errors
    ///
    /// [`NotDurable`]: always, if it was opened to be looked at.
    pub fn purge(&self, pattern: &Pattern, purge: Purge) -> Result<usize, NotDurable> {
        /// If more waited for the disk than that takes, it would purge everything instead.
        const AT_ONCE: usize = 4096;
        // First all of them: what is written meanwhile would be read again.
        let chosen =
            self.chosen(|key, tags| pattern.chooses(key, tags) || is_in_doubt(pattern, key));
        let chosen = chosen.map(|(_, variant)| variant);
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

    /// Reads all that is stored and holds it against its sums; what differs goes, unless the folder is
    /// only looked at. `progress` hears of each object, and may end it.
    pub fn verify(&self, progress: impl FnMut(Verified) -> ControlFlow<()>) -> Verified {
        self.0.verify(progress)
    }

    fn chosen(
        &self,
        is_chosen: impl Fn(&Key, &[TagId]) -> bool,
    ) -> impl Iterator<Item = (Object, disk::Pattern)> {
        pages(&self.0).filter_map(move |listed| {
            let (object, _whose) = read_listed(&listed)?;
            let tags = TagsOf::read(&object.stored.headers()).ids(&object.key);
            let disk::Listed { key, selection, .. } = listed;
            let variant = disk::Pattern::Variant { key, selection };
            is_chosen(&object.key, &tags).then_some((object, variant))
        })
    }
}

/// Whether what has this `key` may be what is asked for by the URL that `pattern` is.
fn is_in_doubt(pattern: &Pattern, key: &Key) -> bool {
    let Pattern::Url(url) = pattern else { return false };
    word_of(key).is_some() && path(key) == path(url.key())
}
