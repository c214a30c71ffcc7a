//! What was written, for who reads: another connection than the writer's, which waits for nobody
//! and has nobody wait.

use std::{path::Path, sync::Arc};

use rusqlite::{Connection, Row, params};

use super::{
    broken::Broken,
    file,
    gate::{Gate, Reading, Reads},
    lives,
    numbers::{Bits, rows},
    patience::Patience,
    row::{COLUMNS, read},
    said::More,
};
use crate::{
    model::{AccountId, Entry, RoomId, Seq},
    protocol::Page,
};

/// The store, for who reads what is committed. Can be sent to a thread of its own.
#[derive(Debug)]
pub struct Archive {
    pub(super) conn: Connection,
    pub(super) patience: Patience,
    gate: Arc<Gate>,
}

/// An entry as it is told later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// What was written; what was said, as it reads now, and empty where it was taken out.
    pub entry: Entry,
    /// What members saw of the room before it, of what is still there; 0, if nothing is.
    pub prev: Seq,
    /// Whether it reads otherwise than when it was said.
    pub edited: bool,
    /// Whether it was taken out.
    pub redacted: bool,
}

#[derive(Clone, Copy)]
enum Order {
    /// The first of it.
    Forth,
    /// The last of it.
    Back,
}

/// The last place that SQLite can count to. Clients may name later ones: nothing is there.
pub(super) const END: Seq = Seq(i64::MAX.cast_unsigned());

impl Archive {
    /// Opens what a [`Store`](super::Store) has made.
    pub(super) fn open(file: &Path, gate: Arc<Gate>) -> Result<Self, Broken> {
        let mut conn = file::open_to_read(file)?;
        let patience = Patience::with(&mut conn)?;
        Ok(Self { conn, patience, gate })
    }

    /// Notes that something is read, for as long as what is given is there. Waits for a moment where all who read
    /// are to pause: who reads on and on without this keeps the log beside the store from being begun anew.
    pub fn begin(&self, what: Reads) -> Reading<'_> {
        self.gate.enter(what)
    }

    /// What members of a room see of it: `limit` entries, in their order, and whether there are more
    /// in the direction that is asked for; of [`Page::Around`], in any.
    ///
    /// *Cost*: `limit` rows, wherever they are.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn page(
        &self,
        room: RoomId,
        page: Page,
        limit: usize,
    ) -> Result<(Vec<Past>, More), Broken> {
        let before = |seq: Seq| (Seq(0), Seq(seq.0.saturating_sub(1)));
        let after = |seq: Seq| (Seq(seq.0.saturating_add(1)), END);
        match page {
            Page::Latest => self.part(room, (Seq(0), END), (Order::Back, limit)),
            Page::Before(seq) => self.part(room, before(seq), (Order::Back, limit)),
            Page::After(seq) => self.part(room, after(seq), (Order::Forth, limit)),
            Page::Between(from, to) => self.part(room, (from, to), (Order::Forth, limit)),
            Page::Around(seq) => {
                let half = limit / 2;
                let (mut past, more) = self.part(room, before(seq), (Order::Back, half))?;
                let (next, more_next) =
                    self.part(room, (seq, END), (Order::Forth, limit - half))?;
                past.extend(next);
                Ok((past, if more == More::Yes { more } else { more_next }))
            }
        }
    }

    /// Whether the log, which ends with the entry `last`, was set back since it had the entry `known`: a
    /// copy was put in its place that ends before that.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn is_set_back(&self, known: Seq, last: Seq) -> Result<bool, Broken> {
        lives::is_set_back(&self.conn, known, last)
    }

    /// What came in a room after an entry, until `upto`: the last `limit` entries, in their order. And
    /// whether there was more before: that entry, and [`prev`](Past::prev) of the first, say where.
    ///
    /// *Cost*: `limit` rows.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn since(
        &self,
        (room, after): (RoomId, Seq),
        upto: Seq,
        limit: usize,
    ) -> Result<(Vec<Past>, More), Broken> {
        let span = (Seq(after.0.saturating_add(1)), upto);
        self.part(room, span, (Order::Back, limit))
    }

    /// How much others than `who` said in a room after an entry, and not after another, and did not take
    /// out. Of the first `count_max` things that were said, whoever said them, among the first 10,000
    /// that happened there.
    ///
    /// *Cost*: that of so many rows of the index, some milliseconds at most.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn unread(
        &self,
        room: RoomId,
        who: AccountId,
        (after, upto): (Seq, Seq),
        count_max: u64,
    ) -> Result<u64, Broken> {
        let count_max = Bits(count_max.min(END.0));
        let mut statement = self.conn.prepare_cached(UNREAD)?;
        let (among, upto) = (rows(UNREAD_AMONG), upto.min(END));
        let found = params![room, after.min(END), count_max, who, upto, among];
        let count: Bits = statement.query_row(found, |row| row.get(0))?;
        Ok(count.0)
    }

    /// How much of what was said in a room after an entry, and not after another, names `who`, or has a
    /// word that it looked out for, and was not taken out: of as much, no more than `count_max`.
    ///
    /// *Cost*: that of so many rows.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn marked(
        &self,
        room: RoomId,
        who: AccountId,
        (after, upto): (Seq, Seq),
        count_max: u64,
    ) -> Result<u64, Broken> {
        let sql = "
            SELECT count(*) FROM (
                SELECT 1 FROM marked JOIN log ON log.seq = marked.seq
                WHERE marked.account = ?1 AND marked.room = ?2 AND marked.seq > ?3
                    AND marked.seq <= ?5 AND NOT log.redacted
                    AND NOT EXISTS (SELECT 1 FROM owed WHERE what = 0 AND id = log.by)
                LIMIT ?4
            )";
        let count_max = Bits(count_max.min(END.0));
        let mut statement = self.conn.prepare_cached(sql)?;
        let found = params![who, room, after.min(END), count_max, upto.min(END)];
        let count: Bits = statement.query_row(found, |row| row.get(0))?;
        Ok(count.0)
    }

    /// Whether a room has this topic.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn has_topic(&self, room: RoomId, topic: &str) -> Result<bool, Broken> {
        let sql = "SELECT EXISTS (SELECT 1 FROM rooms WHERE id = ?1 AND topic = ?2)";
        Ok(self.conn.prepare_cached(sql)?.query_row(params![room, topic], |row| row.get(0))?)
    }

    /// The first and the last that members can see of a room; `None`, if nothing is left.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn positions(&self, room: RoomId) -> Result<Option<(Seq, Seq)>, Broken> {
        let mut statement = self.conn.prepare_cached(POSITIONS)?;
        let (first, last): (Option<Seq>, Option<Seq>) =
            statement.query_row([room], |row| Ok((row.get(0)?, row.get(1)?)))?;
        Ok(first.zip(last))
    }

    /// Writes all that is committed to a new file, which can be opened as a store. Others read and
    /// write meanwhile; after an error there is no such file.
    ///
    /// *Cost*: reads and writes all of it.
    ///
    /// # Errors
    ///
    /// [`Broken::Io`], if there is such a file already, which stays.
    pub fn backup(&self, to: &Path) -> Result<(), Broken> {
        file::copy(&self.conn, to)
    }

    /// Of what is between two places, both included, in its order.
    fn part(
        &self,
        room: RoomId,
        (from, to): (Seq, Seq),
        (order, limit): (Order, usize),
    ) -> Result<(Vec<Past>, More), Broken> {
        let direction = match order {
            Order::Forth => "ASC",
            Order::Back => "DESC",
        };
        let sql = part_of(direction);
        let one_more = rows(limit.saturating_add(1));
        let mut statement = self.conn.prepare_cached(&sql)?;
        let mut found = statement.query(params![room, from.min(END), to.min(END), one_more])?;
        let mut past = Vec::new();
        while let Some(row) = found.next()? {
            past.push(read_past(row)?);
        }
        let more = if past.len() > limit { More::Yes } else { More::No };
        past.truncate(limit);
        if matches!(order, Order::Back) {
            past.reverse();
        }
        Ok((past, more))
    }
}

/// The first and the last.
pub(super) const POSITIONS: &str = "
    SELECT
        (SELECT seq FROM seen WHERE room = ?1 ORDER BY seq LIMIT 1),
        (SELECT seq FROM seen WHERE room = ?1 ORDER BY seq DESC LIMIT 1)";

/// Looks for the places first, one by one, and then at what is there.
pub(super) fn part_of(direction: &str) -> String {
    let past = past_columns();
    format!(
        "SELECT {past} FROM (
            SELECT seq FROM seen WHERE room = ?1 AND seq BETWEEN ?2 AND ?3
            ORDER BY seq {direction} LIMIT ?4
        ) place CROSS JOIN log ON log.seq = place.seq ORDER BY place.seq {direction}"
    )
}

/// How much of what happened is looked through for what was said: who comes and goes again and again, or gives
/// signs and takes them back, has nobody wait for all of that.
pub(super) const UNREAD_AMONG: usize = 10_000;

/// All that is asked for is in `seen`: who logs in to many rooms waits for no messages to be read.
pub(super) const UNREAD: &str = "
    SELECT count(*) FROM (
        SELECT by FROM (
            SELECT seq, by, deed, redacted FROM seen
            WHERE room = ?1 AND seq > ?2 AND seq <= ?5
            ORDER BY seq LIMIT ?6
        ) WHERE deed = 'say' AND NOT redacted
            AND NOT EXISTS (SELECT 1 FROM owed WHERE what = 0 AND id = by)
        LIMIT ?3
    ) WHERE by <> ?4";

/// The columns that [`read_past`] reads.
pub(super) fn past_columns() -> String {
    format!(
        "{COLUMNS}, log.edit IS NOT NULL, log.redacted, coalesce((
            SELECT prev.seq FROM seen prev WHERE prev.room = log.room AND prev.seq < log.seq
            ORDER BY prev.seq DESC LIMIT 1
        ), 0)"
    )
}

pub(super) fn read_past(row: &Row<'_>) -> Result<Past, Broken> {
    let entry = read(row)?;
    Ok(Past { entry, edited: row.get(9)?, redacted: row.get(10)?, prev: row.get(11)? })
}
