//! Who left a room that holds something for or against it yet, for who looks after the hub.

use rusqlite::params;

use super::{broken::Broken, ledger::Ledger, numbers::rows, standing};
use crate::model::{AccountId, RoomId, Standing};

/// Somebody who is not in a room, and ranks there, or is muted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Absentee {
    /// Who.
    pub who: AccountId,
    /// What it is called.
    pub name: String,
    /// What the room holds for or against it.
    pub standing: Standing,
}

impl Ledger {
    /// Who is not in a room, and ranks there, or is muted, of those behind an account, at most `limit`.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn absent(
        &self,
        room: RoomId,
        after: AccountId,
        limit: usize,
    ) -> Result<Vec<Absentee>, Broken> {
        let sql = format!(
            "SELECT account, accounts.name, {}
            FROM absent JOIN accounts ON accounts.id = account
            WHERE room = ?1 AND account > ?2 AND (role > 0 OR muted) ORDER BY account LIMIT ?3",
            standing::COLUMNS
        );
        let mut statement = self.conn().prepare_cached(&sql)?;
        let found = statement.query_and_then(params![room, after, rows(limit)], |row| {
            Ok(Absentee {
                who: row.get(0)?,
                name: row.get(1)?,
                standing: standing::read(row, room, 2)?,
            })
        })?;
        found.collect()
    }
}
