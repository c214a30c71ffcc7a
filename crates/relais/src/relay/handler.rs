//! From a planned relay to what callers meet.

use std::sync::Arc;

use relais_net::{Dialer, Endpoint, tls};
use relais_relay::{
    Callers, Options, Routes, Shape, Streams, Upstreams, datagrams::Relay as Datagrams,
};
use relais_tap::Tap;

use super::{Relay, datagrams, flow_log::FlowLog, kind::Kind, lasting::Lasting};
use crate::{
    clock,
    complaint::{KeyPath, Problem},
    meets::Meets,
    proxy::Balance,
    spelling::Addresses,
    upstream_tls::{self, UpstreamTls, connector},
};

/// Everything of a relay that is read from the disk, read.
#[derive(Debug)]
pub(crate) struct Parts {
    /// `None` if no upstream speaks TLS.
    trust: Option<upstream_tls::Read>,
}

/// A relay that was put together.
#[derive(Clone, Debug)]
pub(crate) struct Made {
    streams: Arc<Streams>,
    /// `None` if no upstream takes datagrams.
    datagrams: Option<Arc<Datagrams>>,
}

/// How many events wait for a log before the oldest are lost.
const EVENTS_MAX: usize = 4096;

impl Parts {
    /// Reads what the relay at `key` needs.
    pub(crate) fn read(relay: &Relay, key: &KeyPath) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let trust = relay.upstream_tls.as_ref().map(UpstreamTls::read).transpose();
        let trust = trust.map_err(|problem| problems.push(problem)).ok().flatten();
        problems.extend(relay.log.as_ref().and_then(|log| FlowLog::unwritable(log, key)));
        if problems.is_empty() { Ok(Self { trust }) } else { Err(problems) }
    }

    /// What is demanded of upstreams.
    pub(crate) fn demand(self, lasting: &Lasting) -> tls::Demand {
        match self.trust {
            Some(trust) => trust.demand(|| lasting.usual_roots()),
            // Nobody speaks TLS.
            None => tls::Demand {
                trust: tls::Trust::Roots(tls::Roots::none()),
                server_name: None,
                own: None,
            },
        }
    }
}

impl Made {
    /// Puts together the relay at `key`, which demands so much of upstreams.
    pub(crate) fn new(
        (relay, key): (&Relay, &KeyPath),
        demand: &tls::Demand,
        lasting: &mut Lasting,
    ) -> Result<Self, Problem> {
        let tap = Tap::new(EVENTS_MAX);
        relay.log_file().map_or(Ok(()), |log| lasting.logs.watch(&log, &tap, key))?;
        let dialer = Arc::new(Dialer::new(relay.limits.of_dialing(), connector(demand)));
        let mut grouping = Grouping { relay, dialer, lasting };
        let named = relay
            .sni
            .iter()
            .filter_map(|route| Some((route.name(), grouping.group(&route.upstream)?)));
        let named = named.collect();
        let others = grouping.group(&relay.upstream);
        let networks = |all: &[Addresses]| all.iter().map(|network| network.0).collect();
        let callers = Callers { allow: networks(&relay.allow), deny: networks(&relay.deny) };
        let with = (callers.clone(), &tap);
        let datagrams = datagrams::made(relay, with, grouping.lasting);
        let streams = Streams::new(Options {
            routes: Routes { named, others },
            callers,
            trusted: networks(&relay.accept_proxy),
            lasts: relay.limits.of_lasting(),
            hello_max: relay.limits.hello_max.0,
            shape: Shape {
                rates: relay.limits.rates(),
                noise: relay.impair.noise(),
                own: relay.impair.cuts(),
            },
            tap,
            clock: clock::now,
        });
        Ok(Self { streams: Arc::new(streams), datagrams })
    }
}

/// What all groups of a relay have.
struct Grouping<'r> {
    relay: &'r Relay,
    dialer: Arc<Dialer>,
    lasting: &'r mut Lasting,
}

impl Grouping<'_> {
    /// Those at `endpoints`, if there are some.
    fn group(&mut self, endpoints: &[Endpoint]) -> Option<Arc<Upstreams>> {
        let Relay { balance, check_every, send_proxy, .. } = self.relay;
        let balance: Balance = *balance;
        let streams = endpoints.iter().filter(|on| Kind::of(on) == Kind::Streams);
        let group =
            Upstreams::new(streams.cloned().collect(), balance.into(), Arc::clone(&self.dialer));
        let group = Arc::new(match send_proxy {
            Some(version) => group?.telling((*version).into()),
            None => group?,
        });
        if let Some(every) = check_every {
            self.lasting.add_check(&group, every.0);
        }
        Some(group)
    }
}

impl Made {
    /// What those meet who call at `on`.
    pub(crate) fn meets(&self, on: &Endpoint) -> Meets {
        match (Kind::of(on), &self.datagrams) {
            (Kind::Datagrams, Some(relay)) => Meets::Datagrams(relay.clone()),
            (Kind::Datagrams, None) => unreachable!("planned with an upstream"),
            (Kind::Streams, _) => Meets::Stream(self.streams.clone()),
        }
    }
}
