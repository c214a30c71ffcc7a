//! SQLite's log beside the file, emptied into the file while entries go on being written.
//!
//! A commit that did it itself had all that wait behind it wait for the disk, some fifty
//! milliseconds each time.

use std::{
    ffi::c_int,
    path::{Path, PathBuf},
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use rusqlite::{Connection, OpenFlags, config::DbConfig, hooks::Wal};

use super::{
    broken::Broken,
    gate::{Gate, GivenUp},
    place::Place,
};

/// How many pages of 4 KiB the log has when it is emptied: with more, commits wait longer for the
/// disk, and no less often.
const PAGES: c_int = 2048;

/// With how many somebody always reads from it: those who read are to pause.
const STUCK: c_int = 2 * PAGES;

/// How long they pause for something to be written. Without that it is all emptied, for which who writes next
/// waits a moment.
const PAUSE: Duration = Duration::from_millis(100);

/// How long is waited, while who writes may wait, for others who read from it.
const PATIENCE: Duration = Duration::from_millis(50);

/// Who empties the log.
#[derive(Debug)]
pub(super) struct Emptying {
    file: PathBuf,
    place: Place,
    gate: Arc<Gate>,
    given_up: Arc<GivenUp>,
    /// Most of it is emptied there.
    most: Option<JoinHandle<()>>,
    /// With how many pages that begins the next time.
    begins_at: c_int,
    /// How many there were.
    last: c_int,
}

impl Emptying {
    /// Of the log beside `file`, which is open.
    pub(super) fn of(file: &Path, gate: &Arc<Gate>) -> Self {
        let (file, place) = (file.to_owned(), Place::of(file));
        let (gate, given_up) = (Arc::clone(gate), Arc::default());
        Self { file, place, gate, given_up, most: None, begins_at: PAGES, last: 0 }
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
            Some(most) if !most.is_finished() && self.gate.is_shut() => {
                _ = wal.checkpoint();
                self.gate.open();
            }
            Some(most) if !most.is_finished() => {}
            Some(_) => {
                self.most = None;
                _ = wal.checkpoint();
            }
            // Where somebody still reads from it, it is not begun anew: then less often.
            None if pages >= self.begins_at => {
                self.begins_at = pages.saturating_add(PAGES);
                self.begin(wal, pages);
            }
            None => {}
        }
    }

    fn begin(&mut self, wal: &mut Wal, pages: c_int) {
        if self.place.look().is_err() {
            // Whoever writes next is told.
            return;
        }
        let (file, mut place) = (self.file.clone(), self.place.clone());
        let (gate, given_up) = (Arc::clone(&self.gate), Arc::clone(&self.given_up));
        let empty = move || {
            let emptied = empty(&file, &mut place);
            if pages >= STUCK {
                _ = emptied.and_then(|conn| empty_alone(&conn, (&gate, &given_up), PAUSE));
            }
        };
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
            self.gate.give_up(&self.given_up);
            _ = most.join();
        }
    }
}

/// Empties the log beside `file`, as far as it is written and nobody reads from it. Gives how that is done.
///
/// # Errors
///
/// [`Broken::Gone`], if that is not the store any more: the log of one is nothing for another.
pub(super) fn empty(file: &Path, place: &mut Place) -> Result<Connection, Broken> {
    place.look()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(file, flags)?;
    // What is opened as the last would be emptied when it is closed, too.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    // Before and after it was opened it was the store: so it is. Of the log nothing was read yet.
    place.look()?;
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    Ok(conn)
}

/// Has those who read pause until the rest of the log is emptied: by who commits next, if anybody does in that
/// time; else here. Says whether it was here, and nothing is left in it.
pub(super) fn empty_alone(
    conn: &Connection,
    (gate, given_up): (&Gate, &GivenUp),
    pause: Duration,
) -> Result<bool, Broken> {
    let Some(shut) = gate.shut(given_up) else { return Ok(false) };
    conn.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
    if shut.is_opened_within(pause, given_up) {
        return Ok(false);
    }
    conn.busy_timeout(PATIENCE)?;
    let is_busy: bool = conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
    Ok(!is_busy)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::store::{Sync, file};

    #[test]
    fn what_was_put_in_the_place_of_the_store_is_given_nothing_of_its_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name| folder.path().join(name);
        let store = path("hub.db");
        let conn = file::open((&store, &Arc::default()), Sync::Normal).unwrap();
        conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
        fs::copy(&store, path("other.db")).unwrap();
        let mut place = Place::of(&store);
        conn.execute_batch("CREATE TABLE own (body TEXT); INSERT INTO own VALUES ('hi')").unwrap();
        fs::rename(&store, path("away.db")).unwrap();
        fs::rename(path("other.db"), &store).unwrap();
        let before = fs::read(&store).unwrap();
        assert!(matches!(empty(&store, &mut place), Err(Broken::Gone { .. })));
        assert!(fs::read(&store).unwrap() == before, "it is another's");
        fs::rename(path("away.db"), &store).unwrap();
        empty(&store, &mut place).unwrap();
        assert!(fs::read(&store).unwrap() != before);
    }
}
