//! Datagrams that say they come from a socket of this very process that hears all who call: forged. An
//! answer to one of them would be heard there, and answered, for ever.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard},
};

use tracing::warn;

use crate::ToldRarely;

/// What a socket that hears all knows of itself, and of the others of its process.
#[derive(Debug)]
pub(super) struct Ourselves {
    own: Arc<Own>,
    /// Of which `own` is one for as long as this is.
    among: &'static Sockets,
    left_out: ToldRarely,
}

/// Sockets that hear all.
#[derive(Debug)]
pub(super) struct Sockets {
    by_port: RwLock<ByPort>,
}

/// No port has none.
type ByPort = BTreeMap<u16, Vec<Arc<Own>>>;

/// Those of this process, whatever serves them: as the system's ports are, they are of all of it.
pub(super) static OF_PROCESS: Sockets = Sockets::none();

/// What a socket is known by, where it sends from.
#[derive(Debug)]
struct Own {
    at: SocketAddr,
    /// Of a socket at every address: at which it was called from a port of ours, the last ones. What it
    /// answers there comes from there.
    called: Mutex<Called>,
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

/// Who judges what came, one datagram after the other. No socket comes or goes meanwhile.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    ourselves: &'a Ourselves,
    by_port: RwLockReadGuard<'a, ByPort>,
}

impl Ourselves {
    /// Of the socket bound at `at`, which is one `among` these from now on.
    pub(super) fn at(at: SocketAddr, among: &'static Sockets) -> Self {
        let at = SocketAddr::new(at.ip().to_canonical(), at.port());
        let own = Arc::new(Own { at, called: Mutex::default() });
        among.join(&own);
        Self { own, among, left_out: ToldRarely::default() }
    }

    /// Who judges what came to this socket.
    pub(super) fn judge(&self) -> Judge<'_> {
        let by_port = self.among.by_port.read().unwrap_or_else(PoisonError::into_inner);
        Judge { ourselves: self, by_port }
    }

    /// How many were left out.
    pub(super) fn count(&self) -> u64 {
        self.left_out.count()
    }
}

impl Drop for Ourselves {
    fn drop(&mut self) {
        self.among.leave(&self.own);
    }
}

impl Judge<'_> {
    /// Whether one of ours is at `port`: what is from another is from somebody else.
    pub(super) fn knows(&self, port: u16) -> bool {
        self.by_port.contains_key(&port)
    }

    /// Whether what says that it is `from` there and was sent to our address `to`, if that is told, is
    /// to be left out. Told of and counted here.
    ///
    /// Of sockets at every address, the first that is forged with another address of this machine may
    /// pass: its answer comes from `to`, and is known by that. So nothing has to be asked of the
    /// system, however many come. Others may well call from the same port, e.g. servers of names.
    pub(super) fn is_forged(&self, from: SocketAddr, to: Option<IpAddr>) -> bool {
        let Some(ours) = self.by_port.get(&from.port()) else { return false };
        let Ourselves { own, left_out, .. } = self.ourselves;
        let to = if own.is_everywhere() { to } else { Some(own.at.ip()) };
        if !ours.iter().any(|one| one.is_at(from.ip(), to)) {
            own.remember(to);
            return false;
        }
        if let Some(count) = left_out.add(1) {
            warn!(
                "dropped datagrams, as they say they come from where we listen ourselves: {count}"
            );
        }
        true
    }
}

impl Sockets {
    /// None yet.
    pub(super) const fn none() -> Self {
        Self { by_port: RwLock::new(BTreeMap::new()) }
    }

    fn join(&self, own: &Arc<Own>) {
        let mut by_port = self.by_port.write().unwrap_or_else(PoisonError::into_inner);
        by_port.entry(own.at.port()).or_default().push(Arc::clone(own));
    }

    fn leave(&self, own: &Arc<Own>) {
        let mut by_port = self.by_port.write().unwrap_or_else(PoisonError::into_inner);
        if let Some(ours) = by_port.get_mut(&own.at.port()) {
            ours.retain(|one| !Arc::ptr_eq(one, own));
            if ours.is_empty() {
                by_port.remove(&own.at.port());
            }
        }
    }
}

impl Own {
    fn is_everywhere(&self) -> bool {
        self.at.ip().is_unspecified()
    }

    /// Whether it sends from `ip`, where `to` is an address of this machine.
    fn is_at(&self, ip: IpAddr, to: Option<IpAddr>) -> bool {
        if !self.is_everywhere() {
            return self.at.ip() == ip;
        }
        let called = || self.called.lock().unwrap_or_else(PoisonError::into_inner);
        ip.is_loopback() || to == Some(ip) || called().at.contains(&ip)
    }

    /// Has it know that it answers from `ip`.
    fn remember(&self, ip: Option<IpAddr>) {
        if let Some(ip) = ip.filter(|ip| self.is_everywhere() && !ip.is_multicast()) {
            self.called.lock().unwrap_or_else(PoisonError::into_inner).remember(ip);
        }
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
        assert_eq!(ourselves.judge().is_forged(from, to), expect, "{from} to {to:?}");
    }

    fn at(at: &str, among: &'static Sockets) -> Ourselves {
        Ourselves::at(at.parse().unwrap(), among)
    }

    #[test]
    fn what_comes_from_where_another_of_ours_is_is_forged() {
        static AMONG: Sockets = Sockets::none();
        let one = at("192.0.2.1:53", &AMONG);
        let other = at("192.0.2.1:54", &AMONG);
        let every = at("0.0.0.0:55", &AMONG);
        assert!(one.judge().knows(54) && !one.judge().knows(56));
        check(&one, ("192.0.2.1:54", ""), true);
        check(&other, ("192.0.2.1:53", ""), true);
        check(&every, ("192.0.2.1:53", "192.0.2.2"), true);
        // Another machine's.
        check(&one, ("192.0.2.9:54", ""), false);
        // Who is everywhere is where the other is.
        check(&one, ("192.0.2.1:55", ""), true);
        check(&one, ("127.0.0.1:55", ""), true);
        // Ours, too, which nothing told yet: what is answered there is from one that is known.
        check(&one, ("192.0.2.2:55", ""), false);
        check(&every, ("192.0.2.1:53", "192.0.2.3"), true);
        drop(other);
        check(&one, ("192.0.2.1:54", ""), false);
        assert_eq!((one.count(), every.count()), (3, 2));
    }

    #[test]
    fn two_that_are_everywhere_know_each_other_by_where_they_are_called() {
        static AMONG: Sockets = Sockets::none();
        let (one, other) = (at("0.0.0.0:53", &AMONG), at("[::]:54", &AMONG));
        check(&one, ("192.0.2.2:54", "192.0.2.1"), false);
        check(&other, ("192.0.2.1:53", "192.0.2.2"), true);
    }

    #[test]
    fn of_two_at_one_address_the_other_stays() {
        static AMONG: Sockets = Sockets::none();
        let (before, after) = (at("192.0.2.1:53", &AMONG), at("192.0.2.1:53", &AMONG));
        drop(before);
        check(&after, ("192.0.2.1:53", ""), true);
        drop(after);
        assert!(AMONG.by_port.read().unwrap().is_empty());
    }

    #[test]
    fn what_comes_from_where_we_are_is_forged() {
        static AMONG: Sockets = Sockets::none();
        let one = at("192.0.2.1:53", &AMONG);
        check(&one, ("192.0.2.1:53", ""), true);
        check(&one, ("192.0.2.1:54", ""), false);
        // Another machine's server of names.
        check(&one, ("192.0.2.2:53", ""), false);
        assert_eq!(one.count(), 1);
    }

    #[test]
    fn who_is_at_every_address_knows_its_own_by_where_it_is_called() {
        static AMONG: Sockets = Sockets::none();
        let every = at("[::]:53", &AMONG);
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
        static AMONG: Sockets = Sockets::none();
        let every = at("0.0.0.0:53", &AMONG);
        let own = |last| format!("192.0.2.{last}");
        for last in 0..=CALLED_MAX {
            check(&every, ("198.51.100.1:53", &own(last)), false);
        }
        assert_eq!(every.own.called.lock().unwrap().at.len(), CALLED_MAX);
        check(&every, ("192.0.2.1:53", "192.0.2.200"), true);
        check(&every, ("192.0.2.0:53", "192.0.2.200"), false);
    }
}
