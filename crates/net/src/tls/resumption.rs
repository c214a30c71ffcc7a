//! Shorter handshakes for those who were here before.

use std::{io, sync::Arc};

use rustls::{
    crypto::aws_lc_rs::Ticketer,
    server::{ProducesTickets, ServerSessionMemoryCache, StoresServerSessions},
};

/// How many sessions are kept for callers of TLS 1.2 that take no tickets; few are left of them.
/// 512 take about 100 KiB, or, if every one came with a long chain of its own, 32 MiB.
const SESSIONS_MAX: usize = 512;

/// The keys that tickets are sealed with, and the sessions kept for those who take no tickets.
///
/// One for the whole process: an [`Acceptor`](super::Acceptor) that is made anew with it, e.g. when
/// a certificate is renewed, honours the tickets of the one before. Listeners that share it cannot
/// be confused: a session is resumed only where the offer has the same protocols, names and
/// authorities for callers as where it began. Keys change every six hours and are forgotten after
/// twelve. rustls asks the system for the time to do so.
#[derive(Clone, Debug)]
pub struct Resumption {
    tickets: Arc<dyn ProducesTickets>,
    sessions: Arc<ServerSessionMemoryCache>,
}

impl Resumption {
    /// Makes keys.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub fn new() -> io::Result<Self> {
        let tickets = Ticketer::new().map_err(io::Error::other)?;
        Ok(Self { tickets, sessions: ServerSessionMemoryCache::new(SESSIONS_MAX) })
    }

    /// The part of it that belongs to `scope`.
    pub(super) fn within(&self, scope: Scope) -> Arc<Scoped> {
        Arc::new(Scoped { all: self.clone(), scope })
    }
}

/// What two offers must have in common for a session to pass from one to the other, digested.
pub(super) type Scope = [u8; 32];

/// The sessions of one scope. Without it, a caller could come in without a certificate at one
/// listener and resume at another that demands one.
#[derive(Debug)]
pub(super) struct Scoped {
    all: Resumption,
    scope: Scope,
}

impl Scoped {
    fn marked(&self, rest: &[u8]) -> Vec<u8> {
        [self.scope.as_slice(), rest].concat()
    }
}

impl ProducesTickets for Scoped {
    fn enabled(&self) -> bool {
        self.all.tickets.enabled()
    }

    fn lifetime(&self) -> u32 {
        self.all.tickets.lifetime()
    }

    fn encrypt(&self, plain: &[u8]) -> Option<Vec<u8>> {
        self.all.tickets.encrypt(&self.marked(plain))
    }

    fn decrypt(&self, cipher: &[u8]) -> Option<Vec<u8>> {
        let plain = self.all.tickets.decrypt(cipher)?;
        plain.strip_prefix(&self.scope).map(<[u8]>::to_vec)
    }
}

impl StoresServerSessions for Scoped {
    fn put(&self, key: Vec<u8>, value: Vec<u8>) -> bool {
        self.all.sessions.put(self.marked(&key), value)
    }

    fn get(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.all.sessions.get(&self.marked(key))
    }

    fn take(&self, key: &[u8]) -> Option<Vec<u8>> {
        self.all.sessions.take(&self.marked(key))
    }

    fn can_cache(&self) -> bool {
        self.all.sessions.can_cache()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ticket_is_good_in_its_scope_only() {
        let all = Resumption::new().unwrap();
        let ticket = all.within([1; 32]).encrypt(b"session").unwrap();
        assert_eq!(all.within([1; 32]).decrypt(&ticket).as_deref(), Some(&b"session"[..]));
        assert_eq!(all.within([2; 32]).decrypt(&ticket), None);
        let other = Resumption::new().unwrap();
        assert_eq!(other.within([1; 32]).decrypt(&ticket), None);
        for bad in [&ticket[..ticket.len() - 1], &ticket[1..], b"", b"x"] {
            assert_eq!(all.within([1; 32]).decrypt(bad), None);
        }
    }

    #[test]
    fn a_kept_session_is_good_in_its_scope_only_and_the_oldest_go() {
        let all = Resumption::new().unwrap();
        let (here, there) = (all.within([1; 32]), all.within([2; 32]));
        here.put(b"id".to_vec(), b"session".to_vec());
        assert_eq!(there.get(b"id"), None);
        assert_eq!(there.take(b"id"), None);
        assert_eq!(here.get(b"id").as_deref(), Some(&b"session"[..]));
        for n in 0..2 * SESSIONS_MAX {
            there.put(n.to_be_bytes().to_vec(), Vec::new());
        }
        assert_eq!(here.get(b"id"), None);
    }
}
