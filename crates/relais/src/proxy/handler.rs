//! From a planned proxy to what answers its requests.

use std::sync::Arc;

use relais_http::{
    proxy::{Options, Proxy as Handler},
    upstream::{self, Group},
};
use rustix::rand::{GetRandomFlags, getrandom};

use super::{Proxy, upstream::Upstream};

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
        let ask = |Upstream { endpoint, host }: Upstream| {
            Arc::new(upstream::Upstream::new(upstream::Options { endpoint, host, limits }))
        };
        let group = Group::new(upstream.into_iter().map(ask).collect());
        let group = Arc::new(group.expect("a plan's upstreams are never none"));
        Handler::new(Options { group, name: name.unwrap_or_else(|| lasting.name.clone()) })
    }
}
