//! Passes bytes and datagrams on: TCP, TLS, Unix and UDP, each side its own; as they are, or slower, later,
//! changed or lost where that is asked for.
//!
//! Knows no protocol above TLS, but for the header that tells an upstream who called (PROXY).

pub mod datagrams;
mod shape;
mod streams;

pub use shape::{Noise, Rates};
pub use streams::{
    Callers, Cuts, Lasts, Name, Options, Routes, Shape, Shaping, Streams, Upstream, Upstreams,
    watch,
};
