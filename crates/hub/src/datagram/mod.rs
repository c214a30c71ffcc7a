//! Frames carried by datagrams: sealed or signed, each once, told again until they are confirmed, and
//! to nobody who did not prove where it is. Rules without sockets; both sides are made of them.

mod association;
mod channel;
mod delivery;
mod fitting;
mod post;
mod remembered;
mod table;
mod window;

pub(crate) use self::{
    association::{Association, Heard},
    channel::{Channel, DATAGRAM_BYTES_MAX, Dropped, Side, sid_of},
    fitting::written,
    post::Post,
    table::{Held, LASTS, Lines, Owner, State},
};
pub use channel::Form;
