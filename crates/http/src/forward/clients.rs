//! For whom a proxy is there.

use std::net::{IpAddr, Ipv4Addr};

use http::Request;
use relais_net::{Fault, Network, Peer};

use super::told::{Teller, Why};
use crate::{Accepts, Answer, Answering, Ask, Handler, Refused, refusing::or_answering};

/// Asks `H` for these clients, and for whole URLs and tunnels. Others are told so.
///
/// A [`Forward`](super::Forward) does so itself. This is for what stands before one, and answers
/// without asking it: a cache.
#[derive(Debug)]
pub struct Clients<H> {
    inner: H,
    networks: Vec<Network>,
    teller: Teller,
}

impl<H> Clients<H> {
    /// Asks `inner` for `clients` alone, as the proxy of this name.
    pub fn new(inner: H, clients: Vec<Network>, name: &str) -> Self {
        Self { inner, networks: clients, teller: Teller::new(name) }
    }

    fn refuse(&self, ask: &Ask) -> Option<Answer> {
        let why = if !is_for(&self.networks, ask.caller.peer) {
            Why::Client
        } else if ask.request.uri().authority().is_none() {
            Why::Path
        } else {
            return None;
        };
        let (mut head, ()) = Request::new(()).into_parts();
        head.method = ask.request.method().clone();
        head.uri = ask.request.uri().clone();
        head.headers = ask.request.headers().clone();
        Some(self.teller.tell(&why, &head))
    }
}

/// Whether `peer` is one of these clients. Who calls over a Unix socket is at 127.0.0.1.
pub(super) fn is_for(clients: &[Network], peer: Peer) -> bool {
    let ip = peer.ip().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    clients.iter().any(|network| network.contains(ip))
}

impl<H: Handler> Handler for Clients<H> {
    fn accepts(&self) -> Accepts {
        self.inner.accepts()
    }

    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        self.refuse(ask).or_else(|| self.inner.at_once(ask))
    }

    fn answer(&self, ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send {
        self.answering(ask)
    }

    fn answering(&self, ask: Ask) -> Answering<'_> {
        or_answering(self.refuse(&ask), &self.inner, ask)
    }

    fn refused(&self, refused: &Refused<'_>) {
        self.inner.refused(refused);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::says::{Says, ask};

    #[test]
    fn only_clients_are_answered_from_memory() {
        let clients = Clients::new(Says::AtOnce("hit"), vec!["192.0.2.0/24".parse().unwrap()], "a");
        let check = |peer: &str, target: &str, status: u16| {
            let peer = Peer::Net(peer.parse().unwrap());
            let answer = clients.at_once(&ask(peer, target, &[("host", "h")])).unwrap();
            assert_eq!(answer.status(), status, "{peer} {target}");
        };
        check("192.0.2.1:1", "http://h/", 200);
        check("192.0.3.1:1", "http://h/", 403);
        check("192.0.2.1:1", "/", 400);
        check("192.0.3.1:1", "/", 403);
    }
}
