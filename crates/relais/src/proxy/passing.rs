//! From planned upstreams to the handler that asks them, and the same of whom clients name.

use std::sync::Arc;

use relais_http::{
    forward::{self, Forward as Forwarding},
    proxy::{Options, Prefix, Proxy as Passing, Route as Routed},
    upstream::{self, Group},
};
use relais_net::{Dialer, Network, tls::Roots};

use super::{
    Proxy, forward::Forward, lasting::Lasting, routes::Route, trust, upstream::Upstream,
    upstreams::Upstreams,
};

/// What asks the `upstreams` of `proxy`, of whom `trust` was read.
pub(super) fn passing(
    proxy: &Proxy,
    upstreams: &Upstreams,
    trust: trust::Read,
    lasting: &mut Lasting,
) -> Passing {
    let Proxy { request, response, limits, name, .. } = proxy;
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
    let name = name.clone().unwrap_or_else(|| lasting.name.clone());
    let trusted = upstreams.trust.iter().map(|addresses| addresses.0).collect();
    Passing::new(Options { routes, name, trusted })
}

/// What asks whom the clients of `proxy` name, as `planned`.
pub(super) fn forwarding(proxy: &Proxy, planned: &Forward, lasting: &Lasting) -> Forwarding {
    let Forward { ports, clients, private } = planned;
    let neighbours = Network::LOOPBACK.into_iter().chain(Network::PRIVATE);
    // Tunnels have the TLS of their ends; nobody is asked over TLS by us.
    let tls = trust::Read::default().connector(Roots::none);
    Forwarding::new(forward::Options {
        name: proxy.name.clone().unwrap_or_else(|| lasting.name.clone()),
        clients: clients.iter().map(|clients| clients.0).collect(),
        ports: ports.clone(),
        allowed: if *private { neighbours.collect() } else { Vec::new() },
        own: lasting.own.clone(),
        dialer: Dialer::new(proxy.limits.of_dialing(), tls),
        limits: proxy.limits.of_asking(),
    })
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
