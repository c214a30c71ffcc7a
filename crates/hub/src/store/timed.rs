//! What a store knows of the clock: what that said when it was believed last, and what was to end at a time
//! that it gave while it was ahead.

use rusqlite::params;

use super::{
    broken::Broken,
    numbers::rows,
    row::{AS_WRITTEN, read},
    writer::Store,
};
use crate::model::{Entry, Millis, Seq};

impl Store {
    /// What time it was when the clock was [believed](Self::believe) last; `None`, if that was not noted.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn believed_at(&self) -> Result<Option<Millis>, Broken> {
        let sql = "SELECT believed_at FROM progress";
        Ok(self.conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// Notes that the clock is believed, which says that it is `now`.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn believe(&mut self, now: Millis) -> Result<(), Broken> {
        let sql = "UPDATE progress SET believed_at = ?1";
        self.at_once(|conn| Ok(conn.prepare_cached(sql)?.execute([now]).map(drop)?))
    }

    /// When the last was written, by the clock, that may be to end at a time; the first of all times, if there is
    /// nothing.
    ///
    /// *Cost*: looks at all invitations.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn timed_last(&self) -> Result<Millis, Broken> {
        let sql = "
            SELECT max(
                coalesce((SELECT max(at) FROM log INDEXED BY log_timed
                    WHERE deed IN ('ban', 'mute', 'quiet')), 0),
                coalesce((SELECT max(since) FROM invitations), 0))";
        Ok(self.conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
    }

    /// What was written later than it is `now` and may be to end at a time, behind an entry: bans, mutes, and
    /// that somebody is not to be disturbed; at most `limit`.
    ///
    /// *Cost*: that of those.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn timed_ahead(&self, now: Millis, after: Seq, limit: usize) -> Result<Vec<Entry>, Broken> {
        let sql = format!(
            "SELECT {AS_WRITTEN} FROM log INDEXED BY log_timed
            WHERE deed IN ('ban', 'mute', 'quiet') AND at > ?1 AND seq > ?2
            ORDER BY seq LIMIT ?3"
        );
        let mut statement = self.conn.prepare_cached(&sql)?;
        let found = statement.query_and_then(params![now, after, rows(limit)], read)?;
        found.collect()
    }

    /// Has invitations that were made later than it is `now` be good for as long as was said, but from `since`
    /// on.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn mend_invitations(&mut self, now: Millis, since: Millis) -> Result<(), Broken> {
        let sql = "
            UPDATE invitations SET until = ?2 + (until - since), since = ?2
            WHERE since > ?1 AND until IS NOT NULL";
        self.at_once(|conn| Ok(conn.prepare_cached(sql)?.execute(params![now, since]).map(drop)?))
    }
}
