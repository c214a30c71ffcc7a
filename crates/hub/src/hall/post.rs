//! What a hall is told: each what happened, and to whom it is to be told.

use std::sync::Arc;

use super::ClientId;
use crate::{
    model::{AccountId, RoomId, Seq},
    outbox::Spoken,
};

/// What all halls are told at once, as it was written down at once.
pub(crate) type Group = Vec<Post>;

/// One thing that is told.
#[derive(Debug)]
pub(crate) enum Post {
    /// To one client.
    One(ClientId, Arc<Spoken>),
    /// To every client of an account, but perhaps one.
    Account { who: AccountId, spoken: Arc<Spoken>, but: Option<ClientId> },
    /// To everybody who is somebody.
    Everybody(Arc<Spoken>),
    /// To a room.
    Room(RoomPost),
    /// A client is somebody, and is told of these rooms from here on, behind an entry.
    Seat { who: ClientId, account: AccountId, rooms: Vec<RoomId>, upto: Seq },
    /// A client is told of this room again.
    Again { who: ClientId, room: RoomId, upto: Seq },
    /// A client hears no event but those that it missed.
    Hold(ClientId),
    /// It hears them again.
    Release(ClientId),
    /// A client is nobody any more.
    Unseat(ClientId),
}

/// What happened in a room.
#[derive(Debug)]
pub(crate) struct RoomPost {
    pub(crate) room: RoomId,
    /// Its place in the log, if it has one.
    pub(crate) seq: Option<Seq>,
    /// What its members are told.
    pub(crate) common: Arc<Spoken>,
    /// What some of them are told instead, in the order of accounts.
    pub(crate) own: Vec<(AccountId, Arc<Spoken>)>,
    /// How it is told.
    pub(crate) haste: Haste,
    /// Who comes in before, or leaves after.
    pub(crate) moves: Vec<(AccountId, Move)>,
}

/// How what happened in a room is told to its members.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Haste {
    /// With what else is told them at about the same time, each by its own session.
    #[default]
    Together,
    /// Nothing else is: here and now, to who waits for nothing else.
    AtOnce,
}

/// Which way somebody goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    In,
    Out,
}

impl RoomPost {
    /// What `account` is told.
    pub(super) fn spoken_to(&self, account: AccountId) -> &Arc<Spoken> {
        // Few or none, or all, where all want to notice what is said there.
        let own = self.own.binary_search_by_key(&account, |(who, _)| *who);
        own.map_or(&self.common, |place| &self.own[place].1)
    }
}
