//! From a planned service to what callers meet.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use relais_net::{Endpoint, tls::Demand};

use super::{Job, Service};
use crate::{
    complaint::Problem,
    hub,
    listen::{self, Unprinted},
    meets::Meets,
    quit::Quit,
    relay,
};

/// Everything of a service that is read from the disk, read. Nothing on the disk is changed for it.
#[derive(Debug)]
pub(crate) enum Parts {
    /// Its store is opened when it is put together.
    Hub,
    Listen(listen::Parts),
    Relay(relay::Parts),
}

/// A service that was put together. A clone is the same.
#[derive(Clone, Debug)]
pub(crate) enum Made {
    Hub(hub::Made),
    Listen(listen::Made),
    Relay(relay::Made),
}

/// What outlives a reload. What is added to a clone is not the other's.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lasting {
    /// Ends the program.
    pub(crate) quit: Quit,
    pub(crate) relays: relay::Lasting,
    /// Those that run, by their keys: one that is planned alike again stays as it is.
    running: BTreeMap<String, Running>,
}

#[derive(Clone, Debug)]
struct Running {
    service: Service,
    /// What a file says that was changed since is another.
    read: Read,
    made: Made,
}

/// What was read of the disk.
#[derive(Clone, Debug, PartialEq)]
enum Read {
    Hub,
    Listen(listen::Parts),
    Relay(Demand),
}

impl Lasting {
    /// For a process that was just started; the local authority's certificate is at `authority`.
    pub(crate) fn new(authority: Option<PathBuf>) -> Self {
        Self { relays: relay::Lasting::new(authority), ..Self::default() }
    }

    /// Forgets those that are not among `services`, and opens the logs of the others anew.
    pub(crate) fn keep(&mut self, services: &[Service]) {
        let keys: Vec<String> = services.iter().map(|service| service.key().to_string()).collect();
        self.running.retain(|key, _| keys.contains(key));
        let relays = services.iter().filter_map(|service| match &service.job {
            Job::Hub(_) | Job::Listen(_) => None,
            Job::Relay(relay) => Some(&**relay),
        });
        self.relays.keep_logs(relays);
    }

    /// Waits until all that callers said is printed, for as long as somebody takes some of it.
    ///
    /// # Errors
    ///
    /// If nobody does, and some of it was to be whole.
    pub(crate) async fn printed(&self) -> Result<(), Unprinted> {
        let mut all = Ok(());
        for Running { made, .. } in self.running.values() {
            if let Made::Listen(made) = made {
                all = all.and(made.printed().await);
            }
        }
        all
    }

    /// Ends showing, and waits until all stores are closed and all logs are written, but for all of these
    /// together not longer than `patience`, and for who prints a second. Blocks.
    pub(crate) fn close_logs(&self, patience: Duration) {
        let deadline = Instant::now() + patience;
        // All at once, and then each is waited for.
        let closing: Vec<_> = self.hubs().map(|(_, made)| made.end()).collect();
        for Running { made, .. } in self.running.values() {
            if let Made::Listen(made) = made {
                made.end();
            }
        }
        for closing in closing {
            closing.wait(deadline.saturating_duration_since(Instant::now()));
        }
        self.relays.logs.shutdown(deadline);
    }

    /// The hubs that run, by their names.
    pub(crate) fn hubs(&self) -> impl Iterator<Item = (&Service, &hub::Made)> {
        self.running.values().filter_map(|running| match &running.made {
            Made::Hub(made) => Some((&running.service, made)),
            Made::Listen(_) | Made::Relay(_) => None,
        })
    }

    /// Has what runs begin to show itself: all that is told at the start is told.
    pub(crate) fn begin(&self) {
        for Running { made, .. } in self.running.values() {
            made.begin();
        }
    }
}

impl Parts {
    /// Reads what `service` needs.
    ///
    /// # Errors
    ///
    /// Everything that is not there or cannot be read.
    pub(crate) fn read(service: &Service) -> Result<Self, Vec<Problem>> {
        match &service.job {
            Job::Hub(_) => Ok(Self::Hub),
            Job::Listen(dialogue) => {
                listen::Parts::read(dialogue, &service.key()).map(Self::Listen)
            }
            Job::Relay(relay) => relay::Parts::read(relay, &service.key()).map(Self::Relay),
        }
    }

    /// Puts the parts of `service` together, or gives what runs already.
    pub(crate) fn made(self, service: &Service, lasting: &mut Lasting) -> Result<Made, Problem> {
        let (key, relays) = (service.key(), &mut lasting.relays);
        let read = match self {
            Self::Hub => Read::Hub,
            Self::Listen(parts) => Read::Listen(parts),
            Self::Relay(parts) => Read::Relay(parts.demand(relays)),
        };
        if let Some(running) = lasting.running.get(&key.to_string())
            && (&running.service, &running.read) == (service, &read)
        {
            return Ok(running.made.clone());
        }
        let runs = lasting.running.get(&key.to_string()).map(|running| &running.made);
        let made = match (&read, &service.job) {
            (Read::Hub, Job::Hub(_)) if matches!(runs, Some(Made::Hub(_))) => {
                return Err(hub::changed(&key));
            }
            (Read::Hub, Job::Hub(messaging)) => Made::Hub(hub::Made::of(messaging, &key)?),
            (Read::Listen(parts), Job::Listen(dialogue)) => {
                let quit = lasting.quit.clone();
                Made::Listen(listen::Made::of((dialogue, parts), &key, quit)?)
            }
            (Read::Relay(demand), Job::Relay(relay)) => {
                Made::Relay(relay::Made::new((relay, &key), demand, relays)?)
            }
            (Read::Hub | Read::Listen(_) | Read::Relay(_), _) => {
                unreachable!("parts are of their service")
            }
        };
        let running = Running { service: service.clone(), read, made: made.clone() };
        lasting.running.insert(key.to_string(), running);
        Ok(made)
    }
}

impl Made {
    /// What those meet who call at `on`.
    pub(crate) fn meets(&self, on: &Endpoint) -> Meets {
        match self {
            Self::Hub(made) => made.meets(on),
            Self::Listen(made) => made.meets(on),
            Self::Relay(made) => made.meets(on),
        }
    }

    /// Begins to show itself, if it did not already.
    fn begin(&self) {
        match self {
            Self::Listen(made) => made.begin(),
            Self::Hub(_) | Self::Relay(_) => (),
        }
    }
}
