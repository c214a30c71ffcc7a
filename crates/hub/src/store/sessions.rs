//! How accounts show who they are, and which devices did. Not in the log: it can be erased.

use rusqlite::{OptionalExtension as _, Row, params};

use super::{broken::Broken, writer::Store};
use crate::model::{AccountId, Millis, RoomId};

/// For how long a device stays logged in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stays {
    /// Until it is logged out.
    UntilEnded,
    /// For as long as it is connected: nobody was told what would log it in again.
    WhileConnected,
}

/// A device that is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Of the token that logs it in again.
    pub hash: [u8; 32],
    /// What it is called; no other of its account is.
    pub name: String,
    /// Whose it is.
    pub account: AccountId,
    /// What its owner calls the device.
    pub device: String,
    /// When it logged in.
    pub since: Millis,
    /// When it was seen last.
    pub seen: Millis,
    /// Of a hook, the room that it is for: it ends with that.
    pub room: Option<RoomId>,
    /// Until when it is one.
    pub stays: Stays,
}

/// The columns that [`read`] reads.
pub(super) const COLUMNS: &str = "hash, name, account, device, since, seen, room, passing";

impl Store {
    /// Keeps the hash of a password, in PHC's form, in the place of the one before.
    ///
    /// # Errors
    ///
    /// [`Broken::Unknown`], if there is no such account yet; else the disk's.
    pub fn set_password(&mut self, who: AccountId, phc: &str) -> Result<(), Broken> {
        let sql = "UPDATE accounts SET password = ?2 WHERE id = ?1";
        match self.conn.prepare_cached(sql)?.execute(params![who, phc])? {
            0 => Err(Broken::Unknown { seq: who.0 }),
            _ => Ok(()),
        }
    }

    /// The hash of a password; none, if there is no such account or it has no password.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn password(&self, who: AccountId) -> Result<Option<String>, Broken> {
        let sql = "SELECT password FROM accounts WHERE id = ?1";
        let phc = self.conn.prepare_cached(sql)?.query_row([who], |row| row.get(0)).optional()?;
        Ok(phc.flatten())
    }

    /// Keeps a session.
    ///
    /// # Errors
    ///
    /// [`Broken`], also if there is one of this hash, or of this name and account.
    pub fn add_session(&mut self, session: &Session) -> Result<(), Broken> {
        let Session { hash, name, account, device, since, seen, room, stays } = session;
        let passing = *stays == Stays::WhileConnected;
        let sql = "INSERT INTO sessions VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        let row = params![hash, name, account, device, since, seen, room, passing];
        self.conn.prepare_cached(sql)?.execute(row)?;
        Ok(())
    }

    /// Notes when a session was seen.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn seen(&mut self, hash: &[u8; 32], at: Millis) -> Result<(), Broken> {
        let sql = "UPDATE sessions SET seen = ?2 WHERE hash = ?1";
        self.conn.prepare_cached(sql)?.execute(params![hash, at])?;
        Ok(())
    }

    /// Ends a session, and gives what it was; `None`, if there was none of that name. Of one that lasts while
    /// it is connected the account keeps when it was seen: it would seem never to have been there.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn end_session(&mut self, who: AccountId, name: &str) -> Result<Option<Session>, Broken> {
        let sql =
            format!("DELETE FROM sessions WHERE account = ?1 AND name = ?2 RETURNING {COLUMNS}");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let ended = statement.query_row(params![who, name], read).optional()?;
        if let Some(Session { seen, stays: Stays::WhileConnected, .. }) = ended {
            let sql = "UPDATE accounts SET seen = max(coalesce(seen, 0), ?2)
                WHERE id = ?1 AND gone IS NULL";
            self.conn.prepare_cached(sql)?.execute(params![who, seen])?;
        }
        Ok(ended)
    }

    /// Whose sessions last while they are connected, and what they are called: at a start those that an
    /// earlier process left.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn passing(&self) -> Result<Vec<(AccountId, String)>, Broken> {
        let sql = "SELECT account, name FROM sessions WHERE passing = 1";
        let mut statement = self.conn.prepare_cached(sql)?;
        let found = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(found.collect::<Result<_, _>>()?)
    }

    /// Ends all sessions of an account, and says how many there were.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn end_all(&mut self, who: AccountId) -> Result<usize, Broken> {
        let sql = "DELETE FROM sessions WHERE account = ?1";
        Ok(self.conn.prepare_cached(sql)?.execute([who])?)
    }

    /// The session of a token with this hash.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn session(&self, hash: &[u8; 32]) -> Result<Option<Session>, Broken> {
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE hash = ?1");
        Ok(self.conn.prepare_cached(&sql)?.query_row([hash], read).optional()?)
    }

    /// All sessions of an account, the oldest first.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn sessions(&self, who: AccountId) -> Result<Vec<Session>, Broken> {
        let sql = format!("SELECT {COLUMNS} FROM sessions WHERE account = ?1 ORDER BY since, name");
        let mut statement = self.conn.prepare_cached(&sql)?;
        let found = statement.query_map([who], read)?;
        Ok(found.collect::<Result<_, _>>()?)
    }
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        hash: row.get(0)?,
        name: row.get(1)?,
        account: row.get(2)?,
        device: row.get(3)?,
        since: row.get(4)?,
        seen: row.get(5)?,
        room: row.get(6)?,
        stays: if row.get(7)? { Stays::WhileConnected } else { Stays::UntilEnded },
    })
}
