//! Invitations to have an account. Not in the log, as passwords are not: what is kept is a hash.

use std::collections::HashSet;

use rusqlite::{OptionalExtension as _, Row, params};

use super::{broken::Broken, numbers::Bits, writer::Store};
use crate::model::{Millis, RoomId};

/// Something that lets people have an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Of what is shown.
    pub hash: [u8; 32],
    /// What it is called; no other is.
    pub name: String,
    /// When it was made.
    pub since: Millis,
    /// From when on it is of no use; never without.
    pub until: Option<Millis>,
    /// How many may come by it yet.
    pub uses: u32,
    /// Where who comes by it is from the first.
    pub room: Option<RoomId>,
}

pub(super) const COLUMNS: &str = "hash, name, since, until, uses, room";

impl Store {
    /// Keeps an invitation.
    ///
    /// # Errors
    ///
    /// [`Broken`], also if there is one of this hash or name.
    pub fn add_invitation(&mut self, invitation: &Invitation) -> Result<(), Broken> {
        let Invitation { hash, name, since, until, uses, room } = invitation;
        let sql = "INSERT INTO invitations VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let row = params![hash, name, since, until, uses, room];
        self.conn.prepare_cached(sql)?.execute(row)?;
        Ok(())
    }

    /// The invitation that hashes to this, of use or not.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn invitation(&self, hash: &[u8; 32]) -> Result<Option<Invitation>, Broken> {
        let sql = format!("SELECT {COLUMNS} FROM invitations WHERE hash = ?1");
        Ok(self.conn.prepare_cached(&sql)?.query_row([hash], read).optional()?)
    }

    /// Notes that somebody came by it.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn use_invitation(&mut self, hash: &[u8; 32]) -> Result<(), Broken> {
        let sql = "UPDATE invitations SET uses = uses - 1 WHERE hash = ?1 AND uses > 0";
        self.conn.prepare_cached(sql)?.execute([hash])?;
        Ok(())
    }

    /// Deletes an invitation, and says whether there was one of this name.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn revoke_invitation(&mut self, name: &str) -> Result<bool, Broken> {
        let sql = "DELETE FROM invitations WHERE name = ?1";
        Ok(self.conn.prepare_cached(sql)?.execute([name])? > 0)
    }

    /// Into which rooms invitations, of use or not, lead, or hooks.
    ///
    /// *Cost*: a look at all invitations.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn led_into(&self) -> Result<HashSet<RoomId>, Broken> {
        let sql = "SELECT room FROM invitations WHERE room IS NOT NULL
            UNION SELECT room FROM sessions WHERE room IS NOT NULL";
        let mut statement = self.conn.prepare_cached(sql)?;
        let rooms = statement.query_map([], |row| row.get(0))?;
        Ok(rooms.collect::<Result<_, _>>()?)
    }

    /// How many invitations there are, of use or not.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn invitations(&self) -> Result<u64, Broken> {
        let sql = "SELECT count(*) FROM invitations";
        let Bits(count) = self.conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?;
        Ok(count)
    }
}

pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Invitation> {
    Ok(Invitation {
        hash: row.get(0)?,
        name: row.get(1)?,
        since: row.get(2)?,
        until: row.get(3)?,
        uses: row.get(4)?,
        room: row.get(5)?,
    })
}
