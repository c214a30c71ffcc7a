//! A service that can be changed while its listener is open.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::{Conn, Drain, DynService, Fault, Header, Peer, Service, Welcome};

/// Whatever service stands here: who calls meets the one that is there then, to the end.
#[derive(Debug)]
pub struct Switched {
    now: ArcSwap<Arc<dyn DynService>>,
}

impl Switched {
    /// Begins with `service`.
    pub fn new(service: Arc<dyn DynService>) -> Self {
        Self { now: ArcSwap::from_pointee(service) }
    }

    /// Has those who call from now on meet `service`.
    pub fn switch(&self, service: Arc<dyn DynService>) {
        self.now.store(Arc::new(service));
    }
}

impl Service for Switched {
    async fn serve(&self, conn: Conn, drain: Drain) -> Result<(), Fault> {
        let service = Arc::clone(&self.now.load());
        service.serve_boxed(conn, drain).await
    }

    fn refusal(&self) -> &'static [u8] {
        self.now.load().refusal_bytes()
    }

    fn refusal_in_the_clear(&self, first: &[u8]) -> &'static [u8] {
        self.now.load().refusal_bytes_in_the_clear(first)
    }

    fn descriptors(&self) -> usize {
        self.now.load().descriptors_a_caller()
    }

    fn welcome(&self, peer: Peer) -> Welcome {
        self.now.load().welcome_to(peer)
    }

    fn header(&self, peer: Peer) -> Header {
        self.now.load().header_of(peer)
    }
}
