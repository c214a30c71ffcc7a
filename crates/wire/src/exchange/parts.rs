//! What is known of an exchange at its stages, for a line that is printed as they come.

use std::{net::SocketAddr, time::Duration};

use super::{Cached, End, Protocol, Tls};
use crate::timestamp::Timestamp;

/// What is known when the request has come. See [`Exchange`](super::Exchange) for its fields.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// When it came.
    pub at: Timestamp,
    /// Who asked; `None` over a Unix socket.
    pub client: Option<SocketAddr>,
    /// Empty if no request was read.
    pub method: &'a str,
    /// What was asked for, in pieces that are printed one after the other. Without a user.
    pub url: &'a [&'a str],
    /// The host in it, without a user.
    pub host: &'a str,
    /// Which HTTP the client spoke.
    pub protocol: Option<Protocol>,
    /// Which TLS the client spoke; `None` in the clear.
    pub tls: Option<Tls>,
}

/// What is known of the answer when its head has come.
#[derive(Clone, Copy, Debug, Default)]
pub struct Answered<'a> {
    /// The value of its `Content-Type`.
    pub media_type: Option<&'a [u8]>,
    /// See [`Timings::queue`](super::Timings::queue).
    pub queue: Option<Duration>,
    /// See [`Timings::connect`](super::Timings::connect).
    pub connect: Option<Duration>,
    /// See [`Timings::first_byte`](super::Timings::first_byte).
    pub first_byte: Option<Duration>,
}

/// Where the answer came from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Source<'a> {
    /// What the cache had to do with it.
    pub cached: Option<Cached>,
    /// Who was asked.
    pub upstream: Option<&'a str>,
    /// Why that one gave no answer.
    pub error: Option<&'a str>,
    /// The rule that the request met.
    pub blocked: Option<&'a str>,
}

/// What is known at the end.
#[derive(Clone, Copy, Debug)]
pub struct Closing {
    /// The status that the client got; `None` if it got none.
    pub status: Option<u16>,
    /// How much of the request's body came, in bytes.
    pub request_bytes: u64,
    /// How much of the answer's body was sent, in bytes.
    pub bytes: u64,
    /// From the request's coming to the end of all.
    pub total: Duration,
    /// How it ended.
    pub end: End,
}
