//! What the log comes to, in tables: an entry changes those rows that are its.

use rusqlite::{Connection, params};

use super::{
    broken::Broken,
    leaving,
    noticing::{unmark, write_mark, write_wishes},
    numbers::Bits,
    row::{access_number, level_number, role_number},
    standing::{muted, write_absent},
};
use crate::model::{
    Account, AccountId, Act, Deed, Dialogue, Entry, Invited, Member, Room, RoomId, State, Title,
    Wish,
};

/// Writes what `entry` changed, as it is `after` it.
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
            write_act(conn, (*room, after.room(*room)), (entry, act))
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
    (entry, act): (&Entry, &Act),
) -> Result<(), Broken> {
    let by = entry.by;
    if room.1.used == Some(entry.seq) {
        write_room(conn, room)?;
    }
    match act {
        Act::Say { .. } => write_said(conn, room, by),
        Act::Dialogue { .. } | Act::DialogueEnd { .. } => write_dialogue(conn, room),
        Act::Edit { .. } | Act::Redact { .. } | Act::React { .. } => Ok(()),
        Act::Topic { .. } | Act::Slow { .. } | Act::Retain { .. } => write_room(conn, room),
        Act::Read { last } => {
            unmark(conn, (room.0, by), *last)?;
            write_member(conn, room, by)
        }
        Act::Role { who, .. }
        | Act::Kick { who, .. }
        | Act::Mute { who, .. }
        | Act::Unmute { who } => write_member_or_absent(conn, room, *who),
        Act::Join | Act::Part => {
            write_absent(conn, room, by)?;
            write_access(conn, room, by)
        }
        Act::Ban { who, .. } => {
            write_absent(conn, room, *who)?;
            write_access(conn, room, *who)
        }
        Act::Invite { who } | Act::Unban { who } => write_access(conn, room, *who),
    }
}

/// What changes when somebody speaks: where all may at any time, no row does.
fn write_said(conn: &Connection, room: (RoomId, &Room), by: AccountId) -> Result<(), Broken> {
    if room.1.slow_seconds > 0 {
        write_member(conn, room, by)?;
    }
    match room.1.dialogue {
        // It may be the other's turn now.
        Some(Dialogue::Turns(_)) => write_dialogue(conn, room),
        Some(Dialogue::Free) | None => Ok(()),
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
    let Room { title, topic, last, slow_seconds, retain_days, used, .. } = room;
    let (name, access, one, other) = match title {
        Title::Named(name, access) => (Some(name), Some(Bits(access_number(*access))), None, None),
        Title::Talk(one, other) => (None, None, Some(*one), Some(*other)),
    };
    let sql = "REPLACE INTO rooms VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";
    conn.prepare_cached(sql)?.execute(params![
        id,
        name,
        access,
        one,
        other,
        topic,
        last,
        slow_seconds,
        retain_days,
        used
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
    let Some(Member { role, since, read, spoke, voice, level }) = room.members.get(&who) else {
        unmark(conn, (id, who), room.last)?;
        return remove(conn, "DELETE FROM members WHERE room = ?1 AND account = ?2", (id, who));
    };
    let (role, level) = (Bits(role_number(*role)), Bits(level_number(*level)));
    let (muted, until) = muted(*voice);
    let sql = "REPLACE INTO members VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    let member = params![id, who, role, since, read, muted, until, level, spoke];
    conn.prepare_cached(sql)?.execute(member)?;
    Ok(())
}

/// The same, and what is kept of it if it is not.
fn write_member_or_absent(
    conn: &Connection,
    room: (RoomId, &Room),
    who: AccountId,
) -> Result<(), Broken> {
    write_member(conn, room, who)?;
    write_absent(conn, room, who)
}

/// Whether somebody is in a room, and whether it may come in.
fn write_access(
    conn: &Connection,
    (id, room): (RoomId, &Room),
    who: AccountId,
) -> Result<(), Broken> {
    write_member(conn, (id, room), who)?;
    if let Some(Invited { by, at }) = room.invited.get(&who) {
        let sql = "REPLACE INTO invited VALUES (?1, ?2, ?3, ?4)";
        conn.prepare_cached(sql)?.execute(params![id, who, by, at])?;
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
