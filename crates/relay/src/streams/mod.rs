//! Streams: whoever calls is joined with an upstream, and what either says is passed to the other.

mod buffer;
mod hello;
mod passing;
mod reported;
mod routes;
mod service;
mod shape;
mod shaped;
mod untaken;
mod upstreams;
mod way;

pub use passing::Lasts;
pub use routes::{Name, Routes};
pub use service::{Callers, Options, Streams};
pub use shape::{Cuts, Shape, Shaping};
pub use upstreams::{Upstream, Upstreams, watch};
