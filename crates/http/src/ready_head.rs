//! Heads that are ready before anybody asks.

use std::fmt::Debug;

use http::{HeaderMap, HeaderValue};

/// The fields of an answer, printed before it was asked for: when it was stored.
///
/// An answer whose body has one ([`Body::with_head`](crate::Body::with_head)) has no other fields,
/// unless somebody adds some to its map, which then stand in the place of those of their name. HTTP/1
/// sends it as it is; for what else is to be sent, it is made a map of.
///
/// `Date` is among them, and `Content-Length` where the status has one, and it is the body's; nothing
/// that is of one connection is.
pub trait ReadyHead: Debug + Send {
    /// Appends the fields as HTTP/1 has them, a line each. Neither the status line nor the empty one
    /// is among them.
    fn print(&self, out: &mut Vec<u8>);

    /// The same fields.
    fn fields(&self) -> HeaderMap;

    /// The value of `Content-Type`.
    fn media_type(&self) -> Option<HeaderValue>;
}
