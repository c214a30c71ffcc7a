//! The lives of a log. A copy is put in the place of a store that went on since it was made, and goes on
//! from there itself: what is written to it is to have no places that others were told of already.

use rusqlite::{Connection, OptionalExtension as _};

use super::{broken::Broken, numbers::Bits};
use crate::model::Seq;

/// How many places a life of a log has, of which a hub that writes a thousand entries a second takes
/// months to use up. Of such lives there are some 900,000 before a place is no whole number of
/// JavaScript's any more.
pub(super) const PLACES: u64 = 10_000_000_000;

/// Has the log in `copy` go on in another life than what it is a copy of.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn begin(copy: &Connection) -> Result<(), Broken> {
    let sql = "UPDATE progress
        SET last = max(last, coalesce((SELECT max(seq) FROM log), 0)) + ?1";
    copy.execute(sql, [Bits(PLACES)])?;
    Ok(())
}

/// How many entries there were in all lives of a log up to a place: each goes on counting where the one
/// before it was copied.
pub(super) fn counted(place: u64) -> u64 {
    place % PLACES
}

/// Whether a log that ends with `last` was set back since it had the entry `known`: a copy that ends
/// before that was put in its place.
///
/// *Cost*: nothing, but for who is a life behind.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn is_set_back(conn: &Connection, known: Seq, last: Seq) -> Result<bool, Broken> {
    if last.0.checked_sub(known.0).is_none_or(|left| left < PLACES / 2) {
        return Ok(known > last);
    }
    // Between two lives there is a hole that no entry was ever in.
    let next = first_from(conn, known)?;
    Ok(next.unwrap_or(last).0 - known.0 >= PLACES / 2)
}

/// The first place of the log, from `place` on, where an entry is.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn first_from(conn: &Connection, place: Seq) -> Result<Option<Seq>, Broken> {
    let sql = "SELECT seq FROM log WHERE seq >= ?1 ORDER BY seq LIMIT 1";
    Ok(conn.prepare_cached(sql)?.query_row([place], |row| row.get(0)).optional()?)
}
