//! What who runs the hub asks of the desk.

use std::collections::HashSet;

use super::NewDevice;
use crate::{
    model::{AccountId, RoomId, Said},
    protocol::Secret,
    store::Invitation,
};

/// Something to be done at the desk.
#[derive(Debug)]
pub(crate) enum Chore {
    /// Say who is called so.
    FindUser { user: String },
    /// Say who is connected.
    Present,
    /// Say which room is called so.
    FindRoom { room: String },
    /// Make an account.
    AddUser { name: String, phc: Secret },
    /// Give one another password.
    Repassword { user: String, phc: Secret },
    /// Delete one.
    DeleteUser { user: String, said: Said },
    /// Have one administer, or do so no more.
    Administer { user: String, on: bool },
    /// Keep what a device is to be known by.
    Token { user: String, device: NewDevice },
    /// Have a device be nobody again.
    Revoke { who: AccountId, session: String },
    /// Delete a room.
    DeleteRoom { room: String },
    /// Have a room keep what is said so long.
    Retain { room: String, days: Option<u32> },
    /// Give a room another owner.
    Own { room: String, user: String },
    /// Keep an invitation. Its `until` is how long it is good for.
    Invite { invitation: Invitation, room: Option<String> },
    /// Delete one.
    RevokeInvitation { name: String },
}

/// What comes of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    Done,
    User(AccountId),
    Room(RoomId),
    Present(HashSet<AccountId>),
}
