//! Passes bytes and datagrams on as they are: TCP, TLS, Unix and UDP, each side its own.
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
