//! Whether the store's files are where they were opened. SQLite goes on with files that have lost their
//! names; what is written to those is gone with the process.

use std::{
    fs,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{broken::Broken, lock::beside};

/// The files of a store that is open.
#[derive(Clone, Debug)]
pub(super) struct Place {
    store: Seen,
    /// SQLite's log beside it, and the index of that.
    beside: [Seen; 2],
}

/// A file as it was seen.
#[derive(Clone, Debug)]
struct Seen {
    path: PathBuf,
    /// On which device, and which there; `None`, if it was not there yet.
    file: Option<(u64, u64)>,
    /// How long it was at least.
    bytes: u64,
}

/// Whether a file may become shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Length {
    Grows,
    Varies,
}

impl Place {
    /// Of the store in `path`, which is open.
    pub(super) fn of(path: &Path) -> Self {
        let seen = |path| Seen { path, file: None, bytes: 0 };
        let mut place = Self {
            store: seen(path.to_owned()),
            beside: ["-wal", "-shm"].map(|ending| seen(beside(path, ending))),
        };
        // What is not there now is missed when it is looked for.
        _ = place.look();
        place
    }

    /// Looks whether all is there.
    ///
    /// *Cost*: some microseconds: the system is asked of three names.
    ///
    /// # Errors
    ///
    /// [`Broken::Gone`], if a file has another name or none, is another, or was cut short.
    pub(super) fn look(&mut self) -> Result<(), Broken> {
        self.store.look(Length::Grows)?;
        self.beside.iter_mut().try_for_each(|file| file.look(Length::Varies))
    }
}

impl Seen {
    fn look(&mut self, length: Length) -> Result<(), Broken> {
        let found = fs::metadata(&self.path).ok();
        let file = found.as_ref().map(|found| (found.dev(), found.ino()));
        let bytes = found.map_or(0, |found| found.len());
        let is_cut = length == Length::Grows && bytes < self.bytes;
        if is_cut || (self.file.is_some() && self.file != file) {
            return Err(Broken::Gone { path: self.path.clone() });
        }
        (self.file, self.bytes) = (file, bytes);
        Ok(())
    }
}
