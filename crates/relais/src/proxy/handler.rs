//! From a planned proxy to what answers its requests.

use std::sync::Arc;

use relais_http::{
    proxy::{Edits, Options, Prefix, Proxy as Handler, Route},
    upstream::{self, Balance, Group},
};
use relais_net::{
    DialLimits, Dialer,
    tls::{Connector, Demand, Roots, Trust},
};
use rustix::rand::{GetRandomFlags, getrandom};

use super::{Proxy, limits::Limits, upstream::Upstream};

/// Everything of a proxy that is read from the disk, read.
#[derive(Debug)]
pub(crate) struct Parts {
    proxy: Proxy,
}

/// What outlives a reload.
#[derive(Debug)]
pub(crate) struct Lasting {
    /// What proxies are called that have no name of their own.
    name: String,
}

impl Lasting {
    /// For a process that was just started.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub(crate) fn new() -> rustix::io::Result<Self> {
        let mut drawn = [0; 4];
        getrandom(&mut drawn, GetRandomFlags::empty())?;
        Ok(Self { name: format!("relais-{:08x}", u32::from_ne_bytes(drawn)) })
    }
}

impl Parts {
    /// Reads what `proxy` needs.
    pub(crate) fn read(proxy: &Proxy) -> Self {
        Self { proxy: proxy.clone() }
    }

    /// Puts the parts together.
    pub(crate) fn handler(self, lasting: &mut Lasting) -> Handler {
        let Proxy { upstream, limits, name } = self.proxy;
        let dialer = Arc::new(dialer(&limits));
        let ask = |Upstream { endpoint, host }: Upstream| {
            let (dialer, limits) = (Arc::clone(&dialer), limits.upstream);
            let options = upstream::Options { endpoint, host, dialer, limits };
            Arc::new(upstream::Upstream::new(options))
        };
        let group = Group::new(upstream.into_iter().map(ask).collect(), Balance::Least);
        let route = Route {
            path: "/".to_owned(),
            prefix: Prefix::Kept,
            group: Arc::new(group.expect("a plan's upstreams are never none")),
            request: Edits::default(),
            response: Edits::default(),
        };
        let name = name.unwrap_or_else(|| lasting.name.clone());
        Handler::new(Options { routes: vec![route], name, trusted: Vec::new() })
    }
}

/// What calls upstreams.
fn dialer(limits: &Limits) -> Dialer {
    let demand = Demand { trust: Trust::Roots(Roots::none()), server_name: None, own: None };
    let tls = Connector::new(&demand).expect("no name is bad");
    let limits = DialLimits {
        connect_max: limits.connect_max,
        handshake_max: limits.connect_max,
        source: None,
        keepalive: None,
    };
    Dialer::new(limits, tls)
}
