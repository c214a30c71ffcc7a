//! What relays have that outlives a reload.

use std::{
    fs,
    path::PathBuf,
    sync::{Arc, Weak},
    time::Duration,
};

use relais_net::{Room, tls::Roots};
use relais_relay::{Upstreams, watch};
use rustix::process::{Resource, getrlimit};

use super::{Relay, flow_log::FlowLogs};
use crate::{limits::descriptors_for_callers, upstream_tls::usual_roots};

/// What outlives a reload. What is added to a clone is not the other's.
#[derive(Clone, Debug)]
pub(crate) struct Lasting {
    /// Where the local authority's certificate is, once there is one.
    authority: Option<PathBuf>,
    /// Upstreams that are to be looked at, and how often.
    checks: Vec<(Weak<Upstreams>, Duration)>,
    pub(crate) logs: FlowLogs,
    /// Descriptors for callers, and for senders of datagrams, of which each takes one.
    descriptors: Arc<Room>,
    /// Ports for senders of datagrams.
    ports: Arc<Room>,
}

impl Lasting {
    /// For a process that was just started.
    pub(crate) fn new(authority: Option<PathBuf>) -> Self {
        let descriptors = descriptors_for_callers(getrlimit(Resource::Nofile).maximum);
        let (descriptors, ports) = (Arc::new(Room::new(descriptors)), Arc::new(Room::new(ports())));
        Self { authority, checks: Vec::new(), logs: FlowLogs::default(), descriptors, ports }
    }

    /// Whom this machine believes: its authorities, and the local one.
    pub(super) fn usual_roots(&self) -> Roots {
        usual_roots(self.authority.as_deref())
    }

    /// Opens the logs of `relays` anew, and forgets those to which nobody writes.
    pub(crate) fn keep_logs<'r>(&mut self, relays: impl Iterator<Item = &'r Relay>) {
        self.logs.keep(relays.filter_map(Relay::log_file));
    }

    /// Descriptors for all who call.
    pub(crate) fn descriptors(&self) -> &Arc<Room> {
        &self.descriptors
    }

    /// Ports for senders of datagrams of all relays.
    pub(super) fn ports(&self) -> &Arc<Room> {
        &self.ports
    }

    /// Has `upstreams` looked at.
    pub(super) fn add_check(&mut self, upstreams: &Arc<Upstreams>, every: Duration) {
        self.checks.push((Arc::downgrade(upstreams), every));
    }

    /// What is to be spawned: looks at upstreams that came since the last call.
    pub(crate) fn take_checks(&mut self) -> impl Iterator<Item = impl Future<Output = ()> + use<>> {
        std::mem::take(&mut self.checks)
            .into_iter()
            .map(|(upstreams, every)| watch(upstreams, every))
    }
}

/// How many ports senders of datagrams may have: half of those that the system gives out, so that the
/// other programs of this machine find some.
fn ports() -> usize {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok();
    range.and_then(|range| half_of(&range)).unwrap_or(PORTS_USUAL / 2)
}

/// Half of a range of ports, which is its first and its last.
fn half_of(range: &str) -> Option<usize> {
    let mut ends = range.split_whitespace().map(str::parse::<u16>);
    let (Some(Ok(first)), Some(Ok(last))) = (ends.next(), ends.next()) else { return None };
    Some((usize::from(last.checked_sub(first)?) + 1).div_ceil(2))
}

/// How many ports Linux gives out where nobody says: 32768 to 60999.
const PORTS_USUAL: usize = 28_232;

impl Default for Lasting {
    fn default() -> Self {
        Self::new(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_the_ports_are_left_to_others() {
        assert_eq!(half_of("32768\t60999\n"), Some(PORTS_USUAL / 2));
        assert_eq!(half_of("40000 40000"), Some(1));
        assert_eq!([half_of(""), half_of("9 1"), half_of("1 65536")], [None; 3]);
    }
}
