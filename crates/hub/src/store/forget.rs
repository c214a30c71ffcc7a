//! Retention: what was said is deleted when a room has kept it for as long as it is to.

use rusqlite::{Connection, params};

use super::{
    archive::POSITIONS,
    broken::Broken,
    log, noticing,
    numbers::rows,
    said::More,
    writer::{Store, Traces},
};
use crate::model::{Millis, RoomId, Seq};

/// What is old enough to be forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Old {
    /// What was written later than it is now was written by a clock that was ahead.
    pub now: Millis,
    /// What was written before then is.
    pub written_before: Millis,
    /// Before then, what its client called it is, too.
    pub named_before: Millis,
}

/// How many entries in a row are passed over that a clock wrote that was ahead.
const AHEAD_MAX: usize = 4096;

impl Store {
    /// Deletes what was said in a room before a time, with its edits, redactions and signs: the
    /// oldest, at most `most` entries, and says whether there may be more. What makes rooms and
    /// memberships stays, and places are not given again.
    ///
    /// It goes by the log's order, and stops at what is newer. What was written by a clock that was ahead
    /// goes with the first behind it that is old; if that is too far behind, when it is as old itself.
    ///
    /// What its client called it is kept, without what it said, until that is old, too: asked once more,
    /// it is known.
    ///
    /// *Cost*: a millisecond or two an entry, for which the next group waits, as its words are
    /// overwritten one by one; and a look for each member. The first time, that of all in the room that stays
    /// and is older, as who came and left; then that of what is new of it.
    ///
    /// # Errors
    ///
    /// [`Broken`]: then nothing was deleted.
    pub fn forget(&mut self, room: RoomId, old: Old, most: usize) -> Result<More, Broken> {
        let behind = self.nothing_said.get(&room).copied().unwrap_or_default();
        let (forgotten, nothing_upto) = self.at_once(|conn| {
            let named_before = old.named_before;
            let last = last_of(conn, room)?;
            let (old, first) = oldest(conn, (room, behind), (old, most))?;
            for seq in &old {
                keep_name(conn, *seq, named_before)?;
                log::delete(conn, (room, *seq))?;
            }
            if let Some(last) = old.last() {
                noticing::unmark_all(conn, room, *last)?;
                leave_place(conn, room, *last)?;
            }
            Ok((old.len(), first.map_or(last, |first| Seq(first.0 - 1))))
        })?;
        self.nothing_said.insert(room, nothing_upto);
        if forgotten > 0 {
            self.traces = Traces::Left;
        }
        Ok(if forgotten < most { More::No } else { More::Yes })
    }

    /// Deletes what clients called what was deleted, where that was written before a time: at most `most`,
    /// and says whether there may be more.
    ///
    /// *Cost*: some microseconds each; a look, where there is none.
    ///
    /// # Errors
    ///
    /// [`Broken`]: then nothing was deleted.
    pub fn forget_names(&mut self, before: Millis, most: usize) -> Result<More, Broken> {
        let sql = "SELECT EXISTS (SELECT 1 FROM forgotten WHERE at < ?1)";
        let is_any: bool = self.conn.prepare_cached(sql)?.query_row([before], |row| row.get(0))?;
        if !is_any {
            return Ok(More::No);
        }
        let sql = "
            DELETE FROM forgotten WHERE (cid, by) IN (
                SELECT cid, by FROM forgotten WHERE at < ?1 LIMIT ?2)";
        let deleted = self.at_once(|conn| {
            Ok(conn.prepare_cached(sql)?.execute(params![before, rows(most)])?)
        })?;
        Ok(if deleted < most { More::No } else { More::Yes })
    }
}

/// The oldest that was said in a room behind an entry, at most so much; and the first that stays, if anything
/// does.
fn oldest(
    conn: &Connection,
    (room, behind): (RoomId, Seq),
    (limit, most): (Old, usize),
) -> Result<(Vec<Seq>, Option<Seq>), Broken> {
    let mut statement = conn.prepare_cached(SAID)?;
    // And the first behind it.
    let looked_at = rows(most.saturating_add(AHEAD_MAX).saturating_add(1));
    let said = statement.query_map(params![room, looked_at, behind], |row| {
        Ok((row.get(0)?, row.get::<_, Millis>(1)?))
    })?;
    Ok(first_old(said, limit, most)?)
}

/// What was said in a room behind an entry, and when.
pub(super) const SAID: &str = "
    SELECT seq, (SELECT at FROM log WHERE log.seq = seen.seq) FROM seen
    WHERE room = ?1 AND seq > ?3 AND deed IN ('say', 'edit', 'redact', 'react')
    ORDER BY seq LIMIT ?2";

/// The last that happened in a room.
fn last_of(conn: &Connection, room: RoomId) -> Result<Seq, Broken> {
    let mut statement = conn.prepare_cached(POSITIONS)?;
    let last: Option<Seq> = statement.query_row([room], |row| row.get(1))?;
    Ok(last.unwrap_or_default())
}

/// The first of what was said, in the log's order, that are old, at most so many; and the first that is not of
/// them. Looks at no more than it has to.
fn first_old<E>(
    said: impl Iterator<Item = Result<(Seq, Millis), E>>,
    limit: Old,
    most: usize,
) -> Result<(Vec<Seq>, Option<Seq>), E> {
    let (mut old, mut ahead, mut next) = (Vec::new(), Vec::new(), None);
    for one in said {
        let (seq, at) = one?;
        if old.len() < most && at > limit.now && ahead.len() < AHEAD_MAX {
            ahead.push(seq);
        } else if old.len() < most && at < limit.written_before {
            old.append(&mut ahead);
            old.push(seq);
        } else {
            next = Some(seq);
            break;
        }
    }
    let cut = old.split_off(most.min(old.len()));
    let first = cut.first().or(ahead.first()).copied().or(next);
    Ok((old, first))
}

/// Keeps what an entry is called, if it is no older than that, and who may ask once more was not deleted.
fn keep_name(conn: &Connection, seq: Seq, named_before: Millis) -> Result<(), Broken> {
    let sql = "
        INSERT INTO forgotten
        SELECT cid, by, seq, at, room, deed, about, number FROM log
        WHERE seq = ?1 AND cid IS NOT NULL AND at >= ?2
            AND NOT EXISTS (SELECT 1 FROM accounts WHERE id = by AND gone IS NOT NULL)";
    conn.prepare_cached(sql)?.execute(params![seq, named_before])?;
    Ok(())
}

/// Has the room, and the log, end no earlier than where they did.
fn leave_place(conn: &Connection, room: RoomId, last: Seq) -> Result<(), Broken> {
    let sql = "UPDATE rooms SET last = max(last, ?2) WHERE id = ?1";
    conn.prepare_cached(sql)?.execute(params![room, last])?;
    conn.prepare_cached("UPDATE progress SET last = max(last, ?1)")?.execute([last])?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_not_looked_for_ever_for_what_is_old_behind_what_a_clock_wrote_that_was_ahead() {
        let limit = Old { now: Millis(9), written_before: Millis(5), named_before: Millis(0) };
        let found = |ahead: usize| {
            let times = std::iter::repeat_n(Millis(10), ahead).chain([Millis(4)]);
            let said = times.zip(1..).map(|(at, seq)| Ok::<_, Broken>((Seq(seq), at)));
            first_old(said, limit, usize::MAX).unwrap().0.len()
        };
        assert_eq!([0, 1, AHEAD_MAX].map(found), [1, 2, AHEAD_MAX + 1]);
        assert_eq!(found(AHEAD_MAX + 1), 0);
    }
}
