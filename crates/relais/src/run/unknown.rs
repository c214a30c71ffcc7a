//! Whether the names of upstreams lead anywhere: told when relais starts, not to who asks first alone.

use std::{net::ToSocketAddrs as _, thread::Builder};

use relais_net::{Endpoint, Host, HostPort};
use tracing::warn;

use super::house::House;
use crate::site::Job;

/// Looks up the names of all upstreams, each once, and warns of those that have no address. On a thread of its
/// own: nobody waits for it, and a name that is not known yet may be in a moment.
pub(super) fn warn_of_unknown(house: &House) {
    let mut named: Vec<Endpoint> = Vec::new();
    for site in house.listeners().flat_map(|listening| listening.sites) {
        let Job::Proxy(proxy) = &site.job else { continue };
        for upstream in proxy.upstreams().filter(|upstream| is_name(upstream)) {
            if !named.contains(upstream) {
                named.push(upstream.clone());
            }
        }
    }
    if named.is_empty() {
        return;
    }
    let looking = move || named.iter().for_each(look_up);
    if let Err(error) = Builder::new().name("upstreams".into()).spawn(looking) {
        // All goes on without: who asks first is told.
        warn!(%error, "no thread to look up the names of upstreams: whether they have addresses is not known");
    }
}

fn is_name(endpoint: &Endpoint) -> bool {
    matches!(endpoint.host_port(), Some(HostPort { host: Host::Name(_), .. }))
}

fn look_up(upstream: &Endpoint) {
    let Some(HostPort { host: Host::Name(name), port }) = upstream.host_port() else { return };
    if let Err(error) = (&**name, *port).to_socket_addrs() {
        warn!(%error, "no address of {name:?} is known: {upstream} answers nobody until there is one");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_up_and_addresses_are_not() {
        let cases = [
            ("http://a:1", true),
            ("http://a.example:80", true),
            ("http://127.0.0.1:80", false),
            ("http://[::1]:80", false),
            ("unix:///run/a", false),
        ];
        for (endpoint, expect) in cases {
            assert_eq!(is_name(&endpoint.parse().unwrap()), expect, "{endpoint}");
        }
    }
}
