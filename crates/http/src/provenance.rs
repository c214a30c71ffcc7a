//! How an answer came about.

use std::{sync::Arc, time::Duration};

/// How an answer came about, for those who note it. Goes with its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Who was asked; `None` if nobody was.
    pub upstream: Option<Arc<str>>,
    /// How long connecting took; `None` on a connection that was there already.
    pub connect: Option<Duration>,
    /// The rule that kept it from being asked for.
    pub blocked: Option<Arc<str>>,
}
