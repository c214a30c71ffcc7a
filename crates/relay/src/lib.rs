//! Passes bytes and datagrams on as they are: TCP, TLS, Unix and UDP, each side its own.
//!
//! Knows no protocol above TLS, but for the header that tells an upstream who called (PROXY).

pub mod datagrams;
mod streams;

pub use streams::{
    Callers, Impairment, Lasts, Name, Options, Routes, Shape, Shaping, Streams, Upstream,
    Upstreams, watch,
};
