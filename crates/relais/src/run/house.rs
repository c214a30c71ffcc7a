//! The listeners that are open, what stands behind them, and how both change at a reload.

mod ending;
mod told;

use std::{net::SocketAddr, num::NonZeroUsize, sync::Arc, time::SystemTime};

use anyhow::Context as _;
use relais_net::{Cores, Datagrams, Door, Endpoint, Listener, Security, Shutdown};
use tokio::runtime::Handle;
use tracing::error;

pub(crate) use self::told::Listening;
use super::{
    behind::{Behind, Lasting, Prepared, Understood, understand},
    bind::Taken,
    bounds::Bounds,
    changed::Changed,
    entrance::{Entrance, Hearing, Slot},
    inherited::Inherited,
    memory::Keeper,
    opened::{Opened, not_heard, open_all},
};
use crate::{
    complaint::{Complaint, Problem},
    config::{Said, Source},
    control::Refusal,
    limits::Limits,
    meets::Meets,
    plan::{self, Plan},
    stop::{self, Stop},
};

/// Everything that runs.
#[derive(Debug)]
pub(crate) struct House {
    source: Source,
    plan: Plan,
    lasting: Lasting,
    cores: Cores,
    bounds: Bounds,
    /// One for each of the plan's listeners, in their order.
    entrances: Vec<Entrance>,
    /// Listeners of earlier plans that had callers at the last reload. They were told to finish.
    leaving: Vec<Shutdown>,
    memory: Keeper,
}

impl House {
    /// A house without doors, as large as `plan` says.
    pub(crate) fn new(
        source: Source,
        lasting: Lasting,
        plan: &Plan,
        descriptors: u64,
    ) -> anyhow::Result<Self> {
        let count = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        let cores = Cores::start(count).context("starting a thread for each core")?;
        let shared = Arc::clone(lasting.services.relays.descriptors());
        let bounds = Bounds::new(&plan.limits, descriptors, shared);
        let plan = Plan { listeners: Vec::new(), ..plan.clone() };
        Ok(Self {
            source,
            plan,
            lasting,
            cores,
            bounds,
            entrances: Vec::new(),
            leaving: Vec::new(),
            memory: Keeper::start().context("starting a thread for the memory of caches")?,
        })
    }

    /// Binds every listener of a plan and lets callers in, or binds none.
    ///
    /// # Errors
    ///
    /// What cannot be bound; then no store was made, nor changed. Else what cannot be made ready.
    pub(crate) fn start(
        &mut self,
        understood: Understood,
        inherited: &mut Inherited,
        taken: Taken,
    ) -> Result<(), Stop> {
        let planned: Vec<_> = understood.plan.listeners.iter().collect();
        let bound = open_all(&planned, (inherited, &self.cores), taken);
        let bound = bound.map_err(|found| Stop::Refused(understood.said.complaints(found)))?;
        let prepared = understood.prepare(&self.lasting).map_err(Stop::Wrong)?;
        let Prepared { plan, behind, sites, services, .. } = prepared;
        sites.proxies.listening(self.addresses(&bound));
        let planned = plan.listeners.iter().zip(bound).zip(behind);
        self.entrances = planned
            .map(|((planned, bound), behind)| self.entrance(planned, bound, behind))
            .collect();
        self.plan = plan;
        self.lasting.sites = sites;
        self.lasting.services = services;
        self.tell_proxies();
        Ok(())
    }

    /// Reads the configuration again and changes to it; or refuses and changes nothing.
    ///
    /// Listeners that stay keep their socket and their callers, who meet the new handlers with
    /// their next request. New ones are bound before anything is switched.
    pub(crate) fn reload(&mut self) -> Result<Changed, Refusal> {
        let understood = understand(&self.source, &self.lasting).map_err(|found| wrong(&found))?;
        let kept = self.match_up(&understood.plan);
        let opened = self.open_new(&understood, &kept)?;
        let prepared = understood.prepare(&self.lasting).map_err(|found| wrong(&found))?;
        let Prepared { said, plan, behind, sites, services } = prepared;
        let successors = self.successors(&plan, &behind, &kept);
        let successors = successors.map_err(|found| refused(&said, found))?;
        self.lasting.sites.retire(&sites, &plan.sites);
        sites.proxies.listening(self.addresses(&opened));
        let mut changed = self.switch(&plan, behind, &kept, (opened, successors));
        if changed.has_new_limits {
            self.bounds.change(&plan.limits);
        }
        self.plan = plan;
        self.lasting.sites = sites;
        self.lasting.services = services;
        changed.emptied = self.lasting.sites.proxies.take_emptied();
        self.lasting.sites.keep(&self.plan.sites);
        self.lasting.services.keep(&self.plan.services);
        self.tell_proxies();
        Ok(changed)
    }

    /// Tells proxies where we listen, has upstreams that are new asked now and then whether they are
    /// well, and the memory of caches looked after. Those that are gone are not asked any more.
    fn tell_proxies(&mut self) {
        let proxies = &mut self.lasting.sites.proxies;
        proxies.listening(self.entrances.iter().filter_map(|entrance| entrance.address));
        for check in proxies.take_checks() {
            self.cores.first().spawn(check);
        }
        for check in self.lasting.services.relays.take_checks() {
            self.cores.first().spawn(check);
        }
        self.memory.look_after(proxies.caches());
    }

    /// Where we listen, and will when `opened` are let in at: proxies know before anybody is.
    fn addresses(&self, opened: &[Opened]) -> Vec<SocketAddr> {
        let entrances = self.entrances.iter().filter_map(|entrance| entrance.address);
        entrances.chain(opened.iter().filter_map(Opened::address)).collect()
    }

    /// For each of the plan's listeners the place of the entrance that it keeps.
    fn match_up(&self, plan: &Plan) -> Vec<Option<usize>> {
        let mut free: Vec<usize> = (0..self.entrances.len()).collect();
        let matched = plan.listeners.iter().map(|planned| {
            let is_same = |at: &usize| self.entrances[*at].is(planned);
            let place = free.iter().position(is_same)?;
            Some(free.remove(place))
        });
        matched.collect()
    }

    /// Opens those listeners of a plan that are not `kept`, or none.
    fn open_new(
        &self,
        understood: &Understood,
        kept: &[Option<usize>],
    ) -> Result<Vec<Opened>, Refusal> {
        let new = understood.plan.listeners.iter().zip(kept);
        let new: Vec<_> =
            new.filter_map(|(planned, kept)| kept.is_none().then_some(planned)).collect();
        let none = &mut Inherited::default();
        let opened = open_all(&new, (none, &self.cores), Taken::RefuseForNow);
        opened.map_err(|found| refused(&understood.said, found))
    }

    /// For each of the plan's listeners a socket for who is to answer its datagrams, if somebody else
    /// does until now.
    fn successors(
        &self,
        plan: &Plan,
        behind: &[Behind],
        kept: &[Option<usize>],
    ) -> Result<Vec<Option<Datagrams>>, Vec<Problem>> {
        let all = plan.listeners.iter().zip(behind).zip(kept).map(|((planned, behind), kept)| {
            let Some(entrance) = kept.map(|place| &self.entrances[place]) else { return Ok(None) };
            entrance.successor(&behind.meets).map_err(|error| vec![not_heard(planned, &error)])
        });
        all.collect()
    }

    fn switch(
        &mut self,
        plan: &Plan,
        behind: Vec<Behind>,
        kept: &[Option<usize>],
        (opened, successors): (Vec<Opened>, Vec<Option<Datagrams>>),
    ) -> Changed {
        let now = self.plan.limits;
        let has_new_limits = Limits { grace: now.grace, ..plan.limits } != now;
        let mut changed = Changed { has_new_limits, ..Changed::default() };
        let mut old: Vec<_> = std::mem::take(&mut self.entrances).into_iter().map(Some).collect();
        let mut opened = opened.into_iter();
        let kept = kept.iter().zip(successors);
        for ((planned, behind), (kept, successor)) in plan.listeners.iter().zip(behind).zip(kept) {
            let entrance = if let Some(mut entrance) = kept.and_then(|place| old[place].take()) {
                changed.kept += 1;
                self.leaving.extend(entrance.switch(behind, successor));
                entrance
            } else {
                changed.opened += 1;
                let listener = opened.next().expect("one was opened for each that is new");
                self.entrance(planned, listener, behind)
            };
            self.entrances.push(entrance);
        }
        // Who is inside may finish, however long that takes; `grace` begins when all of us ends.
        self.leaving.retain(|shutdown| !shutdown.is_drained());
        for Entrance { shutdown, .. } in old.into_iter().flatten() {
            changed.closed += 1;
            shutdown.request();
            self.leaving.push(shutdown);
        }
        changed
    }

    /// Lets callers in. Until then they wait in the kernel's queue.
    fn entrance(&self, planned: &plan::Listener, opened: Opened, behind: Behind) -> Entrance {
        match (opened, behind.meets) {
            (Opened::Stream(listener), meets) => {
                self.door(planned, listener, Behind { meets, ..behind })
            }
            (Opened::Datagrams(ear, socket), Meets::Datagrams(service)) => {
                hearing(planned, Hearing::new(ear, service), socket)
            }
            (Opened::Datagrams(..), _) => unreachable!("what is bound for datagrams meets them"),
        }
    }

    fn door(&self, planned: &plan::Listener, listener: Listener, behind: Behind) -> Entrance {
        let (slot, service) = Slot::of(behind.meets, &self.bounds);
        debug_assert!(slot.takes(planned), "the next reload keeps what is planned alike");
        let renew_at = behind.tls.as_ref().and_then(|offered| offered.renew_at);
        let security = Security::of(behind.tls.map(|offered| offered.acceptor));
        debug_assert_eq!(security.is_in_the_clear(), !planned.on.scheme.is_secure());
        let door = Arc::new(Door {
            service,
            security: security.clone(),
            gate: self.bounds.gate.clone(),
            handshake_max: Arc::clone(&self.bounds.handshake_max),
            tally: Arc::default(),
        });
        let (shutdown, drain) = Shutdown::new();
        let (local, cores) = (listener.local().clone(), self.cores.clone());
        let (planned, address) = (planned.on.clone(), listener.address());
        let entrance =
            Entrance { planned, local: local.clone(), address, slot, security, renew_at, shutdown };
        self.cores.first().spawn(async move {
            if let Err(error) = relais_net::serve(listener, door, cores, drain).await {
                error!(%local, %error, "cannot wait for callers");
            }
        });
        entrance
    }

    /// Has the local authority renew those of its certificates that are close to their end at
    /// `now`. Whoever calls from then on is shown the new ones.
    pub(crate) fn renew(&mut self, now: SystemTime) {
        for (entrance, planned) in self.entrances.iter_mut().zip(&self.plan.listeners) {
            entrance.renew(&planned.tls, &self.lasting.tls, now);
        }
    }

    /// Where something may run that does not wait for the main thread.
    pub(super) fn elsewhere(&self) -> &Handle {
        self.cores.first()
    }

    /// Has services begin to show themselves that did not already.
    pub(crate) fn begin(&self) {
        self.lasting.services.begin();
    }
}

/// Why there is no change to what is wrong.
fn wrong(complaints: &[Complaint]) -> Refusal {
    Refusal { text: stop::list(complaints), exit: 2 }
}

/// Why there is no change to what cannot be had now.
fn refused(said: &Said, found: Vec<Problem>) -> Refusal {
    Refusal { text: stop::list(&said.complaints(found)), exit: 1 }
}

fn hearing(planned: &plan::Listener, hearing: Hearing, socket: Datagrams) -> Entrance {
    let local = Endpoint::clone(socket.local());
    let shutdown = hearing.begin(socket);
    let (planned, slot) = (planned.on.clone(), Slot::Datagrams(hearing));
    let (address, security, renew_at) = (None, Security::InTheClear, None);
    Entrance { planned, local, address, slot, security, renew_at, shutdown }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, time::Duration};

    use relais_http::OpenFiles;

    use super::*;
    use crate::{
        access_log::Logs, base::Base, clock, data::Data, proxy, service, site, tls::Keeper,
    };

    const DAY: Duration = Duration::from_hours(24);

    /// A house with one listener, whose certificate is the local authority's.
    fn house(data: &std::path::Path) -> House {
        let text = "[serve.site]\nlisten = 'https://127.0.0.1:0'\nroot = 'relais:demo'\n";
        let base = Base(data.to_owned());
        let source = Source::Embedded { name: "test.toml", text: text.to_owned(), base };
        let services = service::Lasting::default();
        let lasting = Lasting {
            tls: Keeper::new(Data::of(Some(data.to_owned())).unwrap()).unwrap(),
            sites: site::Lasting {
                logs: Logs::default(),
                known: BTreeMap::new(),
                open_files: OpenFiles::at_most(1),
                proxies: proxy::Lasting::new(None, services.relays.descriptors()).unwrap(),
            },
            services,
        };
        let understood = understand(&source, &lasting).unwrap();
        let mut house = House::new(source, lasting, &understood.plan, 1024).unwrap();
        house.start(understood, &mut Inherited::default(), Taken::Refuse).unwrap();
        house
    }

    #[test]
    fn a_certificate_is_renewed_when_it_is_close_to_its_end() {
        let data = tempfile::tempdir().unwrap();
        let mut house = house(data.path());
        let offered = |house: &House| house.entrances[0].security.offered().unwrap();
        let (first, start) = (offered(&house), clock::now());
        house.renew(start);
        house.renew(start + 370 * DAY);
        assert!(Arc::ptr_eq(&first, &offered(&house)));
        house.renew(start + 380 * DAY);
        let second = offered(&house);
        assert!(!Arc::ptr_eq(&first, &second));
        house.renew(start + 381 * DAY);
        assert!(Arc::ptr_eq(&second, &offered(&house)));
        assert!(house.entrances[0].renew_at > Some(start + 700 * DAY));
    }

    #[test]
    fn what_cannot_be_renewed_stays() {
        let data = tempfile::tempdir().unwrap();
        let mut house = house(data.path());
        let first = house.entrances[0].security.offered().unwrap();
        std::fs::remove_dir_all(data.path()).unwrap();
        house.renew(clock::now() + 380 * DAY);
        assert!(Arc::ptr_eq(&first, &house.entrances[0].security.offered().unwrap()));
    }
}
