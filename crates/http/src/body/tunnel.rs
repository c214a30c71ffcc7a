//! Connections that are handed over.

use std::any::Any;

use bytes::Bytes;
use relais_net::Stream;

/// The far end of a connection that is to speak something else from here on, and what was read of
/// that already. Closed when it is dropped.
#[derive(Debug)]
pub struct Tunnel {
    /// The far end.
    pub far: Stream,
    /// What it said behind its answer.
    pub early: Bytes,
    /// What ends with it.
    pub(crate) held: Option<Box<dyn Any + Send + Sync>>,
}

impl Tunnel {
    /// A tunnel to here, where `early` was said already.
    pub fn new(far: Stream, early: Bytes) -> Self {
        Self { far, early, held: None }
    }

    /// The same, which drops `held` at its end.
    pub(crate) fn holding(self, held: impl Any + Send + Sync) -> Self {
        Self { held: Some(Box::new(held)), ..self }
    }
}
