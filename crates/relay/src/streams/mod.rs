//! Streams: whoever calls is joined with an upstream, and what either says is passed to the other.

mod buffer;
mod passing;
mod upstreams;
mod way;

pub use passing::Lasts;
pub use upstreams::{Upstream, Upstreams, watch};
