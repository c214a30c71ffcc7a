//! What a relay does with datagrams: which of its endpoints are of them, what is asked of a relay that
//! makes no sense for them, and what runs.

use std::{sync::Arc, time::Duration};

use relais_net::{Endpoint, Scheme};
use relais_relay::{
    Callers, Shape,
    datagrams::{self, Limits, Options, Upstreams},
};
use relais_tap::Tap;
use rustix::process::{Resource, getrlimit};

use super::{Relay, Table};
use crate::{
    clock,
    complaint::{KeyPath, Problem, Wrong},
    limits::descriptors_for_callers,
    spelling::{BareEndpoint, Time},
};

/// How many senders may be associated where nobody says.
const SENDERS_MAX: usize = 10_000;

/// How long a sender is remembered where nobody says: as long as RFC 4787 (REQ-5) asks for.
const IDLE_MAX: Time = Time(Duration::from_mins(2));

/// What passes at an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Streams,
    Datagrams,
}

impl Kind {
    pub(super) fn of(on: &Endpoint) -> Self {
        if on.scheme == Scheme::Udp { Self::Datagrams } else { Self::Streams }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Streams => "streams",
            Self::Datagrams => "datagrams",
        }
    }
}

/// What is wrong with `table`, which stands at `key`, as to what passes where: datagrams go to
/// upstreams of datagrams, streams to those of streams, and neither is there without the other.
pub(super) fn mismatches(table: &Table, key: &KeyPath) -> Vec<Problem> {
    let has = |all: &[BareEndpoint], kind| all.iter().any(|on| Kind::of(&on.0) == kind);
    let mut problems = Vec::new();
    for kind in [Kind::Streams, Kind::Datagrams] {
        let has_names = kind == Kind::Streams && !table.sni.is_empty();
        let (listens, calls) = (has(&table.listen, kind), has(&table.upstream, kind) || has_names);
        let name = kind.name();
        let is_none_at_all = table.upstream.is_empty() && !has_names;
        if listens && !calls && !is_none_at_all {
            let wrong = Wrong::expected(format!("no upstream takes {name}"), "one that does");
            problems.push(key.key("upstream").wrong(wrong));
        } else if calls && !listens {
            let wrong =
                Wrong::expected(format!("nothing listens for {name}"), "an endpoint that does");
            problems.push(key.key("listen").wrong(wrong));
        }
    }
    let missing = |kind, names: &[(&'static [&'static str], bool)]| {
        let given = names.iter().filter(|(_, is_given)| *is_given && !has(&table.listen, kind));
        let problem = |(names, _): &(&'static [&'static str], bool)| {
            let at = names.iter().fold(key.clone(), |at, name| at.key(name));
            let what = format!("`{}` is for {}", names.join("."), Kind::name(kind));
            at.wrong(Wrong::expected(what, "an endpoint of `listen` that takes them"))
        };
        given.map(problem).collect::<Vec<_>>()
    };
    problems.extend(missing(Kind::Datagrams, &table.of_datagrams()));
    problems.extend(missing(Kind::Streams, &table.of_streams()));
    problems
}

impl Table {
    /// The keys that mean something for datagrams alone, and whether they are given.
    fn of_datagrams(&self) -> [(&'static [&'static str], bool); 4] {
        let (loss, duplicate, reorder) = self.impair.of_datagrams();
        [
            (&["limits", "senders_max"], self.limits.senders_max.is_some()),
            (&["impair", "loss"], loss),
            (&["impair", "duplicate"], duplicate),
            (&["impair", "reorder"], reorder),
        ]
    }

    /// The keys that mean something for streams alone, and whether they are given.
    fn of_streams(&self) -> [(&'static [&'static str], bool); 9] {
        let (reset_after, close_after, slice) = self.impair.of_streams();
        let limits = &self.limits;
        [
            (&["check_every"], self.check_every.is_some()),
            (&["accept_proxy"], !self.accept_proxy.is_empty()),
            (&["send_proxy"], self.send_proxy.is_some()),
            (&["limits", "connect_max"], limits.connect_max.is_some()),
            (&["limits", "handshake_max"], limits.handshake_max.is_some()),
            (&["limits", "total_max"], limits.total_max.is_some()),
            (&["impair", "reset_after"], reset_after),
            (&["impair", "close_after"], close_after),
            (&["impair", "slice"], slice),
        ]
    }
}

/// The relay of datagrams that `relay` asks for, if any of its upstreams takes them.
pub(super) fn made(relay: &Relay, callers: Callers, tap: &Tap) -> Option<Arc<datagrams::Relay>> {
    let of_datagrams = |on: &&Endpoint| Kind::of(on) == Kind::Datagrams;
    let upstreams: Vec<_> = relay.upstream.iter().filter(of_datagrams).cloned().collect();
    let upstreams = Upstreams::new(&upstreams, relay.balance.into())?;
    let limits = &relay.limits;
    let Shape { rate_up, rate_down, .. } = relay.impair.shape(limits.rate_up, limits.rate_down);
    let impairment = relay.impair.of_datagrams();
    // Every sender takes one, and others need some, too.
    let fit = descriptors_for_callers(getrlimit(Resource::Nofile).maximum);
    let senders_max = limits.senders_max.unwrap_or(SENDERS_MAX).min(fit);
    Some(Arc::new(datagrams::Relay::new(Options {
        upstreams: Arc::new(upstreams),
        limits: Limits {
            senders_max,
            // As with connections: one client leaves a quarter to the others.
            senders_a_client_max: (senders_max - senders_max / 4).max(1),
            idle_max: limits.idle_asked.unwrap_or(IDLE_MAX).0,
        },
        callers,
        source: None,
        shape: datagrams::Shape { rate_up, rate_down, impairment },
        tap: tap.clone(),
        clock: clock::now,
    })))
}
