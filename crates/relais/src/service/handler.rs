//! From a planned service to what callers meet.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    time::{Duration, Instant},
};

use relais_net::Endpoint;

use super::{Job, Service};
use crate::{complaint::Problem, listen, meets::Meets, quit::Quit, relay};

/// Everything of a service that is read from the disk, read. Nothing on the disk is changed for it.
#[derive(Debug)]
pub(crate) enum Parts {
    /// A dialogue has none.
    Listen,
    Relay(relay::Parts),
}

/// A service that was put together. A clone is the same.
#[derive(Clone, Debug)]
pub(crate) enum Made {
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
    running: BTreeMap<String, (Service, Made)>,
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
        self.logs().for_each(relay::FlowLog::reopen);
    }

    /// Waits until all is shown, and until all logs are written, but for all of these together not
    /// longer than `patience`. Blocks.
    pub(crate) fn close_logs(&self, patience: Duration) {
        for (_, made) in self.running.values() {
            if let Made::Listen(made) = made {
                made.end();
            }
        }
        let deadline = Instant::now() + patience;
        self.logs().for_each(|log| log.shutdown(deadline));
    }

    fn logs(&self) -> impl Iterator<Item = &relay::FlowLog> {
        self.running.values().filter_map(|(_, made)| match made {
            Made::Listen(_) => None,
            Made::Relay(made) => made.log(),
        })
    }
}

impl Lasting {
    /// Has what runs begin to show itself: all that is told at the start is told.
    pub(crate) fn begin(&self) {
        for (_, made) in self.running.values() {
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
            Job::Listen(_) => Ok(Self::Listen),
            Job::Relay(relay) => relay::Parts::read(relay, &service.key()).map(Self::Relay),
        }
    }

    /// Puts the parts of `service` together, or gives what runs already.
    pub(crate) fn made(self, service: &Service, lasting: &mut Lasting) -> Result<Made, Problem> {
        let key = service.key();
        if let Some((running, made)) = lasting.running.get(&key.to_string())
            && running == service
        {
            return Ok(made.clone());
        }
        let made = match (self, &service.job) {
            (Self::Listen, Job::Listen(dialogue)) => {
                Made::Listen(listen::Made::of(dialogue, &key, lasting.quit.clone())?)
            }
            (Self::Relay(parts), Job::Relay(relay)) => {
                Made::Relay(parts.made((relay, &key), &mut lasting.relays)?)
            }
            (Self::Listen | Self::Relay(_), _) => unreachable!("parts are of their service"),
        };
        lasting.running.insert(key.to_string(), (service.clone(), made.clone()));
        Ok(made)
    }
}

impl Made {
    /// What those meet who call at `on`.
    pub(crate) fn meets(&self, on: &Endpoint) -> Meets {
        match self {
            Self::Listen(made) => made.meets(on),
            Self::Relay(made) => made.meets(on),
        }
    }

    /// Begins to show itself, if it did not already.
    fn begin(&self) {
        match self {
            Self::Listen(made) => made.begin(),
            Self::Relay(_) => (),
        }
    }
}
