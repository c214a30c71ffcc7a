//! How an answer came about.

use std::{sync::Arc, time::Duration};

use relais_net::Side;
use relais_wire::exchange::Cached;

/// How an answer came about, for those who note it. Goes with its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Who was asked; `None` if nobody was.
    pub upstream: Option<Arc<str>>,
    /// How long the request waited for a place; `None` if there was one at once.
    pub queue: Option<Duration>,
    /// How long connecting took; `None` on a connection that was there already.
    pub connect: Option<Duration>,
    /// Whose fault it is that there is no other: it stands in the place of one that did not come.
    pub fault: Option<Side>,
    /// The type of that error (RFC 9209 §2.3).
    pub error: Option<&'static str>,
    /// What the cache had to do with it; `None` if there is no cache.
    pub cached: Option<Cached>,
    /// The rule that kept it from being asked for.
    pub blocked: Option<Arc<str>>,
}
