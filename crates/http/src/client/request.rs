//! A request, and the head of its answer.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Version};

use super::Url;

/// What is asked.
#[derive(Clone, Debug)]
pub struct Request {
    /// How. Not CONNECT.
    pub method: Method,
    /// For what.
    pub url: Url,
    /// What goes with it. `Host` may be among them; what frames the body may not.
    pub fields: HeaderMap,
    /// The body, perhaps empty.
    pub body: Bytes,
}

/// The head of a request as it was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sent {
    /// Method, target and version.
    pub line: String,
    /// Names and values, in their order.
    pub fields: Vec<(String, Vec<u8>)>,
}

/// The head of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Which HTTP the server speaks.
    pub version: Version,
    /// 100 to 599.
    pub status: u16,
    /// The reason, as it came; over HTTP/2 there is none.
    pub reason: Vec<u8>,
    /// Names and values, over HTTP/1 in the server's order and case. Bytes of a stranger.
    pub fields: Vec<(String, Vec<u8>)>,
}

impl Head {
    /// The value of the first field of this name.
    pub fn field(&self, name: &str) -> Option<&[u8]> {
        let mut found = self.fields.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name));
        found.next().map(|(_, value)| value.as_slice())
    }
}

impl Request {
    /// What `Host` says.
    pub(super) fn host(&self) -> HeaderValue {
        let named = self.fields.get(http::header::HOST).cloned();
        named.unwrap_or_else(|| {
            HeaderValue::try_from(self.url.host()).expect("a host has only visible letters")
        })
    }

    /// Whether its body has to be framed, even if it is empty (RFC 9110 §8.6).
    pub(super) fn has_body(&self) -> bool {
        !self.body.is_empty() || matches!(self.method, Method::POST | Method::PUT | Method::PATCH)
    }
}

/// What `Authorization` says of a user and a password (RFC 7617). Marked as sensitive.
pub fn basic(user: &str, password: &str) -> HeaderValue {
    let text = format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}")));
    let mut value = HeaderValue::try_from(text).expect("base64 has only visible letters");
    value.set_sensitive(true);
    value
}
