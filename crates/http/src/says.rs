//! Handlers for tests, and requests to ask them.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use relais_net::{Fault, Peer};

use crate::{Answer, Ask, Body, Caller, Handler, Inbound, Refused};

/// The longest piece of memory that glibc has at hand for each thread (`tcache`), without a look for
/// one that fits.
pub(crate) const AT_HAND_BYTES: usize = 1032;

/// Answers everything with its name, at once or when asked to wait.
#[derive(Debug)]
pub(crate) enum Says {
    AtOnce(&'static str),
    InTime(&'static str),
}

impl Handler for Says {
    fn at_once(&self, _ask: &Ask) -> Option<Answer> {
        match self {
            Self::AtOnce(name) => Some(says(name)),
            Self::InTime(_) => None,
        }
    }

    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        let (Self::AtOnce(name) | Self::InTime(name)) = self;
        Ok(says(name))
    }
}

/// Answers everything, and keeps what it is told of refusals. Clones keep it together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Told {
    refusals: Arc<Mutex<Vec<String>>>,
}

impl Told {
    /// What it was told since it was asked last: statuses and targets.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.refusals.lock().unwrap())
    }
}

impl Handler for Told {
    fn at_once(&self, _ask: &Ask) -> Option<Answer> {
        Some(says("told"))
    }

    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        Ok(says("told"))
    }

    fn refused(&self, refused: &Refused<'_>) {
        let target = refused.request.map_or("-".into(), |request| request.uri().to_string());
        let line = format!("{} {target}", refused.status.as_u16());
        self.refusals.lock().unwrap().push(line);
    }
}

fn says(name: &'static str) -> Answer {
    Response::new(Body::full(Bytes::from_static(name.as_bytes())))
}

/// A request for `target` from `peer`, with these headers.
pub(crate) fn ask(peer: Peer, target: &str, headers: &[(&str, &str)]) -> Ask {
    let mut request = Request::builder().uri(target);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Inbound::Full(Bytes::new())).unwrap();
    let local = Arc::new("http://127.0.0.1:80".parse().unwrap());
    Ask::new(request, Arc::new(Caller { peer, local, tls: None }))
}
