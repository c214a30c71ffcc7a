//! From a planned relay to what relays its datagrams.

use std::{sync::Arc, time::Duration};

use relais_net::{Client, Endpoint};
use relais_relay::{
    Callers,
    datagrams::{self, Limits, Options, Upstreams},
};
use relais_tap::Tap;
use tracing::warn;

use super::{Relay, kind::Kind, lasting::Lasting};
use crate::{clock, spelling::Time};

/// How many senders may be associated where nobody says.
const SENDERS_MAX: usize = 10_000;

/// How long a sender is remembered where nobody says: as long as RFC 4787 (REQ-5) asks for.
const IDLE_MAX: Time = Time(Duration::from_mins(2));

/// The relay of datagrams that `relay` asks for, if any of its upstreams takes them.
pub(super) fn made(
    relay: &Relay,
    (callers, tap): (Callers, &Tap),
    lasting: &Lasting,
) -> Option<Arc<datagrams::Relay>> {
    let of_datagrams = |on: &&Endpoint| Kind::of(on) == Kind::Datagrams;
    let upstreams: Vec<_> = relay.upstream.iter().filter(of_datagrams).cloned().collect();
    let upstreams = Upstreams::new(&upstreams, relay.balance.into())?;
    let limits = &relay.limits;
    let shape = datagrams::Shape {
        rates: limits.rates(),
        noise: relay.impair.noise(),
        own: relay.impair.losses(),
    };
    let asked = limits.senders_max.unwrap_or(SENDERS_MAX);
    let shared = vec![Arc::clone(lasting.descriptors()), Arc::clone(lasting.ports())];
    let [descriptors, ports] = [&shared[0], &shared[1]].map(|room| room.places_max());
    let senders_max = asked.min(descriptors).min(ports);
    if senders_max < asked && limits.senders_max.is_some() {
        if descriptors < ports {
            warn!(
                "`senders_max` is {asked}, and there are descriptors for {senders_max}: that is the \
                 limit now; raise that of descriptors (`ulimit -n`, `LimitNOFILE=`)"
            );
        } else {
            warn!(
                "`senders_max` is {asked}, and each sender takes one of this machine's ports, of which \
                 {senders_max} are for them: that is the limit now; more are there with another \
                 `net.ipv4.ip_local_port_range`"
            );
        }
    }
    Some(Arc::new(datagrams::Relay::new(Options {
        upstreams: Arc::new(upstreams),
        limits: Limits {
            senders_max,
            senders_a_client_max: Client::share_of(senders_max).max(1),
            idle_max: limits.idle_asked.unwrap_or(IDLE_MAX).0,
        },
        callers,
        shared,
        shape,
        tap: tap.clone(),
        clock: clock::now,
    })))
}
