//! One HTTP exchange as the sniffer notes it: who asked for what through relais, what came, how
//! long that took. A line of JSON each.
//!
//! *Shape*: an object without spaces, with these keys in this order. A key that there is nothing to
//! say of is left out; `time` and `end` are always there, `bytes` and `total_us` where it was
//! measured.
//!
//! | key | is |
//! |---|---|
//! | `time` | when the request came, RFC 3339 in UTC with microseconds |
//! | `client`, `port` | the client's address and port; left out for a Unix socket |
//! | `method` | of the request |
//! | `url` | what was asked for, without user and password |
//! | `host` | the host in it |
//! | `protocol` | which HTTP the client spoke: `HTTP/1.0`, `HTTP/1.1`, `HTTP/2`, `HTTP/3` |
//! | `tls` | which TLS the client spoke: `TLS 1.2`, `TLS 1.3`; left out in the clear |
//! | `status` | of the response; left out if there was none |
//! | `request_bytes`, `request_type` | the request's body: its bytes that came, its media type |
//! | `bytes`, `type` | the response's body: its bytes that were sent, its media type |
//! | `queue_us`, `connect_us`, `first_byte_us`, `total_us` | the [`Timings`], in microseconds |
//! | `cache` | `hit`, `stale`, `revalidated`, `collapsed`, `miss`, `bypass`; left out without a cache |
//! | `upstream` | who was asked; left out if nobody was |
//! | `error` | why that one gave no answer, or nobody was asked: an error type of RFC 9209 §2.3 |
//! | `blocked` | the rule that the request met |
//! | `end` | `whole`; `client`, `upstream` or `relais` if that one broke it off; `refused` |
//!
//! A text that is too long ends in `…`. Whatever a terminal would obey, or a reader would not see,
//! is escaped (see [`crate::visible`]), so that a log can be looked at as it is.
//!
//! Where lines had to be dropped there is another object: see [`Dropped`].

mod broken;
mod cursor;
mod draft;
mod dropped;
mod ink;
mod parts;
mod print;
mod read;
mod words;

use std::{
    borrow::Cow,
    net::SocketAddr,
    time::{Duration, SystemTime},
};

pub use broken::Broken;
pub use draft::Draft;
pub use dropped::Dropped;
pub use parts::{Answered, Closing, Opening, Source};
pub use words::{Cached, End, Protocol, Tls};

/// One exchange: a request and what became of it.
///
/// Texts that may not be UTF-8 come in by [`String::from_utf8_lossy`], which copies only those that
/// are not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// When the request came. Kept to the microsecond.
    pub at: SystemTime,
    /// Who asked; `None` over a Unix socket.
    pub client: Option<SocketAddr>,
    /// Empty if no request was read.
    pub method: Cow<'a, str>,
    /// What was asked for, absolute: `http://example.org/a?b`; of a CONNECT `example.org:443`. A
    /// user and a password in it are not printed. Empty if no request was read.
    pub url: Cow<'a, str>,
    /// The host in it, without its port. Empty if no request was read.
    pub host: Cow<'a, str>,
    /// Which HTTP the client spoke; `None` if no request was read.
    pub protocol: Option<Protocol>,
    /// Which TLS the client spoke; `None` in the clear.
    pub tls: Option<Tls>,
    /// The status that the client got; `None` if it got none.
    pub status: Option<u16>,
    /// The request's body, as far as it came.
    pub request: Content<'a>,
    /// The response's body, as far as it was sent.
    pub response: Content<'a>,
    /// How long it took.
    pub timings: Timings,
    /// What the cache had to do with it; `None` if there is no cache.
    pub cached: Option<Cached>,
    /// Who was asked, e.g. `http://127.0.0.1:8081`; `None` if nobody was.
    pub upstream: Option<Cow<'a, str>>,
    /// Why that one gave no answer, or nobody was asked, e.g. `connection_refused`: an error type of
    /// RFC 9209 §2.3.
    pub error: Option<Cow<'a, str>>,
    /// The rule that the request met.
    pub blocked: Option<Cow<'a, str>>,
    /// How it ended.
    pub end: End,
}

/// A body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content<'a> {
    /// How many bytes of it were passed on.
    pub bytes: u64,
    /// The value of its `Content-Type`.
    pub media_type: Option<Cow<'a, str>>,
}

/// How long the stages of an exchange took. Kept to the microsecond.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// Waiting for a place, before anybody was asked.
    pub queue: Option<Duration>,
    /// Connecting to the upstream, TLS included; `None` on a connection that was there already.
    pub connect: Option<Duration>,
    /// From the request's coming to the first byte of the response.
    pub first_byte: Option<Duration>,
    /// From the request's coming to the end of all; `None` where nothing was measured.
    pub total: Option<Duration>,
}

impl Exchange<'_> {
    /// An exchange of which no more is known than when it began: its client left right away.
    pub fn at(at: SystemTime) -> Self {
        Self {
            at,
            client: None,
            method: Cow::Borrowed(""),
            url: Cow::Borrowed(""),
            host: Cow::Borrowed(""),
            protocol: None,
            tls: None,
            status: None,
            request: Content::default(),
            response: Content::default(),
            timings: Timings::default(),
            cached: None,
            upstream: None,
            error: None,
            blocked: None,
            end: End::CutByClient,
        }
    }
}

#[cfg(test)]
mod tests;
