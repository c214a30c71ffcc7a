//! How somebody is asked.

use std::time::Duration;

use http::HeaderValue;
use relais_net::{Dialer, Endpoint, Scheme};
use relais_wire::http1::HeadLimits;

use super::{AskError, Request};

/// Asks one server at a time, each time on a connection of its own.
#[derive(Debug)]
pub struct Client {
    /// What calls it.
    pub dialer: Dialer,
    /// What is spoken with it.
    pub speaks: Speaks,
    /// Who passes it on, if somebody does.
    pub proxy: Option<Proxy>,
    /// How much it may cost.
    pub limits: Limits,
}

/// What is spoken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speaks {
    /// What is agreed on under TLS; HTTP/1.1 in the clear.
    #[default]
    Agreed,
    /// HTTP/1.1.
    Http1,
    /// HTTP/2, in the clear without asking (RFC 9113 §3.3).
    Http2,
}

/// Who passes requests on.
#[derive(Clone, Debug)]
pub struct Proxy {
    /// Where it is: [`Scheme::Http`](relais_net::Scheme::Http).
    pub endpoint: Endpoint,
    /// Who it is told that asks.
    pub authorization: Option<HeaderValue>,
}

/// How much an answer may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How large a head may be.
    pub head: HeadLimits,
    /// From the request to the end of the answer's head, and within its body without a byte.
    pub silence_max: Duration,
}

/// Who reads the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passing {
    /// The server.
    Straight,
    /// A proxy, which is told the whole URL (RFC 9112 §3.2.2).
    OnByProxy,
}

/// How much of a body a server takes in a second, at least: so long it is waited for.
const UPLOAD_BYTES_PER_SECOND_MIN: u64 = 16 * 1024;

/// How long it may take to send the body of `request`.
pub(super) fn uploading_max(request: &Request) -> Duration {
    Duration::from_secs(request.body.len() as u64 / UPLOAD_BYTES_PER_SECOND_MIN)
}

impl Proxy {
    /// The proxy at `endpoint`, which has to be of http.
    ///
    /// # Errors
    ///
    /// [`AskError::ProxyUnderTls`]
    pub fn at(endpoint: Endpoint) -> Result<Self, AskError> {
        if endpoint.scheme == Scheme::Http {
            Ok(Self { endpoint, authorization: None })
        } else {
            Err(AskError::ProxyUnderTls)
        }
    }
}
