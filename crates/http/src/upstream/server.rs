//! One server that is asked.

use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use http::{HeaderMap, HeaderValue, header::UPGRADE};
use relais_net::{
    Client, DialError, Dialed, Dialer, Endpoint, Health, News,
    tls::{ConnectError, Protocol, Protocols},
};
use tokio::time::Instant;

use super::{
    CallError, Limits,
    link::Link,
    pool,
    queue::{Queue, Waited},
    shared::{self, Owner, Shared, Turn},
};
use crate::{clock::coarse_now, places::Place};

/// Which server, and how it is asked.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where it is.
    pub endpoint: Endpoint,
    /// What `Host` says; `None` for what the client said.
    pub host: Option<HeaderValue>,
    /// What calls it. One may serve many upstreams that have the same demands.
    pub dialer: Arc<Dialer>,
    /// What is spoken with it.
    pub speaks: Speaks,
    /// How much it may cost.
    pub limits: Limits,
}

/// What is spoken with an upstream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Speaks {
    /// HTTP/1.1.
    #[default]
    Http1,
    /// HTTP/2: under TLS if it agrees, in the clear without asking (RFC 9113 §3.3). A change to another
    /// protocol, which it has none of (§8.6), is asked for over HTTP/1.1: under TLS, that is.
    Http2,
}

/// A new connection.
#[derive(Debug)]
pub(super) enum Connected {
    Http1(Box<Link>),
    Http2(Shared),
}

/// One server that is asked, and how it does.
#[derive(Debug)]
pub struct Upstream {
    id: pool::Id,
    name: Arc<str>,
    options: Options,
    made: Instant,
    in_flight: AtomicU32,
    /// `None` if any number may ask at once.
    queue: Option<Queue>,
    health: Health,
    voice: Voice,
    /// Held by nobody else: whoever knows of it weakly learns when this is gone.
    is_there: Arc<()>,
}

/// Whether who runs us is told how an upstream does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Voice {
    Told,
    Quiet,
}

impl Upstream {
    /// An upstream of which nothing bad is known.
    pub fn new(options: Options) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let name = options.endpoint.to_string().into();
        Self {
            id: NEXT.fetch_add(1, Relaxed),
            name,
            queue: Queue::new(&options.limits),
            options,
            made: Instant::now(),
            in_flight: AtomicU32::new(0),
            health: Health::default(),
            voice: Voice::Told,
            is_there: Arc::default(),
        }
    }

    /// The same, of which the log does not say how it does: a client named it, and could name many.
    #[must_use]
    pub(crate) fn named_by_client(self) -> Self {
        Self { voice: Voice::Quiet, ..self }
    }

    /// Its endpoint, as text.
    pub fn name(&self) -> &Arc<str> {
        &self.name
    }

    /// Requests it was given that are not answered yet, and tunnels to it that are open.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Relaxed)
    }

    /// Waits until one more may ask it, and adds how long to `waited`. The place is held until its answer
    /// is whole.
    pub(super) async fn enter(&self, waited: &Waited) -> Result<Option<Place>, CallError> {
        let Some(queue) = &self.queue else { return Ok(None) };
        let entered = queue.enter(waited).await;
        let busy = |source| {
            let (upstream, waited) = (self.name.to_string(), waited.time());
            CallError::Busy { upstream, source, waited }
        };
        entered.map(Some).map_err(busy)
    }

    pub(super) fn id(&self) -> pool::Id {
        self.id
    }

    pub(super) fn options(&self) -> &Options {
        &self.options
    }

    /// What `Host` says where no client has said it.
    pub(super) fn host(&self) -> HeaderValue {
        let at = self.options.endpoint.host_port().map(ToString::to_string);
        let named = self.options.host.clone();
        named.or_else(|| at?.try_into().ok()).unwrap_or(HeaderValue::from_static("localhost"))
    }

    /// A connection that was used before, if one waits.
    pub(super) fn waiting_link(&self) -> Option<Box<Link>> {
        pool::take(self.id)
    }

    /// What is spoken with it to ask for what has these fields.
    pub(super) fn speaks_for(&self, headers: &HeaderMap) -> Speaks {
        match self.options.speaks {
            Speaks::Http2 if headers.contains_key(UPGRADE) => Speaks::Http1,
            speaks => speaks,
        }
    }

    /// Whether it may be asked for what has these fields.
    ///
    /// # Errors
    ///
    /// If a change of the protocol is asked for, and nothing is spoken with it that has one: whoever is
    /// spoken to in HTTP/2 in the clear may know nothing else.
    pub(super) fn can_change(&self, headers: &HeaderMap) -> Result<(), CallError> {
        let Options { speaks, endpoint, .. } = &self.options;
        if endpoint.scheme.is_secure() || *speaks == self.speaks_for(headers) {
            return Ok(());
        }
        Err(self.no_upgrade())
    }

    fn no_upgrade(&self) -> CallError {
        CallError::NoUpgrade { upstream: self.name.to_string() }
    }

    /// A connection of HTTP/2 that takes one more request, if this core has one.
    pub(super) fn shared_link(&self) -> Option<Shared> {
        shared::there(self.id)
    }

    /// A connection on which this is spoken, and how long it took to make it. Over HTTP/2 it may be one
    /// that another request had made, too.
    pub(super) async fn connect(
        &self,
        speaks: Speaks,
        client: Client,
    ) -> Result<(Connected, Option<Duration>), CallError> {
        if speaks == Speaks::Http1 {
            return match self.make(speaks, client).await {
                Ok((connected, took)) => Ok((connected, Some(took))),
                // It was offered nothing else for the sake of one request, and is no worse for that.
                Err(CallError::Dial(DialError::Handshake {
                    source: ConnectError::NoProtocol,
                    ..
                })) if self.options.speaks == Speaks::Http2 => Err(self.no_upgrade()),
                Err(error) => Err(error),
            };
        }
        let calling = match shared::turn(self.id).await {
            Turn::There(shared) => return Ok((Connected::Http2(shared), None)),
            Turn::Ours(calling) => calling,
        };
        let (connected, took) = self.make(speaks, client).await?;
        if let Connected::Http2(_) = connected {
            calling.done();
        }
        Ok((connected, Some(took)))
    }

    /// A new connection, made for `client`, and how long it took.
    async fn make(
        &self,
        speaks: Speaks,
        client: Client,
    ) -> Result<(Connected, Duration), CallError> {
        let start = Instant::now();
        let Options { endpoint, limits, dialer, .. } = &self.options;
        let offer = match speaks {
            Speaks::Http1 => Protocols::Http1,
            Speaks::Http2 => Protocols::Http,
        };
        let permit = dialer.place_for(client, endpoint)?;
        let Dialed { stream, session, .. } = dialer.dial_for(client, endpoint, offer).await?;
        let agreed = session.map(|session| session.protocol);
        let is_http2 = speaks == Speaks::Http2 && matches!(agreed, None | Some(Protocol::Http2));
        let connected = if is_http2 {
            let owner = Owner {
                id: self.id,
                is_there: Arc::downgrade(&self.is_there),
                idle_max: limits.idle_max,
            };
            let shared = shared::share(owner, (stream, permit)).await;
            Connected::Http2(shared.map_err(|error| CallError::broken(&self.name, error))?)
        } else {
            Connected::Http1(Box::new(Link::new(stream, limits.head).at(permit)))
        };
        Ok((connected, start.elapsed()))
    }

    /// Whether it is to be asked now.
    pub(super) fn is_well(&self) -> bool {
        self.health.is_well(coarse_now())
    }

    pub(super) fn health(&self) -> &Health {
        &self.health
    }

    /// It gave no answer, by its own fault.
    pub(super) fn failed(&self, error: &CallError) {
        let news = self.health.failed(coarse_now());
        let error: &dyn std::error::Error = error;
        match news.filter(|_| self.voice == Voice::Told) {
            Some(News::Fails) => tracing::warn!(error, "an upstream gave no answer"),
            Some(News::Rests) => {
                tracing::warn!(
                    error,
                    "an upstream gave no answer again and again: others, if there are any, go first"
                );
            }
            Some(News::Answers) | None => (),
        }
    }

    /// It gave an answer.
    pub(super) fn answered(&self) {
        let news = self.health.answered();
        if news.is_some() && self.voice == Voice::Told {
            tracing::info!("{} answers again", self.name);
        }
    }
}

/// A request that an upstream was given. Counted until it ends.
#[derive(Debug)]
pub(super) struct Taken {
    upstream: Arc<Upstream>,
    /// `None` where any number may ask, and once it ended.
    place: Option<Place>,
    ended: bool,
    /// By when the answer is to be whole, in [`TENTH`]s since its upstream was made.
    due: Option<NonZeroU32>,
}

/// As precise as all need be in a small number: each exchange has one.
const TENTH: Duration = Duration::from_millis(100);

impl Taken {
    pub(super) fn of(upstream: &Arc<Upstream>, place: Option<Place>) -> Self {
        upstream.in_flight.fetch_add(1, Relaxed);
        let due = upstream.options.limits.total_max.and_then(|total_max| {
            let due = upstream.made.elapsed().saturating_add(total_max);
            let tenths = due.as_millis().div_ceil(TENTH.as_millis());
            NonZeroU32::new(u32::try_from(tenths).unwrap_or(u32::MAX))
        });
        Self { upstream: Arc::clone(upstream), place, ended: false, due }
    }

    pub(super) fn id(&self) -> pool::Id {
        self.upstream.id
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.upstream.options.limits
    }

    /// Whether it has taken longer than it may in all.
    pub(super) fn is_late(&self) -> bool {
        self.left().is_zero()
    }

    /// How much longer all of it may take.
    pub(super) fn left(&self) -> Duration {
        let Some(due) = self.due else { return Duration::MAX };
        (TENTH * due.get()).saturating_sub(self.upstream.made.elapsed())
    }

    /// The answer is whole.
    pub(super) fn end(&mut self) {
        if !std::mem::replace(&mut self.ended, true) {
            self.upstream.in_flight.fetch_sub(1, Relaxed);
            self.place = None;
        }
    }
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.end();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::upstream::dialer_for_tests;

    #[test]
    fn a_change_of_the_protocol_is_asked_for_where_there_is_one() {
        let check = |endpoint: &str, speaks: Speaks, asked: &[&str], expect: Option<Speaks>| {
            let (endpoint, dialer) = (endpoint.parse().unwrap(), dialer_for_tests());
            let limits = Limits::default();
            let upstream = Upstream::new(Options { endpoint, host: None, dialer, speaks, limits });
            let asked = asked.iter().map(|protocol| (UPGRADE, protocol.parse().unwrap()));
            let asked = asked.collect();
            let can = upstream.can_change(&asked).is_ok();
            assert_eq!(can.then(|| upstream.speaks_for(&asked)), expect);
        };
        let (clear, secure) = ("http://a.example:80", "https://a.example:443");
        for endpoint in [clear, secure] {
            check(endpoint, Speaks::Http1, &[], Some(Speaks::Http1));
            check(endpoint, Speaks::Http1, &["websocket"], Some(Speaks::Http1));
            check(endpoint, Speaks::Http2, &[], Some(Speaks::Http2));
        }
        check(secure, Speaks::Http2, &["websocket"], Some(Speaks::Http1));
        check(clear, Speaks::Http2, &["websocket"], None);
    }
}
