//! The log's own rows, and what an entry does to those before it.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    broken::{Broken, Sqlite},
    row::{AS_WRITTEN, Columns, read},
    said::{self, Said},
    seen,
};
use crate::model::{AccountId, Act, Cid, Deed, Entry, Millis, RoomId, Seq};

/// Writes `entry` down, and has those before it read as it says.
///
/// # Errors
///
/// [`Broken::Twice`], and others.
pub(super) fn write(conn: &Connection, entry: &Entry) -> Result<(), Broken> {
    if let Deed::In { room, act } = &entry.deed {
        match act {
            Act::Edit { of, body } => edit(conn, (*room, *of), (entry.seq, body))?,
            Act::Redact { of, .. } => redact(conn, (*room, *of))?,
            Act::Read { .. } => supersede(conn, *room, entry.by)?,
            _ => {}
        }
    }
    insert(conn, entry)
}

fn insert(conn: &Connection, entry: &Entry) -> Result<(), Broken> {
    let Entry { seq, at, by, cid, deed } = entry;
    let room = entry.room();
    let cid = cid.as_ref().map(Cid::as_str);
    let Columns { deed, about, number, text } = Columns::of(deed);
    let sql = "INSERT INTO log VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, NULL, 0)";
    let row = params![seq, at, by, cid, room, deed, about, number, text];
    conn.prepare_cached(sql)?.execute(row).map_err(|source| is_twice(*seq, source))?;
    seen::add(conn, entry, deed)
}

/// When the last entry was written that is in the log yet.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn last_at(conn: &Connection) -> Result<Option<Millis>, Broken> {
    let sql = "SELECT at FROM log ORDER BY seq DESC LIMIT 1";
    Ok(conn.prepare_cached(sql)?.query_row([], |row| row.get(0)).optional()?)
}

fn is_twice(seq: Seq, source: rusqlite::Error) -> Broken {
    match source.sqlite_error_code() {
        Some(rusqlite::ErrorCode::ConstraintViolation) => {
            Broken::Twice { seq, source: Sqlite(source) }
        }
        _ => source.into(),
    }
}

/// What was said reads as the edit says. What it read before stays: in the log, for nobody.
fn edit(
    conn: &Connection,
    (room, of): (RoomId, Seq),
    (seq, body): (Seq, &str),
) -> Result<(), Broken> {
    let Some(before) = said::now(conn, room, of)? else { return Ok(()) };
    conn.prepare_cached("UPDATE log SET edit = ?1 WHERE seq = ?2")?.execute([seq, of])?;
    said::take_out(conn, &before)?;
    said::put_in(conn, &Said { text: body.to_owned(), ..before })
}

/// What was said, and every edit of it, is overwritten.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn redact(conn: &Connection, (room, of): (RoomId, Seq)) -> Result<(), Broken> {
    let Some(before) = said::now(conn, room, of)? else { return Ok(()) };
    said::take_out(conn, &before)?;
    seen::redact(conn, (room, of))?;
    let sql = "UPDATE log SET text = '', redacted = 1 WHERE seq = ?1";
    conn.prepare_cached(sql)?.execute([of])?;
    let sql = "UPDATE log SET text = '', redacted = 1
        WHERE deed = 'edit' AND about = ?1 AND room = ?2";
    conn.prepare_cached(sql)?.execute(params![of, room])?;
    Ok(())
}

/// What happened there is deleted, with its words.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn delete(conn: &Connection, (room, seq): (RoomId, Seq)) -> Result<(), Broken> {
    if let Some(said) = said::now(conn, room, seq)? {
        said::take_out(conn, &said)?;
    }
    seen::remove(conn, (room, seq))?;
    conn.prepare_cached("DELETE FROM log WHERE seq = ?1")?.execute([seq])?;
    Ok(())
}

/// What somebody read before is worth nothing once more was read: without this, most of the log
/// would be of it.
fn supersede(conn: &Connection, room: RoomId, by: AccountId) -> Result<(), Broken> {
    let sql = "DELETE FROM log WHERE deed = 'read' AND room = ?1 AND by = ?2";
    conn.prepare_cached(sql)?.execute(params![room, by])?;
    Ok(())
}

/// The entry at `seq`, as it was written, but for what was taken out.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn entry(conn: &Connection, seq: Seq) -> Result<Option<Entry>, Broken> {
    let sql = format!("SELECT {AS_WRITTEN} FROM log WHERE seq = ?1");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query([seq])?;
    rows.next()?.map(read).transpose()
}

/// The same of the one that `by` called `cid`.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn with_cid(
    conn: &Connection,
    by: AccountId,
    cid: &Cid,
) -> Result<Option<Entry>, Broken> {
    let sql = format!("SELECT {AS_WRITTEN} FROM log WHERE by = ?1 AND cid = ?2");
    let mut statement = conn.prepare_cached(&sql)?;
    let mut rows = statement.query(params![by, cid.as_str()])?;
    match rows.next()? {
        Some(row) => read(row).map(Some),
        None => forgotten(conn, by, cid),
    }
}

/// The same of what was forgotten since, whose text is empty.
fn forgotten(conn: &Connection, by: AccountId, cid: &Cid) -> Result<Option<Entry>, Broken> {
    let sql = "
        SELECT seq, at, by, cid, room, deed, about, number, ''
        FROM forgotten WHERE by = ?1 AND cid = ?2";
    let mut statement = conn.prepare_cached(sql)?;
    let mut rows = statement.query(params![by, cid.as_str()])?;
    rows.next()?.map(read).transpose()
}
