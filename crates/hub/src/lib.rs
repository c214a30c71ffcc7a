//! The messaging server: accounts, rooms, one log that all agree on, and the doors to it.
//!
//! What was done is an [`Entry`](model::Entry) of the log; what it comes to is [`State`](model::State).
//! Neither knows sockets, clocks or the disk.

pub mod model;
pub mod name;
pub mod protocol;
pub mod store;
