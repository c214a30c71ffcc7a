//! The one that writes.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rusqlite::Connection;

use super::{
    archive::Archive,
    broken::Broken,
    file::{self, Sync},
    gate::Gate,
    leaving::{self, Turn},
    lock::{self, Lock},
    log, look,
    place::Place,
    restore,
    said::{self, More},
    seen, tables, wal,
    wiping::Wiping,
};
use crate::model::{AccountId, Act, Cid, Deed, Entry, Millis, RoomId, Seq, State};

/// The store, for who writes. The process that has it has it alone.
///
/// What is asked of it outside a group of entries is committed by itself.
#[derive(Debug)]
pub struct Store {
    // Before the lock: the file is closed when others may have it.
    pub(super) wiping: Wiping,
    pub(super) conn: Connection,
    pub(super) file: PathBuf,
    /// Where those pass who read.
    pub(super) gate: Arc<Gate>,
    pub(super) place: Place,
    /// Behind it rooms are settled next.
    pub(super) settled: RoomId,
    pub(super) traces: Traces,
    /// Up to where there is nothing in rooms that may be forgotten.
    pub(super) nothing_said: HashMap<RoomId, Seq>,
    /// Of whom some was taken out last.
    turn: Turn,
    /// How long another program's lock is waited for when a group begins.
    patience: Duration,
    _lock: Lock,
}

/// How long another program's lock is waited for when a group begins, unless it was there the last time.
const PATIENCE: Duration = Duration::from_millis(250);

/// Whether something that was taken out may be in SQLite's log yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traces {
    /// Perhaps.
    Left,
    /// Perhaps, but what was there is being wiped off.
    Going,
    /// Nothing is.
    None,
}

impl Store {
    /// Opens the store in `file`, which is made if it is not there, readable for its owner alone,
    /// and gives what its log comes to. Beside it come `FILE.lock`, `FILE-wal` and `FILE-shm`; nothing, if
    /// it is no hub's.
    ///
    /// *Cost*: reads accounts, rooms and memberships, not the log.
    ///
    /// # Errors
    ///
    /// [`Broken`]. What a later version or another program wrote is left as it is.
    pub fn open(file: &Path, sync: Sync) -> Result<(Self, State), Broken> {
        // Who closes a file lets go all that SQLite has locked of it in the same process.
        lock::look(file)?;
        look::look(file)?;
        let lock = lock::take(file)?;
        if sync == Sync::Full {
            wal::look(file)?;
        }
        let gate = Arc::default();
        let wiping = Wiping::at(&gate);
        let conn = file::open((file, &gate), sync)?;
        let state = restore::restore(&conn)?;
        // Once it was read, all its files are there.
        let place = Place::of(file);
        // Of an earlier process there may be.
        let (settled, traces, patience) = (seen::FIRST, Traces::Left, PATIENCE);
        let (file, turn, nothing_said) = (file.to_owned(), Turn::default(), HashMap::new());
        let store = Self {
            wiping,
            conn,
            file,
            gate,
            place,
            settled,
            traces,
            nothing_said,
            turn,
            patience,
            _lock: lock,
        };
        Ok((store, state))
    }

    /// Looks whether its files are where they were.
    ///
    /// # Errors
    ///
    /// [`Broken::Gone`]: what was written since is lost with the process.
    pub fn look(&mut self) -> Result<(), Broken> {
        self.place.look()
    }

    /// Begins a group of entries, which are committed together.
    ///
    /// *Cost*: a moment, where another program begins to hold the store; nothing more for as long as it does.
    ///
    /// # Errors
    ///
    /// [`Broken`]; [`Broken::Locked`], if another program holds it.
    pub fn begin(&mut self) -> Result<(), Broken> {
        self.look()?;
        self.conn.busy_timeout(self.patience)?;
        let begun = self.conn.prepare_cached("BEGIN IMMEDIATE")?.execute([]);
        let begun = begun.map(drop).map_err(Broken::from);
        // Who held it a moment ago may hold it for long: all that is asked of the hub waits meanwhile.
        let is_locked = matches!(begun, Err(Broken::Locked { .. }));
        self.patience = if is_locked { Duration::ZERO } else { PATIENCE };
        begun
    }

    /// Waits for the lock of another program as at a start, when a group begins next: nobody waits for anything
    /// else any more.
    pub fn be_patient(&mut self) {
        self.patience = file::PATIENCE;
    }

    /// Writes down `entry` and what it changed, which is taken from the state `after` it. What it
    /// redacts is overwritten, in the log and in the index; of what a member has read only the last
    /// is kept.
    ///
    /// # Errors
    ///
    /// [`Broken::Twice`], if its place or its `cid` is another's; else the disk's.
    ///
    /// # Panics
    ///
    /// If `after` knows nothing of the room or the account: the entry was not applied to it.
    pub fn write(&mut self, entry: &Entry, after: &State) -> Result<(), Broken> {
        debug_assert!(!self.conn.is_autocommit(), "entries are written in groups");
        if let Deed::In { act: Act::Redact { .. }, .. } = entry.deed {
            self.traces = Traces::Left;
        }
        log::write(&self.conn, entry)?;
        tables::write(&self.conn, entry, after)
    }

    /// Ends the group: all of it is on disk, as far as [`Sync`] says, where others find it. Of
    /// what members see, what is too much for the small table is moved to the large one before.
    ///
    /// *Cost*: that of the disk, and of counting the small table, which has some thousand entries; where
    /// something is moved, a page written for each room.
    ///
    /// # Errors
    ///
    /// [`Broken`]: then none of it is there, once it is [rolled back](Self::roll_back). But of
    /// [`Broken::Gone`]: then it is in a file that nobody finds, unless that is put back.
    pub fn commit(&mut self) -> Result<(), Broken> {
        self.settled = seen::settle(&self.conn, self.settled, seen::LATELY_MAX)?;
        self.conn.prepare_cached("COMMIT")?.execute([])?;
        self.look()
    }

    /// Forgets the group, if one has begun. [Reloaded](Self::reload), the state is the one before.
    pub fn roll_back(&mut self) {
        if !self.conn.is_autocommit() {
            // After an error of the disk SQLite may have done it by itself. If it can neither, the
            // next group cannot begin, and that is told.
            let _ = self.conn.execute_batch("ROLLBACK");
            self.nothing_said.clear();
        }
    }

    /// Brings the index of words on by at most `most` entries of the log, and says whether there may
    /// be more.
    ///
    /// *Cost*: some microseconds an entry, for which the next group waits.
    ///
    /// # Errors
    ///
    /// [`Broken`]: then the index is where it was.
    pub fn index_some(&mut self, most: usize) -> Result<More, Broken> {
        self.at_once(|conn| said::index_some(conn, most))
    }

    /// Takes out of the log some of what accounts said and rooms had that were deleted: at most `most`
    /// entries of one of them, which take turns. Says whether there may be more.
    ///
    /// *Cost*: a millisecond or two an entry, for which the next group waits.
    ///
    /// # Errors
    ///
    /// [`Broken`]: then nothing was taken out.
    pub fn take_out_some(&mut self, most: usize) -> Result<More, Broken> {
        let last = self.turn;
        let Some(turn) = self.at_once(|conn| leaving::take_out_some(conn, last, most))? else {
            return Ok(More::No);
        };
        (self.turn, self.traces) = (turn, Traces::Left);
        Ok(More::Yes)
    }

    /// Does `work` as a whole or not at all: alone, or as part of the group that has begun.
    pub(super) fn at_once<T>(
        &mut self,
        work: impl FnOnce(&Connection) -> Result<T, Broken>,
    ) -> Result<T, Broken> {
        if self.conn.is_autocommit() {
            self.begin()?;
            let done = work(&self.conn).and_then(|done| {
                self.conn.prepare_cached("COMMIT")?.execute([])?;
                Ok(done)
            });
            if done.is_err() {
                self.roll_back();
            }
            return done;
        }
        let whole = self.conn.savepoint()?;
        let done = work(&whole)?;
        whole.commit()?;
        Ok(done)
    }

    /// What the log comes to, with the group that has begun.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn reload(&self) -> Result<State, Broken> {
        restore::restore(&self.conn)
    }

    /// The entry at `seq`, as it was written. Of what was taken out the text is empty.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn entry(&self, seq: Seq) -> Result<Option<Entry>, Broken> {
        log::entry(&self.conn, seq)
    }

    /// When the last entry was written that is in the log yet: `None`, if none is.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn last_at(&self) -> Result<Option<Millis>, Broken> {
        log::last_at(&self.conn)
    }

    /// The same of the one that `by` called `cid`.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn with_cid(&self, by: AccountId, cid: &Cid) -> Result<Option<Entry>, Broken> {
        log::with_cid(&self.conn, by, cid)
    }

    /// Opens another connection, for reading what is committed.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn archive(&self) -> Result<Archive, Broken> {
        Archive::open(&self.file, Arc::clone(&self.gate))
    }

    /// Writes all that is committed to a new file, which can be opened as a store. Others read and
    /// write meanwhile; so that the one who writes does not wait, an [archive](Archive::backup) can.
    ///
    /// # Errors
    ///
    /// [`Broken::Io`], if there is such a file.
    pub fn backup(&self, to: &Path) -> Result<(), Broken> {
        self.archive()?.backup(to)
    }
}
