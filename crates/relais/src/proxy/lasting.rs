//! What proxies have that outlives a reload.

use std::{
    path::PathBuf,
    sync::{Arc, Weak},
    time::Instant,
};

use relais_http::{
    forward::OwnListeners,
    line_log::LineLog,
    sniff::SniffLog,
    upstream::{self, Check, Group},
};
use relais_net::{
    Endpoint,
    tls::{Roots, read_chain},
};
use rustix::rand::{GetRandomFlags, getrandom};
use tracing::warn;

use super::{Proxy, logs::Logs};
use crate::complaint::Wrong;

/// What outlives a reload.
#[derive(Debug)]
pub(crate) struct Lasting {
    /// What proxies are called that have no name of their own.
    pub(super) name: String,
    /// Where the local authority's certificate is, once there is one.
    authority: Option<PathBuf>,
    /// Upstreams that are to be asked whether they are well, as long as they are there.
    checks: Vec<(Weak<Group>, Check)>,
    /// Where we listen ourselves: not to be asked by clients' naming it.
    pub(super) own: OwnListeners,
    pub(super) sniffed: Logs<SniffLog>,
    pub(super) blocked: Logs<LineLog>,
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
        let own = OwnListeners::default();
        Ok(Self { name, authority, checks: Vec::new(), own, sniffed, blocked })
    }

    /// Says where we listen from here on.
    pub(crate) fn listening<'e>(&self, listeners: impl IntoIterator<Item = &'e Endpoint>) {
        self.own.set(listeners);
    }

    /// Has `group` asked whether it is well.
    pub(super) fn add_check(&mut self, group: &Arc<Group>, check: Check) {
        self.checks.push((Arc::downgrade(group), check));
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
    pub(super) fn usual_roots(&self) -> Roots {
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
