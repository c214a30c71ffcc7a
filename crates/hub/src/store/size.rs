//! How much there is in a store.

use std::{fs, path::Path};

use rusqlite::Connection;

use super::{broken::Broken, ledger::Ledger, lives, lock::beside, numbers::Bits};

/// How much there is in a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// Entries that were written to the log, those that were taken out since with them.
    pub entries: u64,
    /// The last of them of which a search looks through the words one by one.
    pub unindexed: u64,
    /// Accounts that were not deleted.
    pub accounts: u64,
    /// Rooms, talks not included.
    pub rooms: u64,
    /// Of its file.
    pub bytes: u64,
    /// Of SQLite's log beside it.
    pub wal_bytes: u64,
}

impl Ledger {
    /// How much there is in the store, which is in `file`.
    ///
    /// *Cost*: looks at all accounts and rooms.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn size(&self, file: &Path) -> Result<Size, Broken> {
        let conn = self.conn();
        let (entries, indexed) =
            (lives::counted(number(conn, LAST)?), lives::counted(number(conn, INDEXED)?));
        Ok(Size {
            entries,
            unindexed: entries.saturating_sub(indexed),
            accounts: number(conn, "SELECT count(*) FROM accounts WHERE gone IS NULL")?,
            rooms: number(conn, "SELECT count(*) FROM rooms WHERE name IS NOT NULL")?,
            bytes: bytes(file),
            wal_bytes: bytes(&beside(file, "-wal")),
        })
    }
}

/// The last place in the log, also of what was taken out of it since.
const LAST: &str = "SELECT max(last, coalesce((SELECT max(seq) FROM log), 0)) FROM progress";

const INDEXED: &str = "SELECT indexed FROM progress";

fn number(conn: &Connection, sql: &str) -> Result<u64, Broken> {
    let Bits(number) = conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
    Ok(number)
}

/// How large a file is; nothing, where there is none.
fn bytes(file: &Path) -> u64 {
    fs::metadata(file).map_or(0, |file| file.len())
}
