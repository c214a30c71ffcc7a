//! Passing requests on to other servers, and their answers back.
//!
//! [`Proxy`] is a [`Handler`]. What it sends is rebuilt from what was parsed: fields for one hop are
//! taken off (`hops`), those that say which way a message came are set (`way`). What it cannot get
//! an answer for it answers by itself.

mod edits;
mod hops;
mod routes;
mod way;

#[cfg(test)]
mod tests;

use std::{
    hash::{Hash as _, Hasher as _},
    sync::Arc,
};

use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CONNECTION, HOST, TE, UPGRADE},
    request,
};
use relais_net::{DialError, Fault, Network, Side};

pub use self::{
    edits::{Edits, NotEditable},
    routes::{Prefix, Route},
};
use self::{
    routes::{Lost, route, target},
    way::Way,
};
use crate::{
    Answer, Ask, Caller, Handler, Provenance,
    handler::plain_text,
    upstream::{Call, CallError, Reply},
};

/// What a [`Proxy`] does.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where requests go: the first route that fits.
    pub routes: Vec<Route>,
    /// What we are called in `Via`: one word that no other proxy on the way has.
    pub name: String,
    /// Whose word on the way before counts, as it is told by `Forwarded` and `X-Forwarded-*`.
    pub trusted: Vec<Network>,
}

/// Passes requests on.
#[derive(Debug)]
pub struct Proxy {
    routes: Vec<Route>,
    way: Way,
}

/// Why a request is not passed on.
#[derive(Clone, Copy, Debug)]
struct Refused {
    status: StatusCode,
    why: &'static str,
}

impl Refused {
    const HOST: Self = Self { status: StatusCode::BAD_REQUEST, why: "bad host" };
}

impl From<Lost> for Refused {
    fn from(lost: Lost) -> Self {
        match lost {
            Lost::Nowhere => {
                Self { status: StatusCode::NOT_FOUND, why: "nothing is behind this path" }
            }
            Lost::Ambiguous => {
                let why = "the path can be read in two ways";
                Self { status: StatusCode::BAD_REQUEST, why }
            }
        }
    }
}

impl Proxy {
    /// Passes requests on as `options` say.
    pub fn new(options: Options) -> Self {
        let Options { routes, name, trusted } = options;
        Self { routes, way: Way::new(&name, trusted) }
    }

    /// Makes of a request the one that is sent.
    ///
    /// # Errors
    ///
    /// Why it is not passed on.
    fn outbound(&self, head: &mut request::Parts, caller: &Caller) -> Result<&Route, Refused> {
        if matches!(head.method, Method::TRACE | Method::CONNECT) {
            let why = "this method is not passed on";
            return Err(Refused { status: StatusCode::METHOD_NOT_ALLOWED, why });
        }
        if self.way.is_loop(&head.headers) {
            let why = "this request was here before";
            return Err(Refused { status: StatusCode::LOOP_DETECTED, why });
        }
        // The target's host goes before the field's (RFC 9112 §3.2.2); over HTTP/2 it alone is there.
        if let Some(host) = head.uri.authority().map(|host| HeaderValue::from_str(host.as_str())) {
            head.headers.insert(HOST, host.map_err(|_| Refused::HOST)?);
        }
        let route = route(&self.routes, &head.uri)?;
        if let Some(target) = target(route, &head.uri)? {
            head.uri = target.into();
        }
        let upgrade = hops::upgrade(&head.headers).filter(|_| head.version < http::Version::HTTP_2);
        let takes_trailers = hops::takes_trailers(&head.headers);
        hops::strip(&mut head.headers);
        self.way.note_request(head, caller);
        if let Some(protocol) = upgrade {
            set_upgrade(&mut head.headers, protocol);
        }
        if takes_trailers {
            head.headers.insert(TE, HeaderValue::from_static("trailers"));
        }
        route.request.apply(&mut head.headers);
        Ok(route)
    }

    fn inbound(&self, route: &Route, reply: Reply) -> Answer {
        let Reply { mut response, upstream, timings } = reply;
        response.body_mut().came_from(Provenance {
            upstream: Some(Arc::clone(upstream.name())),
            connect: timings.connect,
            ..Provenance::default()
        });
        let headers = response.headers();
        let is_switch = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let upgrade = if is_switch { hops::upgrade(headers) } else { None };
        hops::strip(response.headers_mut());
        self.way.note_answer(&mut response);
        if let Some(protocol) = upgrade {
            set_upgrade(response.headers_mut(), protocol);
        }
        route.response.apply(response.headers_mut());
        // What is spoken with the client is the connection's to say.
        *response.version_mut() = http::Version::HTTP_11;
        response
    }
}

impl Handler for Proxy {
    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        let Ask { request, caller } = ask;
        let (mut head, body) = request.into_parts();
        let route = match self.outbound(&mut head, &caller) {
            Ok(route) => route,
            Err(Refused { status, why }) => return Ok(instead(Side::Client, status, why)),
        };
        let call = Call { request: &head, body, source: source(&caller) };
        match route.group.call(call).await {
            Ok(reply) => Ok(self.inbound(route, reply)),
            Err(CallError::Request(fault)) => Err(fault),
            Err(error) => Ok(explain(&error)),
        }
    }
}

fn set_upgrade(headers: &mut HeaderMap, protocol: HeaderValue) {
    headers.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(UPGRADE, protocol);
}

/// A number that a client has on each of its connections.
fn source(caller: &Caller) -> u64 {
    let mut hasher = std::hash::DefaultHasher::new();
    caller.peer.client().hash(&mut hasher);
    hasher.finish()
}

/// The answer to a request that got none.
fn explain(error: &CallError) -> Answer {
    let source: &dyn std::error::Error = error;
    tracing::debug!(error = source, side = %Side::Upstream, "a request got no answer");
    let (status, why) = match error {
        CallError::Dial(DialError::Local { .. }) => {
            let why = "this proxy can open no connection at the moment";
            return instead(Side::Relais, StatusCode::SERVICE_UNAVAILABLE, why);
        }
        CallError::Late { .. }
        | CallError::Request(_)
        | CallError::Dial(DialError::TimedOut { .. }) => {
            (StatusCode::GATEWAY_TIMEOUT, "the server behind this proxy gave no answer in time")
        }
        CallError::Dial(
            DialError::Untrusted { .. } | DialError::NoTls(_) | DialError::Handshake { .. },
        ) => (StatusCode::BAD_GATEWAY, "the server behind this proxy is not who it should be"),
        CallError::Dial(_) => {
            (StatusCode::BAD_GATEWAY, "the server behind this proxy cannot be reached")
        }
        CallError::Broken { .. } => {
            (StatusCode::BAD_GATEWAY, "the server behind this proxy gave no proper answer")
        }
    };
    instead(Side::Upstream, status, why)
}

/// An answer in the place of one that does not come, by the fault of `side`.
fn instead(side: Side, status: StatusCode, why: &str) -> Answer {
    let mut answer = plain_text(status, why);
    let provenance = Provenance { fault: Some(side), ..Provenance::default() };
    answer.body_mut().came_from(provenance);
    answer
}
