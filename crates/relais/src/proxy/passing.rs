//! From planned upstreams to the handler that asks them, and the same of whom clients name.

use std::sync::Arc;

use relais_http::{
    Trust,
    forward::{self, Forward as Forwarding},
    proxy::{Options, Prefix, Proxy as Passing, Route as Routed},
    upstream::{self, Group},
};
use relais_net::{Dialer, Network};

use super::{
    Proxy, forward::Forward, lasting::Lasting, means::To, routes::Route, trust, upstream::Upstream,
    upstreams::Upstreams,
};
use crate::spelling::Addresses;

/// What asks the `upstreams` of `proxy`, of whom `trust` was read.
pub(super) fn passing(
    proxy: &Proxy,
    upstreams: &Upstreams,
    trust: trust::Read,
    lasting: &mut Lasting,
) -> Passing {
    let Proxy { request, response, limits, .. } = proxy;
    let dialer = Dialer::new(limits.of_dialing(), trust.connector(|| lasting.usual_roots()));
    let grouping = Grouping { dialer: Arc::new(dialer), limits: limits.of_asking(), upstreams };
    let rest = Route { path: "/".to_owned(), upstream: upstreams.upstream.clone(), strip: false };
    let routes = upstreams.routes.iter().chain([&rest]).map(|route| Routed {
        path: route.path.clone(),
        prefix: if route.strip { Prefix::Stripped } else { Prefix::Kept },
        group: grouping.group(&route.upstream, lasting),
        request: request.applied(),
        response: response.applied(),
    });
    let routes = routes.collect();
    let name = name_of(proxy, lasting);
    Passing::new(Options { routes, name, trust: trust_of(proxy) })
}

/// What asks whom the clients of `proxy` name, as `planned`.
pub(super) fn forwarding(proxy: &Proxy, planned: &Forward, lasting: &Lasting) -> Forwarding {
    let Forward { ports, clients, private } = planned;
    let neighbours = Network::LOOPBACK.into_iter().chain(Network::PRIVATE);
    // Tunnels have the TLS of their ends; ours is for who asks for `https://` in the clear.
    let tls = trust::Read::default().connector(|| lasting.usual_roots());
    let forwarding = Forwarding::new(forward::Options {
        name: name_of(proxy, lasting),
        clients: networks(clients),
        ports: ports.clone(),
        allowed: if *private { neighbours.collect() } else { Vec::new() },
        own: lasting.own.clone(),
        dialer: Dialer::new(proxy.limits.of_dialing(), tls),
        limits: proxy.limits.of_asking(),
    });
    forwarding.with_edits(proxy.request.applied(), proxy.response.applied())
}

/// Whose word counts about the way before, to `proxy` and to its cache. What clients say of it is
/// not passed on to whom they name.
pub(super) fn trust_of(proxy: &Proxy) -> Trust {
    match &proxy.to {
        To::Upstreams(upstreams) => upstreams.trust.iter().map(|trusted| trusted.0).collect(),
        To::Forward(_) => Trust::default(),
    }
}

/// For whom a forward proxy is, and what it is called.
pub(super) struct Admitting {
    pub(super) clients: Vec<Network>,
    pub(super) name: String,
}

impl Admitting {
    pub(super) fn of(proxy: &Proxy, planned: &Forward, lasting: &Lasting) -> Self {
        Self { clients: networks(&planned.clients), name: name_of(proxy, lasting) }
    }
}

fn networks(clients: &[Addresses]) -> Vec<Network> {
    clients.iter().map(|clients| clients.0).collect()
}

/// What `proxy` is called in `Via`.
fn name_of(proxy: &Proxy, lasting: &Lasting) -> String {
    proxy.name.clone().unwrap_or_else(|| lasting.name.clone())
}

/// What all groups of a proxy have.
struct Grouping<'p> {
    dialer: Arc<Dialer>,
    limits: upstream::Limits,
    upstreams: &'p Upstreams,
}

impl Grouping<'_> {
    fn group(&self, asked: &[Upstream], lasting: &mut Lasting) -> Arc<Group> {
        let Self { dialer, limits, upstreams } = self;
        let ask = |Upstream { endpoint, host }: &Upstream| {
            Arc::new(upstream::Upstream::new(upstream::Options {
                endpoint: endpoint.clone(),
                host: host.clone(),
                dialer: Arc::clone(dialer),
                speaks: upstreams.upstream_http.into(),
                limits: *limits,
            }))
        };
        let group = Group::new(asked.iter().map(ask).collect(), upstreams.balance.into());
        let group = Arc::new(group.expect("a plan's upstreams are never none"));
        if let Some(health) = &upstreams.health {
            lasting.add_check(&group, health.check());
        }
        group
    }
}
