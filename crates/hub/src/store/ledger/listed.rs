//! Accounts, rooms and who is in them, as rows of lists.

use rusqlite::Row;

use crate::{
    model::{Access, AccountId, Member, Millis, RoomId, Said, Standing},
    store::{
        broken::Broken,
        numbers::Bits,
        row::{access, level, said},
        standing,
    },
};

/// An account in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Which.
    pub id: AccountId,
    /// What it is called; what it was called, if it was deleted.
    pub name: String,
    /// When it was made.
    pub since: Millis,
    /// Whether it administers the hub.
    pub admin: bool,
    /// What becomes of what it said, if it was deleted.
    pub gone: Option<Said>,
    /// How many devices are logged in.
    pub devices: u64,
    /// When it was seen last, on one of them or as one that lasted while it was connected.
    pub seen: Option<Millis>,
}

/// A room in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chamber {
    /// Which.
    pub id: RoomId,
    /// With its `#`.
    pub name: String,
    /// Who may come in.
    pub access: Access,
    /// What it is about.
    pub topic: String,
    /// How many are in it.
    pub members: u64,
    /// Seconds between what one member says.
    pub slow_seconds: u32,
    /// How long what is said is kept; for good without.
    pub retain_days: Option<u32>,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seated {
    /// In which.
    pub room: RoomId,
    /// Who.
    pub who: AccountId,
    /// What it is called.
    pub name: String,
    /// As what.
    pub member: Member,
}

pub(super) const USERS: &str = "
    SELECT id, name, since, admin, gone,
        (SELECT count(*) FROM sessions WHERE account = id),
        coalesce((
            SELECT max(max(seen, coalesce(accounts.seen, 0))) FROM sessions WHERE account = id
        ), seen)
    FROM accounts";

pub(super) fn read_user(row: &Row<'_>) -> Result<User, Broken> {
    let (id, gone): (AccountId, Option<Bits>) = (row.get(0)?, row.get(4)?);
    let unknown = Broken::Unknown { seq: id.0 };
    Ok(User {
        id,
        name: row.get(1)?,
        since: row.get(2)?,
        admin: row.get(3)?,
        gone: gone.map(|Bits(number)| said(number).ok_or(unknown)).transpose()?,
        devices: row.get::<_, Bits>(5)?.0,
        seen: row.get(6)?,
    })
}

pub(super) const ROOMS: &str = "
    SELECT id, name, access, topic, slow_seconds, retain_days,
        (SELECT count(*) FROM members WHERE room = id)
    FROM rooms";

pub(super) fn read_room(row: &Row<'_>) -> Result<Chamber, Broken> {
    let (id, Bits(number)): (RoomId, _) = (row.get(0)?, row.get(2)?);
    Ok(Chamber {
        id,
        name: row.get(1)?,
        access: access(number).ok_or(Broken::Unknown { seq: id.0 })?,
        topic: row.get(3)?,
        slow_seconds: row.get(4)?,
        retain_days: row.get(5)?,
        members: row.get::<_, Bits>(6)?.0,
    })
}

pub(super) const MEMBERS: &str = "
    SELECT room, account, accounts.name, members.since, read, level, role, muted, muted_until, spoke
    FROM members JOIN accounts ON accounts.id = account";

pub(super) fn read_seated(row: &Row<'_>) -> Result<Seated, Broken> {
    let (room, Bits(wanted)): (RoomId, _) = (row.get(0)?, row.get(5)?);
    let level = level(wanted).ok_or(Broken::Unknown { seq: room.0 })?;
    let Standing { role, spoke, voice } = standing::read(row, room, 6)?;
    let (since, read) = (row.get(3)?, row.get(4)?);
    let member = Member { role, since, read, spoke, voice, level };
    Ok(Seated { room, who: row.get(1)?, name: row.get(2)?, member })
}
