//! Datagrams that say they come from the very socket that hears them: forged. An answer to one of them
//! would be heard, and answered, for ever.

use std::{
    net::{IpAddr, SocketAddr},
    sync::{Mutex, PoisonError},
};

use tracing::warn;

use crate::ToldRarely;

/// What a socket that hears all is known by, where it sends from.
#[derive(Debug)]
pub(super) struct Ourselves {
    at: SocketAddr,
    /// Of a socket at every address: at which it was called from its own port, the last ones. What it
    /// answers there comes from there.
    called: Mutex<Called>,
    left_out: ToldRarely,
}

/// How many addresses are remembered: of a machine with more, an answer to itself may go from one to
/// the other as many times before it is seen for what it is.
const CALLED_MAX: usize = 64;

#[derive(Debug, Default)]
struct Called {
    /// At most [`CALLED_MAX`].
    at: Vec<IpAddr>,
    next: usize,
}

impl Ourselves {
    /// Of the socket bound at `at`.
    pub(super) fn at(at: SocketAddr) -> Self {
        let at = SocketAddr::new(at.ip().to_canonical(), at.port());
        Self { at, called: Mutex::default(), left_out: ToldRarely::default() }
    }

    /// What is from another port is from somebody else.
    pub(super) fn port(&self) -> u16 {
        self.at.port()
    }

    /// Whether what says that it is `from` there and was sent to our address `to`, if that is told, is
    /// to be left out. Told of and counted here.
    ///
    /// Of a socket at every address, the first that is forged with another address of this machine may
    /// pass: its answer comes from `to`, and is known by that. So nothing has to be asked of the
    /// system, however many come. Others may well call from the same port, e.g. servers of names.
    pub(super) fn is_forged(&self, from: SocketAddr, to: Option<IpAddr>) -> bool {
        if from.port() != self.at.port() || !self.is_own(from.ip(), to) {
            return false;
        }
        if let Some(count) = self.left_out.add(1) {
            warn!("dropped datagrams, as they say they come from this socket itself: {count}");
        }
        true
    }

    /// How many were left out.
    pub(super) fn count(&self) -> u64 {
        self.left_out.count()
    }

    fn is_own(&self, ip: IpAddr, to: Option<IpAddr>) -> bool {
        if !self.at.ip().is_unspecified() {
            return self.at.ip() == ip;
        }
        if ip.is_loopback() || to == Some(ip) {
            return true;
        }
        let mut called = self.called.lock().unwrap_or_else(PoisonError::into_inner);
        if called.at.contains(&ip) {
            return true;
        }
        if let Some(to) = to.filter(|to| !to.is_multicast()) {
            called.remember(to);
        }
        false
    }
}

impl Called {
    fn remember(&mut self, ip: IpAddr) {
        if self.at.contains(&ip) {
            return;
        }
        match self.at.get_mut(self.next) {
            Some(oldest) => *oldest = ip,
            None => self.at.push(ip),
        }
        self.next = (self.next + 1) % CALLED_MAX;
        debug_assert!(self.at.len() <= CALLED_MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(ourselves: &Ourselves, (from, to): (&str, &str), expect: bool) {
        let (from, to) = (from.parse().unwrap(), to.parse().ok());
        assert_eq!(ourselves.is_forged(from, to), expect, "{from} to {to:?}");
    }

    #[test]
    fn what_comes_from_where_we_are_is_forged() {
        let one = Ourselves::at("192.0.2.1:53".parse().unwrap());
        check(&one, ("192.0.2.1:53", ""), true);
        check(&one, ("192.0.2.1:54", ""), false);
        // Another machine's server of names.
        check(&one, ("192.0.2.2:53", ""), false);
        assert_eq!(one.count(), 1);
    }

    #[test]
    fn who_is_at_every_address_knows_its_own_by_where_it_is_called() {
        let every = Ourselves::at("[::]:53".parse().unwrap());
        check(&every, ("127.0.0.9:53", "192.0.2.1"), true);
        check(&every, ("[::1]:53", ""), true);
        check(&every, ("192.0.2.1:53", "192.0.2.1"), true);
        check(&every, ("192.0.2.9:53", "192.0.2.1"), false);
        check(&every, ("192.0.2.9:53", "192.0.2.1"), false);
        // Ours, too, which nothing told yet: its answer comes from where this one was sent to.
        check(&every, ("192.0.2.2:53", "192.0.2.1"), false);
        check(&every, ("192.0.2.1:53", "192.0.2.2"), true);
        check(&every, ("192.0.2.1:54", "192.0.2.2"), false);
    }

    #[test]
    fn no_more_addresses_are_remembered_than_there_is_room_for() {
        let every = Ourselves::at("0.0.0.0:53".parse().unwrap());
        let own = |last| format!("192.0.2.{last}");
        for last in 0..=CALLED_MAX {
            check(&every, ("198.51.100.1:53", &own(last)), false);
        }
        assert_eq!(every.called.lock().unwrap().at.len(), CALLED_MAX);
        check(&every, ("192.0.2.1:53", "192.0.2.200"), true);
        check(&every, ("192.0.2.0:53", "192.0.2.200"), false);
    }
}
