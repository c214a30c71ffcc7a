//! What a configuration means: which listener feeds which sites, every name resolved.
//!
//! Pure: nothing is opened, asked or bound. Whether files are there is found by
//! [`look`](crate::look), which needs the disk.

mod disks;
mod graph;
mod logs;
mod overlap;

use std::{collections::BTreeSet, path::Path};

use relais_net::{Endpoint, Host, Place, Scheme, tls::Protocols};

use self::overlap::overlap;
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    config::Config,
    front,
    limits::Limits,
    site::{Job, Site},
    spelling::HttpEndpoint,
    tls::Tls,
};

/// A configuration that makes sense.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How much strangers may cost us.
    pub limits: Limits,
    /// What answers.
    pub sites: Vec<Site>,
    /// Who is listened to. Never empty.
    pub listeners: Vec<Listener>,
}

/// A listener and the sites behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listener {
    /// Where it listens.
    pub on: Endpoint,
    /// The key of the configuration that says so first.
    pub key: KeyPath,
    /// How it proves who it is, for each site; empty in the clear.
    pub tls: Vec<Tls>,
    /// Places in [`Plan::sites`]. Never empty; their hosts differ.
    pub sites: Vec<usize>,
}

impl Plan {
    /// Resolves `config`.
    ///
    /// # Errors
    ///
    /// Everything that makes no sense in it.
    pub fn new(config: &Config) -> Result<Self, Vec<Problem>> {
        let Config { base, limits, sites } = config;
        let mut problems = Vec::new();
        let limits = Limits::plan(*limits).map_err(|found| problems.extend(found)).ok();
        let mut draft = Draft::default();
        for (name, table) in sites {
            match Site::plan(name, table, base) {
                Ok(site) => draft.add(site, &table.front(), base, &mut problems),
                Err(found) => problems.extend(found),
            }
        }
        if sites.is_empty() {
            let wrong = Wrong::expected("nothing to run", "a table, e.g. `[serve.site]`");
            problems.push(KeyPath::default().wrong(wrong));
        }
        let Draft { sites, listeners } = draft;
        problems.extend(disks::clashes(&sites));
        problems.extend(logs::clashes(&sites));
        match limits {
            Some(limits) if problems.is_empty() => Ok(Self { limits, sites, listeners }),
            _ => Err(problems),
        }
    }
}

impl Plan {
    /// The logs that sniffers write, each once.
    pub(crate) fn sniff_logs(&self) -> impl Iterator<Item = &Path> {
        let logs = self.sites.iter().filter_map(|site| match &site.job {
            Job::Proxy(proxy) => Some(proxy.sniff.as_ref()?.path.as_path()),
            Job::Serve(_) => None,
        });
        logs.collect::<BTreeSet<_>>().into_iter()
    }
}

/// A plan under construction.
#[derive(Default)]
struct Draft {
    sites: Vec<Site>,
    listeners: Vec<Listener>,
}

impl Draft {
    fn add(&mut self, site: Site, table: &front::Table, base: &Base, problems: &mut Vec<Problem>) {
        let key = site.key();
        if table.listen.is_empty() {
            let wrong = Wrong::expected("`listen` is empty", "one endpoint or more");
            problems.push(key.key("listen").wrong(wrong));
        }
        let is_secure = table.listen.iter().any(|HttpEndpoint(on)| on.scheme.is_secure());
        let tls = if is_secure {
            let names = names(&site, table);
            Tls::plan(table.tls.clone(), &names, base, &key).map(Some)
        } else {
            Tls::unused(&table.tls, &key).map(|()| None)
        };
        let mut tls = tls.map_err(|problem| problems.push(problem)).ok().flatten();
        if let (Some(tls), true) = (&mut tls, site.is_forward()) {
            // Tunnels are not opened over HTTP/2, and browsers would try.
            tls.protocols = Protocols::Http1;
        }
        let place = self.sites.len();
        self.sites.push(site);
        for (index, HttpEndpoint(on)) in table.listen.iter().enumerate() {
            let at = if table.listen.len() == 1 {
                key.key("listen")
            } else {
                key.key("listen").index(index)
            };
            if let Err(wrong) = self.listen(on, &at, place, tls.as_ref()) {
                problems.push(at.wrong(wrong));
            }
        }
    }

    /// Has the site at `place` answer at `on`, too.
    fn listen(
        &mut self,
        on: &Endpoint,
        key: &KeyPath,
        place: usize,
        tls: Option<&Tls>,
    ) -> Result<(), Wrong> {
        let is_secure = match on.scheme {
            Scheme::Http | Scheme::Unix => false,
            Scheme::Https => true,
            Scheme::Tcp | Scheme::Tls | Scheme::Udp | Scheme::Ws | Scheme::Wss => {
                let what = format!("HTTP is not served over {}: {:?}", on.scheme, on.to_string());
                return Err(Wrong::expected(what, "http, https or unix"));
            }
        };
        let tls: Vec<Tls> = tls.filter(|_| is_secure).cloned().into_iter().collect();
        // Port 0 is a port of its own each time.
        let is_fixed = on.host_port().is_none_or(|at| at.port != 0);
        let there = self.listeners.iter_mut().find(|there| is_fixed && there.on.place == on.place);
        let Some(there) = there else {
            self.is_free(on)?;
            let (on, key, sites) = (on.clone(), key.clone(), vec![place]);
            self.listeners.push(Listener { on, key, tls, sites });
            return Ok(());
        };
        if there.on.scheme != on.scheme {
            let what = format!("{} is {} elsewhere: {}", place_of(on), there.on.scheme, there.key);
            return Err(Wrong::expected(what, "one scheme for one port"));
        }
        clash(&self.sites, &there.sites, place)?;
        if let (Some(first), Some(tls)) = (there.tls.first(), tls.first())
            && first.client_ca != tls.client_ca
        {
            let what = format!("{on} has another `client_ca` elsewhere: {}", first.key_path);
            return Err(Wrong::expected(what, "one `client_ca` for one port"));
        }
        there.sites.push(place);
        there.tls.extend(tls);
        Ok(())
    }

    /// Whether a listener at `on` can be bound beside the others.
    fn is_free(&self, on: &Endpoint) -> Result<(), Wrong> {
        for there in &self.listeners {
            if let Some(both) = overlap(&there.on, on) {
                let what = format!("{} and {on} both take {both}", there.on);
                return Err(Wrong::expected(what, "one of them"));
            }
        }
        Ok(())
    }
}

/// Whether the site at `place` answers for a host that one of the sites at `there` answers for.
fn clash(sites: &[Site], there: &[usize], place: usize) -> Result<(), Wrong> {
    let new = &sites[place];
    if there.contains(&place) {
        return Err(Wrong::expected("the same endpoint twice", "it once"));
    }
    for other in there.iter().map(|other| &sites[*other]) {
        if new.front.hosts.is_empty() && other.front.hosts.is_empty() {
            let what = format!("`{}` answers for every host there already", other.key());
            return Err(Wrong::expected(what, "`hosts` in one of them, or another port"));
        }
        if let Some(host) = new.front.hosts.iter().find(|host| other.front.hosts.contains(host)) {
            let what = format!("`{}` answers for `{}` there already", other.key(), host.0);
            return Err(Wrong::expected(what, "each host once at an endpoint"));
        }
    }
    Ok(())
}

fn place_of(on: &Endpoint) -> String {
    match &on.place {
        Place::Net(at) => at.to_string(),
        Place::Path(path) => path.display().to_string(),
    }
}

/// The names that a certificate for `site` needs.
fn names(site: &Site, table: &front::Table) -> Vec<String> {
    let mut names: Vec<String> = site.front.hosts.iter().map(|host| host.0.to_string()).collect();
    for HttpEndpoint(on) in &table.listen {
        let Some(at) = on.host_port().filter(|_| on.scheme == Scheme::Https) else { continue };
        match &at.host {
            Host::Any => (),
            Host::Ip(ip) if ip.is_unspecified() => (),
            Host::Ip(ip) => names.push(ip.to_string()),
            Host::Name(name) => names.push(name.clone()),
        }
    }
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

#[cfg(test)]
mod tests;
