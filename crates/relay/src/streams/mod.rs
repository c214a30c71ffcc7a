//! Streams: whoever calls is joined with an upstream, and what either says is passed to the other.

mod buffer;
mod passing;
mod way;

pub use passing::Lasts;
