//! Calling a name: its addresses are found, and called one after another.

use std::net::IpAddr;

use tokio::{
    net::TcpStream,
    time::{Instant, timeout},
};

use super::{
    Callee, DialError, DialLimits, Dialer, Reached, Stage, Timings,
    race::{in_turns, race},
};
use crate::{Client, Endpoint, Host, HostPort};

impl Dialer {
    pub(super) async fn call_name(
        &self,
        client: Client,
        (endpoint, at): (&Endpoint, &HostPort),
    ) -> Result<Reached<TcpStream>, DialError> {
        let DialLimits { connect_max, source, .. } = self.limits;
        let start = Instant::now();
        let callee = |address| Callee { endpoint: endpoint.clone(), address };
        let found = timeout(connect_max, self.find(client, (endpoint, &at.host))).await;
        let mut ips = found.map_err(|_| self.timed_out(Stage::Resolve, callee(None)))??;
        let resolve = start.elapsed();
        ips.retain(|ip| source.is_none_or(|source| source.is_ipv4() == ip.is_ipv4()));
        let addresses = in_turns(&ips, at.port);
        let raced = race(&addresses, |address| self.call_address(address));
        let raced = timeout(connect_max.saturating_sub(resolve), raced).await;
        let only = if let [address] = *addresses { Some(address) } else { None };
        let raced = raced.map_err(|_| self.timed_out(Stage::Connect, callee(only)))?;
        let (address, plain) = raced.map_err(|failed| DialError::of_calls(endpoint, failed))?;
        let connect = start.elapsed().saturating_sub(resolve);
        Ok(Reached { plain, address, timings: Timings { resolve, connect, ..Timings::default() } })
    }

    /// The addresses of `host`, in the resolver's order. None is one of IPv4 in IPv6 clothes.
    pub(super) async fn find(
        &self,
        client: Client,
        (endpoint, host): (&Endpoint, &Host),
    ) -> Result<Vec<IpAddr>, DialError> {
        match host {
            Host::Any => Ok(Vec::new()),
            Host::Ip(ip) => Ok(vec![ip.to_canonical()]),
            Host::Name(name) => {
                let found = self.names.resolve_for(client, name).await;
                let found = found.map_err(|error| DialError::of_lookup(endpoint, error))?;
                Ok(found.to_vec())
            }
        }
    }
}
