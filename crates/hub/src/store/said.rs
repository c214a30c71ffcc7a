//! The words of what was said, for searching: an index that lags behind the log.
//!
//! Of what was said up to `progress.indexed`, and not taken out, the table `said` has the words as
//! they read now; of what comes after it has nothing. So an edit of what is not indexed yet costs
//! nothing, and a crash loses nothing: the place and the words are committed together.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    broken::Broken,
    numbers::{Bits, rows},
};
use crate::model::{AccountId, RoomId, Seq};

/// Whether there is more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum More {
    /// There is.
    Yes,
    /// That was all.
    No,
}

/// Something that was said, as it reads now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Said {
    pub seq: Seq,
    pub room: RoomId,
    pub by: AccountId,
    pub text: String,
}

/// What was said there and is not taken out.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn now(conn: &Connection, room: RoomId, seq: Seq) -> Result<Option<Said>, Broken> {
    let sql = "
        SELECT by, coalesce((SELECT edit.text FROM log edit WHERE edit.seq = log.edit), text)
        FROM log WHERE seq = ?1 AND room = ?2 AND deed = 'say' AND NOT redacted";
    let mut statement = conn.prepare_cached(sql)?;
    let said = statement.query_row(params![seq, room], |row| {
        Ok(Said { seq, room, by: row.get(0)?, text: row.get(1)? })
    });
    Ok(said.optional()?)
}

/// Up to where the index goes.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn indexed(conn: &Connection) -> Result<Seq, Broken> {
    let sql = "SELECT indexed FROM progress";
    Ok(conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Has `said` found no more by its words as they were, if it was found at all.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn take_out(conn: &Connection, said: &Said) -> Result<(), Broken> {
    if indexed(conn)? < said.seq {
        return Ok(());
    }
    let sql = "INSERT INTO said (said, rowid, room, by, text) VALUES ('delete', ?1, ?2, ?3, ?4)";
    run(conn, sql, said)
}

/// Has `said` found by its words, if others as late as it are.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn put_in(conn: &Connection, said: &Said) -> Result<(), Broken> {
    if indexed(conn)? < said.seq {
        return Ok(());
    }
    add(conn, said)
}

fn add(conn: &Connection, said: &Said) -> Result<(), Broken> {
    run(conn, "INSERT INTO said (rowid, room, by, text) VALUES (?1, ?2, ?3, ?4)", said)
}

fn run(conn: &Connection, sql: &str, said: &Said) -> Result<(), Broken> {
    let Said { seq, room, by, text } = said;
    conn.prepare_cached(sql)?.execute(params![seq, room, by, text])?;
    Ok(())
}

/// Brings the index on by at most `most` entries of the log, whatever they are.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn index_some(conn: &Connection, most: usize) -> Result<More, Broken> {
    let from = indexed(conn)?;
    let sql = "SELECT max(seq), count(*) FROM (
        SELECT seq FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?2)";
    let mut window = conn.prepare_cached(sql)?;
    let (last, Bits(count)): (Option<Seq>, _) =
        window.query_row(params![from, rows(most)], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let Some(last) = last else { return Ok(More::No) };
    let sql = "
        SELECT seq, room, by,
            coalesce((SELECT edit.text FROM log edit WHERE edit.seq = log.edit), text)
        FROM log WHERE seq > ?1 AND seq <= ?2 AND deed = 'say' AND NOT redacted ORDER BY seq";
    let mut statement = conn.prepare_cached(sql)?;
    let mut found = statement.query(params![from, last])?;
    while let Some(row) = found.next()? {
        let (seq, room) = (row.get(0)?, row.get(1)?);
        add(conn, &Said { seq, room, by: row.get(2)?, text: row.get(3)? })?;
    }
    conn.prepare_cached("UPDATE progress SET indexed = ?1")?.execute([last])?;
    Ok(if usize::try_from(count).is_ok_and(|count| count < most) { More::No } else { More::Yes })
}
