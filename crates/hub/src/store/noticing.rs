//! What accounts want to notice, and what of it they have not read yet, in tables.

use rusqlite::{Connection, Row, params};

use super::{broken::Broken, row::quiet};
use crate::model::{AccountId, Mark, Quiet, RoomId, Seq, Wishes, Words};

/// Counts something among what was not read yet.
pub(super) fn write_mark(
    conn: &Connection,
    mark: &Mark,
    (room, seq): (RoomId, Seq),
) -> Result<(), Broken> {
    let sql = "INSERT INTO marked (account, room, seq) VALUES (?1, ?2, ?3)";
    conn.prepare_cached(sql)?.execute(params![mark.who, room, seq])?;
    Ok(())
}

/// What somebody has read is counted no more; of who left, nothing is.
pub(super) fn unmark(
    conn: &Connection,
    (room, who): (RoomId, AccountId),
    upto: Seq,
) -> Result<(), Broken> {
    let sql = "DELETE FROM marked WHERE account = ?1 AND room = ?2 AND seq <= ?3";
    conn.prepare_cached(sql)?.execute(params![who, room, upto])?;
    Ok(())
}

/// What was forgotten is counted no more for anybody.
pub(super) fn unmark_all(conn: &Connection, room: RoomId, upto: Seq) -> Result<(), Broken> {
    // Of who left nothing is marked.
    let sql = "DELETE FROM marked WHERE room = ?1 AND seq <= ?2
        AND account IN (SELECT account FROM members WHERE room = ?1)";
    conn.prepare_cached(sql)?.execute(params![room, upto])?;
    Ok(())
}

/// What an account wants to notice, in the place of what it did.
pub(super) fn write_wishes(
    conn: &Connection,
    who: AccountId,
    wishes: &Wishes,
) -> Result<(), Broken> {
    let Wishes { words, quiet } = wishes;
    let (quiet, until) = match quiet {
        Quiet::Off => (false, None),
        Quiet::On => (true, None),
        Quiet::Until(until) => (true, Some(*until)),
    };
    let sql = "REPLACE INTO wishes VALUES (?1, ?2, ?3, ?4)";
    conn.prepare_cached(sql)?.execute(params![who, words.as_str(), quiet, until])?;
    Ok(())
}

/// What an account wants to notice, from columns four to six of a row; what most do, where they are empty.
pub(super) fn read_wishes(row: &Row<'_>) -> Result<Wishes, Broken> {
    let words: Option<String> = row.get(3)?;
    let is_quiet: Option<bool> = row.get(4)?;
    Ok(Wishes {
        words: Words::read(&words.unwrap_or_default()),
        quiet: quiet(is_quiet.unwrap_or_default(), row.get(5)?),
    })
}
