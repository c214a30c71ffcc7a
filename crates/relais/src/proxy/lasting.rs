//! What proxies have that outlives a reload.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    net::SocketAddr,
    path::PathBuf,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use relais_cache::{Cache, disk::Disk};
use relais_http::{
    Desk,
    block::BlockList,
    forward::{Forward, OwnListeners},
    line_log::LineLog,
    sniff::SniffLog,
    upstream::{self, Check, Group, Upstream},
};
use relais_net::{Dialer, Gate, Room, tls::Roots};
use rustix::rand::{GetRandomFlags, getrandom};
use tracing::warn;

use super::{
    Proxy,
    alike::{answers_alike, whose},
    disk::DiskFolder,
    logs::Logs,
    made_of::{Dialing, ForwardingOf, GroupOf, UpstreamOf},
    reused::Reused,
};
use crate::{
    complaint::{KeyPath, Problem},
    leaving::Leaving,
    upstream_tls::usual_roots,
};

/// What outlives a reload. A clone has the same, and what is added to one the other has not: so a
/// plan that comes to nothing leaves nothing behind.
#[derive(Clone, Debug)]
pub(crate) struct Lasting {
    /// What proxies are called that have no name of their own.
    pub(super) name: String,
    /// Where the local authority's certificate is, once there is one.
    authority: Option<PathBuf>,
    /// Upstreams that are to be asked whether they are well, as long as they are there.
    checks: Vec<(Weak<Group>, Check)>,
    /// Where we listen ourselves: not to be asked by clients' naming it.
    pub(super) own: OwnListeners,
    /// The caches of proxies by their names, and what was stored there is of.
    caches: HashMap<String, (Proxy, Cache)>,
    /// What they have on disk, by its folder.
    disks: HashMap<PathBuf, Arc<Disk>>,
    /// The same, with what stands behind them, for who looks after them.
    pub(super) desks: BTreeMap<String, Arc<dyn Desk>>,
    /// Places for calls of upstreams, and of whom clients name.
    pub(super) calls: Gate,
    /// What must not be asked for, by the same names.
    pub(super) lists: BTreeMap<String, Arc<BlockList>>,
    /// Whose caches were begun anew.
    emptied: Vec<String>,
    pub(super) dialers: Reused<Dialing, Dialer>,
    pub(super) upstreams: Reused<UpstreamOf, Upstream>,
    pub(super) groups: Reused<GroupOf, Group>,
    pub(super) forwardings: Reused<ForwardingOf, Forward>,
    pub(super) sniffed: Logs<SniffLog>,
    pub(super) blocked: Logs<LineLog>,
}

impl Lasting {
    /// For a process that was just started, where all who call share these `descriptors`.
    ///
    /// # Errors
    ///
    /// If the system has no random numbers.
    pub(crate) fn new(
        authority: Option<PathBuf>,
        descriptors: &Arc<Room>,
    ) -> rustix::io::Result<Self> {
        let mut drawn = [0; 4];
        getrandom(&mut drawn, GetRandomFlags::empty())?;
        let name = format!("relais-{:08x}", u32::from_ne_bytes(drawn));
        Ok(Self {
            name,
            authority,
            checks: Vec::new(),
            own: OwnListeners::default(),
            caches: HashMap::new(),
            disks: HashMap::new(),
            desks: BTreeMap::new(),
            calls: Gate::for_calls(Arc::clone(descriptors)),
            lists: BTreeMap::new(),
            emptied: Vec::new(),
            dialers: Reused::new(),
            upstreams: Reused::new(),
            groups: Reused::new(),
            forwardings: Reused::new(),
            sniffed: Logs::new(),
            blocked: Logs::new(),
        })
    }

    /// Says where we listen from here on.
    pub(crate) fn listening(&self, bound: impl IntoIterator<Item = SocketAddr>) {
        self.own.set(bound);
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

    /// Has those caches retire that `next` has not: what is still fetched for them is not to go to a folder
    /// past who is asked from then on, by these, who are planned.
    pub(crate) fn retire<'p>(
        &self,
        next: &Self,
        planned: impl Iterator<Item = (&'p str, &'p Proxy)>,
    ) {
        let cached: HashSet<_> =
            planned.filter(|(_, proxy)| proxy.cache.is_some()).map(|(name, _)| name).collect();
        for (name, (_, cache)) in &self.caches {
            let next = next.caches.get(name).filter(|_| cached.contains(name.as_str()));
            cache.retire(next.map(|(_, successor)| successor));
        }
    }

    /// Opens the logs of these, which have names, anew, and forgets those of others, and their
    /// caches.
    pub(crate) fn keep<'p>(&mut self, proxies: impl Iterator<Item = (&'p str, &'p Proxy)> + Clone) {
        let planned = proxies.clone().map(|(_, proxy)| proxy);
        let folders = planned.clone().filter_map(|proxy| proxy.cache.as_ref()?.disk.as_ref());
        self.sniffed.keep(planned.clone().filter_map(|proxy| proxy.sniff.as_ref()));
        self.blocked.keep(planned.filter_map(|proxy| proxy.block.as_ref()?.log.as_ref()));
        let cached: HashSet<_> =
            proxies.filter(|(_, proxy)| proxy.cache.is_some()).map(|(name, _)| name).collect();
        self.caches.retain(|name, _| cached.contains(name.as_str()));
        let folders: HashMap<_, _> = folders.map(|folder| (&*folder.path, folder.max.0)).collect();
        self.disks.retain(|path, _| folders.contains_key(&**path));
        for (path, disk) in &self.disks {
            disk.resize(folders[&**path]);
        }
        self.desks.retain(|name, _| cached.contains(name.as_str()));
        self.lists.retain(|name, _| cached.contains(name.as_str()));
    }

    /// The caches that there are, by the names of their proxies.
    pub(crate) fn desks(&self) -> &BTreeMap<String, Arc<dyn Desk>> {
        &self.desks
    }

    /// The block lists that stand before them, by the same names.
    pub(crate) fn lists(&self) -> &BTreeMap<String, Arc<BlockList>> {
        &self.lists
    }

    /// The proxies whose caches were begun anew since the last call, as what they had stored might be
    /// answered otherwise now.
    pub(crate) fn take_emptied(&mut self) -> Vec<String> {
        std::mem::take(&mut self.emptied)
    }

    /// The caches themselves.
    pub(crate) fn caches(&self) -> Vec<Cache> {
        self.caches.values().map(|(_, cache)| cache.clone()).collect()
    }

    /// The cache of the proxy that is called `name`, if it is to have one: that from before, if what
    /// is stored there would be answered the same now.
    pub(super) fn cache(
        &mut self,
        name: &str,
        proxy: &Proxy,
        key: &KeyPath,
    ) -> Result<Option<Cache>, Problem> {
        let Some(planned) = &proxy.cache else { return Ok(None) };
        let kept = self.caches.get(name).filter(|(before, _)| answers_alike(before, proxy));
        if kept.is_none() && self.caches.contains_key(name) {
            self.emptied.push(name.to_owned());
        }
        let cache = match (kept, &planned.disk) {
            (Some((_, cache)), _) => cache.clone(),
            (None, None) => Cache::new(planned.settings()),
            (None, Some(folder)) => {
                let disk = self.disk(folder, key)?;
                Cache::with_disk(planned.settings(), disk, &whose(proxy))
            }
        };
        self.caches.insert(name.to_owned(), (proxy.clone(), cache.clone()));
        Ok(Some(cache))
    }

    /// What is in `folder`, which is open already if a cache has it.
    fn disk(&mut self, folder: &DiskFolder, key: &KeyPath) -> Result<Arc<Disk>, Problem> {
        if let Some(open) = self.open_disk(folder) {
            return Ok(Arc::clone(open));
        }
        let opened = folder.open(key)?;
        self.disks.insert(folder.path.clone(), Arc::clone(&opened));
        Ok(opened)
    }

    fn open_disk(&self, folder: &DiskFolder) -> Option<&Arc<Disk>> {
        self.disks.get(&folder.path)
    }

    /// Waits until all logs are written, and until what the caches have is on disk, but not longer from
    /// `start` on than `leaving` says. Blocks.
    pub(crate) fn shutdown(&self, start: Instant, leaving: Leaving) {
        let [logs_end, end] = [leaving.logs, leaving.disks].map(|most| start + most);
        self.sniffed.shutdown(logs_end);
        self.blocked.shutdown(logs_end);
        // All at once, and then each is waited for.
        self.disks.values().for_each(|disk| _ = disk.close(Duration::ZERO));
        for (path, disk) in &self.disks {
            if disk.close(end.saturating_duration_since(Instant::now())).is_err() {
                let (folder, secs) = (path.display(), leaving.disks.as_secs());
                warn!(%folder, "what the cache's disk did not take within {secs} s is not waited for");
            }
        }
    }

    /// Whom this machine believes: its authorities, and the local one.
    pub(super) fn usual_roots(&self) -> Roots {
        usual_roots(self.authority.as_deref())
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, Method, StatusCode, header::CACHE_CONTROL};
    use relais_cache::{Answered, Key, Lookup, Outcome, Request, Taken, Times};

    use super::*;
    use crate::{base::Base, clock, service};

    #[test]
    fn caches_that_are_not_taken_over_retire() {
        let services = service::Lasting::default();
        let mut before = Lasting::new(None, services.relays.descriptors()).unwrap();
        let key = KeyPath::of(["proxy", "a"]);
        let (small, large) = (proxy("8MiB"), proxy("9MiB"));
        let names = ["same", "other", "gone"];
        let caches = names.map(|name| before.cache(name, &small, &key).unwrap().unwrap());
        let mut next = before.clone();
        next.cache("same", &small, &key).unwrap();
        let other = next.cache("other", &large, &key).unwrap().unwrap();
        assert_eq!(caches.each_ref().map(stores), [true; 3], "it may come to nothing");
        before.retire(&next, [("same", &small), ("other", &large)].into_iter());
        assert_eq!(caches.each_ref().map(stores), [true, false, false]);
        assert!(stores(&other));
    }

    fn proxy(memory: &str) -> Proxy {
        let text = format!(
            "listen = \"9000\"\nupstream = \"9001\"\ncache = {{ memory = \"{memory}\" }}\n"
        );
        let (base, key) = (Base("/".into()), KeyPath::of(["proxy", "a"]));
        Proxy::plan(&toml::from_str(&text).unwrap(), &base, &key).unwrap()
    }

    fn stores(cache: &Cache) -> bool {
        let (none, now) = (HeaderMap::new(), clock::now());
        let asked = Request::of(&Method::GET, &none);
        cache.clear();
        let looked = cache.look(&Key::of("http", "a", "/").unwrap(), &asked, now);
        let Lookup::Ask(fetch) = looked else { panic!("{looked:?}") };
        let headers =
            [(CACHE_CONTROL, HeaderValue::from_static("max-age=60"))].into_iter().collect();
        let times = Times { requested: now, received: now };
        let answered = Answered { status: StatusCode::OK, headers: &headers, times };
        let Taken::Fill(writer) = cache.take(fetch, &asked, answered) else { panic!("not stored") };
        writer.finish() == Outcome::Stored
    }
}
