//! What secures the bytes of those who come in at a door.

use std::sync::Arc;

use arc_swap::ArcSwap;

use crate::tls::Acceptor;

/// What secures the bytes of those who come in at a door. It stays what it is for as long as the door is
/// open: there is no door with TLS that has none yet, or none any more.
#[derive(Clone, Debug)]
pub enum Security {
    /// Nothing: bytes are as they are said.
    InTheClear,
    /// TLS. A slot, because a reload brings other certificates while the door is open.
    Tls(Arc<ArcSwap<Acceptor>>),
}

impl Security {
    /// TLS as this acceptor offers it until there is [another](Self::offer); nothing without one.
    pub fn of(acceptor: Option<Arc<Acceptor>>) -> Self {
        acceptor.map_or(Self::InTheClear, |acceptor| Self::Tls(Arc::new(ArcSwap::new(acceptor))))
    }

    /// Has handshakes that begin from now on offered this.
    ///
    /// # Panics
    ///
    /// If there is no TLS.
    pub fn offer(&self, acceptor: Arc<Acceptor>) {
        match self {
            Self::Tls(slot) => slot.store(acceptor),
            Self::InTheClear => unreachable!("nothing is offered in the clear"),
        }
    }

    /// What a handshake that begins now is offered; `None` if there is none.
    pub fn offered(&self) -> Option<Arc<Acceptor>> {
        match self {
            Self::InTheClear => None,
            Self::Tls(slot) => Some(slot.load_full()),
        }
    }

    /// Whether bytes are as they are said.
    pub fn is_in_the_clear(&self) -> bool {
        matches!(self, Self::InTheClear)
    }
}
