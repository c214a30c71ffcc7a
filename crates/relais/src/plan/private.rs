//! Files that are nobody's but who runs relais: secrets that a plan names, and what it writes.

use std::path::{Path, PathBuf};

use super::Plan;
use crate::{
    service::{self, Service},
    site::{Job, Site},
    tls::{Papers, Tls},
    upstream_tls::UpstreamTls,
};

/// Files and folders that no site is to answer with, though they lie below its root. Real paths, as far as
/// they are there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Private(Vec<PathBuf>);

impl Private {
    /// Those of `plan`, and `others`. Asks the disk what is a link.
    pub(crate) fn of(plan: &Plan, others: impl IntoIterator<Item = PathBuf>) -> Self {
        let of_sites = plan.sites.iter().flat_map(of_site);
        let of_services = plan.services.iter().flat_map(of_service);
        let keys = plan.listeners.iter().flat_map(|listener| &listener.tls).filter_map(key_of);
        let all = of_sites.chain(of_services).chain(keys).chain(others);
        let mut all: Vec<_> = all.map(|path| real(&path)).collect();
        all.sort();
        all.dedup();
        Self(all)
    }

    /// Those below `root`.
    pub(crate) fn below(&self, root: &Path) -> Vec<PathBuf> {
        let root = real(root);
        self.0.iter().filter(|path| path.starts_with(&root)).cloned().collect()
    }
}

fn of_site(site: &Site) -> Vec<PathBuf> {
    let users = site.front.auth.as_ref().map(|auth| auth.file.clone());
    let logs = site.logs().into_iter().map(|log| log.file);
    let of_proxy = match &site.job {
        Job::Proxy(proxy) => proxy.private(),
        Job::Serve(_) => Vec::new(),
    };
    users.into_iter().chain(logs).chain(of_proxy).collect()
}

fn of_service(service: &Service) -> Vec<PathBuf> {
    let other = match &service.job {
        service::Job::Hub(messaging) => Some(messaging.store.as_path()),
        service::Job::Relay(relay) => relay.upstream_tls.as_ref().and_then(UpstreamTls::key_file),
        service::Job::Listen(_) => None,
    };
    let logs = service.logs().into_iter().map(|log| log.file);
    logs.chain(other.map(Path::to_owned)).collect()
}

fn key_of(tls: &Tls) -> Option<PathBuf> {
    match &tls.papers {
        Papers::Files { key, .. } => Some(key.clone()),
        Papers::LocalAuthority { .. } => None,
    }
}

/// `path` without links; a file that is still to be made, by where it will be.
fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize();
        let made = folder.ok().zip(path.file_name()).map(|(folder, name)| folder.join(name));
        made.unwrap_or_else(|| path.to_owned())
    })
}
