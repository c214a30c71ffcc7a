//! How much of anything there may be.

use std::time::Duration;

/// How much of anything a hub takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The longest frame or line.
    pub frame_bytes_max: usize,
    /// The longest text of a message.
    pub body_bytes_max: usize,
    /// The most lines of one.
    pub body_lines_max: usize,
    /// The longest topic, in bytes.
    pub topic_bytes_max: usize,
    /// The longest reason, or name of a device, in bytes.
    pub line_bytes_max: usize,
    /// The most members of a room.
    pub members_max: usize,
    /// The most rooms that an account is in, talks not included.
    pub rooms_an_account_max: usize,
    /// The most others whom an account speaks to first.
    pub talks_an_account_max: usize,
    /// The most talks that are listed to who logs in: those in which something happened last.
    pub talks_listed_max: usize,
    /// The most rooms of a list that somebody asks for.
    pub rooms_listed_max: usize,
    /// The most members of a list.
    pub members_listed_max: usize,
    /// The most connections of an account.
    pub sessions_an_account_max: usize,
    /// The most devices that are logged in as an account, connected or not: one more, and the one that was
    /// seen longest ago is logged out.
    pub devices_an_account_max: usize,
    /// The most words that an account looks out for.
    pub keywords_max: usize,
    /// How long what was said may be edited, in milliseconds.
    pub edit_ms_max: u64,
    /// How many messages an account may say at once.
    pub burst: u32,
    /// How many a second after that.
    pub messages_a_second: u32,
    /// How much an account may ask at once that is not written down, counted by what it takes.
    pub lookups: u32,
    /// How much a second after that.
    pub lookups_a_second: u32,
    /// The most of a page of what was said.
    pub page_max: usize,
    /// The most that a search gives.
    pub found_max: usize,
    /// The most of each room that is told of what was missed.
    pub missed_a_room_max: usize,
    /// The most of all of it.
    pub missed_max: usize,
    /// How much may wait for a client that reads slowly.
    pub waiting_bytes_max: usize,
    /// How many requests of one client may wait for their answer.
    pub asked_max: usize,
    /// The same of a client that asks for pages and lists, which are long.
    pub asked_long_max: usize,
    /// How long who has no account may stay, and how much it may say.
    pub unknown_max: Duration,
    /// The most bytes of lines that who has no account may say, but for the one that logs in.
    pub unknown_bytes_max: usize,
    /// The most that who has no account may ask, counted by what it takes, as lookups are.
    pub unknown_asks_max: u32,
    /// How many lines of a client in a row may be none that is understood.
    pub misread_max: u32,
    /// After how long a silence a client's system is asked whether it is there (TCP's keepalive).
    pub asked_after: Duration,
    /// After how long a silence of that, too, it is taken for gone.
    pub gone_after: Duration,
    /// After how long a silence a client is gone that speaks by datagrams.
    pub datagrams_gone_after: Duration,
    /// How many may speak by datagrams, or have a key to do so.
    pub associations_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            frame_bytes_max: 64 << 10,
            body_bytes_max: 16 << 10,
            body_lines_max: 400,
            topic_bytes_max: 390,
            line_bytes_max: 256,
            members_max: 10_000,
            rooms_an_account_max: 200,
            talks_an_account_max: 1000,
            talks_listed_max: 500,
            rooms_listed_max: 500,
            members_listed_max: 1000,
            sessions_an_account_max: 16,
            devices_an_account_max: 64,
            keywords_max: 20,
            edit_ms_max: 7 * 24 * 3600 * 1000,
            burst: 10,
            messages_a_second: 2,
            lookups: 400,
            lookups_a_second: 100,
            page_max: 200,
            found_max: 50,
            missed_a_room_max: 500,
            missed_max: 5000,
            waiting_bytes_max: 256 << 10,
            asked_max: 32,
            asked_long_max: 4,
            unknown_max: Duration::from_secs(30),
            unknown_bytes_max: 4096,
            unknown_asks_max: 100,
            misread_max: 100,
            asked_after: Duration::from_mins(1),
            gone_after: Duration::from_secs(150),
            datagrams_gone_after: Duration::from_secs(75),
            associations_max: 10_000,
        }
    }
}
