//! What relays have that outlives a reload.

use std::{
    path::PathBuf,
    sync::{Arc, Weak},
    time::Duration,
};

use relais_net::tls::Roots;
use relais_relay::{Upstreams, datagrams::Room, watch};
use rustix::process::{Resource, getrlimit};

use crate::{limits::descriptors_for_callers, upstream_tls::usual_roots};

/// What outlives a reload. What is added to a clone is not the other's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lasting {
    /// Where the local authority's certificate is, once there is one.
    authority: Option<PathBuf>,
    /// Upstreams that are to be looked at, and how often.
    checks: Vec<(Weak<Upstreams>, Duration)>,
    /// Senders of datagrams of all relays together, once there is one: each takes a descriptor, and
    /// others need some, too.
    senders: Option<Arc<Room>>,
}

impl Lasting {
    /// For a process that was just started.
    pub(crate) fn new(authority: Option<PathBuf>) -> Self {
        Self { authority, ..Self::default() }
    }

    /// Whom this machine believes: its authorities, and the local one.
    pub(super) fn usual_roots(&self) -> Roots {
        usual_roots(self.authority.as_deref())
    }

    /// Room for all senders that there are descriptors for.
    pub(super) fn senders(&mut self) -> Arc<Room> {
        let room = || Room::new(descriptors_for_callers(getrlimit(Resource::Nofile).maximum));
        Arc::clone(self.senders.get_or_insert_with(|| Arc::new(room())))
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
