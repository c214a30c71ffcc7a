//! What a house tells of itself: where it listens, what runs in it, and for how long it waits.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use relais_net::{Endpoint, Scheme};

use super::House;
use crate::{
    cache,
    config::Source,
    hub,
    private::Private,
    quit::Quit,
    run::private,
    service::{Job, Service},
    site::Site,
    tending::Tended,
    tls::Age,
};

/// A listener, and what is behind it: sites, or a service.
#[derive(Clone, Debug)]
pub(crate) struct Listening<'h> {
    /// As bound.
    pub(crate) on: &'h Endpoint,
    pub(crate) sites: Vec<&'h Site>,
    pub(crate) service: Option<&'h Service>,
}

impl House {
    /// The caches that there are, and where we listen.
    pub(crate) fn caches(&self) -> cache::House {
        let over_http = self.listeners().filter(|listening| listening.service.is_none());
        let doors = over_http.map(|Listening { on, sites, .. }| cache::Door::of(on, &sites));
        let doors = doors.collect();
        let proxies = &self.lasting.sites.proxies;
        let (desks, lists) = (proxies.desks().clone(), proxies.lists().clone());
        cache::House { runs: self.source.runs(), desks, lists, doors }
    }

    /// The hubs that there are, and where they listen.
    pub(crate) fn hubs(&self) -> Vec<Tended> {
        let hubs = self.lasting.services.hubs();
        let tended = hubs.filter_map(|(service, made)| {
            let Job::Hub(messaging) = &service.job else { return None };
            let is_its = |listening: &Listening<'_>| {
                listening.service.is_some_and(|it| it.key() == service.key())
            };
            let on = self.listeners().filter(is_its);
            let ports = on.filter_map(|listening| Some(listening.on.host_port()?.port));
            let is_open = messaging.registration == hub::Registration::Open;
            Some(Tended {
                name: service.name.clone(),
                // For streams and for datagrams it may be the same.
                ports: ports.collect::<BTreeSet<_>>().into_iter().collect(),
                store: messaging.store.clone(),
                waits_for_its_first: !is_open && made.hub().is_new(),
                hub: made.hub().clone(),
            })
        });
        tended.collect()
    }

    /// What the configuration is read from.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// What no site is to answer with, though it may lie below its root. Asks the disk.
    pub(crate) fn private(&self) -> Private {
        private::of(&self.source, &self.plan, self.lasting.tls.private())
    }

    /// How long callers may take to finish.
    pub(crate) fn grace(&self) -> Duration {
        self.plan.limits.grace
    }

    /// How many connections there are.
    pub(crate) fn inside(&self) -> usize {
        self.bounds.gate.inside()
    }

    /// Where the local authority's certificate is, if one was needed, and since when.
    pub(crate) fn authority(&self) -> Option<(PathBuf, Age)> {
        self.lasting.tls.authority()
    }

    /// The ports where HTTP is spoken. Others may be there twice, for streams and for datagrams.
    pub(crate) fn ports(&self) -> Vec<u16> {
        let of_http = |on: &&Endpoint| matches!(on.scheme, Scheme::Http | Scheme::Https);
        let places = self.entrances.iter().map(|entrance| &entrance.local).filter(of_http);
        places.filter_map(|on| Some(on.host_port()?.port)).collect()
    }

    /// Each listener as bound, and what is behind it.
    pub(crate) fn listeners(&self) -> impl Iterator<Item = Listening<'_>> {
        let on = self.entrances.iter().map(|entrance| &entrance.local);
        on.zip(&self.plan.listeners).map(|(on, planned)| Listening {
            on,
            sites: self.plan.sites_of(planned),
            service: self.plan.service_of(planned),
        })
    }

    /// The word that ends the program.
    pub(crate) fn quit(&self) -> Quit {
        self.lasting.services.quit.clone()
    }
}
