//! A handler for tests, and requests to ask it.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use relais_net::{Fault, Local, Peer};

use crate::{Answer, Ask, Body, Caller, Handler, Inbound};

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
    let local = Arc::new(Local { endpoint: "http://127.0.0.1:80".parse().unwrap() });
    Ask { request, caller: Arc::new(Caller { peer, local, tls: None }) }
}
