//! Searching what was said by its words.

use std::fmt::Write as _;

use rusqlite::{ErrorCode, Transaction, params};

use super::{
    archive::{Archive, END, Past, past_columns, read_past},
    broken::Broken,
    numbers,
    said::{self, More},
};
use crate::model::{AccountId, Entry, RoomId, Seq};

/// How much of what the index has not yet is looked through: the last entries of the log.
pub const TAIL_MAX: usize = 2000;

/// How many [characters](chars_of_words) the words that are searched for have together. Those after them are
/// not searched for.
pub const WORDS_CHARS_MAX: usize = 256;

/// A table of the connection's own, in memory, that finds words as the index does.
const TAIL: &str = "
    CREATE VIRTUAL TABLE IF NOT EXISTS temp.tail USING fts5 (
        room, by, text,
        content = '', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2'
    )";

/// What is searched for.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'s> {
    /// Where.
    pub rooms: &'s [RoomId],
    /// What has all of these.
    pub words: &'s str,
    /// Who said it; whoever did without.
    pub from: Option<AccountId>,
    /// At most so much of it.
    pub limit: usize,
    /// The last place of the log where it may be.
    pub upto: Seq,
}

/// The most accounts whose words are looked past: of more, which were deleted at about the same time, what is
/// found is not shown, either.
const OWED_MAX: usize = 256;

impl Archive {
    /// What was said in `rooms`, by `from` if that is named, that has all of `words`: as it reads
    /// now, the newest first, at most `limit`. Neither case nor diacritics matter. What has no
    /// letter or digit is no word, and without words nothing is found.
    ///
    /// *Cost*: what the index has not yet is looked through, up to [`TAIL_MAX`]; older than that, it
    /// is not found. Of what the index has, all that has any of the words, at worst.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn search(
        &self,
        rooms: &[RoomId],
        words: &str,
        from: Option<AccountId>,
        limit: usize,
    ) -> Result<Vec<Past>, Broken> {
        self.search_while(&Sought { rooms, words, from, limit, upto: END }, || true)
            .map(|(found, _)| found)
    }

    /// The same for as long as it may `go_on`, which is asked again and again, and whether that was
    /// too short to look through all.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub fn search_while(
        &self,
        sought: &Sought<'_>,
        go_on: impl FnMut() -> bool + Send + 'static,
    ) -> Result<(Vec<Past>, More), Broken> {
        let Sought { rooms, words, from, limit, upto } = *sought;
        let Some(said) = query(words, from) else { return Ok((Vec::new(), More::No)) };
        if rooms.is_empty() {
            return Ok((Vec::new(), More::No));
        }
        self.conn.execute_batch(TAIL)?;
        // All is read as it is at one moment: what is indexed meanwhile is not found twice.
        let moment = self.conn.unchecked_transaction()?;
        let owed = but_owed(&moment)?;
        let (anywhere, here) =
            (format!("({said}){owed}"), format!("({said} AND {}){owed}", within(rooms)));
        fill_tail(&moment, rooms)?;
        let mut found = Found { seqs: Vec::new(), limit };
        let mut more = matches(&moment, ("tail", &here), upto, &mut found)?;
        if !found.is_full() {
            let end = said::indexed(&moment)?.min(upto);
            let looking = || match first_of(&moment, (&anywhere, rooms), end, &mut found)? {
                FirstLook::All(more) => Ok(more),
                FirstLook::Before(end) => matches(&moment, ("said", &here), end, &mut found),
            };
            more = self.patience.bound(go_on, looking)?;
        }
        Ok((shown(&moment, rooms, &found.seqs)?, more))
    }
}

/// What was found so far, the newest first.
struct Found {
    seqs: Vec<Seq>,
    limit: usize,
}

impl Found {
    fn is_full(&self) -> bool {
        self.seqs.len() >= self.limit
    }
}

/// How far the first look went.
enum FirstLook {
    /// There is nothing behind it to be looked for, or no time for that.
    All(More),
    /// What stands here and before was not looked at.
    Before(Seq),
}

/// How many matches are looked at wherever they were said, before rooms are asked of the index.
pub(super) const ANYWHERE_MAX: usize = 1000;

/// Adds to `found` what matches and was said in one of `rooms`, of the last [`ANYWHERE_MAX`] that match
/// anywhere. Words are rare, or what has them is nearly all in these rooms: then that is all of it, and the
/// index need not go through everything that was said there.
fn first_of(
    moment: &Transaction<'_>,
    (query, rooms): (&str, &[RoomId]),
    to: Seq,
    found: &mut Found,
) -> Result<FirstLook, Broken> {
    let sql = "SELECT rowid, (SELECT room FROM log WHERE seq = said.rowid) FROM said
        WHERE said MATCH ?1 AND rowid <= ?2 ORDER BY rowid DESC LIMIT ?3";
    let mut statement = moment.prepare_cached(sql)?;
    let mut rows = statement.query(params![query, to, numbers::rows(ANYWHERE_MAX)])?;
    let (mut last, mut looked) = (to, 0);
    while !found.is_full() {
        match rows.next() {
            Ok(Some(row)) => {
                (last, looked) = (row.get(0)?, looked + 1);
                let room: Option<RoomId> = row.get(1)?;
                if room.is_some_and(|room| rooms.contains(&room)) {
                    found.seqs.push(last);
                }
            }
            Ok(None) if looked < ANYWHERE_MAX => return Ok(FirstLook::All(More::No)),
            Ok(None) => return Ok(FirstLook::Before(Seq(last.0.saturating_sub(1)))),
            Err(error) if is_interrupt(&error) => return Ok(FirstLook::All(More::Yes)),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(FirstLook::All(More::No))
}

fn is_interrupt(error: &rusqlite::Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted)
}

/// Adds to `found` what does not stand behind `to` and matches, and whether it was interrupted.
fn matches(
    moment: &Transaction<'_>,
    (table, query): (&str, &str),
    to: Seq,
    found: &mut Found,
) -> Result<More, Broken> {
    // In one piece: FTS5 looks from the newest on for what comes first wherever a piece would begin.
    let sql = format!(
        "SELECT rowid FROM {table} WHERE {table} MATCH ?1 AND rowid <= ?2
        ORDER BY rowid DESC LIMIT ?3"
    );
    let mut statement = moment.prepare_cached(&sql)?;
    let left = numbers::rows(found.limit - found.seqs.len());
    let mut rows = statement.query(params![query, to, left])?;
    loop {
        match rows.next() {
            Ok(Some(row)) => found.seqs.push(row.get(0)?),
            Ok(None) => return Ok(More::No),
            Err(error) if is_interrupt(&error) => return Ok(More::Yes),
            Err(error) => return Err(error.into()),
        }
    }
}

/// What stands there, of these rooms: that the index says so is not enough to show anybody anything.
fn shown(moment: &Transaction<'_>, rooms: &[RoomId], found: &[Seq]) -> Result<Vec<Past>, Broken> {
    let is_asked_for = |entry: &Entry| entry.room().is_some_and(|at| rooms.contains(&at));
    let mut shown = Vec::with_capacity(found.len());
    for seq in found {
        shown.extend(past(moment, *seq)?.filter(|past| is_asked_for(&past.entry)));
    }
    Ok(shown)
}

fn past(moment: &Transaction<'_>, seq: Seq) -> Result<Option<Past>, Broken> {
    let sql = format!("SELECT {} FROM log WHERE seq = ?1", past_columns());
    let mut statement = moment.prepare_cached(&sql)?;
    statement.query_and_then([seq], read_past)?.next().transpose()
}

/// Puts what the index has not yet, the last of it, where it is found.
fn fill_tail(moment: &Transaction<'_>, rooms: &[RoomId]) -> Result<(), Broken> {
    moment.prepare_cached("INSERT INTO tail (tail) VALUES ('delete-all')")?.execute([])?;
    let sql = "SELECT seq, room FROM log WHERE seq > ?1 ORDER BY seq DESC LIMIT ?2";
    let mut statement = moment.prepare_cached(sql)?;
    let mut found = statement.query(params![said::indexed(moment)?, numbers::rows(TAIL_MAX)])?;
    let sql = "INSERT INTO tail (rowid, room, by, text) VALUES (?1, ?2, ?3, ?4)";
    let mut put = moment.prepare_cached(sql)?;
    while let Some(row) = found.next()? {
        let (seq, room): (Seq, Option<RoomId>) = (row.get(0)?, row.get(1)?);
        let Some(room) = room.filter(|room| rooms.contains(room)) else { continue };
        if let Some(said) = said::now(moment, room, seq)? {
            put.execute(params![seq, room, said.by, said.text])?;
        }
    }
    Ok(())
}

/// What FTS5 is asked: words and account, each in quotes, so that nothing of what somebody typed is read as
/// syntax. `None`, if nothing can be found.
///
/// *Shape*: `text : ("compte" AND "rendu") AND by : "1"`.
fn query(words: &str, from: Option<AccountId>) -> Option<String> {
    let mut left = WORDS_CHARS_MAX;
    let is_within = |word: &&str| {
        let rest = left.checked_sub(word.chars().count());
        left = rest.unwrap_or(0);
        rest.is_some()
    };
    let words: Vec<_> = words_of(words).take_while(is_within).map(quoted).collect();
    if words.is_empty() {
        return None;
    }
    let mut query = format!("text : ({})", words.join(" AND "));
    if let Some(from) = from {
        let _ = write!(query, " AND by : {}", quoted(&from.0.to_string()));
    }
    Some(query)
}

/// What of a text is a word that can be found.
fn words_of(text: &str) -> impl Iterator<Item = &str> {
    let is_gap = |c: char| c.is_whitespace() || c.is_control();
    text.split(is_gap).filter(|word| word.chars().any(char::is_alphanumeric))
}

/// How many characters the words of a text have together that can be found.
pub fn chars_of_words(text: &str) -> usize {
    words_of(text).map(|word| word.chars().count()).sum()
}

/// What is added to that to be told of `rooms` alone. Behind the words, which are rarer.
///
/// *Shape*: `room : ("3" OR "5")`.
fn within(rooms: &[RoomId]) -> String {
    let rooms: Vec<_> = rooms.iter().map(|room| quoted(&room.0.to_string())).collect();
    format!("room : ({})", rooms.join(" OR "))
}

/// What is added to that while the words of accounts that were deleted are taken out, to find none of them.
///
/// *Shape*: ` NOT by : ("7" OR "9")`.
fn but_owed(moment: &Transaction<'_>) -> Result<String, Broken> {
    let sql = "SELECT id FROM owed WHERE what = 0 ORDER BY id LIMIT ?1";
    let mut statement = moment.prepare_cached(sql)?;
    let found = statement.query_map([numbers::rows(OWED_MAX)], |row| row.get(0))?;
    let owed: Vec<_> =
        found.map(|id| id.map(|id: Seq| quoted(&id.to_string()))).collect::<Result<_, _>>()?;
    let is_none = owed.is_empty();
    Ok(if is_none { String::new() } else { format!(" NOT by : ({})", owed.join(" OR ")) })
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
