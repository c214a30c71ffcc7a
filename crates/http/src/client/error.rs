//! Why there is no answer, or not all of it.

use std::{io, time::Duration};

use relais_net::DialError;
use relais_wire::http1::{Refusal, response::BadHead};

use super::Http2Fault;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nobody answered the call, or nobody who is believed.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// A proxy was asked for something, and it came to nothing there.
    #[error("the proxy {proxy} was asked {what}")]
    Proxy {
        /// Which.
        proxy: String,
        /// To do what, or for what.
        what: String,
        /// What became of that.
        source: Box<AskError>,
    },
    /// The proxy will not call the server.
    #[error("the proxy answers {0}: expected 200, which begins a tunnel")]
    NoTunnel(u16),
    /// What a proxy of SOCKS says is none of its language, or it wants to know who asks in a way that
    /// we have not.
    #[error("the proxy does not speak SOCKS 5 as it was asked to")]
    NoSocks,
    /// It began with these bytes, as no answer of SOCKS 5 does.
    #[error("the proxy speaks no SOCKS 5: it began with \"{}\"", .0.escape_ascii())]
    NotSocks(Vec<u8>),
    /// It waits for something else than SOCKS, as it seems.
    #[error("the proxy said no word of SOCKS 5 within {0:?}")]
    SilentSocks(Duration),
    /// A proxy of SOCKS will not call the server.
    #[error("the proxy says: {0}")]
    NotReached(&'static str),
    /// It wants to know who asks, and was not told.
    #[error("the proxy wants to know who asks")]
    ProxyAsksWho,
    /// It does not believe who asks.
    #[error("the proxy does not believe who asks")]
    ProxyUser,
    /// The connection was closed before anything came.
    #[error("the connection was closed without an answer")]
    Closed,
    /// The connection broke.
    #[error("the connection broke before an answer came")]
    Broken(#[source] io::Error),
    /// Nothing came, or not enough.
    #[error("no answer came within {0:?}")]
    Late(Duration),
    /// What came is no head.
    #[error("the answer is not well-formed")]
    Head(#[source] BadHead),
    /// Something came behind the head that begins a tunnel, where nothing was asked yet.
    #[error("the proxy says something before the tunnel begins")]
    Early,
    /// Heads of 1xx without an end.
    #[error("more than {0} interim answers: expected an answer behind them")]
    Interims(usize),
    /// HTTP/2 was asked for.
    #[error("the server speaks no HTTP/2")]
    NoHttp2,
    /// Over HTTP/2 the server says something else.
    #[error(transparent)]
    Unanswered(Http2Fault),
    /// HTTP/2 went wrong.
    #[error("HTTP/2 went wrong")]
    Http2(#[source] hyper::Error),
    /// What is asked for cannot be written down so.
    #[error("the request cannot be sent over HTTP/2")]
    Unspeakable(#[source] http::Error),
}

/// Why a body is not whole.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// The connection was closed within it.
    #[error("the answer broke off: the connection was closed within its body")]
    Cut,
    /// The connection broke.
    #[error("the answer broke off")]
    Broken(#[source] io::Error),
    /// Nothing more came.
    #[error("the answer broke off: nothing more came within {0:?}")]
    Late(Duration),
    /// What frames it is not well-formed.
    #[error("the answer's body is not well-formed")]
    Malformed(#[source] Refusal),
    /// Over HTTP/2 the server says so.
    #[error("the answer broke off: {0}")]
    Unended(Http2Fault),
    /// HTTP/2 went wrong.
    #[error("the answer broke off: HTTP/2 went wrong")]
    Http2(#[source] hyper::Error),
}

impl AskError {
    pub(super) fn of_http2(error: hyper::Error) -> Self {
        Http2Fault::of(&error).map_or_else(|| Self::Http2(error), Self::Unanswered)
    }
}

impl BodyError {
    pub(super) fn of_http2(error: hyper::Error) -> Self {
        Http2Fault::of(&error).map_or_else(|| Self::Http2(error), Self::Unended)
    }
}
