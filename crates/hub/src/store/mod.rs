//! The log on disk, and what it comes to: one SQLite file.
//!
//! One [`Store`] writes: entries in groups that are committed together, each with the rows of
//! accounts, rooms and memberships that it changed, so that a start reads those and not the log.
//! [Archives](Archive) read what is committed, each by a connection of its own, while it writes. It
//! knows no clock and judges nothing: what may be written is decided before.
//!
//! The words of what was said are indexed behind its back, [when there is time](Store::index_some).

mod absent;
mod archive;
mod broken;
mod checkpoint;
mod emptying;
mod file;
mod forget;
mod gate;
mod invitations;
mod leaving;
mod ledger;
mod lives;
mod lock;
mod log;
mod look;
mod noticing;
mod numbers;
mod patience;
mod place;
mod restore;
mod row;
mod said;
mod schema;
mod search;
mod seen;
mod sessions;
mod size;
mod standing;
mod tables;
#[cfg(test)]
mod tests;
mod timed;
mod wal;
mod wiping;
mod writer;
mod written;

pub use self::{
    absent::Absentee,
    archive::{Archive, Past},
    broken::{Broken, Sqlite},
    file::Sync,
    forget::Old,
    gate::{Reading, Reads},
    invitations::Invitation,
    ledger::{BreaksOff, Chamber, Ledger, Seated, User},
    lock::is_in_use,
    said::More,
    search::{Sought, TAIL_MAX, WORDS_CHARS_MAX, chars_of_words},
    sessions::{Session, Stays},
    size::Size,
    writer::Store,
};
