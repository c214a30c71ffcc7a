//! SQLite's log beside the file, emptied into the file while entries go on being written.
//!
//! A commit that did it itself had all that wait behind it wait for the disk, some fifty
//! milliseconds each time.

use std::{
    ffi::c_int,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
};

use rusqlite::{Connection, OpenFlags, hooks::Wal};

/// How many pages of 4 KiB the log has when it is emptied: with more, commits wait longer for the
/// disk, and no less often.
const PAGES: c_int = 2048;

/// Who empties the log.
#[derive(Debug)]
pub(super) struct Emptying {
    file: PathBuf,
    /// Most of it is emptied there.
    most: Option<JoinHandle<()>>,
    /// With how many pages that begins the next time.
    begins_at: c_int,
    /// How many there were.
    last: c_int,
}

impl Emptying {
    /// Of the log beside `file`.
    pub(super) fn of(file: &Path) -> Self {
        Self { file: file.to_owned(), most: None, begins_at: PAGES, last: 0 }
    }

    /// Looks after the log, in which so many `pages` are now. First another thread empties it; what was
    /// written meanwhile is little, and emptied here, so that the next to write begins the log anew.
    ///
    /// What fails is in the log still, and tried again when there is more.
    pub(super) fn committed(&mut self, wal: &mut Wal, pages: c_int) {
        if pages < self.last {
            self.begins_at = PAGES;
        }
        self.last = pages;
        match &self.most {
            Some(most) if !most.is_finished() => {}
            Some(_) => {
                self.most = None;
                _ = wal.checkpoint();
            }
            // Where somebody still reads from it, it is not begun anew: then less often.
            None if pages >= self.begins_at => {
                self.begins_at = pages.saturating_add(PAGES);
                self.begin(wal);
            }
            None => {}
        }
    }

    fn begin(&mut self, wal: &mut Wal) {
        let file = self.file.clone();
        let empty = move || _ = empty(&file);
        match thread::Builder::new().name("hub-store".to_owned()).spawn(empty) {
            Ok(most) => self.most = Some(most),
            Err(_) => _ = wal.checkpoint(),
        }
    }
}

/// Whoever has the file after this has it alone.
impl Drop for Emptying {
    fn drop(&mut self) {
        if let Some(most) = self.most.take() {
            _ = most.join();
        }
    }
}

/// Empties the log beside `file`, as far as it is written and nobody reads from it.
fn empty(file: &Path) -> Result<(), rusqlite::Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
}
