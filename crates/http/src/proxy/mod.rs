//! Passing requests on to other servers, and their answers back.
//!
//! [`Proxy`] is a [`Handler`]. What it sends is rebuilt from what was parsed: fields for one hop are
//! taken off (`hops`), those that say which way a message came are set (`way`). What it cannot get
//! an answer for it answers by itself.

mod hops;
mod way;

#[cfg(test)]
mod tests;

use std::{
    hash::{Hash as _, Hasher as _},
    sync::Arc,
};

use http::{
    HeaderMap, HeaderValue, Method, StatusCode,
    header::{CONNECTION, TE, UPGRADE},
    request,
};
use relais_net::{Fault, Side};

use self::way::Way;
use crate::{
    Answer, Ask, Caller, Handler,
    handler::plain_text,
    upstream::{Call, CallError, Group, Reply},
};

/// What a [`Proxy`] does.
#[derive(Clone, Debug)]
pub struct Options {
    /// Who is asked.
    pub group: Arc<Group>,
    /// What we are called in `Via`: one word that no other proxy on the way has.
    pub name: String,
}

/// Passes requests on.
#[derive(Debug)]
pub struct Proxy {
    group: Arc<Group>,
    way: Way,
}

/// Why a request is not passed on.
#[derive(Clone, Copy, Debug)]
struct Refused {
    status: StatusCode,
    why: &'static str,
}

impl Proxy {
    /// Passes requests on as `options` say.
    pub fn new(options: Options) -> Self {
        let Options { group, name } = options;
        Self { group, way: Way::new(&name) }
    }

    /// Makes of a request the one that is sent.
    ///
    /// # Errors
    ///
    /// Why it is not passed on.
    fn outbound(&self, head: &mut request::Parts, caller: &Caller) -> Result<(), Refused> {
        if matches!(head.method, Method::TRACE | Method::CONNECT) {
            let why = "this method is not passed on";
            return Err(Refused { status: StatusCode::METHOD_NOT_ALLOWED, why });
        }
        if self.way.is_loop(&head.headers) {
            let why = "this request was here before";
            return Err(Refused { status: StatusCode::LOOP_DETECTED, why });
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
        Ok(())
    }

    fn inbound(&self, reply: Reply) -> Answer {
        let Reply { mut response, .. } = reply;
        let headers = response.headers();
        let is_switch = response.status() == StatusCode::SWITCHING_PROTOCOLS;
        let upgrade = if is_switch { hops::upgrade(headers) } else { None };
        hops::strip(response.headers_mut());
        self.way.note_answer(&mut response);
        if let Some(protocol) = upgrade {
            set_upgrade(response.headers_mut(), protocol);
        }
        // What is spoken with the client is the connection's to say.
        *response.version_mut() = http::Version::HTTP_11;
        response
    }
}

impl Handler for Proxy {
    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        let Ask { request, caller } = ask;
        let (mut head, body) = request.into_parts();
        if let Err(Refused { status, why }) = self.outbound(&mut head, &caller) {
            return Ok(plain_text(status, why));
        }
        let call = Call { request: &head, body, source: source(&caller) };
        match self.group.call(call).await {
            Ok(reply) => Ok(self.inbound(reply)),
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
        CallError::Connect { .. } => {
            (StatusCode::BAD_GATEWAY, "the server behind this proxy cannot be reached")
        }
        CallError::Broken { .. } => {
            (StatusCode::BAD_GATEWAY, "the server behind this proxy gave no proper answer")
        }
        CallError::Late { .. } | CallError::Request(_) => {
            (StatusCode::GATEWAY_TIMEOUT, "the server behind this proxy gave no answer in time")
        }
    };
    plain_text(status, why)
}
