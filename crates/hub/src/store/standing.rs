//! What rooms hold for or against somebody who is there or left, in tables.

use rusqlite::{Connection, Row, params};

use super::{
    broken::Broken,
    numbers::Bits,
    row::{role, role_number},
};
use crate::model::{AccountId, Lasts, Millis, Room, RoomId, Standing, Voice};

/// The columns that [`read`] reads, one behind the other.
pub(super) const COLUMNS: &str = "role, muted, muted_until, spoke";

/// What a room keeps of somebody who is not in it, as the state has it; of all others, what the state has
/// forgotten goes.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn write_absent(
    conn: &Connection,
    (id, room): (RoomId, &Room),
    who: AccountId,
) -> Result<(), Broken> {
    // What is beyond all that can be ordered comes last there.
    let ordered = |end: Millis| Millis(end.0.min(i64::MAX.cast_unsigned()));
    let first = room.absent.first_end().map(ordered);
    let sql =
        "DELETE FROM absent WHERE room = ?1 AND ends IS NOT NULL AND (?2 IS NULL OR ends < ?2)";
    conn.prepare_cached(sql)?.execute(params![id, first])?;
    let Some(standing) = room.absent.get(who) else {
        let sql = "DELETE FROM absent WHERE room = ?1 AND account = ?2";
        conn.prepare_cached(sql)?.execute(params![id, who])?;
        return Ok(());
    };
    let ends = match standing.lasts() {
        Lasts::Always => None,
        Lasts::Until(end) => Some(ordered(end)),
    };
    let Standing { role, spoke, voice } = standing;
    let ((muted, until), role) = (muted(voice), Bits(role_number(role)));
    let sql = "REPLACE INTO absent VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    conn.prepare_cached(sql)?.execute(params![id, who, role, muted, until, spoke, ends])?;
    Ok(())
}

/// Whether somebody made a room, is in it, or left something there that is kept.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn has_any(conn: &Connection, (who, room): (AccountId, RoomId)) -> Result<bool, Broken> {
    let sql = "SELECT EXISTS (SELECT 1 FROM members WHERE room = ?1 AND account = ?2)
        OR EXISTS (SELECT 1 FROM absent WHERE room = ?1 AND account = ?2)
        OR EXISTS (SELECT 1 FROM log WHERE seq = ?1 AND by = ?2)";
    Ok(conn.prepare_cached(sql)?.query_row(params![room, who], |row| row.get(0))?)
}

/// Whether somebody is muted, and until when.
pub(super) fn muted(voice: Voice) -> (bool, Option<Millis>) {
    match voice {
        Voice::Free => (false, None),
        Voice::Muted(until) => (true, until),
    }
}

/// What a room holds for or against somebody, from the [columns](COLUMNS) of a row that begin there.
///
/// # Errors
///
/// [`Broken::Unknown`], with the room's place; and others.
pub(super) fn read(row: &Row<'_>, id: RoomId, first: usize) -> Result<Standing, Broken> {
    let (Bits(number), is_muted): (_, bool) = (row.get(first)?, row.get(first + 1)?);
    let voice = if is_muted { Voice::Muted(row.get(first + 2)?) } else { Voice::Free };
    let role = role(number).ok_or(Broken::Unknown { seq: id.0 })?;
    Ok(Standing { role, spoke: row.get(first + 3)?, voice })
}
