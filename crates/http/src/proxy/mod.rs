//! Passing requests on to other servers, and their answers back.
//!
//! [`Proxy`] is a [`Handler`]. What it sends is rebuilt from what was parsed: fields for one hop are
//! taken off (`hops`), those that say which way a message came are set (`way`). What it cannot get
//! an answer for it answers by itself.

mod edited;
mod edits;
pub(crate) mod explain;
pub(crate) mod hops;
pub(crate) mod host;
pub(crate) mod interim;
mod names;
pub(crate) mod onward;
mod routes;
pub(crate) mod way;

#[cfg(test)]
mod tests;

use http::{HeaderMap, HeaderName, HeaderValue, Method, request};
use relais_net::Fault;

pub use self::{
    edited::Edited,
    edits::{Edits, NotEditable},
    names::{Ambiguous, FieldNames},
    onward::Onward,
    routes::{Prefix, Route},
};
use self::{
    explain::Refused,
    hops::Reaches,
    host::name_host,
    interim::PassBack,
    routes::{route, target},
    way::Way,
};
use crate::{
    Answer, Ask, Caller, Handler, Trust, spare,
    target::spoken,
    upstream::{self, Call, Failed},
};

/// What a [`Proxy`] does.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where requests go: the first route that fits.
    pub routes: Vec<Route>,
    /// What we are called in `Via`: one word that no other proxy on the way has.
    pub name: String,
    /// Whose word on the way before counts. A cache before this proxy is to have the same.
    pub trust: Trust,
}

/// Passes requests on.
#[derive(Debug)]
pub struct Proxy {
    routes: Vec<Route>,
    way: Way,
}

/// What is passed on, whatever the server behind makes of it.
const METHODS: HeaderValue =
    HeaderValue::from_static("GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");

/// Room for what says which way a request came, usually.
const TRAIL_BYTES: usize = 256;

impl Proxy {
    /// Passes requests on as `options` say.
    pub fn new(options: Options) -> Self {
        let Options { routes, name, trust } = options;
        Self { routes, way: Way::new(&name, trust) }
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
            return Err(Refused::Method);
        }
        if self.way.is_loop(&head.headers) {
            return Err(Refused::Loop);
        }
        name_host(head, spoken(caller)).map_err(|_| Refused::Host)?;
        let route = route(&self.routes, &head.uri)?;
        if let Some(target) = target(route, &head.uri)? {
            head.uri = target.into();
        }
        hops::renew_request(&mut head.headers, head.version);
        self.way.print_trail(head, caller, trail);
        if !route.request.is_nothing() {
            // What was printed may be edited, too.
            upstream::read_lines(trail, &mut head.headers);
            trail.clear();
            route.request.apply(&mut head.headers);
        }
        Ok(route)
    }
}

impl Onward for Proxy {
    fn rewrites(&self, name: &HeaderName, headers: &HeaderMap) -> bool {
        onward::rewrites(name, headers, self.routes.iter().map(|route| &route.request))
    }

    fn as_sent(&self, mut head: request::Parts, caller: &Caller) -> Option<HeaderMap> {
        let mut trail = Vec::with_capacity(TRAIL_BYTES);
        self.outbound(&mut head, caller, &mut trail).ok()?;
        Some(onward::with_trail(head, &trail))
    }
}

impl Handler for Proxy {
    fn answer(&self, ask: Ask) -> impl Future<Output = Result<Answer, Fault>> + Send {
        // Taken apart out here: what an `async fn` takes apart it has twice.
        let Ask { request, caller, interim, .. } = ask;
        let (mut head, body) = request.into_parts();
        async move {
            // Of TRACE none is passed on.
            let reaches = hops::count_forward(&head.method, &mut head.headers);
            if reaches == Reaches::Us && head.method == Method::OPTIONS {
                return Ok(explain::options(METHODS));
            }
            let mut trail = Vec::with_capacity(TRAIL_BYTES);
            let route = match self.outbound(&mut head, &caller, &mut trail) {
                Ok(route) => route,
                Err(refused) => return Ok(explain::refusal(refused, &head)),
            };
            let client = caller.peer.client();
            let interims = PassBack::new(&self.way, &route.response, interim);
            let interims = interims.if_taken();
            let call = Call { request: &head, trail: &trail, body, client, interims };
            let called = route.group.call(call).await;
            let answer = match called {
                Ok(reply) => self.way.pass_back(reply, &route.response),
                Err(Failed::Client(fault)) => return Err(fault),
                Err(Failed::NoAnswer { upstream, error }) => {
                    explain::error(upstream, &error, &head)
                }
            };
            spare::keep(head.headers);
            Ok(answer)
        }
    }
}
