//! The messaging server: accounts, rooms, one log that all agree on, and the doors to it.
//!
//! What was done is an [`Entry`](model::Entry) of the log; what it comes to is a
//! [`State`](model::State). Neither knows sockets, clocks or the disk. One thread, the desk, judges what is
//! asked and writes it down; each core has a hall, which tells its clients of that.

mod admin;
mod archive;
pub mod client;
mod counts;
mod datagram;
mod desk;
mod door;
mod export;
mod hall;
mod hearing;
mod hooks;
mod hub;
pub mod json;
mod limits;
pub mod model;
pub mod name;
mod names;
mod outbox;
pub mod proof;
pub mod protocol;
mod rules;
mod saying;
mod session;
mod shared;
pub mod store;
mod text;
mod wire;
pub mod words;

pub use admin::{Drawn, Terms};
pub use counts::{Connections, Counted, Doorway, Login, Spread};
pub use datagram::Form as DatagramForm;
pub use door::Door;
pub use export::{Exported, export};
pub use hub::{Closing, Hub, OpenError, Options};
pub use limits::Limits;
pub use shared::{Asker, Calculator, ClearPasswords, NoValue, Registration};
pub use words::Lang;
