//! From planned upstreams to the handler that asks them, and the same of whom clients name.

use std::sync::Arc;

use relais_http::{
    Trust,
    forward::Forward as Forwarding,
    proxy::{Options, Prefix, Proxy as Passing, Route as Routed},
    upstream::{self, Group},
};
use relais_net::{Dialer, Network, tls};

use super::{
    Proxy,
    edits::Edits,
    forward::Forward,
    lasting::Lasting,
    made_of::{Dialing, ForwardingOf, GroupOf, UpstreamOf, networks},
    means::To,
    routes::Route,
    upstream::Upstream,
    upstreams::Upstreams,
};
use crate::upstream_tls as trust;

/// What asks the `upstreams` of `proxy`, of whom `trust` was read.
pub(super) fn passing(
    proxy: &Proxy,
    upstreams: &Upstreams,
    trust: Option<trust::Read>,
    lasting: &mut Lasting,
) -> Passing {
    let Proxy { request, limits, .. } = proxy;
    let (response, _) = response_edits(proxy);
    let demand = match trust {
        Some(trust) => trust.demand(|| lasting.usual_roots()),
        // Nobody speaks TLS.
        None => tls::Demand {
            trust: tls::Trust::Roots(tls::Roots::none()),
            server_name: None,
            own: None,
        },
    };
    let dialing = Dialing { limits: limits.of_dialing(), demand };
    let calls = &lasting.calls;
    let dialer = lasting.dialers.find_or_add(dialing, |dialing| dialing.dialer(calls));
    let grouping = Grouping { dialer, limits: limits.of_asking(), upstreams };
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
pub(super) fn forwarding(
    proxy: &Proxy,
    planned: &Forward,
    lasting: &mut Lasting,
) -> Arc<Forwarding> {
    // Tunnels have the TLS of their ends; ours is for who asks for `https://` in the clear.
    let demand = trust::Read::default().demand(|| lasting.usual_roots());
    let of = ForwardingOf {
        planned: planned.clone(),
        name: name_of(proxy, lasting),
        edits: (proxy.request.clone(), response_edits(proxy).0),
        dialing: Dialing { limits: proxy.limits.of_dialing(), demand },
        limits: proxy.limits.of_asking(),
    };
    let (own, calls) = (lasting.own.clone(), &lasting.calls);
    lasting.forwardings.find_or_add(of, |of| of.forwarding(own, calls))
}

/// What is changed of answers before the cache of `proxy` looks at them, if it has one, and what
/// behind it.
pub(super) fn response_edits(proxy: &Proxy) -> (Edits, Edits) {
    match &proxy.cache {
        Some(cache) => proxy.response.around_cache(cache.target.as_deref()),
        None => (proxy.response.clone(), Edits::default()),
    }
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

/// What `proxy` is called in `Via`.
pub(super) fn name_of(proxy: &Proxy, lasting: &Lasting) -> String {
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
        let Upstreams { balance, health, .. } = self.upstreams;
        let upstreams: Vec<_> = asked.iter().map(|asked| self.upstream(asked, lasting)).collect();
        let weak = upstreams.iter().map(Arc::downgrade).collect();
        let of = GroupOf { upstreams: weak, balance: *balance, health: health.clone() };
        if let Some(there) = lasting.groups.find(&of) {
            return there;
        }
        let group = Group::new(upstreams, (*balance).into());
        let group = lasting.groups.add(of, group.expect("a plan's upstreams are never none"));
        if let Some(health) = health {
            lasting.add_check(&group, health.check());
        }
        group
    }

    fn upstream(&self, planned: &Upstream, lasting: &mut Lasting) -> Arc<upstream::Upstream> {
        let Self { dialer, limits, upstreams } = self;
        let of = UpstreamOf {
            planned: planned.clone(),
            speaks: upstreams.upstream_http.into(),
            limits: *limits,
            health: upstreams.health.clone(),
            dialer: Arc::downgrade(dialer),
        };
        lasting.upstreams.find_or_add(of, |of| {
            let Upstream { endpoint, host } = of.planned.clone();
            let (dialer, speaks) = (Arc::clone(dialer), of.speaks);
            upstream::Upstream::new(upstream::Options {
                endpoint,
                host,
                dialer,
                speaks,
                limits: of.limits,
            })
        })
    }
}
