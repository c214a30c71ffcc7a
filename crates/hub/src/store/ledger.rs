//! What there is in a hub, for who looks after it: accounts, rooms, devices, invitations, and all that one
//! account wrote. Read page by page, so that who reads slowly keeps nothing from being put in order.

mod listed;

use std::{fmt, path::Path};

use rusqlite::{Connection, InterruptHandle, OptionalExtension as _, Row, ToSql, params};

pub use self::listed::{Chamber, Seated, User};
use self::listed::{MEMBERS, ROOMS, USERS, read_room, read_seated, read_user};
use super::{
    broken::Broken,
    file,
    invitations::{self, Invitation},
    numbers::{Bits, rows},
    row::{AS_WRITTEN, access, read},
    sessions::Session,
    standing,
    writer::Store,
};
use crate::model::{AccountId, Entry, RoomId, Seq, Title};

/// The store, for who looks after it. Can be sent to a thread of its own.
#[derive(Debug)]
pub struct Ledger {
    conn: Connection,
}

/// Breaks off what its [`Ledger`] does, when it is dropped.
pub struct BreaksOff(InterruptHandle);

impl Drop for BreaksOff {
    fn drop(&mut self) {
        self.0.interrupt();
    }
}

impl fmt::Debug for BreaksOff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BreaksOff")
    }
}

impl Store {
    /// Opens another connection, for who looks after the hub.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn ledger(&self) -> Result<Ledger, Broken> {
        Ledger::open(&self.file)
    }
}

impl Ledger {
    /// Opens what a [`Store`](super::Store) has made in `file`.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn open(file: &Path) -> Result<Self, Broken> {
        Ok(Self { conn: file::open_to_read(file)? })
    }

    /// The accounts behind one, in the order in which they were made, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn users(&self, after: AccountId, limit: usize) -> Result<Vec<User>, Broken> {
        let sql = format!("{USERS} WHERE id > ?1 ORDER BY id LIMIT ?2");
        self.all(&sql, params![after, rows(limit)], read_user)
    }

    /// An account.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn user(&self, id: AccountId) -> Result<Option<User>, Broken> {
        Ok(self.all(&format!("{USERS} WHERE id = ?1"), params![id], read_user)?.pop())
    }

    /// The rooms behind one, in the order in which they were made, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn rooms(&self, after: RoomId, limit: usize) -> Result<Vec<Chamber>, Broken> {
        let sql = format!("{ROOMS} WHERE name IS NOT NULL AND id > ?1 ORDER BY id LIMIT ?2");
        self.all(&sql, params![after, rows(limit)], read_room)
    }

    /// A room.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn room(&self, id: RoomId) -> Result<Option<Chamber>, Broken> {
        let sql = format!("{ROOMS} WHERE name IS NOT NULL AND id = ?1");
        Ok(self.all(&sql, params![id], read_room)?.pop())
    }

    /// Who is in a room, of those behind an account, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn members(
        &self,
        room: RoomId,
        after: AccountId,
        limit: usize,
    ) -> Result<Vec<Seated>, Broken> {
        let sql = format!("{MEMBERS} WHERE room = ?1 AND account > ?2 ORDER BY account LIMIT ?3");
        self.all(&sql, params![room, after, rows(limit)], read_seated)
    }

    /// What an account is in.
    ///
    /// *Cost*: looks at all members of all rooms.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn memberships(&self, who: AccountId) -> Result<Vec<Seated>, Broken> {
        self.all(&format!("{MEMBERS} WHERE account = ?1 ORDER BY room"), params![who], read_seated)
    }

    /// The devices of an account, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn devices(&self, who: AccountId) -> Result<Vec<Session>, Broken> {
        let columns = super::sessions::COLUMNS;
        let sql = format!("SELECT {columns} FROM sessions WHERE account = ?1 ORDER BY since, name");
        self.all(&sql, params![who], |row| Ok(super::sessions::read(row)?))
    }

    /// Whose device's session is called `name`: as good as always one account's.
    ///
    /// *Cost*: looks at all sessions.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn owners(&self, name: &str) -> Result<Vec<AccountId>, Broken> {
        let sql = "SELECT account FROM sessions WHERE name = ?1 ORDER BY account";
        self.all(sql, params![name], |row| Ok(row.get(0)?))
    }

    /// All invitations, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn invitations(&self) -> Result<Vec<Invitation>, Broken> {
        let sql = format!("SELECT {} FROM invitations ORDER BY since, name", invitations::COLUMNS);
        self.all(&sql, params![], |row| Ok(invitations::read(row)?))
    }

    /// What an account wrote behind an entry, as it was written, at most `limit` entries. Of what was taken
    /// out the text is empty.
    ///
    /// *Cost*: looks at the log until there are so many.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn written(&self, who: AccountId, after: Seq, limit: usize) -> Result<Vec<Entry>, Broken> {
        let sql = format!(
            "SELECT {AS_WRITTEN} FROM log WHERE seq > ?1 AND by = ?2 ORDER BY seq LIMIT ?3"
        );
        self.all(&sql, params![after, who, rows(limit)], read)
    }

    /// What a room is called, named or between two; nothing, if it was deleted.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn title(&self, room: RoomId) -> Result<Option<Title>, Broken> {
        title(&self.conn, room)
    }

    /// Whether somebody made a room, is in it, or left something there that is kept.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn has_standing(&self, who: AccountId, room: RoomId) -> Result<bool, Broken> {
        standing::has_any(&self.conn, (who, room))
    }

    /// Writes all that is committed to a new file, for its owner alone, which can be opened as a store.
    ///
    /// *Cost*: reads and writes all of it.
    ///
    /// # Errors
    ///
    /// [`Broken::Io`], if there is such a file already, which stays.
    pub fn backup(&self, to: &Path) -> Result<(), Broken> {
        file::copy(&self.conn, to)
    }

    /// What breaks off whatever is under way here, on any thread, when it is dropped: an error says so.
    pub fn breaks_off(&self) -> BreaksOff {
        BreaksOff(self.conn.get_interrupt_handle())
    }

    #[cfg(test)]
    pub(super) fn conn_mut(&mut self) -> &mut Connection {
        &mut self.conn
    }

    pub(super) fn conn(&self) -> &Connection {
        &self.conn
    }

    fn all<T>(
        &self,
        sql: &str,
        with: &[&dyn ToSql],
        mut read: impl FnMut(&Row<'_>) -> Result<T, Broken>,
    ) -> Result<Vec<T>, Broken> {
        let mut statement = self.conn.prepare_cached(sql)?;
        let mut found = statement.query(with)?;
        let mut all = Vec::new();
        while let Some(row) = found.next()? {
            all.push(read(row)?);
        }
        Ok(all)
    }
}

/// What a room is called, named or between two; nothing, if it was deleted.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn title(conn: &Connection, room: RoomId) -> Result<Option<Title>, Broken> {
    let sql = "SELECT name, access, one, other FROM rooms WHERE id = ?1";
    let mut statement = conn.prepare_cached(sql)?;
    let title = |row: &Row<'_>| {
        let named = row.get::<_, Option<String>>(0)?.zip(row.get::<_, Option<Bits>>(1)?);
        Ok(match named {
            Some((name, Bits(number))) => access(number).map(|access| Title::Named(name, access)),
            None => Some(Title::Talk(row.get(2)?, row.get(3)?)),
        })
    };
    Ok(statement.query_row([room], title).optional()?.flatten())
}
