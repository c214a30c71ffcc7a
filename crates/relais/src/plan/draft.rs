//! A plan under construction: who answers where, and what keeps it from that.

use std::collections::{BTreeSet, HashMap};

use relais_net::{Endpoint, Host, Place, Scheme, tls::Protocols};

use super::{
    listener::{Behind, Listener},
    overlap::overlap,
};
use crate::{
    base::Base,
    complaint::{KeyPath, Problem, Wrong},
    front,
    service::{Service, Where},
    site::Site,
    spelling::{BareEndpoint, HttpEndpoint},
    tls::Tls,
};

/// A plan under construction.
#[derive(Default)]
pub(super) struct Draft {
    pub(super) sites: Vec<Site>,
    pub(super) services: Vec<Service>,
    pub(super) listeners: Vec<Listener>,
    /// The site that answers for a host at a listener, both by their places. `None` is every host that no other
    /// answers for. There may be very many of them.
    pub(super) answering: HashMap<(usize, Option<String>), usize>,
}

impl Draft {
    /// Adds a site, and what is wrong with where it is to be found to `problems`.
    pub(super) fn add(
        &mut self,
        site: Site,
        table: &front::Table,
        base: &Base,
        problems: &mut Vec<Problem>,
    ) {
        let key = site.key();
        if table.listen.is_empty() {
            problems.push(nowhere(&key, "listen"));
        }
        let is_secure = table.listen.iter().any(|HttpEndpoint(on)| on.scheme.is_secure());
        let tls = if is_secure {
            let hosts = site.front.hosts.iter().map(|host| host.0.to_string()).collect();
            let names = names(hosts, table.listen.iter().map(|HttpEndpoint(on)| on));
            Tls::plan(table.tls.clone(), &names, base, &key).map(Some)
        } else {
            Tls::unused(&table.tls, &key, "`https://`").map(|()| None)
        };
        let tls = tls.map_err(|problem| problems.push(problem)).ok().flatten();
        let place = self.sites.len();
        self.sites.push(site);
        for (index, HttpEndpoint(on)) in table.listen.iter().enumerate() {
            let at = one_of(&key.key("listen"), index, table.listen.len());
            if let Err(wrong) = self.listen(on, &at, place, tls.as_ref()) {
                problems.push(at.wrong(wrong));
            }
        }
    }

    /// The same for a service.
    pub(super) fn add_service(
        &mut self,
        service: Service,
        at: &Where<'_>,
        base: &Base,
        problems: &mut Vec<Problem>,
    ) {
        let Where { key: name, on, tls } = at;
        let key = service.key();
        if on.is_empty() {
            problems.push(nowhere(&key, name));
        }
        let is_secure = on.iter().any(|BareEndpoint(on)| on.scheme.is_secure());
        let tls = if is_secure {
            let names = names(Vec::new(), on.iter().map(|BareEndpoint(on)| on));
            Tls::plan((*tls).clone(), &names, base, &key).map(Some)
        } else {
            Tls::unused(tls, &key, service.secure_schemes()).map(|()| None)
        };
        let tls = tls.map_err(|problem| problems.push(problem)).ok().flatten();
        for (index, BareEndpoint(endpoint)) in on.iter().enumerate() {
            let at = one_of(&key.key(name), index, on.len());
            let free = service.judge(endpoint).and_then(|()| self.is_free(endpoint));
            if let Err(wrong) = free {
                problems.push(at.wrong(wrong));
                continue;
            }
            let tls = tls.clone().filter(|_| endpoint.scheme.is_secure());
            self.listeners.push(Listener {
                on: endpoint.clone(),
                key: at,
                tls: tls
                    .map(|tls| Tls {
                        protocols: under(endpoint.scheme),
                        asks: service.asks(endpoint),
                        ..tls
                    })
                    .into_iter()
                    .collect(),
                behind: Behind::Service(self.services.len()),
            });
        }
        self.services.push(service);
    }

    /// Has the site at `place` answer at `on`, too.
    fn listen(
        &mut self,
        on: &Endpoint,
        key: &KeyPath,
        place: usize,
        tls: Option<&Tls>,
    ) -> Result<(), Wrong> {
        let is_secure = is_secure(on)?;
        let tls: Vec<Tls> = tls.filter(|_| is_secure).cloned().into_iter().collect();
        // Port 0 is a port of its own each time.
        let is_fixed = on.host_port().is_none_or(|at| at.port != 0);
        let is_there = |there: &Listener| {
            is_fixed && there.on.place == on.place && there.on.scheme != Scheme::Udp
        };
        let at = if let Some(at) = self.listeners.iter().position(is_there) {
            self.join(at, (on, place), tls)?;
            at
        } else {
            self.is_free(on)?;
            let (on, key, behind) = (on.clone(), key.clone(), Behind::Sites(vec![place]));
            self.listeners.push(Listener { on, key, tls, behind });
            self.listeners.len() - 1
        };
        self.answers(at, place);
        Ok(())
    }

    /// Has the site at `place` answer at the listener at `at`, whose place is that of `on`, too.
    fn join(
        &mut self,
        at: usize,
        (on, place): (&Endpoint, usize),
        tls: Vec<Tls>,
    ) -> Result<(), Wrong> {
        // A site that is there already is another matter: that comes first.
        let clash = self.clash(at, place);
        let Listener { on: theirs, key, tls: papers, behind } = &mut self.listeners[at];
        let (true, Behind::Sites(sites)) = (theirs.scheme == on.scheme, behind) else {
            let what = format!("{} is {} elsewhere: {key}", place_of(on), theirs.scheme);
            return Err(Wrong::expected(what, "one scheme for one port"));
        };
        if sites.contains(&place) {
            return Err(Wrong::expected("the same endpoint twice", "it once"));
        }
        clash?;
        if let (Some(first), Some(tls)) = (papers.first(), tls.first())
            && first.client_ca != tls.client_ca
        {
            let what = format!("{on} has another `client_ca` elsewhere: {}", first.key_path);
            return Err(Wrong::expected(what, "one `client_ca` for one port"));
        }
        papers.extend(tls);
        sites.push(place);
        Ok(())
    }

    /// Notes that the site at `place` answers at the listener at `at`.
    fn answers(&mut self, at: usize, place: usize) {
        for host in hosts(&self.sites[place]) {
            self.answering.insert((at, host), place);
        }
    }

    /// Whether the site at `place` answers for a host that another at the listener at `at` answers for.
    fn clash(&self, at: usize, place: usize) -> Result<(), Wrong> {
        for host in hosts(&self.sites[place]) {
            let asked = (at, host);
            let Some(other) = self.answering.get(&asked) else { continue };
            let other = self.sites[*other].key();
            let Some(host) = asked.1 else {
                let what = format!("`{other}` answers for every host there already");
                return Err(Wrong::expected(what, "`hosts` in one of them, or another port"));
            };
            let what = format!("`{other}` answers for `{host}` there already");
            return Err(Wrong::expected(what, "each host once at an endpoint"));
        }
        Ok(())
    }

    /// Whether a listener at `on` can be bound beside the others.
    fn is_free(&self, on: &Endpoint) -> Result<(), Wrong> {
        for there in &self.listeners {
            let Some(both) = overlap(&there.on, on) else { continue };
            if there.on == *on {
                return Err(Wrong::expected("the same endpoint twice", "it once"));
            }
            let what = format!("{} and {on} both take {both}", there.on);
            return Err(Wrong::expected(what, "one of them"));
        }
        Ok(())
    }
}

/// Whether HTTP is served under TLS at `on`, if it is served there at all.
fn is_secure(on: &Endpoint) -> Result<bool, Wrong> {
    match on.scheme {
        Scheme::Http | Scheme::Unix => Ok(false),
        Scheme::Https => Ok(true),
        Scheme::Tcp | Scheme::Tls | Scheme::Udp | Scheme::Ws | Scheme::Wss => {
            let what = format!("HTTP is not served over {}: {:?}", on.scheme, on.to_string());
            Err(Wrong::expected(what, "http, https or unix"))
        }
    }
}

/// The hosts that `site` answers for; `None` for all that no other does.
fn hosts(site: &Site) -> Vec<Option<String>> {
    match site.front.hosts.as_slice() {
        [] => vec![None],
        hosts => hosts.iter().map(|host| Some(host.0.to_string())).collect(),
    }
}

fn place_of(on: &Endpoint) -> String {
    match &on.place {
        Place::Net(at) => at.to_string(),
        Place::Path(path) => path.display().to_string(),
    }
}

/// The names that a certificate needs for these hosts, and for who listens there.
fn names<'e>(hosts: Vec<String>, on: impl Iterator<Item = &'e Endpoint>) -> Vec<String> {
    let mut names = hosts;
    for on in on.filter(|on| on.scheme.is_secure()) {
        match on.host_port().map(|at| &at.host) {
            None | Some(Host::Any) => (),
            Some(Host::Ip(ip)) if ip.is_unspecified() => (),
            Some(Host::Ip(ip)) => names.push(ip.to_string()),
            Some(Host::Name(name)) => names.push(name.clone()),
        }
    }
    names.extend(["localhost", "127.0.0.1", "::1"].map(str::to_owned));
    let mut seen = BTreeSet::new();
    names.retain(|name| seen.insert(name.clone()));
    names
}

/// What is spoken under TLS at a service's endpoint.
fn under(scheme: Scheme) -> Protocols {
    match scheme {
        Scheme::Https => Protocols::Http,
        Scheme::Wss => Protocols::Http1,
        _ => Protocols::Plain,
    }
}

fn nowhere(table: &KeyPath, key: &str) -> Problem {
    let what = format!("`{key}` is empty");
    table.key(key).wrong(Wrong::expected(what, "one endpoint or more"))
}

/// The key of the value at `index` of `count`: an only one may stand without a list.
fn one_of(key: &KeyPath, index: usize, count: usize) -> KeyPath {
    if count == 1 { key.clone() } else { key.index(index) }
}
