//! Who goes on with a connection that is to speak something else, in this process.

use std::{fmt::Debug, pin::Pin};

use bytes::Bytes;
use relais_net::{Drain, Fault, Stream};

/// Goes on with a connection behind an answer that ends HTTP on it: a 101 to what was asked for.
pub trait Heir: Debug + Send + Sync + 'static {
    /// Speaks with the client on `stream`, of which `early` came already, until that is over. `drain`
    /// is as [`Service::serve`](relais_net::Service::serve) has it; dropped at any await when the
    /// grace runs out.
    ///
    /// # Errors
    ///
    /// The [`Fault`] that ended it.
    fn go_on(self: Box<Self>, stream: Stream, early: Bytes, drain: Drain) -> GoingOn;
}

/// What is spoken, to its end.
pub type GoingOn = Pin<Box<dyn Future<Output = Result<(), Fault>> + Send>>;
