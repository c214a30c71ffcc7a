//! The service behind a listener that relays.

use std::{
    borrow::Cow,
    sync::Arc,
    time::{Duration, SystemTime},
};

use relais_net::{
    Conn, DialError, Dialed, Drain, Endpoint, Fault, Network, Peer, Service, Side, Stream,
};
use relais_tap::{By, Ending, Ends as Names, Flow, Tap};
use relais_wire::{client_hello, proxy_header};

use super::{
    hello::{HelloError, read_hello},
    passing::{Early, Ends, Lasts, Passed, pass},
    routes::Routes,
    upstreams::Taken,
};

/// What a relay does, and for whom.
#[derive(Debug)]
pub struct Options {
    /// Who is called, for whom.
    pub routes: Routes,
    /// Who may call.
    pub callers: Callers,
    /// How long a connection may last.
    pub lasts: Lasts,
    /// How long a caller may take to say which server it means, where that is looked at.
    pub hello_max: Duration,
    /// Whether upstreams are told who called, and how.
    pub tells: Option<proxy_header::Version>,
    /// Where connections are reported.
    pub tap: Tap,
    /// The time of day.
    pub clock: fn() -> SystemTime,
}

/// Who may call. A Unix socket's callers always may: its file says who.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callers {
    /// Only these, unless there are none.
    pub allow: Vec<Network>,
    /// None of these, even if allowed.
    pub deny: Vec<Network>,
}

impl Callers {
    /// Whether `peer` may call.
    pub fn may(&self, peer: Peer) -> bool {
        let Some(ip) = peer.ip() else { return true };
        let is_in = |networks: &[Network]| networks.iter().any(|network| network.contains(ip));
        (self.allow.is_empty() || is_in(&self.allow)) && !is_in(&self.deny)
    }
}

/// Joins every caller with an upstream, and passes on what either says as it is.
#[derive(Debug)]
pub struct Streams {
    options: Options,
}

impl Streams {
    /// A relay that does as `options` say.
    pub fn new(options: Options) -> Self {
        Self { options }
    }

    /// Does all that is to be done before bytes pass freely.
    async fn join(&self, mut conn: Conn, flow: &Flow) -> Result<Joined, Unjoined> {
        let Options { routes, callers, hello_max, tells, .. } = &self.options;
        if !callers.may(conn.peer) {
            return Err(Unjoined::Denied(conn.stream));
        }
        let mut early = Early::default();
        let mut name = conn.tls.as_ref().and_then(|session| session.server_name.clone());
        if routes.look_inside() && conn.tls.is_none() {
            let hello = read_hello(&mut conn.stream, &mut early.to_server, *hello_max).await;
            let hello = match hello {
                Ok(client_hello::Hello { server_name }) => server_name,
                Err(error) => return Err(Unjoined::NoHello(conn.stream, error)),
            };
            name = hello.map(Into::into);
        }
        if let Some(name) = &name {
            flow.note("relay.name", || name.to_string());
        }
        let Some(upstreams) = routes.find(name.as_deref()) else {
            return Err(Unjoined::NoRoute(conn.stream));
        };
        let called = upstreams.call(conn.peer.client()).await;
        let (Dialed { stream: server, .. }, taken) = match called {
            Ok(called) => called,
            Err(error) => return Err(Unjoined::NoUpstream(conn.stream, error)),
        };
        flow.note("relay.upstream", || taken.endpoint().to_string());
        if let Some(version) = tells {
            let mut header = Vec::new();
            proxy_header::print(told_of(&conn), *version, &mut header);
            // Under no limit of bytes: before all else.
            header.append(&mut early.to_server);
            early.to_server = header;
        }
        Ok(Joined { ends: Ends { client: conn.stream, server }, early, taken })
    }

    fn close(&self, flow: Flow, passed: Passed) {
        let Passed { by, why, to_server, to_client } = passed;
        flow.close(Ending { at: (self.options.clock)(), by, why, to_server, to_client });
    }
}

/// A caller and an upstream that is to hear it.
struct Joined {
    ends: Ends,
    early: Early,
    taken: Taken,
}

/// Why a caller came to no upstream, and the caller.
enum Unjoined {
    Denied(Stream),
    NoHello(Stream, HelloError),
    NoRoute(Stream),
    NoUpstream(Stream, DialError),
}

impl Unjoined {
    /// Who ended it and why, and the caller, who is to be told.
    fn told(self) -> (By, Cow<'static, str>, Stream, Option<Fault>) {
        match self {
            Self::Denied(client) => (By::Relais, "denied".into(), client, None),
            Self::NoRoute(client) => (By::Relais, "no upstream of that name".into(), client, None),
            Self::NoHello(client, error) => (By::Client, error.to_string().into(), client, None),
            Self::NoUpstream(client, error) => {
                let by = if error.side() == Side::Upstream { By::Server } else { By::Relais };
                let why = match &error {
                    DialError::Refused(_) => "refused".into(),
                    DialError::TimedOut { .. } => "timed out".into(),
                    DialError::NotFound { .. } => "not found".into(),
                    other => other.to_string().into(),
                };
                let source = std::io::Error::other(error);
                let fault = Fault::new(Side::Upstream, "calling an upstream", source);
                (by, why, client, Some(fault))
            }
        }
    }
}

impl Service for Streams {
    async fn serve(&self, conn: Conn, drain: Drain) -> Result<(), Fault> {
        // Held to the end: who is relayed may finish, within the grace.
        let _drain = drain;
        let names = || Names { client: conn.peer.to_string(), server: self.options.routes.name() };
        let flow = self.options.tap.open(names, (self.options.clock)());
        // Boxed: the state of a call is large, and done with long before its connection is.
        match Box::pin(self.join(conn, &flow)).await {
            Ok(Joined { ends, early, taken }) => {
                let passed = pass(ends, early, self.options.lasts, &flow).await;
                drop(taken);
                self.close(flow, passed);
                Ok(())
            }
            Err(unjoined) => {
                let (by, why, client, fault) = unjoined.told();
                // What would have been an answer did not come: that is no end of one.
                client.reset();
                self.close(flow, Passed { by, why, to_server: 0, to_client: 0 });
                fault.map_or(Ok(()), Err)
            }
        }
    }
}

/// What an upstream is told of who called.
fn told_of(conn: &Conn) -> proxy_header::Told {
    match (conn.peer, conn.destination()) {
        (Peer::Net(source), Some(destination)) => proxy_header::Told::Call { source, destination },
        _ => proxy_header::Told::Nothing,
    }
}
