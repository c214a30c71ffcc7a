//! What the log comes to, in tables: an entry changes those rows that are its, and a start reads
//! them, not the log.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::{Connection, Row, params};

use super::{
    broken::Broken,
    leaving,
    numbers::Bits,
    row::{access, access_number, role, role_number, said},
};
use crate::model::{
    Account, AccountId, Act, Deed, Entry, GONE, Gone, Member, Millis, Room, RoomId, Seq, State,
    Title, Voice,
};

/// Writes what `entry` changed, as it is `after` it.
///
/// When a member spoke last is not written: it would be one more row for each message.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn write(conn: &Connection, entry: &Entry, after: &State) -> Result<(), Broken> {
    match &entry.deed {
        Deed::Register { .. } => {
            let id = AccountId(entry.seq);
            write_account(conn, id, after.account(id))?;
            administers(conn, id, after)
        }
        Deed::Unregister { who, .. } => leaving::unregister(conn, *who, after),
        Deed::Administer { who, .. } => administers(conn, *who, after),
        Deed::Delete { room } => leaving::delete(conn, *room),
        Deed::Create { .. } => {
            let room = (RoomId(entry.seq), after.room(RoomId(entry.seq)));
            write_room(conn, room)?;
            write_member(conn, room, entry.by)
        }
        Deed::Talk { with } => {
            let room = (RoomId(entry.seq), after.room(RoomId(entry.seq)));
            write_room(conn, room)?;
            write_member(conn, room, entry.by)?;
            write_member(conn, room, *with)
        }
        Deed::In { room, act } => write_act(conn, (*room, after.room(*room)), (entry.by, act)),
    }
}

fn write_act(
    conn: &Connection,
    room: (RoomId, &Room),
    (by, act): (AccountId, &Act),
) -> Result<(), Broken> {
    match act {
        Act::Say { .. } | Act::Edit { .. } | Act::Redact { .. } | Act::React { .. } => Ok(()),
        Act::Topic { .. } | Act::Slow { .. } | Act::Retain { .. } => write_room(conn, room),
        Act::Read { .. } | Act::Part => write_member(conn, room, by),
        Act::Role { who, .. }
        | Act::Kick { who, .. }
        | Act::Mute { who, .. }
        | Act::Unmute { who } => write_member(conn, room, *who),
        Act::Join => write_standing(conn, room, by),
        Act::Invite { who } | Act::Ban { who, .. } | Act::Unban { who } => {
            write_standing(conn, room, *who)
        }
    }
}

fn write_account(conn: &Connection, id: AccountId, account: &Account) -> Result<(), Broken> {
    // What it is in is written with its rooms.
    let Account { name, since, rooms: _, gone: _ } = account;
    let sql = "INSERT INTO accounts (id, name, since) VALUES (?1, ?2, ?3)";
    conn.prepare_cached(sql)?.execute(params![id, name, since])?;
    Ok(())
}

fn administers(conn: &Connection, who: AccountId, after: &State) -> Result<(), Broken> {
    let sql = "UPDATE accounts SET admin = ?2 WHERE id = ?1";
    conn.prepare_cached(sql)?.execute(params![who, after.is_admin(who)])?;
    Ok(())
}

fn write_room(conn: &Connection, (id, room): (RoomId, &Room)) -> Result<(), Broken> {
    let Room { title, topic, last, slow_seconds, retain_days, .. } = room;
    let (name, access, one, other) = match title {
        Title::Named(name, access) => (Some(name), Some(Bits(access_number(*access))), None, None),
        Title::Talk(one, other) => (None, None, Some(*one), Some(*other)),
    };
    let sql = "REPLACE INTO rooms VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    conn.prepare_cached(sql)?.execute(params![
        id,
        name,
        access,
        one,
        other,
        topic,
        last,
        slow_seconds,
        retain_days
    ])?;
    Ok(())
}

/// Whether somebody is in a room, and as what.
fn write_member(
    conn: &Connection,
    (id, room): (RoomId, &Room),
    who: AccountId,
) -> Result<(), Broken> {
    let Some(Member { role, since, read, spoke: _, voice }) = room.members.get(&who) else {
        return remove(conn, "DELETE FROM members WHERE room = ?1 AND account = ?2", (id, who));
    };
    let (muted, until) = match voice {
        Voice::Free => (false, None),
        Voice::Muted(until) => (true, *until),
    };
    let sql = "REPLACE INTO members VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
    let role = Bits(role_number(*role));
    conn.prepare_cached(sql)?.execute(params![id, who, role, since, read, muted, until])?;
    Ok(())
}

/// The same, and whether it may come in.
fn write_standing(
    conn: &Connection,
    (id, room): (RoomId, &Room),
    who: AccountId,
) -> Result<(), Broken> {
    write_member(conn, (id, room), who)?;
    if room.invited.contains(&who) {
        let sql = "REPLACE INTO invited VALUES (?1, ?2)";
        conn.prepare_cached(sql)?.execute(params![id, who])?;
    } else {
        remove(conn, "DELETE FROM invited WHERE room = ?1 AND account = ?2", (id, who))?;
    }
    if let Some(until) = room.banned.get(&who) {
        let sql = "REPLACE INTO banned VALUES (?1, ?2, ?3)";
        conn.prepare_cached(sql)?.execute(params![id, who, until])?;
        return Ok(());
    }
    remove(conn, "DELETE FROM banned WHERE room = ?1 AND account = ?2", (id, who))
}

fn remove(conn: &Connection, sql: &str, (id, who): (RoomId, AccountId)) -> Result<(), Broken> {
    conn.prepare_cached(sql)?.execute(params![id, who])?;
    Ok(())
}

/// The last entry that was ever written.
///
/// # Errors
///
/// [`Broken`]
pub(super) fn last(conn: &Connection) -> Result<Seq, Broken> {
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
    for (id, who, member) in all(conn, "SELECT * FROM members", read_member)? {
        if !known.contains(&who) {
            return Err(Broken::Unknown { seq: who.0 });
        }
        in_room(&mut rooms, id)?.members.insert(who, member);
    }
    let pair = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
    for (id, who) in all(conn, "SELECT room, account FROM invited", pair)? {
        in_room(&mut rooms, id)?.invited.insert(who);
    }
    let ban = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?));
    for (id, who, until) in all(conn, "SELECT room, account, until FROM banned", ban)? {
        in_room(&mut rooms, id)?.banned.insert(who, until);
    }
    Ok(State::restore(accounts, admins, rooms, last(conn)?))
}

const ACCOUNTS: &str = "SELECT id, name, since, gone FROM accounts ORDER BY id";

fn read_account(row: &Row<'_>) -> Result<(AccountId, Account), Broken> {
    let (id, name, since): (AccountId, String, _) = (row.get(0)?, row.get(1)?, row.get(2)?);
    let (name, gone) = match row.get::<_, Option<Bits>>(3)? {
        None => (name, None),
        Some(Bits(number)) => {
            let said = said(number).ok_or(Broken::Unknown { seq: id.0 })?;
            (GONE.to_owned(), Some(Gone { name, said }))
        }
    };
    Ok((id, Account { name, since, rooms: HashSet::new(), gone }))
}

/// The last entry is found in the log, so that what is said changes no row of a room's. What was
/// forgotten since left its place in the row.
const ROOMS: &str = "
    SELECT id, name, access, one, other, topic, slow_seconds, retain_days, max(last, coalesce((
        SELECT seq FROM log WHERE room = rooms.id AND deed <> 'read' ORDER BY seq DESC LIMIT 1
    ), 0))
    FROM rooms ORDER BY id";

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

fn read_room(row: &Row<'_>) -> Result<(RoomId, Room), Broken> {
    let id: RoomId = row.get(0)?;
    let title = match (row.get(1)?, row.get::<_, Option<Bits>>(2)?, row.get(3)?, row.get(4)?) {
        (Some(name), Some(number), ..) => access(number.0).map(|access| Title::Named(name, access)),
        (_, _, Some(one), Some(other)) => Some(Title::Talk(one, other)),
        _ => None,
    };
    let room = Room {
        title: title.ok_or(Broken::Unknown { seq: id.0 })?,
        topic: row.get(5)?,
        last: row.get(8)?,
        members: BTreeMap::new(),
        invited: HashSet::new(),
        banned: HashMap::new(),
        slow_seconds: row.get(6)?,
        retain_days: row.get(7)?,
    };
    Ok((id, room))
}

fn read_member(row: &Row<'_>) -> Result<(RoomId, AccountId, Member), Broken> {
    let (id, Bits(number)): (RoomId, _) = (row.get("room")?, row.get("role")?);
    let is_muted: bool = row.get("muted")?;
    let member = Member {
        role: role(number).ok_or(Broken::Unknown { seq: id.0 })?,
        since: row.get("since")?,
        read: row.get("read")?,
        spoke: Millis::default(),
        voice: if is_muted { Voice::Muted(row.get("muted_until")?) } else { Voice::Free },
    };
    Ok((id, row.get("account")?, member))
}
