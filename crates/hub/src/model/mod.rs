//! The log, what it comes to, and what may be written to it. No sockets, no clock, no disk.

mod entry;
mod rules;
mod state;

pub use self::{
    entry::{
        Access, AccountId, Act, CID_CHARS_MAX, Cid, Deed, Entry, Kind, Millis, Role, RoomId, Seq,
    },
    rules::{Judge, Past, Verdict},
    state::{Account, Member, Room, State, Title, Voice},
};
