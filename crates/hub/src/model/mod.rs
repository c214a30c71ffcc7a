//! The log, and what it comes to. No sockets, no clock, no disk.

mod entry;
mod marks;
mod state;
mod wish;

pub use self::{
    entry::{
        Access, AccountId, Act, CID_CHARS_MAX, Cid, Deed, Entry, Kind, Millis, Mode, Role, RoomId,
        Seq,
    },
    marks::{Attention, Between, Heed, Mark, Why, Wishes, is_named, is_of_word},
    state::{Account, Dialogue, Member, Room, State, Title, Voice},
    wish::{Level, Quiet, Wish, Words},
};
