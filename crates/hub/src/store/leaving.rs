//! Accounts and rooms that are deleted: what is known of them goes at once, what is in the log by and by,
//! so that nobody waits for it. Nobody is shown it meanwhile.

use rusqlite::{Connection, OptionalExtension as _, params};

use super::{
    broken::Broken,
    log,
    numbers::{Bits, rows},
    row::said_number,
};
use crate::model::{AccountId, RoomId, Said, Seq, State};

/// What is owed that was begun last, as `owed` has it: those behind it have their turn next.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Turn {
    what: i64,
    id: Seq,
}

/// In `owed.what`: what an account said is to be taken out, with its reasons, signs and topics.
const OF_ACCOUNT: i64 = 0;

/// All of a room is.
const OF_ROOM: i64 = 1;

/// The words that an account looked out for are, and what it said stays.
const WORDS_OF_ACCOUNT: i64 = 2;

/// How many entries of the log are looked at for those that an account wrote.
const LOOKED_AT: usize = 4096;

/// Deletes what shows that somebody is an account, and all that is known of its devices.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn unregister(conn: &Connection, who: AccountId, after: &State) -> Result<(), Broken> {
    let said = after.account(who).gone.as_ref().map_or(Said::Stays, |gone| gone.said);
    let sql = "UPDATE accounts SET gone = ?2, admin = 0, password = NULL, seen = NULL
        WHERE id = ?1";
    conn.prepare_cached(sql)?.execute(params![who, Bits(said_number(said))])?;
    for sql in [
        "DELETE FROM sessions WHERE account = ?1",
        "DELETE FROM wishes WHERE account = ?1",
        "DELETE FROM marked WHERE account = ?1",
        "DELETE FROM absent WHERE account = ?1",
        "DELETE FROM invited WHERE ?1 IN (account, by)",
        "DELETE FROM forgotten WHERE by = ?1",
    ] {
        conn.prepare_cached(sql)?.execute([who])?;
    }
    match said {
        Said::Stays => owe(conn, (WORDS_OF_ACCOUNT, who.0)),
        Said::Goes => owe(conn, (OF_ACCOUNT, who.0)),
    }
}

/// Deletes a room, who is in it, and the hooks that are for it.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn delete(conn: &Connection, room: RoomId) -> Result<(), Broken> {
    for sql in [
        // Of who left nothing is marked.
        "DELETE FROM marked WHERE room = ?1
            AND account IN (SELECT account FROM members WHERE room = ?1)",
        "DELETE FROM dialogues WHERE room = ?1",
        "DELETE FROM forgotten WHERE room = ?1",
        "DELETE FROM sessions WHERE room = ?1",
        "DELETE FROM rooms WHERE id = ?1",
        "DELETE FROM members WHERE room = ?1",
        "DELETE FROM invited WHERE room = ?1",
        "DELETE FROM banned WHERE room = ?1",
        "DELETE FROM absent WHERE room = ?1",
        "UPDATE invitations SET room = NULL WHERE room = ?1",
    ] {
        conn.prepare_cached(sql)?.execute([room])?;
    }
    owe(conn, (OF_ROOM, room.0))
}

/// An account is called as its place in the log: before that there is nothing of it.
fn owe(conn: &Connection, (what, id): (i64, Seq)) -> Result<(), Broken> {
    conn.prepare_cached("INSERT INTO owed VALUES (?1, ?2, ?2)")?.execute(params![what, id])?;
    Ok(())
}

/// Takes out some of what is owed, at most `most` entries, of whose turn it is behind `last`. Gives whose that
/// was; nothing, if nothing is owed any more.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn take_out_some(
    conn: &Connection,
    last: Turn,
    most: usize,
) -> Result<Option<Turn>, Broken> {
    let owed = match owed_behind(conn, last)? {
        None => owed_behind(conn, Turn { what: i64::MIN, id: Seq(0) })?,
        owed => owed,
    };
    let Some((Turn { what, id }, upto)) = owed else { return Ok(None) };
    let next = match what {
        OF_ROOM => of_room(conn, RoomId(id), most)?,
        what => of_account(conn, what, (AccountId(id), upto), most)?,
    };
    match next {
        Some(next) => conn
            .prepare_cached("UPDATE owed SET upto = ?3 WHERE what = ?1 AND id = ?2")?
            .execute(params![what, id, next])?,
        None => conn
            .prepare_cached("DELETE FROM owed WHERE what = ?1 AND id = ?2")?
            .execute(params![what, id])?,
    };
    Ok(Some(Turn { what, id }))
}

/// What is owed next behind another, and up to where that is done.
fn owed_behind(conn: &Connection, last: Turn) -> Result<Option<(Turn, Seq)>, Broken> {
    let sql =
        "SELECT what, id, upto FROM owed WHERE (what, id) > (?1, ?2) ORDER BY what, id LIMIT 1";
    let mut owed = conn.prepare_cached(sql)?;
    let owed = owed.query_row(params![last.what, last.id], |row| {
        Ok((Turn { what: row.get(0)?, id: row.get(1)? }, row.get(2)?))
    });
    Ok(owed.optional()?)
}

/// Takes out some of what an account said behind an entry, and of the words that it looked out for; or of
/// these alone. Gives up to where that is done; nothing, once it is done.
fn of_account(
    conn: &Connection,
    what: i64,
    (who, upto): (AccountId, Seq),
    most: usize,
) -> Result<Option<Seq>, Broken> {
    let mut statement = conn.prepare_cached(WORDS)?;
    let mut found = statement.query(params![upto, who, rows(LOOKED_AT), what])?;
    let (mut last, mut out) = (None, Vec::new());
    while out.len() < most
        && let Some(row) = found.next()?
    {
        let seq: Seq = row.get(0)?;
        last = Some(seq);
        if row.get(2)? {
            out.push((row.get(1)?, seq));
        }
    }
    for (said_in, seq) in out {
        match said_in {
            Some(room) => log::redact(conn, (room, seq))?,
            None => _ = conn.prepare_cached(WORDLESS)?.execute([seq])?,
        }
    }
    Ok(last)
}

/// What somebody wrote behind an entry, and whether words of its are to be taken out of that; of what was
/// said, in which room. The topic that a room has is the room's, as its name is.
const WORDS: &str = "
    SELECT seq, CASE deed WHEN 'say' THEN room END, by = ?2 AND CASE deed
        WHEN 'keywords' THEN 1
        WHEN 'say' THEN ?4 = 0 AND NOT redacted
        WHEN 'topic' THEN ?4 = 0 AND text IS NOT (SELECT topic FROM rooms WHERE id = log.room)
        ELSE ?4 = 0 AND text IS NOT NULL AND deed IN ('redact', 'react', 'kick', 'ban')
    END
    FROM log WHERE seq > ?1 ORDER BY seq LIMIT ?3";

/// Somebody looked out for no words, gave no reason, set no topic, and took a sign back that nobody knows.
const WORDLESS: &str = "
    UPDATE log SET
        text = CASE WHEN deed IN ('keywords', 'topic', 'react') THEN '' END,
        number = CASE deed WHEN 'react' THEN 0 ELSE number END
    WHERE seq = ?1";

/// What happened in a room.
pub(super) const IN_ROOM: &str = "
    SELECT seq FROM seen WHERE room = ?1 AND deed NOT IN ('create', 'delete')
    ORDER BY seq LIMIT ?2";

/// The same of all that happened in a room. That it was made stays in the log, and that it was deleted.
fn of_room(conn: &Connection, room: RoomId, most: usize) -> Result<Option<Seq>, Broken> {
    let mut statement = conn.prepare_cached(IN_ROOM)?;
    let found = statement.query_map(params![room, rows(most)], |row| row.get(0))?;
    let found: Vec<Seq> = found.collect::<Result<_, _>>()?;
    for seq in &found {
        log::delete(conn, (room, *seq))?;
    }
    let sql = "DELETE FROM log WHERE seq IN (
        SELECT seq FROM log WHERE deed = 'read' AND room = ?1 LIMIT ?2)";
    let read = conn.prepare_cached(sql)?.execute(params![room, rows(most)])?;
    Ok(if read == 0 { found.last().copied() } else { Some(Seq(0)) })
}
