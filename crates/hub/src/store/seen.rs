//! What members see of rooms, room by room in the log's order: by this pages are found, and what is unread is
//! counted.
//!
//! As an index of the log it would have each group of entries write a page for each of its rooms. So what is new
//! comes into a small table, `seen_lately`, and goes from there to the large one, `seen_before`, a few rooms at a
//! time, each with all that came in it meanwhile. Both are done with the commits: each entry is in exactly one of
//! the two, and nothing is to be caught up with.
//!
//! Readers ask the view of both, `seen`. SQLite merges them as it goes, and looks at no more than is asked for, where
//! `seq` is both sorted by and selected.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{archive::END, broken::Broken, numbers::Bits};
use crate::model::{Act, Deed, Entry, RoomId, Seq};

/// How many entries stay in the small table. With fewer, more pages of the large one are written; with more, more
/// of the small one's.
pub(super) const LATELY_MAX: usize = 4096;

/// Before all rooms.
pub(super) const FIRST: RoomId = RoomId(Seq(0));

/// Adds `entry`, if members see it: what somebody has read they do not.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn add(conn: &Connection, entry: &Entry, deed: &str) -> Result<(), Broken> {
    let is_read = matches!(entry.deed, Deed::In { act: Act::Read { .. }, .. });
    let Some(room) = entry.room().filter(|_| !is_read) else { return Ok(()) };
    let sql = "INSERT INTO seen_lately VALUES (?1, ?2, ?3, 0, ?4)";
    conn.prepare_cached(sql)?.execute(params![room, entry.seq, deed, entry.by])?;
    Ok(())
}

/// Notes that what was said there is taken out, and every edit of it.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn redact(conn: &Connection, (room, of): (RoomId, Seq)) -> Result<(), Broken> {
    for table in TABLES {
        let sql = format!(
            "UPDATE {table} SET redacted = 1 WHERE room = ?1 AND seq IN (
                SELECT ?2 UNION ALL
                SELECT seq FROM log WHERE deed = 'edit' AND about = ?2 AND room = ?1)"
        );
        conn.prepare_cached(&sql)?.execute(params![room, of])?;
    }
    Ok(())
}

/// Removes an entry.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn remove(conn: &Connection, (room, seq): (RoomId, Seq)) -> Result<(), Broken> {
    for table in TABLES {
        let sql = format!("DELETE FROM {table} WHERE room = ?1 AND seq = ?2");
        conn.prepare_cached(&sql)?.execute(params![room, seq])?;
    }
    Ok(())
}

const TABLES: [&str; 2] = ["seen_before", "seen_lately"];

/// Has the small table keep no more than `most` entries: the rooms `behind` one go first. Gives the
/// last that went, behind which the next are to go: so all have their turn, and had time to gather.
///
/// *Cost*: that of counting the small table, once, and again behind each step; of a step some microseconds an
/// entry, and a page written for each room.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn settle(conn: &Connection, mut behind: RoomId, most: usize) -> Result<RoomId, Broken> {
    loop {
        let mut count = conn.prepare_cached("SELECT count(*) FROM seen_lately")?;
        let over = count.query_row([], |row| row.get(0).map(|Bits(count)| count))?;
        let over = over.saturating_sub(u64::try_from(most).unwrap_or(u64::MAX));
        if over == 0 {
            return Ok(behind);
        }
        behind = move_some(conn, behind, over)?;
    }
}

/// Moves rooms behind one, until they had `many` entries or are all. Gives the last of them; the first of all
/// times, if they were all.
fn move_some(conn: &Connection, behind: RoomId, many: u64) -> Result<RoomId, Broken> {
    let sql = "SELECT room FROM seen_lately WHERE room > ?1 ORDER BY room LIMIT 1 OFFSET ?2 - 1";
    let mut last = conn.prepare_cached(sql)?;
    let last = last.query_row(params![behind, Bits(many)], |row| row.get(0)).optional()?;
    let moved = params![behind, last.unwrap_or(RoomId(END))];
    for sql in [
        "INSERT INTO seen_before SELECT * FROM seen_lately WHERE room > ?1 AND room <= ?2",
        "DELETE FROM seen_lately WHERE room > ?1 AND room <= ?2",
    ] {
        conn.prepare_cached(sql)?.execute(moved)?;
    }
    Ok(last.unwrap_or(FIRST))
}
