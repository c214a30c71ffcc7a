//! What becomes of a request's fields on its way through a proxy.

use std::sync::Arc;

use http::{HeaderMap, HeaderName, header::HOST, request};
use relais_net::Fault;

use super::{edits::Edits, hops, way::Way};
use crate::{Accepts, Answer, Ask, Caller, Handler, Refused, upstream};

/// A [`Handler`] that passes requests on, and can tell what their fields are then.
///
/// Whoever answers means these by `Vary`, and not what a client sent.
pub trait Onward: Handler {
    /// Whether the field `name` of a request that came with these `headers` may be passed on as
    /// another.
    fn rewrites(&self, name: &HeaderName, headers: &HeaderMap) -> bool;

    /// All fields that a request with this `head` and without a body is passed on with; `None` if it
    /// is not, or if they cannot be told.
    ///
    /// *Cost*: that of preparing it.
    fn as_sent(&self, head: request::Parts, caller: &Caller) -> Option<HeaderMap>;
}

/// One that several hold.
impl<H: Onward> Handler for Arc<H> {
    fn accepts(&self) -> Accepts {
        (**self).accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        (**self).at_once(ask)
    }

    fn answer(&self, ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send {
        (**self).answer(ask)
    }

    fn refused(&self, refused: &Refused<'_>) {
        (**self).refused(refused);
    }
}

impl<H: Onward> Onward for Arc<H> {
    fn rewrites(&self, name: &HeaderName, headers: &HeaderMap) -> bool {
        (**self).rewrites(name, headers)
    }

    fn as_sent(&self, head: request::Parts, caller: &Caller) -> Option<HeaderMap> {
        (**self).as_sent(head, caller)
    }
}

/// Whether every proxy may pass on another field `name`, or one that makes these `edits`.
pub(crate) fn rewrites<'e>(
    name: &HeaderName,
    headers: &HeaderMap,
    edits: impl IntoIterator<Item = &'e Edits>,
) -> bool {
    *name == HOST
        || Way::is_said_by(name)
        || hops::rewrites(name, headers)
        || edits.into_iter().any(|edits| edits.are_of(name))
}

/// All fields of a request that was prepared: its own, and the lines of its `trail`.
pub(crate) fn with_trail(head: request::Parts, trail: &[u8]) -> HeaderMap {
    let mut headers = head.headers;
    upstream::read_lines(trail, &mut headers);
    headers
}
