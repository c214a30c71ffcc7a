//! Serving a connection.
//!
//! What is plain is read and answered straight (`straight`, `head`); for all else there is hyper,
//! which parses and prints (`http1`, `http2`). Around both stand a guard that refuses what could be
//! read in two ways (`transport`), the limits in time (`pulse`), and the bodies (`outgoing`).

mod admission;
mod asking;
mod batch;
mod ending;
mod head;
mod http1;
mod http2;
mod intake;
mod lend;
mod limits;
mod outgoing;
mod pace;
mod placeholder;
mod pulse;
mod refusal;
mod send;
mod send_file;
mod splice;
mod straight;
mod stream_tunnel;
mod streams;
mod sweep;
mod switch;
mod transport;
mod tunnel;
mod tunnel_ends;
mod tunnel_pipe;
mod unsent;

#[cfg(test)]
mod tests;

use std::sync::{Arc, atomic::AtomicU32};

use arc_swap::ArcSwap;
use relais_net::{Conn, Drain, DynService, Fault, Gate, Service, Stream, tls};
use relais_wire::http1::starts_like_request;

pub use asking::HandlerSlot;
pub use limits::{Limits, LimitsSlot};

use crate::Caller;
use asking::Asking;
use outgoing::Files;
use pulse::Pulse;

/// Speaks HTTP with every caller: HTTP/2 where TLS agreed on it, HTTP/1 elsewhere.
#[derive(Debug)]
pub struct Http {
    handler: HandlerSlot,
    limits: LimitsSlot,
    /// Connections that hold hyper's buffers, on all cores.
    awake: Arc<AtomicU32>,
    /// Places for bodies that HTTP/2 brings to memory, on all cores.
    shared: Gate,
    /// Places for tunnels that are streams of HTTP/2, on all cores.
    tunnels: Gate,
    /// Places for bodies of requests that come by HTTP/2, on all cores.
    uploads: Gate,
}

impl Http {
    /// A service that has `handler` answer requests, within `limits`.
    pub fn new(handler: HandlerSlot, limits: Limits) -> Self {
        Self::within(handler, Arc::new(ArcSwap::from_pointee(limits)))
    }

    /// The same within limits that may change: a connection keeps those that it began with. Of what
    /// is counted of all connections together ([`Limits::shared_max`]) the first holds.
    pub fn within(handler: HandlerSlot, limits: LimitsSlot) -> Self {
        let shared_max = limits.load().shared_max;
        let (awake, shared) = (Arc::default(), Gate::shared_by_clients(shared_max));
        let (tunnels, uploads) = (stream_tunnel::gate(), http2::uploads());
        Self { handler, limits, awake, shared, tunnels, uploads }
    }

    /// The same, its type forgotten; see [`Erase`](crate::Erase).
    #[inline(never)]
    pub fn erase(self) -> Arc<dyn DynService> {
        Arc::new(self)
    }
}

impl Service for Http {
    async fn serve(&self, conn: Conn, drain: Drain) -> Result<(), Fault> {
        let Conn { stream, peer, called: _, local, tls } = conn;
        let is_http2 = tls.as_ref().is_some_and(|tls| tls.protocol == tls::Protocol::Http2);
        let files = match &stream {
            _ if is_http2 => Files::ReadShared,
            Stream::Tcp(_) => Files::Sent,
            _ => Files::Read,
        };
        let limits = self.limits.load_full();
        let pulse = Arc::new(Pulse::new());
        let caller = Arc::new(Caller { peer, local, tls });
        let asking = Asking {
            handler: Arc::clone(&self.handler),
            caller,
            pulse: Arc::clone(&pulse),
            files,
            shared: self.shared.clone(),
            tunnels: self.tunnels.clone(),
            uploads: self.uploads.clone(),
            limits: Arc::clone(&limits),
        };
        if is_http2 {
            // Boxed: its state is large, and every HTTP/1 connection would have room for it.
            Box::pin(http2::serve(stream, asking, &limits, &drain)).await
        } else {
            http1::serve(
                stream,
                asking,
                http1::Shared { limits: &limits, awake: &self.awake },
                &drain,
            )
            .await
        }
    }

    fn refusal(&self) -> &'static [u8] {
        refusal::NO_PLACE
    }

    fn refusal_in_the_clear(&self, first: &[u8]) -> &'static [u8] {
        if starts_like_request(first) { refusal::NO_TLS } else { b"" }
    }
}
