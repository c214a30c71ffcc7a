//! An open listener, and the slots that hold what its callers meet.

use std::{sync::Arc, time::SystemTime};

use arc_swap::ArcSwapOption;
use relais_http::HandlerSlot;
use relais_net::{Endpoint, Shutdown, tls::Acceptor};
use tracing::{info, warn};

use super::behind::Behind;
use crate::tls::{Keeper, Offered, Tls};

/// An open listener.
#[derive(Debug)]
pub(super) struct Entrance {
    /// As planned: a port of 0 is still 0.
    pub(super) planned: Endpoint,
    /// As bound.
    pub(super) local: Endpoint,
    pub(super) handler: HandlerSlot,
    pub(super) tls: Arc<ArcSwapOption<Acceptor>>,
    /// When what is in `tls` is to be renewed, if ever.
    pub(super) renew_at: Option<SystemTime>,
    pub(super) shutdown: Shutdown,
}

impl Entrance {
    /// Has new handshakes and the next requests meet `behind`.
    pub(super) fn switch(&mut self, Behind { handler, tls }: Behind) {
        self.handler.store(Arc::new(handler));
        self.offer(tls);
    }

    /// Has new handshakes offered this.
    pub(super) fn offer(&mut self, offered: Option<Offered>) {
        self.renew_at = offered.as_ref().and_then(|offered| offered.renew_at);
        self.tls.store(offered.map(|offered| offered.acceptor));
    }

    /// Has `keeper` renew what is to be renewed by `now`. What cannot be renewed stays.
    pub(super) fn renew(&mut self, papers: &[Tls], keeper: &Keeper, now: SystemTime) {
        if self.renew_at.is_none_or(|at| now < at) {
            return;
        }
        match keeper.offer(papers, now) {
            Ok(offered) => {
                self.offer(Some(offered));
                info!(local = %self.local, "the local authority renewed the certificate");
            }
            Err(trouble) => {
                let why = &trouble.wrong().what;
                warn!(local = %self.local, "the certificate is not renewed: {why}");
            }
        }
    }
}
