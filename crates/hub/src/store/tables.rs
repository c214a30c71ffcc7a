//! What the log comes to, in tables: an entry changes those rows that are its, and a start reads
//! them, not the log.

use std::collections::{BTreeMap, HashSet};

use rusqlite::{Connection, Row, params};

use super::{
    broken::Broken,
    leaving,
    noticing::{read_wishes, unmark, write_mark, write_wishes},
    numbers::Bits,
    row::{access, access_number, level, level_number, role, role_number, said},
};
use crate::model::{
    Account, AccountId, Act, Deed, Dialogue, Entry, GONE, Gone, Member, Millis, Room, RoomId, Seq,
    State, Title, Voice, Wish,
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
        Deed::In { room, act } => {
            for mark in after.marks(entry).iter().filter(|mark| mark.is_counted()) {
                write_mark(conn, mark, (*room, entry.seq))?;
            }
            write_act(conn, (*room, after.room(*room)), (entry.by, act))
        }
        Deed::Wish(Wish::Level { room, .. }) => {
            write_member(conn, (*room, after.room(*room)), entry.by)
        }
        Deed::Wish(Wish::Words(_) | Wish::Quiet(_)) => {
            write_wishes(conn, entry.by, &after.account(entry.by).wishes)
        }
    }
}

fn write_act(
    conn: &Connection,
    room: (RoomId, &Room),
    (by, act): (AccountId, &Act),
) -> Result<(), Broken> {
    match act {
        // It may be the other's turn now.
        Act::Say { .. } => match room.1.dialogue {
            Some(Dialogue::Turns(_)) => write_dialogue(conn, room),
            Some(Dialogue::Free) | None => Ok(()),
        },
        Act::Dialogue { .. } | Act::DialogueEnd { .. } => write_dialogue(conn, room),
        Act::Edit { .. } | Act::Redact { .. } | Act::React { .. } => Ok(()),
        Act::Topic { .. } | Act::Slow { .. } | Act::Retain { .. } => write_room(conn, room),
        Act::Read { last } => {
            unmark(conn, (room.0, by), *last)?;
            write_member(conn, room, by)
        }
        Act::Part => write_member(conn, room, by),
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
    // What it is in is written with its rooms, and what it wants to notice once it says so.
    let Account { name, since, rooms: _, wishes: _, gone: _ } = account;
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

/// Whether a dialogue is held in a room, and whose turn it is.
fn write_dialogue(conn: &Connection, (id, room): (RoomId, &Room)) -> Result<(), Broken> {
    let Some(dialogue) = room.dialogue else {
        conn.prepare_cached("DELETE FROM dialogues WHERE room = ?1")?.execute([id])?;
        return Ok(());
    };
    let sql = "REPLACE INTO dialogues VALUES (?1, ?2)";
    conn.prepare_cached(sql)?.execute(params![id, dialogue.turn()])?;
    Ok(())
}

/// Whether somebody is in a room, and as what.
fn write_member(
    conn: &Connection,
    (id, room): (RoomId, &Room),
    who: AccountId,
) -> Result<(), Broken> {
    let Some(Member { role, since, read, spoke: _, voice, level }) = room.members.get(&who) else {
        unmark(conn, (id, who), room.last)?;
        return remove(conn, "DELETE FROM members WHERE room = ?1 AND account = ?2", (id, who));
    };
    let (muted, until) = match voice {
        Voice::Free => (false, None),
        Voice::Muted(until) => (true, *until),
    };
    let sql = "REPLACE INTO members VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
    let (role, level) = (Bits(role_number(*role)), Bits(level_number(*level)));
    conn.prepare_cached(sql)?.execute(params![id, who, role, since, read, muted, until, level])?;
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
    (room.slow_seconds, room.retain_days) = (row.get(6)?, row.get(7)?);
    Ok((id, room))
}

fn read_member(row: &Row<'_>) -> Result<(RoomId, AccountId, Member), Broken> {
    let (id, Bits(number)): (RoomId, _) = (row.get("room")?, row.get("role")?);
    let Bits(wanted) = row.get("level")?;
    let is_muted: bool = row.get("muted")?;
    let member = Member {
        role: role(number).ok_or(Broken::Unknown { seq: id.0 })?,
        since: row.get("since")?,
        read: row.get("read")?,
        spoke: Millis::default(),
        voice: if is_muted { Voice::Muted(row.get("muted_until")?) } else { Voice::Free },
        level: level(wanted).ok_or(Broken::Unknown { seq: id.0 })?,
    };
    Ok((id, row.get("account")?, member))
}
