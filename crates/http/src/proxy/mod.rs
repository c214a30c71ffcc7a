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

use std::sync::Arc;

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
    spare,
    upstream::{self, Call, CallError, Reply},
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

/// Room for what says which way a request came, usually.
const TRAIL_BYTES: usize = 256;

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
    fn outbound(
        &self,
        head: &mut request::Parts,
        caller: &Caller,
        trail: &mut Vec<u8>,
    ) -> Result<&Route, Refused> {
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
        let upgrade = hops::upgrade(&head.headers).filter(|protocol| {
            head.version < http::Version::HTTP_2 && !hops::is_http_again(protocol)
        });
        let takes_trailers = hops::takes_trailers(&head.headers);
        hops::strip(&mut head.headers);
        self.way.print_trail(head, caller, trail);
        if let Some(protocol) = upgrade {
            set_upgrade(&mut head.headers, protocol);
        }
        if takes_trailers {
            head.headers.insert(TE, HeaderValue::from_static("trailers"));
            head.headers.append(CONNECTION, HeaderValue::from_static("te"));
        }
        if !route.request.is_nothing() {
            // What was printed may be edited, too.
            upstream::read_lines(trail, &mut head.headers);
            trail.clear();
            route.request.apply(&mut head.headers);
        }
        Ok(route)
    }

    fn inbound(&self, route: &Route, reply: Reply) -> Answer {
        let Reply { mut response, upstream, timings } = reply;
        response.body_mut().came_from(Provenance {
            upstream: Some(Arc::clone(upstream.name())),
            connect: timings.connect,
            blocked: None,
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
        let mut trail = Vec::with_capacity(TRAIL_BYTES);
        let route = match self.outbound(&mut head, &caller, &mut trail) {
            Ok(route) => route,
            Err(Refused { status, why }) => return Ok(plain_text(status, why)),
        };
        let client = caller.peer.client();
        let call = Call { request: &head, trail: &trail, body, client };
        let called = route.group.call(call).await;
        spare::keep(head.headers);
        match called {
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

/// The answer to a request that got none.
fn explain(error: &CallError) -> Answer {
    let source: &dyn std::error::Error = error;
    tracing::debug!(error = source, side = %Side::Upstream, "a request got no answer");
    let (status, why) = match error {
        CallError::Dial(DialError::Local { .. }) => {
            (StatusCode::SERVICE_UNAVAILABLE, "this proxy can open no connection at the moment")
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
    plain_text(status, why)
}
