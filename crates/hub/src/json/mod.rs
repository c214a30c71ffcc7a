//! Frames: a line of JSON each, both ways. What clients ask is read here and what they are told is
//! written; and the other way round, for clients.
//!
//! Which fields there are is written down in `docs/reference/hub-protocol.md`.

mod asked;
mod asking;
pub(crate) mod carried;
mod events;
mod fields;
mod heard;
mod misread;
mod names;
mod posted;
mod spelling;
mod telling;
mod told;
mod value;

pub(crate) use self::posted::read_posted;
pub use self::{
    asked::read,
    asking::write_request,
    fields::Amiss,
    misread::Misread,
    telling::{write, write_in, write_refused},
    told::read_told,
};

#[cfg(test)]
mod tests;
