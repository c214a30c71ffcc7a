//! What the log came to, read from the tables: a start reads these, and not the log.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, Row};

use super::{
    broken::Broken,
    noticing::read_wishes,
    numbers::Bits,
    row::{access, level, said},
    standing,
};
use crate::model::{
    Account, AccountId, Dialogue, GONE, Gone, Invited, Member, Room, RoomId, Seq, Standing, State,
    Title,
};

/// The last entry that was ever written.
///
/// # Errors
///
/// [`Broken`]
fn last(conn: &Connection) -> Result<Seq, Broken> {
    let sql = "SELECT max(last, coalesce((SELECT max(seq) FROM log), 0)) FROM progress";
    Ok(conn.prepare_cached(sql)?.query_row([], |row| row.get(0))?)
}

/// Reads what the log came to.
///
/// *Cost*: a row for each account, room and member, and a look into an index for each room.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn restore(conn: &Connection) -> Result<State, Broken> {
    let accounts = all(conn, ACCOUNTS, read_account)?;
    let admins = all(conn, "SELECT id FROM accounts WHERE admin", |row| Ok(row.get(0)?))?;
    let known: HashSet<AccountId> = accounts.iter().map(|(id, _)| *id).collect();
    let mut rooms: BTreeMap<RoomId, Room> = all(conn, ROOMS, read_room)?.into_iter().collect();
    for (id, who, member) in all(conn, &members(), read_member)? {
        if !known.contains(&who) {
            return Err(Broken::Unknown { seq: who.0 });
        }
        in_room(&mut rooms, id)?.members.insert(who, member);
    }
    for (id, who, invited) in all(conn, INVITED, read_invited)? {
        in_room(&mut rooms, id)?.invited.insert(who, invited);
    }
    let ban = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    for (id, who, until) in all(conn, "SELECT room, account, until FROM banned", ban)? {
        in_room(&mut rooms, id)?.banned.insert(who, until);
    }
    for (id, who, standing) in all(conn, &absent(), read_absent)? {
        in_room(&mut rooms, id)?.absent.restore(who, standing);
    }
    let dialogue = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    let dialogues: Vec<(_, Option<AccountId>)> =
        all(conn, "SELECT room, turn FROM dialogues", dialogue)?;
    for (id, turn) in dialogues {
        let held = turn.map_or(Dialogue::Free, Dialogue::Turns);
        in_room(&mut rooms, id)?.dialogue = Some(held);
    }
    Ok(State::restore(accounts, admins, rooms, last(conn)?))
}

const ACCOUNTS: &str = "
    SELECT id, name, since, words, quiet, quiet_until, gone
    FROM accounts LEFT JOIN wishes ON account = id ORDER BY id";

/// The last entry is found in the log, so that what is said changes no row of a room's. What was
/// forgotten since left its place in the row.
pub(super) const ROOMS: &str = "
    SELECT id, name, access, one, other, topic, slow_seconds, retain_days, max(last, coalesce((
        SELECT seq FROM seen WHERE room = rooms.id ORDER BY seq DESC LIMIT 1
    ), 0)), used
    FROM rooms ORDER BY id";

const INVITED: &str = "SELECT room, account, by, at FROM invited";

fn members() -> String {
    format!("SELECT room, account, since, read, level, {} FROM members", standing::COLUMNS)
}

fn absent() -> String {
    format!("SELECT room, account, {} FROM absent", standing::COLUMNS)
}

fn all<T>(
    conn: &Connection,
    sql: &str,
    mut read: impl FnMut(&Row<'_>) -> Result<T, Broken>,
) -> Result<Vec<T>, Broken> {
    let mut statement = conn.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(read(row)?);
    }
    Ok(found)
}

fn in_room(rooms: &mut BTreeMap<RoomId, Room>, id: RoomId) -> Result<&mut Room, Broken> {
    rooms.get_mut(&id).ok_or(Broken::Unknown { seq: id.0 })
}

fn read_account(row: &Row<'_>) -> Result<(AccountId, Account), Broken> {
    let (id, name, since): (AccountId, String, _) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (name, gone) = match row.get::<_, Option<Bits>>(6)? {
        None => (name, None),
        Some(Bits(number)) => {
            let said = said(number).ok_or(Broken::Unknown { seq: id.0 })?;
            (GONE.to_owned(), Some(Gone { name, said }))
        }
    };
    let wishes = read_wishes(row)?;
    Ok((id, Account { name, since, rooms: HashSet::new(), wishes, gone }))
}

fn read_room(row: &Row<'_>) -> Result<(RoomId, Room), Broken> {
    let id: RoomId = row.get(0)?;
    let title = match (row.get(1)?, row.get::<_, Option<Bits>>(2)?, row.get(3)?, row.get(4)?) {
        (Some(name), Some(number), ..) => access(number.0).map(|access| Title::Named(name, access)),
        (_, _, Some(one), Some(other)) => Some(Title::Talk(one, other)),
        _ => None,
    };
    let mut room = Room::new(title.ok_or(Broken::Unknown { seq: id.0 })?);
    (room.topic, room.last) = (row.get(5)?, row.get(8)?);
    (room.slow_seconds, room.retain_days, room.used) = (row.get(6)?, row.get(7)?, row.get(9)?);
    Ok((id, room))
}

fn read_member(row: &Row<'_>) -> Result<(RoomId, AccountId, Member), Broken> {
    let (id, Bits(wanted)): (RoomId, _) = (row.get(0)?, row.get(4)?);
    let level = level(wanted).ok_or(Broken::Unknown { seq: id.0 })?;
    let Standing { role, spoke, voice } = standing::read(row, id, 5)?;
    let (since, read) = (row.get(2)?, row.get(3)?);
    Ok((id, row.get(1)?, Member { role, since, read, spoke, voice, level }))
}

fn read_invited(row: &Row<'_>) -> Result<(RoomId, AccountId, Invited), Broken> {
    Ok((row.get(0)?, row.get(1)?, Invited { by: row.get(2)?, at: row.get(3)? }))
}

fn read_absent(row: &Row<'_>) -> Result<(RoomId, AccountId, Standing), Broken> {
    let id = row.get(0)?;
    Ok((id, row.get(1)?, standing::read(row, id, 2)?))
}
