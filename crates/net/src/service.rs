//! What a listener does with its connections.

use std::{fmt::Debug, pin::Pin, time::Duration};

use crate::{Conn, Drain, Fault, Header, Peer};

/// Speaks one protocol with every caller of a listener.
///
/// Written `async fn serve(&self, …)` by implementors. `&self`, because one service answers many
/// callers at once: what it shares between them is its own business.
pub trait Service: Debug + Send + Sync + 'static {
    /// Talks with one caller until the talk is over.
    ///
    /// Holding `drain` keeps the process from leaving; once [`Drain::requested`] the talk should be
    /// brought to a good end. May be dropped at any await when the grace runs out.
    ///
    /// # Errors
    ///
    /// The [`Fault`] that ended the talk. It is logged by the [`Door`](crate::Door) and concerns no
    /// other caller.
    fn serve(&self, conn: Conn, drain: Drain) -> impl Future<Output = Result<(), Fault>> + Send;

    /// What a caller is told for whom there is no place, before the socket is closed. Sent in the
    /// clear only, and only as far as it fits the socket's buffer.
    fn refusal(&self) -> &'static [u8] {
        b""
    }

    /// What a caller is told whose `first` bytes, at most 16, are in the clear where TLS is spoken,
    /// before the socket is closed. Nothing, unless they are this protocol's own: whose they are
    /// else would not understand it.
    fn refusal_in_the_clear(&self, first: &[u8]) -> &'static [u8] {
        _ = first;
        b""
    }

    /// Is told of a caller who never came to be spoken with, and is gone: its header (PROXY) or its
    /// handshake was refused, or not done in time, or before our end.
    fn unmet(&self, unmet: &Unmet) {
        _ = unmet;
    }

    /// How many descriptors each caller takes, its own among them.
    fn descriptors(&self) -> usize {
        1
    }

    /// Whether anything is spoken with `peer`. Who is turned away comes to [`Service::serve`] as it is,
    /// without TLS, to be told of and hung up on: a handshake would be for nothing.
    fn welcome(&self, peer: Peer) -> Welcome {
        _ = peer;
        Welcome::Welcome
    }

    /// Whether `peer` is a relay whose word is taken for who called it, and says so first (PROXY).
    fn header(&self, peer: Peer) -> Header {
        _ = peer;
        Header::None
    }
}

/// A caller who never came to be spoken with.
#[derive(Debug)]
pub struct Unmet {
    /// Who called, perhaps as told by who passed the call on.
    pub peer: Peer,
    /// What was wrong with what it said.
    pub why: String,
    /// How long that took.
    pub lasted: Duration,
}

/// Whether somebody is spoken with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    /// It is.
    Welcome,
    /// It is not.
    TurnedAway,
}

/// A [`Service`] whose type is forgotten, for the run graph. Implemented for every [`Service`].
pub trait DynService: Debug + Send + Sync + 'static {
    /// See [`Service::serve`]. Named apart, so that both traits may be in scope.
    fn serve_boxed(
        &self,
        conn: Conn,
        drain: Drain,
    ) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>>;

    /// See [`Service::refusal`].
    fn refusal_bytes(&self) -> &'static [u8];

    /// See [`Service::refusal_in_the_clear`].
    fn refusal_bytes_in_the_clear(&self, first: &[u8]) -> &'static [u8];

    /// See [`Service::unmet`].
    fn tell_unmet(&self, unmet: &Unmet);

    /// See [`Service::descriptors`].
    fn descriptors_a_caller(&self) -> usize;

    /// See [`Service::welcome`].
    fn welcome_to(&self, peer: Peer) -> Welcome;

    /// See [`Service::header`].
    fn header_of(&self, peer: Peer) -> Header;
}

impl<S: Service> DynService for S {
    fn serve_boxed(
        &self,
        conn: Conn,
        drain: Drain,
    ) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>> {
        Box::pin(self.serve(conn, drain))
    }

    fn refusal_bytes(&self) -> &'static [u8] {
        self.refusal()
    }

    fn refusal_bytes_in_the_clear(&self, first: &[u8]) -> &'static [u8] {
        self.refusal_in_the_clear(first)
    }

    fn tell_unmet(&self, unmet: &Unmet) {
        self.unmet(unmet);
    }

    fn descriptors_a_caller(&self) -> usize {
        self.descriptors()
    }

    fn welcome_to(&self, peer: Peer) -> Welcome {
        self.welcome(peer)
    }

    fn header_of(&self, peer: Peer) -> Header {
        self.header(peer)
    }
}
