//! What one account wrote, for whose it is.

use rusqlite::params;

use super::{
    archive::{Archive, END},
    broken::Broken,
    ledger, lives,
    numbers::rows,
    row::{AS_WRITTEN, read},
    standing,
};
use crate::model::{AccountId, Entry, RoomId, Seq, Title};

impl Archive {
    /// What an account wrote behind an entry and not behind another, as it was written, at most `limit`
    /// entries. Of what was taken out the text is empty.
    ///
    /// *Cost*: looks at all that was written between.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn written(
        &self,
        who: AccountId,
        (after, upto): (Seq, Seq),
        limit: usize,
    ) -> Result<Vec<Entry>, Broken> {
        let sql = format!(
            "SELECT {AS_WRITTEN} FROM log WHERE seq > ?1 AND seq <= ?2 AND by = ?3
            ORDER BY seq LIMIT ?4"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let found = statement.query_and_then(params![after, upto, who, rows(limit)], read)?;
        found.collect()
    }

    /// The last place behind one, and not behind another, that only empty ones are between.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn empty_upto(&self, (after, upto): (Seq, Seq)) -> Result<Seq, Broken> {
        let next = lives::first_from(&self.conn, Seq(after.0.saturating_add(1).min(END.0)))?;
        Ok(next.map_or(upto, |next| Seq(next.0 - 1).min(upto)))
    }

    /// What a room is called, named or between two; nothing, if it was deleted.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn title(&self, room: RoomId) -> Result<Option<Title>, Broken> {
        ledger::title(&self.conn, room)
    }

    /// Whether somebody made a room, is in it, or left something there that is kept.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn has_standing(&self, who: AccountId, room: RoomId) -> Result<bool, Broken> {
        standing::has_any(&self.conn, (who, room))
    }
}
