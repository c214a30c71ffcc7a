//! Asking whoever the client names: what a browser wants of the proxy in its settings (RFC 9110
//! §3.7, §9.3.6).
//!
//! [`Forward`] is a [`Handler`] that is asked for whole URLs, and for tunnels. Whoever can be asked
//! to call anybody is a way around every wall that he stands behind. So he is there for some clients
//! alone, and calls ports of the web alone (`ports`), and no address that is not anybody's to call
//! (`reach`).

mod asked;
mod clients;
mod origins;
mod own;
mod ports;
mod reach;
mod told;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Response, request};
use relais_net::{Access, DialError, Dialer, Endpoint, Fault, Network, tls::Protocols};

use self::{
    asked::{Asked, asked},
    clients::is_for,
    origins::Origins,
    ports::Ports,
    reach::Reach,
    told::{Teller, Why},
};
pub use self::{clients::Clients, own::OwnListeners};
use crate::{
    Accepts, Answer, Ask, Body, Caller, Handler, Inbound, Provenance, Trust, Tunnel,
    interim::Interim,
    proxy::{
        Edits, Onward, explain,
        hops::{self, Reaches},
        host::name_host,
        interim::PassBack,
        onward,
        way::Way,
    },
    spare,
    upstream::{self, Call, CallError, Failed},
};

/// Whom a [`Forward`] is there for, and whom it calls.
#[derive(Debug)]
pub struct Options {
    /// What we are called in `Via`: one word that no other proxy on the way has.
    pub name: String,
    /// Who may ask. Who calls over a Unix socket is at 127.0.0.1.
    pub clients: Vec<Network>,
    /// Where tunnels may lead: 443, usually. Requests may, too, beside the usual ports of the web:
    /// 80, 443, and all from 1024 on but those at which browsers ask nobody.
    pub ports: Vec<u16>,
    /// Addresses that may be called though they are not anybody's to call: of this machine,
    /// link-local, private. [`Network::LOOPBACK`] stands for all addresses of this machine.
    pub allowed: Vec<Network>,
    /// Where we listen ourselves: never called, whatever is allowed.
    pub own: OwnListeners,
    /// What calls. Whom it may call is said here.
    pub dialer: Dialer,
    /// How much it may cost to ask.
    pub limits: upstream::Limits,
}

/// Asks whoever the client names, and opens tunnels.
///
/// Nothing is said of the client: of the way of a request there is `Via`, and no `Forwarded` or
/// `X-Forwarded-For`, whoever put it there. Over HTTP/2 a tunnel is a stream, beside others.
#[derive(Debug)]
pub struct Forward {
    clients: Vec<Network>,
    ports: Ports,
    reach: Arc<Reach>,
    way: Way,
    dialer: Arc<Dialer>,
    origins: Origins,
    teller: Teller,
    request: Edits,
    response: Edits,
}

/// Why a request is not passed on, or not answered.
#[derive(Debug)]
enum NotPassed {
    /// Its client did not send all of it: nobody is there to be told.
    Client(Fault),
    Told(Why),
}

impl From<Why> for NotPassed {
    fn from(why: Why) -> Self {
        Self::Told(why)
    }
}

/// Room for the line that says which way a request came, usually.
const TRAIL_BYTES: usize = 64;

impl Forward {
    /// Asks as `options` say.
    pub fn new(options: Options) -> Self {
        let Options { name, clients, ports, allowed, own, dialer, limits } = options;
        let reach = Arc::new(Reach::new(allowed, own));
        let judge = Arc::clone(&reach);
        let dialer = dialer.with_access(move |at| match judge.judge(at) {
            Ok(()) => Access::Allowed,
            Err(_) => Access::Denied,
        });
        let dialer = Arc::new(dialer);
        Self {
            clients,
            ports: Ports::new(ports),
            reach,
            way: Way::new(&name, Trust::default()),
            origins: Origins::new(Arc::clone(&dialer), limits),
            dialer,
            teller: Teller::new(&name),
            request: Edits::default(),
            response: Edits::default(),
        }
    }

    /// The same, with these changes made to requests and answers that are passed on. Of tunnels
    /// nobody sees what they carry.
    #[must_use]
    pub fn with_edits(self, request: Edits, response: Edits) -> Self {
        Self { request, response, ..self }
    }

    async fn pass(
        &self,
        head: &mut request::Parts,
        (body, interim): (Inbound, Option<Interim>),
        caller: &Caller,
    ) -> Result<Answer, NotPassed> {
        if !is_for(&self.clients, caller.peer) {
            return Err(Why::Client.into());
        }
        let asked = asked(head)?;
        self.ports.judge(&asked)?;
        match asked {
            Asked::Tunnel(far) => Ok(self.dig(&far, caller).await?),
            Asked::Message(server) => {
                if hops::count_forward(&head.method, &mut head.headers) == Reaches::Us {
                    return Ok(explain::options(told::METHODS));
                }
                let trail = self.prepare(head)?;
                let client = caller.peer.client();
                let interims = PassBack::new(&self.way, &self.response, interim);
                let interims = interims.if_taken();
                let call = Call { request: head, trail: &trail, body, client, interims };
                let reply = self.origins.group(&server).call(call).await;
                match reply {
                    Ok(reply) => Ok(self.way.pass_back(reply, &self.response)),
                    Err(Failed::Client(fault)) => Err(NotPassed::Client(fault)),
                    Err(Failed::NoAnswer { upstream, error }) => {
                        Err(self.explain(upstream, error).into())
                    }
                }
            }
        }
    }

    /// Calls the far end of a tunnel.
    async fn dig(&self, far: &Endpoint, caller: &Caller) -> Result<Answer, Why> {
        let explain = |error: DialError| self.explain(far.to_string().into(), error.into());
        let client = caller.peer.client();
        let permit = self.dialer.place_for(client, far).map_err(explain)?;
        let dialed = self.dialer.dial_for(client, far, Protocols::Plain).await.map_err(explain)?;
        let mut body = Body::tunnel(Tunnel::new(dialed.stream, Bytes::new()).holding(permit));
        body.came_from(Provenance {
            upstream: Some(far.to_string().into()),
            connect: Some(dialed.timings.resolve + dialed.timings.connect),
            ..Provenance::default()
        });
        Ok(Response::new(body))
    }

    /// Makes of a request the one that is sent, and gives the lines to be sent behind its fields.
    fn prepare(&self, head: &mut request::Parts) -> Result<Vec<u8>, Why> {
        if self.way.is_loop(&head.headers) {
            return Err(Why::Loop);
        }
        // A target that names nobody was refused, and so was one without a scheme.
        name_host(head, "http").map_err(|_| Why::Host)?;
        hops::renew_request(&mut head.headers, head.version);
        let mut trail = Vec::with_capacity(TRAIL_BYTES);
        self.way.print_via(head, &mut trail);
        self.request.apply(&mut head.headers);
        Ok(trail)
    }

    fn explain(&self, upstream: Arc<str>, error: CallError) -> Why {
        let denied = told::denied_address(&error);
        match denied.and_then(|at| self.reach.judge(at).err()) {
            Some(rule) => Why::Address(rule),
            None => Why::Call(upstream, Box::new(error)),
        }
    }
}

impl Onward for Forward {
    fn rewrites(&self, name: &HeaderName, headers: &HeaderMap) -> bool {
        onward::rewrites(name, headers, [&self.request])
    }

    fn as_sent(&self, mut head: request::Parts, _caller: &Caller) -> Option<HeaderMap> {
        let trail = self.prepare(&mut head).ok()?;
        Some(onward::with_trail(head, &trail))
    }
}

impl Handler for Forward {
    fn accepts(&self) -> Accepts {
        Accepts::Forward
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        let Ask { request, caller, interim, .. } = ask;
        let (mut head, body) = request.into_parts();
        let passed = self.pass(&mut head, (body, interim), &caller).await;
        let answer = match passed {
            Ok(answer) => answer,
            Err(NotPassed::Client(fault)) => return Err(fault),
            Err(NotPassed::Told(why)) => self.teller.tell(&why, &head),
        };
        spare::keep(head.headers);
        Ok(answer)
    }
}
