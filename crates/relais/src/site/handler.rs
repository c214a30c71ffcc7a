//! From a planned site to what answers its requests.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Instant,
};

use relais_http::{DynHandler, Erase, OpenFiles, auth::Known, files::Files};

use super::{Job, Site};
use crate::{
    access_log::Logs, complaint::Problem, front, leaving::Leaving, private::Private, proxy, serve,
};

/// Everything of a site that is read from the disk, read. Nothing on the disk is changed for it.
#[derive(Debug)]
pub(crate) struct Parts {
    front: front::Parts,
    job: JobParts,
}

#[derive(Debug)]
enum JobParts {
    Files(Box<Files>),
    Proxy(Box<proxy::Parts>),
}

/// What outlives a reload. What is added to a clone is not the other's.
#[derive(Clone, Debug)]
pub(crate) struct Lasting {
    pub(crate) logs: Logs,
    /// Of those who showed passwords, by the keys of sites.
    pub(crate) known: BTreeMap<String, Arc<Known>>,
    pub(crate) open_files: OpenFiles,
    pub(crate) proxies: proxy::Lasting,
}

impl Lasting {
    /// Has all retire that `next` does not take over, before these sites are asked.
    pub(crate) fn retire(&self, next: &Self, sites: &[Site]) {
        self.proxies.retire(&next.proxies, proxies_of(sites));
    }

    /// Opens the logs of these sites anew, and forgets all of others.
    pub(crate) fn keep(&mut self, sites: &[Site]) {
        let with_users = sites.iter().filter(|site| site.front.auth.is_some());
        let with_users: BTreeSet<_> = with_users.map(|site| site.key().to_string()).collect();
        self.known.retain(|key, _| with_users.contains(key));
        self.logs.keep(sites.iter().filter_map(|site| site.front.access_log.as_ref()));
        self.proxies.keep(proxies_of(sites));
    }

    /// Waits until all logs are written, and what caches have on disk, but not longer than `leaving` says.
    /// Blocks.
    pub(crate) fn close_logs(&self, leaving: Leaving) {
        let now = Instant::now();
        self.logs.shutdown(leaving.logs);
        self.proxies.shutdown(now, leaving);
    }
}

fn proxies_of(sites: &[Site]) -> impl Iterator<Item = (&str, &proxy::Proxy)> + Clone {
    sites.iter().filter_map(|site| match &site.job {
        Job::Proxy(proxy) => Some((site.name.as_str(), &**proxy)),
        Job::Serve(_) => None,
    })
}

impl Parts {
    /// Reads what `site` needs; what it is going to open takes places of `open_files`. No file
    /// that is `private` is answered.
    ///
    /// # Errors
    ///
    /// Everything that is not there or cannot be read.
    pub(crate) fn read(
        site: &Site,
        (open_files, private): (&OpenFiles, &Private),
    ) -> Result<Self, Vec<Problem>> {
        let key = site.key();
        let front = front::Parts::read(&site.front, &key);
        let job = match &site.job {
            Job::Serve(files) => serve::open(files, &key, (open_files, private))
                .map(|files| JobParts::Files(Box::new(files)))
                .map_err(|problem| vec![problem]),
            Job::Proxy(proxy) => {
                proxy::Parts::read(proxy, &key).map(|parts| JobParts::Proxy(Box::new(parts)))
            }
        };
        match (front, job) {
            (Ok(front), Ok(job)) => Ok(Self { front, job }),
            (front, job) => Err([front.err(), job.err()].into_iter().flatten().flatten().collect()),
        }
    }

    /// Puts the parts of `site` together, opening its log.
    pub(crate) fn handler(
        self,
        site: &Site,
        lasting: &mut Lasting,
    ) -> Result<Arc<dyn DynHandler>, Problem> {
        let Self { front, job } = self;
        let Lasting { logs, known, open_files, proxies } = lasting;
        let (key, parts) = (site.key(), front);
        let front = front::Ready { parts, front: &site.front, key: &key, logs, known };
        match job {
            JobParts::Files(files) => front.before(files.erase()),
            JobParts::Proxy(parts) => {
                parts.handler((&site.name, open_files.clone()), front, proxies)
            }
        }
    }
}
