//! A client: what it asks until it is answered, what it is told once and without a hole, and how it
//! comes back when its connection is lost.
//!
//! [`Talk`] knows neither sockets nor clocks; who has it carries frames and passes the time in.
//! [`Wire`] carries them over a stream.

mod asking;
mod backoff;
mod both;
mod carriable;
mod datagrams;
mod following;
mod lines;
mod talk;
mod wire;

pub use self::{
    both::{Both, Carried},
    talk::{Entrance, News, Pulse, Talk},
    wire::Wire,
};
