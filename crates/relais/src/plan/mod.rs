//! What a configuration means: which listener feeds which sites, every name resolved.
//!
//! Pure: nothing is opened, asked or bound. Whether files are there is found by
//! [`look`](crate::look), which needs the disk.

mod disks;
mod draft;
mod graph;
mod listener;
mod logs;
mod overlap;

use std::{collections::BTreeSet, path::Path};

use self::draft::Draft;
use crate::{
    complaint::{KeyPath, Problem, Wrong},
    config::Config,
    limits::Limits,
    service::Service,
    site::{Job, Site},
};

pub(crate) use listener::{Behind, Listener};

/// A configuration that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How much strangers may cost us.
    pub limits: Limits,
    /// What answers over HTTP.
    pub sites: Vec<Site>,
    /// What else is spoken.
    pub services: Vec<Service>,
    /// Who is listened to. Never empty.
    pub listeners: Vec<Listener>,
}

impl Plan {
    /// Resolves `config`.
    ///
    /// # Errors
    ///
    /// Everything that makes no sense in it.
    pub fn new(config: &Config) -> Result<Self, Vec<Problem>> {
        let Config { base, limits, sites, services } = config;
        let mut problems = Vec::new();
        let limits = Limits::plan(*limits).map_err(|found| problems.extend(found)).ok();
        let mut draft = Draft::default();
        for (name, table) in sites {
            match Site::plan(name, table, base) {
                Ok(site) => draft.add(site, &table.front(), base, &mut problems),
                Err(found) => problems.extend(found),
            }
        }
        for (name, table) in services {
            match Service::plan(name, table, base) {
                Ok(service) => draft.add_service(service, &table.at(), base, &mut problems),
                Err(found) => problems.extend(found),
            }
        }
        if sites.is_empty() && services.is_empty() {
            let wrong = Wrong::expected("nothing to run", "a table, e.g. `[serve.site]`");
            problems.push(KeyPath::default().wrong(wrong));
        }
        let Draft { sites, services, listeners, answering: _ } = draft;
        problems.extend(disks::clashes(&sites));
        problems.extend(logs::clashes(&sites, &services));
        match limits {
            Some(limits) if problems.is_empty() => Ok(Self { limits, sites, services, listeners }),
            _ => Err(problems),
        }
    }
}

impl Plan {
    /// The sites behind `listener`, which is one of this plan.
    pub(crate) fn sites_of(&self, listener: &Listener) -> Vec<&Site> {
        match &listener.behind {
            Behind::Sites(sites) => sites.iter().map(|site| &self.sites[*site]).collect(),
            Behind::Service(_) => Vec::new(),
        }
    }

    /// The service behind `listener`, which is one of this plan.
    pub(crate) fn service_of(&self, listener: &Listener) -> Option<&Service> {
        match listener.behind {
            Behind::Sites(_) => None,
            Behind::Service(service) => Some(&self.services[service]),
        }
    }

    /// The logs that sniffers write, each once.
    pub(crate) fn sniff_logs(&self) -> impl Iterator<Item = &Path> {
        let logs = self.sites.iter().filter_map(|site| match &site.job {
            Job::Proxy(proxy) => Some(proxy.sniff.as_ref()?.path.as_path()),
            Job::Serve(_) => None,
        });
        logs.collect::<BTreeSet<_>>().into_iter()
    }
}

#[cfg(test)]
mod tests;
