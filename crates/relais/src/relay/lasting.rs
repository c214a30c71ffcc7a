//! What relays have that outlives a reload.

use std::{
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
}

impl Lasting {
    /// For a process that was just started.
    pub(crate) fn new(authority: Option<PathBuf>) -> Self {
        let descriptors = descriptors_for_callers(getrlimit(Resource::Nofile).maximum);
        let descriptors = Arc::new(Room::new(descriptors));
        Self { authority, checks: Vec::new(), logs: FlowLogs::default(), descriptors }
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

impl Default for Lasting {
    fn default() -> Self {
        Self::new(None)
    }
}
