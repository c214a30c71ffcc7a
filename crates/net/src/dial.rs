//! The way out: calling an endpoint.

use std::{
    fmt,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncWrite, AsyncWriteExt as _},
    net::TcpStream,
    time::{Instant, timeout},
};

mod datagrams;
mod error;
mod file;
mod named;
mod names;
mod places;
mod race;
mod secured;
mod socket;

#[cfg(test)]
mod tests;

pub use datagrams::DialedDatagrams;
pub use error::{Callee, DialError, Stage};

use error::Failed;
pub use names::{Lookup, Names};
use socket::{Settings, call};

use crate::{
    Client, Endpoint, Gate, Host, HostPort, Peer, Place, Stream,
    reach::uncallable,
    tls::{ClientSession, Connector, Protocols},
};

/// How endpoints are called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DialLimits {
    /// How long it may take to find an endpoint's addresses and to reach one of them.
    pub connect_max: Duration,
    /// How long a handshake may take after that.
    pub handshake_max: Duration,
    /// The address to call from, if not whichever the system takes. Only addresses of its family
    /// are called, and about 28,000 connections at a time are possible.
    pub source: Option<IpAddr>,
    /// After how long a silence TCP asks whether the other side is still there, and how long
    /// between its questions, in whole seconds. Never if `None`.
    pub keepalive: Option<Duration>,
}

/// Whether an address may be called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// It may.
    Allowed,
    /// It may not.
    Denied,
}

/// Calls endpoints, and remembers for a few seconds where they are.
///
/// One serves any number of callers, on any number of cores.
pub struct Dialer {
    limits: DialLimits,
    tls: Connector,
    access: Box<dyn Fn(SocketAddr) -> Access + Send + Sync>,
    names: Names,
    /// How many calls there may be; `None` for any number.
    calls: Option<Gate>,
}

/// A call that was answered.
#[derive(Debug)]
pub struct Dialed {
    /// What is spoken on.
    pub stream: Stream,
    /// What TLS agreed on, where there is TLS.
    pub session: Option<ClientSession>,
    /// Who answered.
    pub peer: Peer,
    /// How long it took.
    pub timings: Timings,
}

/// How long the parts of a call took; zero for those it had not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Timings {
    /// To find the addresses of a name.
    pub resolve: Duration,
    /// To reach one of them.
    pub connect: Duration,
    /// To agree on TLS.
    pub handshake: Duration,
}

/// Who was reached, before TLS.
struct Reached<IO> {
    plain: IO,
    address: SocketAddr,
    timings: Timings,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limits, tls, names, .. } = self;
        let mut f = f.debug_struct("Dialer");
        f.field("limits", limits).field("tls", tls).field("names", names).finish_non_exhaustive()
    }
}

impl Dialer {
    /// A dialer that may call anybody. Who never calls an endpoint under TLS gives it a `tls` that
    /// trusts [nobody](crate::tls::Roots::none).
    pub fn new(limits: DialLimits, tls: Connector) -> Self {
        let names = Names::of_system();
        Self { limits, tls, access: Box::new(|_| Access::Allowed), names, calls: None }
    }

    /// Has `access` say of each address whether it may be called, right before it is: whatever a name
    /// led to a moment ago, the address judged is the one that is called. Never one of IPv4 in IPv6
    /// clothes. Unix sockets, which no name leads to, are not asked about.
    ///
    /// Note that 0.0.0.0 and `::` lead to this machine, too.
    #[must_use]
    pub fn with_access(
        self,
        access: impl Fn(SocketAddr) -> Access + Send + Sync + 'static,
    ) -> Self {
        Self { access: Box::new(access), ..self }
    }

    /// Calls `endpoint`, and under TLS shakes hands, offering `protocols`.
    ///
    /// A name's addresses are called in the resolver's order, IPv6 and IPv4 in turns: the next one
    /// when a call fails or is not answered in 250 ms; eight at most.
    ///
    /// Cancel safe: a call given up is hung up.
    ///
    /// # Errors
    ///
    /// [`DialError`]
    pub async fn dial(
        &self,
        endpoint: &Endpoint,
        protocols: Protocols,
    ) -> Result<Dialed, DialError> {
        self.dial_saying(endpoint, protocols, b"").await
    }

    /// The same for `client`, who chose the endpoint: names that are looked up for others do not wait
    /// behind its own.
    ///
    /// Cancel safe: a call given up is hung up.
    ///
    /// # Errors
    ///
    /// [`DialError`]
    pub async fn dial_for(
        &self,
        client: Client,
        endpoint: &Endpoint,
        protocols: Protocols,
    ) -> Result<Dialed, DialError> {
        self.call(client, (endpoint, protocols), b"").await
    }

    /// The same, but says `first` before all else, even TLS: a PROXY header, which any socket takes at
    /// once.
    ///
    /// Cancel safe: a call given up is hung up.
    ///
    /// # Errors
    ///
    /// [`DialError`]
    pub async fn dial_saying(
        &self,
        endpoint: &Endpoint,
        protocols: Protocols,
        first: &[u8],
    ) -> Result<Dialed, DialError> {
        self.call(Client::Local, (endpoint, protocols), first).await
    }

    async fn call(
        &self,
        client: Client,
        (endpoint, protocols): (&Endpoint, Protocols),
        first: &[u8],
    ) -> Result<Dialed, DialError> {
        if let Some(why) = uncallable(endpoint) {
            return Err(DialError::Uncallable { endpoint: endpoint.clone(), why });
        }
        let at = match &endpoint.place {
            Place::Path(path) => {
                let mut dialed = self.call_path(endpoint, path).await?;
                say(&mut dialed.stream, first, || Callee {
                    endpoint: endpoint.clone(),
                    address: None,
                })
                .await?;
                return Ok(dialed);
            }
            Place::Net(at) => at,
        };
        let mut reached = self.call_net(client, (endpoint, at)).await?;
        let callee = || Callee { endpoint: endpoint.clone(), address: Some(reached.address) };
        say(&mut reached.plain, first, callee).await?;
        if endpoint.scheme.is_secure() {
            // Boxed: the state of a handshake is large, and done with long before its connection is.
            return Box::pin(self.shake(endpoint, reached, protocols)).await;
        }
        let Reached { plain, address, timings } = reached;
        Ok(Dialed { stream: Stream::Tcp(plain), session: None, peer: Peer::at(address), timings })
    }

    async fn call_net(
        &self,
        client: Client,
        (endpoint, at): (&Endpoint, &HostPort),
    ) -> Result<Reached<TcpStream>, DialError> {
        let Host::Ip(ip) = at.host else {
            // Boxed: calls of an address are many, and have no room for what a name takes.
            return Box::pin(self.call_name(client, (endpoint, at))).await;
        };
        let address = SocketAddr::new(ip.to_canonical(), at.port);
        if self.limits.source.is_some_and(|source| source.is_ipv4() != address.is_ipv4()) {
            return Err(DialError::of_calls(endpoint, Vec::new()));
        }
        let start = Instant::now();
        let answer = timeout(self.limits.connect_max, self.call_address(address)).await;
        let callee = || Callee { endpoint: endpoint.clone(), address: Some(address) };
        let answer = answer.map_err(|_| self.timed_out(Stage::Connect, callee()))?;
        let failed = |failed| DialError::of_calls(endpoint, vec![(address, failed)]);
        let plain = answer.map_err(failed)?;
        let timings = Timings { connect: start.elapsed(), ..Timings::default() };
        Ok(Reached { plain, address, timings })
    }

    async fn call_address(&self, address: SocketAddr) -> Result<TcpStream, Failed> {
        let DialLimits { source, keepalive, .. } = self.limits;
        match (self.access)(address) {
            Access::Allowed => {
                call(address, Settings { source, keepalive }).await.map_err(Failed::System)
            }
            Access::Denied => Err(Failed::Denied),
        }
    }

    fn timed_out(&self, stage: Stage, callee: Callee) -> DialError {
        let most = match stage {
            Stage::Resolve | Stage::Connect => self.limits.connect_max,
            Stage::Handshake => self.limits.handshake_max,
        };
        DialError::TimedOut { callee, stage, most }
    }
}

/// Says `first`, if that is anything.
async fn say(
    stream: &mut (impl AsyncWrite + Unpin),
    first: &[u8],
    callee: impl FnOnce() -> Callee,
) -> Result<(), DialError> {
    if first.is_empty() {
        return Ok(());
    }
    let said = stream.write_all(first).await;
    said.map_err(|error| DialError::of_call(callee(), Failed::System(error)))
}
