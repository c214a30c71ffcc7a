//! From a planned proxy to what answers its requests.

use std::{
    path::PathBuf,
    sync::{Arc, Weak},
    time::Instant,
};

use relais_http::{
    Handler,
    line_log::LineLog,
    proxy::{Edits, Options, Prefix, Proxy as Passing, Route as Routed},
    sniff::{SniffLog, Sniffed},
    upstream::{self, Check, Group},
};
use relais_net::{
    Dialer,
    tls::{Roots, read_chain},
};
use rustix::rand::{GetRandomFlags, getrandom};
use tracing::warn;

use super::{
    Proxy, block, layer::Layer, logs::Logs, means::To, routes::Route, trust, upstream::Upstream,
    upstreams::Upstreams,
};
use crate::{
    clock,
    complaint::{KeyPath, Problem, Wrong},
};

/// Everything of a proxy that is read from the disk, read.
#[derive(Debug)]
pub(crate) struct Parts {
    proxy: Proxy,
    upstreams: Upstreams,
    /// `None` if no upstream speaks TLS.
    trust: Option<trust::Read>,
    block: Option<block::Read>,
    /// The key of the table.
    key: KeyPath,
}

/// What outlives a reload.
#[derive(Debug)]
pub(crate) struct Lasting {
    /// What proxies are called that have no name of their own.
    name: String,
    /// Where the local authority's certificate is, once there is one.
    authority: Option<PathBuf>,
    /// Upstreams that are to be asked whether they are well, as long as they are there.
    checks: Vec<(Weak<Group>, Check)>,
    sniffed: Logs<SniffLog>,
    blocked: Logs<LineLog>,
}

impl Lasting {
    /// For a process that was just started.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub(crate) fn new(authority: Option<PathBuf>) -> rustix::io::Result<Self> {
        let mut drawn = [0; 4];
        getrandom(&mut drawn, GetRandomFlags::empty())?;
        let name = format!("relais-{:08x}", u32::from_ne_bytes(drawn));
        let (sniffed, blocked) = (Logs::new(), Logs::new());
        Ok(Self { name, authority, checks: Vec::new(), sniffed, blocked })
    }

    /// What is to be spawned: asks upstreams that came since the last call whether they are well.
    pub(crate) fn take_checks(&mut self) -> impl Iterator<Item = impl Future<Output = ()> + use<>> {
        let checks = std::mem::take(&mut self.checks);
        checks.into_iter().map(|(group, check)| upstream::watch(group, check))
    }

    /// Opens the logs of these anew, and forgets the others.
    pub(crate) fn keep<'p>(&mut self, proxies: impl Iterator<Item = &'p Proxy> + Clone) {
        self.sniffed.keep(proxies.clone().filter_map(|proxy| proxy.sniff.as_ref()));
        self.blocked.keep(proxies.filter_map(|proxy| proxy.block.as_ref()?.log.as_ref()));
    }

    /// Waits until all logs are written, but not beyond `deadline`. Blocks.
    pub(crate) fn shutdown(&self, deadline: Instant) {
        self.sniffed.shutdown(deadline);
        self.blocked.shutdown(deadline);
    }

    /// Whom this machine believes: its authorities, and the local one.
    fn usual_roots(&self) -> Roots {
        let roots = Roots::system();
        let local = self.authority.as_ref().filter(|file| file.exists());
        match local.map(|file| read_chain(file)) {
            Some(Ok(chain)) => chain.iter().fold(roots, Roots::with_authority),
            Some(Err(error)) => {
                let why = Wrong::from_error(&error).what;
                warn!("nobody is believed for the local authority's word: {why}");
                roots
            }
            None => roots,
        }
    }
}

impl Parts {
    /// Reads what `proxy`, which stands at `key`, needs.
    ///
    /// # Errors
    ///
    /// Everything that is not there or cannot be read.
    pub(crate) fn read(proxy: &Proxy, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        if let Some(sniff) = &proxy.sniff {
            problems.extend(sniff.unwritable(&key.key("sniff")));
        }
        if let Some(log) = proxy.block.as_ref().and_then(|block| block.log.as_ref()) {
            problems.extend(log.unwritable(&key.key("block")));
        }
        problems.extend(unfinished(proxy, key));
        let block = proxy.block.as_ref().map(|block| block.read(&key.key("block"))).transpose();
        let block = block.map_err(|problem| problems.push(problem)).ok().flatten();
        let To::Upstreams(upstreams) = &proxy.to else { return Err(problems) };
        let trust = upstreams.upstream_tls.as_ref().map(trust::UpstreamTls::read).transpose();
        let trust = trust.map_err(|problem| problems.push(problem)).ok().flatten();
        if !problems.is_empty() {
            return Err(problems);
        }
        let (proxy, upstreams) = (proxy.clone(), (**upstreams).clone());
        Ok(Self { proxy, upstreams, trust, block, key: key.clone() })
    }

    /// Puts the parts together.
    pub(crate) fn handler(self, lasting: &mut Lasting) -> Result<impl Handler + use<>, Problem> {
        let Self { proxy, upstreams, trust, block, key } = self;
        let Proxy { to: _, cache: _, sniff, block: planned_block, request, response, limits, name } =
            proxy;
        let tls = trust.unwrap_or_default().connector(|| lasting.usual_roots());
        let dialer = Arc::new(Dialer::new(limits.of_dialing(), tls));
        let grouping = Grouping { dialer, limits: limits.of_asking(), upstreams: &upstreams };
        let (request, response) = (request.applied(), response.applied());
        let rest =
            Route { path: "/".to_owned(), upstream: upstreams.upstream.clone(), strip: false };
        let routes = upstreams.routes.iter().chain([&rest]).map(|route| {
            let edits = (request.clone(), response.clone());
            routed(route, grouping.group(&route.upstream, lasting), edits)
        });
        let routes = routes.collect();
        let name = name.unwrap_or_else(|| lasting.name.clone());
        let trusted = upstreams.trust.iter().map(|addresses| addresses.0).collect();
        let passing = Passing::new(Options { routes, name, trusted });
        let at = key.key("block");
        let handler = match (block, planned_block) {
            (Some(block), Some(planned)) => {
                let log = planned.log.map(|log| lasting.blocked.open(&log, &at)).transpose()?;
                Layer::Within(block.before(passing, log, &at)?)
            }
            _ => Layer::Bare(passing),
        };
        // Outside of the block list: what that refuses is an exchange, too.
        let sniff = sniff.map(|log| lasting.sniffed.open(&log, &key.key("sniff"))).transpose()?;
        Ok(match sniff {
            Some(log) => Layer::Within(Sniffed::new(handler, log, clock::now)),
            None => Layer::Bare(handler),
        })
    }
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
                speaks: upstream::Speaks::Http1,
                endpoint: endpoint.clone(),
                host: host.clone(),
                dialer: Arc::clone(dialer),
                limits: *limits,
            }))
        };
        let group = Group::new(asked.iter().map(ask).collect(), upstreams.balance.into());
        let group = Arc::new(group.expect("a plan's upstreams are never none"));
        if let Some(health) = &upstreams.health {
            lasting.checks.push((Arc::downgrade(&group), health.check()));
        }
        group
    }
}

fn routed(route: &Route, group: Arc<Group>, (request, response): (Edits, Edits)) -> Routed {
    let prefix = if route.strip { Prefix::Stripped } else { Prefix::Kept };
    Routed { path: route.path.clone(), prefix, group, request, response }
}

/// What is asked for and not done yet: nobody may take it for done.
fn unfinished(proxy: &Proxy, key: &KeyPath) -> Vec<Problem> {
    let asked = [("forward", matches!(proxy.to, To::Forward(_))), ("cache", proxy.cache.is_some())];
    let asked = asked.into_iter().filter(|(_, is_asked)| *is_asked);
    let wrong =
        |name: &str| Wrong::expected(format!("`{name}` does nothing yet"), "a later version");
    asked.map(|(name, _)| key.key(name).wrong_key(wrong(name))).collect()
}
