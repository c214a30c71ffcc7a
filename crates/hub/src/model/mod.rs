//! The log, and what it comes to. No sockets, no clock, no disk.

mod entry;
mod marks;
mod numbers;
mod state;
mod wish;

pub use self::{
    entry::{Access, Act, CID_CHARS_MAX, Cid, Deed, Entry, Kind, Mode, Role, Said},
    marks::{Attention, Between, Heed, Mark, Why, is_named, is_of_word},
    numbers::{AccountId, Millis, RoomId, Seq},
    state::{
        Absent, Account, Dialogue, GONE, Gone, HUB_NAME, Invited, Lasts, Member, Room,
        SLOW_SECONDS_MAX, Standing, State, Title, Voice,
    },
    wish::{Level, Quiet, Wish, Wishes, Words},
};
