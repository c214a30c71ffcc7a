//! The log, and what it comes to. No sockets, no clock, no disk.

mod entry;
mod state;

pub use self::{
    entry::{
        Access, AccountId, Act, CID_CHARS_MAX, Cid, Deed, Entry, Kind, Millis, Role, RoomId, Said,
        Seq,
    },
    state::{Account, GONE, Gone, Member, Room, State, Title, Voice},
};
