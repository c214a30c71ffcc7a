//! Where we listen ourselves.

use std::{
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use arc_swap::ArcSwap;

/// Where we listen ourselves, as far as it was said. Clones share it, so it may be said when all is
/// bound, and again.
#[derive(Clone, Debug, Default)]
pub struct OwnListeners {
    addresses: Arc<ArcSwap<Vec<SocketAddr>>>,
}

impl OwnListeners {
    /// Says where we listen from here on: the addresses that sockets of streams are bound to, and not
    /// the names that led there.
    pub fn set(&self, bound: impl IntoIterator<Item = SocketAddr>) {
        let address = |at: SocketAddr| SocketAddr::new(at.ip().to_canonical(), at.port());
        self.addresses.store(Arc::new(bound.into_iter().map(address).collect()));
    }

    /// Whether who calls `at` calls us. `is_here` says whether it is an address of this machine.
    pub(super) fn hold(&self, at: SocketAddr, is_here: impl Fn() -> bool) -> bool {
        self.addresses.load().iter().any(|own| {
            let calls_us = || match own.ip() {
                ip if ip.is_unspecified() => is_here(),
                ip => ip == at.ip(),
            };
            own.port() == at.port() && calls_us()
        })
    }
}

/// Whether whoever calls `ip` calls this machine. Nobody is called while that cannot be told.
///
/// *Cost*: some system calls.
pub(super) fn is_this_machine(ip: IpAddr) -> bool {
    ip.is_loopback() || relais_net::is_own_address(ip).unwrap_or(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_calls_us_is_known_by_address_and_port() {
        let own = OwnListeners::default();
        let holds = |at: &str| {
            let at: SocketAddr = at.parse().unwrap();
            own.hold(at, || is_this_machine(at.ip()))
        };
        assert!(!holds("127.0.0.1:8000"));
        let listeners = ["127.0.0.1:8000", "[::]:443", "[::1]:1", "[::ffff:127.0.0.1]:2"];
        own.set(listeners.map(|text| text.parse().unwrap()));
        assert!(holds("127.0.0.1:8000") && holds("[::1]:1") && holds("127.0.0.1:2"));
        assert!(!holds("127.0.0.1:8001") && !holds("192.0.2.1:8000"));
        assert!(holds("127.0.0.1:443") && holds("127.9.9.9:443") && holds("[::1]:443"));
        assert!(!holds("192.0.2.1:443"));
        own.clone().set([]);
        assert!(!holds("127.0.0.1:8000"));
    }
}
