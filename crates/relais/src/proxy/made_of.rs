//! What those who ask other servers are made of: whoever plans the same is given the same, with its
//! connections and with what is known of the servers.

use std::sync::Weak;

use relais_http::{
    forward::{self, Forward as Forwarding, OwnListeners},
    upstream,
};
use relais_net::{DialLimits, Dialer, Gate, Network, tls};

use super::{
    edits::Edits,
    forward::Forward,
    group::{Balance, Health},
    upstream::Upstream,
};
use crate::{spelling::Addresses, upstream_tls as trust};

/// How servers are called: what a dialer is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Dialing {
    pub(super) limits: DialLimits,
    /// As it was read: what a file says that was changed since is another.
    pub(super) demand: tls::Demand,
}

impl Dialing {
    pub(super) fn dialer(&self, calls: &Gate) -> Dialer {
        Dialer::new(self.limits, trust::connector(&self.demand)).with_places(calls.clone())
    }
}

/// What a forward proxy is made of.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ForwardingOf {
    pub(super) planned: Forward,
    pub(super) name: String,
    pub(super) edits: (Edits, Edits),
    pub(super) dialing: Dialing,
    pub(super) limits: upstream::Limits,
}

impl ForwardingOf {
    pub(super) fn forwarding(&self, own: OwnListeners, calls: &Gate) -> Forwarding {
        let Self { planned: Forward { ports, clients, private }, name, edits, dialing, limits } =
            self;
        let neighbours = Network::LOOPBACK.into_iter().chain(Network::PRIVATE);
        let forwarding = Forwarding::new(forward::Options {
            name: name.clone(),
            clients: networks(clients),
            ports: ports.clone(),
            allowed: if *private { neighbours.collect() } else { Vec::new() },
            own,
            dialer: dialing.dialer(calls),
            limits: *limits,
        });
        forwarding.with_edits(edits.0.applied(), edits.1.applied())
    }
}

/// What is planned, as the rooms below have it.
pub(super) fn networks(clients: &[Addresses]) -> Vec<Network> {
    clients.iter().map(|clients| clients.0).collect()
}

/// What an upstream is made of. Its connections, and what is known of how it does, are those of all
/// who ask it so.
#[derive(Clone, Debug)]
pub(super) struct UpstreamOf {
    pub(super) planned: Upstream,
    pub(super) speaks: upstream::Speaks,
    pub(super) limits: upstream::Limits,
    /// Whoever is asked no more would stay as the last check found it.
    pub(super) health: Option<Health>,
    pub(super) dialer: Weak<Dialer>,
}

/// What a group is made of.
#[derive(Clone, Debug)]
pub(super) struct GroupOf {
    pub(super) upstreams: Vec<Weak<upstream::Upstream>>,
    pub(super) balance: Balance,
    pub(super) health: Option<Health>,
}

impl PartialEq for UpstreamOf {
    fn eq(&self, other: &Self) -> bool {
        let Self { planned, speaks, limits, health, dialer } = self;
        (planned, speaks, limits, health)
            == (&other.planned, &other.speaks, &other.limits, &other.health)
            && dialer.ptr_eq(&other.dialer)
    }
}

impl PartialEq for GroupOf {
    fn eq(&self, other: &Self) -> bool {
        let Self { upstreams, balance, health } = self;
        (balance, health) == (&other.balance, &other.health)
            && upstreams.len() == other.upstreams.len()
            && upstreams.iter().zip(&other.upstreams).all(|(one, other)| one.ptr_eq(other))
    }
}
