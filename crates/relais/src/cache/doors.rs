//! Where the relais that is asked listens, and so whose cache a URL means.

use std::{collections::BTreeMap, sync::Arc};

use http::{HeaderMap, Method, Uri, uri::Authority};
use relais_http::{Desk, HostTable, block::BlockList};
use relais_net::Endpoint;

use crate::{
    complaint::Wrong,
    control::Chosen,
    site::{Job, Site},
};

/// The caches that there are, by the names of their proxies.
pub(crate) type Desks = BTreeMap<String, Arc<dyn Desk>>;

/// What must not be asked for, by the same names.
pub(crate) type Lists = BTreeMap<String, Arc<BlockList>>;

/// Who is asked: its caches, and where it listens.
#[derive(Clone, Debug)]
pub(crate) struct House {
    /// What it runs: `the demo`.
    pub(crate) runs: String,
    /// The caches that there are, by the names of their proxies.
    pub(crate) desks: Desks,
    /// The block lists before them.
    pub(crate) lists: Lists,
    /// Its listeners, as they are bound.
    pub(crate) doors: Vec<Door>,
}

/// A listener.
#[derive(Clone, Debug)]
pub(crate) struct Door {
    on: Endpoint,
    behind: Vec<Behind>,
    /// Who of `behind` answers for which hosts.
    places: HostTable<usize>,
}

/// A site behind a listener.
#[derive(Clone, Debug)]
struct Behind {
    name: String,
    /// As people read it: `proxy front`.
    title: String,
    is_proxy: bool,
    is_forward: bool,
    /// What judges a request before the cache is asked, and knows more of a client than its request.
    before: Vec<&'static str>,
}

/// The cache that a URL means.
#[derive(Clone, Debug)]
pub(super) struct Meant {
    /// The name of its proxy.
    pub(super) name: String,
    pub(super) desk: Arc<dyn Desk>,
    /// What must not be asked for there.
    pub(super) list: Option<Arc<BlockList>>,
    /// What else judges a request before it.
    pub(super) before: Vec<&'static str>,
}

impl Door {
    /// The listener `on`, and the `sites` behind it.
    pub(crate) fn of(on: &Endpoint, sites: &[&Site]) -> Self {
        let hosts = |site: &Site| site.front.hosts.iter().map(|host| host.0.clone()).collect();
        let places = HostTable::new(sites.iter().map(|site| hosts(site)).zip(0..));
        let places = places.expect("a plan, where no two sites are for the same host");
        let behind = sites.iter().map(|site| Behind::of(site)).collect();
        Self { on: on.clone(), behind, places }
    }

    fn port(&self) -> Option<u16> {
        self.on.host_port().map(|at| at.port)
    }

    /// The site that answers for `url` here, as it does when a client asks.
    fn answering(&self, url: &Uri) -> Option<&Behind> {
        let place = self.places.find(|| url.authority().map(Authority::as_str))?;
        self.behind.get(*place)
    }
}

impl Behind {
    fn of(site: &Site) -> Self {
        let is_proxy = matches!(site.job, Job::Proxy(_));
        let before = [
            (site.front.auth.is_some(), "a password (`auth`)"),
            (site.is_forward(), "the rule who may ask (`clients`)"),
        ];
        Self {
            name: site.name.clone(),
            title: site.title(),
            is_proxy,
            is_forward: site.is_forward(),
            before: before
                .into_iter()
                .filter_map(|(is_there, it)| is_there.then_some(it))
                .collect(),
        }
    }
}

impl House {
    /// Only with the cache of the proxy that is called `name`, if one is named.
    pub(super) fn with_proxy(self, name: Option<&str>) -> Result<Self, Wrong> {
        if self.desks.is_empty() {
            let hint =
                "`cache = true` in a `[proxy.NAME]`, or `relais proxy … --cache`, gives it one";
            let what = format!(
                "no proxy has a cache of the relais that runs {}: it {}",
                self.runs,
                self.listens()
            );
            return Err(Wrong { what, expected: None, hint: None }.hint(hint));
        }
        let Some(name) = name else { return Ok(self) };
        let names = names(&self.desks);
        let desks: Desks = self.desks.into_iter().filter(|(each, _)| each == name).collect();
        if desks.is_empty() {
            let what = format!("no proxy with a cache is called {name:?}");
            return Err(Wrong::expected(what, names));
        }
        Ok(Self { desks, ..self })
    }

    /// The cache of the proxy that answers requests for `url`: who listens at its port says so, unless
    /// a proxy was named.
    pub(super) fn meant_by(&self, url: &Uri, proxy: Option<&str>) -> Result<Meant, Wrong> {
        if let Some(name) = proxy {
            let behind = self.doors.iter().flat_map(|door| &door.behind);
            return self
                .meant(behind.into_iter().find(|site| site.is_proxy && site.name == name), name);
        }
        let port = port_of(url);
        let at_port = self.doors.iter().filter(|door| door.port().is_some() && door.port() == port);
        let there: Vec<_> = at_port.filter_map(|door| door.answering(url)).collect();
        let is_cached = |site: &&&Behind| site.is_proxy && self.desks.contains_key(&site.name);
        if let Some(site) = there.iter().find(is_cached) {
            return self.meant(Some(site), &site.name);
        }
        // Whom all URLs may come to: clients name them, or there is no port.
        let anywhere = self.doors.iter().filter(|door| door.port().is_none());
        let anywhere = anywhere.filter_map(|door| door.answering(url));
        let forward =
            self.doors.iter().flat_map(|door| &door.behind).filter(|site| site.is_forward);
        let mut names: Vec<_> = anywhere.chain(forward).filter(|site| is_cached(&site)).collect();
        names.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        names.dedup_by(|one, other| one.name == other.name);
        match (&names[..], there.first()) {
            ([only], _) => self.meant(Some(only), &only.name),
            ([], Some(site)) => Err(without_cache(url, site)),
            ([], None) => Err(self.nobody_at(url)),
            _ => {
                let what = format!("several proxies may be asked for {:?}", url.to_string());
                let names: Vec<_> = names.iter().map(|site| format!("{:?}", site.name)).collect();
                let wrong = Wrong::expected(what, names.join(" or "));
                Err(wrong.hint("`--proxy NAME` says which is meant"))
            }
        }
    }

    /// The cache that has something stored for the request that was `read`, whoever passes on to it
    /// what comes to the URL's port.
    pub(super) async fn that_has(&self, (url, headers): &(Uri, HeaderMap)) -> Option<Meant> {
        for (name, desk) in &self.desks {
            let ask = desk.request(Method::GET, url, headers)?;
            if desk.explain(ask).await.is_some_and(|told| told.is_about_stored()) {
                return self.meant_by(url, Some(name)).ok();
            }
        }
        None
    }

    fn meant(&self, site: Option<&Behind>, name: &str) -> Result<Meant, Wrong> {
        let desk = self.desks.get(name).ok_or_else(|| {
            Wrong::expected(format!("no proxy with a cache is called {name:?}"), names(&self.desks))
        })?;
        let before = site.map(|site| site.before.clone()).unwrap_or_default();
        let list = self.lists.get(name).cloned();
        Ok(Meant { name: name.to_owned(), desk: Arc::clone(desk), list, before })
    }

    fn nobody_at(&self, url: &Uri) -> Wrong {
        let port = port_of(url).map_or(String::new(), |port| format!(" at port {port}"));
        let what = format!(
            "the relais that runs {} does not listen{port}: it {}",
            self.runs,
            self.listens()
        );
        let hint = "`--at PORT` asks who listens there; `--proxy NAME` is for URLs whose port another \
                    program passes on to it";
        Wrong { what, expected: None, hint: None }.hint(hint)
    }

    /// What is to be told if nothing is stored that is `chosen` by URL: perhaps somebody else was
    /// meant. Empty for nothing.
    pub(super) fn doubts(&self, chosen: &Chosen, proxy: Option<&str>) -> String {
        let (Chosen::Url(text) | Chosen::Prefix(text) | Chosen::Glob(text)) = chosen else {
            return String::new();
        };
        let url = text.split('*').next().unwrap_or_default().parse::<Uri>().ok();
        // What ends within its port says no port yet.
        let url = url.filter(|url| url.scheme().is_some() && url.path() != "");
        let wrong = url.filter(|_| proxy.is_none()).and_then(|url| self.meant_by(&url, None).err());
        let Some(wrong) = wrong else { return String::new() };
        match wrong.hint {
            Some(hint) => format!("{}\nhint: {hint}", wrong.what),
            None => wrong.what,
        }
    }

    /// Where it listens, as half a sentence.
    pub(crate) fn listens(&self) -> String {
        let on: Vec<_> = self.doors.iter().map(|door| door.on.to_string()).collect();
        format!("listens at {}", on.join(", "))
    }
}

fn without_cache(url: &Uri, site: &Behind) -> Wrong {
    let what = format!("{:?} is answered by `{}`, which has no cache", url.to_string(), site.title);
    let hint = "`cache = true` in its table, or `relais proxy … --cache`, gives it one";
    Wrong { what, expected: None, hint: None }.hint(hint)
}

fn names(desks: &Desks) -> String {
    desks.keys().map(|name| format!("{name:?}")).collect::<Vec<_>>().join(" or ")
}

/// The port that a URL names, or its scheme's.
pub(super) fn port_of(url: &Uri) -> Option<u16> {
    url.port_u16().or_else(|| match url.scheme_str()? {
        "http" => Some(80),
        "https" => Some(443),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::{config::Said, plan::Plan};

    #[test]
    fn a_url_means_the_site_that_answers_it_in_whichever_order_they_stand() {
        let text = r#"
            [proxy.any]
            listen = "8080"
            upstream = "http://127.0.0.1:1"

            [proxy.below]
            listen = "8080"
            hosts = ["*.example.org"]
            upstream = "http://127.0.0.1:1"

            [proxy.exact]
            listen = "8080"
            hosts = ["www.example.org"]
            upstream = "http://127.0.0.1:1"
        "#;
        let said = Said::parse(PathBuf::from("relais.toml"), text.to_owned()).unwrap();
        let plan = Plan::new(&said.config).unwrap();
        let sites: Vec<_> = plan.sites.iter().collect();
        let door = Door::of(&"http://127.0.0.1:8080".parse().unwrap(), &sites);
        let check = |host: &str, expect: &str| {
            let url = format!("http://{host}/").parse().unwrap();
            assert_eq!(door.answering(&url).unwrap().name, expect, "{host}");
        };
        check("www.example.org:8080", "exact");
        check("WWW.example.org.:8080", "exact");
        check("a.example.org", "below");
        check("example.org", "any");
        check("[::1]:8080", "any");
    }
}
