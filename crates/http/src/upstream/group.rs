//! Several upstreams that can answer the same, and which of them is asked.

use std::{
    borrow::Cow,
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::Arc,
};

use http::{Method, Response, header::HOST, request};
use relais_net::{Client, DialError, Fault};
use tokio::time::Instant;

use super::{
    balance::{Balance, Candidate, Draws, choose},
    exchange::{self, Broken, Outbound, Why},
    link::Link,
    server::{Taken, Timings, Upstream},
};
use crate::{Body, Inbound};

/// How many upstreams are tried for a request.
const TRIES_MAX: usize = 3;

/// Upstreams that can answer the same.
#[derive(Debug)]
pub struct Group {
    /// Never empty.
    upstreams: Vec<Arc<Upstream>>,
    balance: Balance,
    draws: Draws,
}

/// What is asked, and by whom.
#[derive(Debug)]
pub struct Call<'a> {
    /// The request, without its body: fields for one hop are taken off already.
    pub request: &'a request::Parts,
    /// Lines to be sent behind its fields: printed, as nobody looks at them any more.
    pub trail: &'a [u8],
    /// Its body.
    pub body: Inbound,
    /// Who asks, for [`Balance::Source`].
    pub client: Client,
}

/// What of a [`Call`] is the same however often it is tried.
#[derive(Clone, Copy)]
struct Said<'a> {
    request: &'a request::Parts,
    trail: &'a [u8],
}

/// An answer, and how it came about.
#[derive(Debug)]
pub struct Reply {
    /// The answer, as the upstream gave it: fields for this hop included.
    pub response: Response<Body>,
    /// Who gave it.
    pub upstream: Arc<Upstream>,
    /// How long it took.
    pub timings: Timings,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// There is no connection to be had.
    #[error(transparent)]
    Dial(#[from] DialError),
    /// What came is no answer, or breaks off before its head ends.
    #[error("no answer from {upstream}")]
    Broken {
        /// Who was asked.
        upstream: String,
        /// What was found.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// It took too long.
    #[error("no answer in time from {upstream}")]
    Late {
        /// Who was asked.
        upstream: String,
    },
    /// The client did not send all of its request.
    #[error("the request broke off")]
    Request(#[source] Fault),
}

impl Group {
    /// These upstreams, of which one is asked each time; `None` if there is none.
    pub fn new(upstreams: Vec<Arc<Upstream>>, balance: Balance) -> Option<Self> {
        let draws = Draws::default();
        (!upstreams.is_empty()).then_some(Self { upstreams, balance, draws })
    }

    /// Those that there are.
    pub fn upstreams(&self) -> &[Arc<Upstream>] {
        &self.upstreams
    }

    /// Asks one of them; another if it cannot be reached, or if its connection turns out to be dead
    /// and asking twice does no harm.
    ///
    /// # Errors
    ///
    /// Why the last that was tried did not answer.
    pub async fn call(&self, call: Call<'_>) -> Result<Reply, CallError> {
        let Call { request, trail, mut body, client } = call;
        let said = Said { request, trail };
        let mut tried = Vec::new();
        loop {
            let upstream = self.pick(&tried, client);
            let (error, untouched) = match attempt(upstream, said, body).await {
                Ok(reply) => return Ok(reply),
                Err(Failed { error, body }) => (error, body),
            };
            if !matches!(error, CallError::Request(_)) {
                upstream.health().failed();
            }
            tried.push(upstream.id());
            match untouched {
                Some(untouched) if tried.len() < TRIES_MAX.min(self.upstreams.len()) => {
                    body = untouched;
                }
                _ => return Err(error),
            }
        }
    }

    /// Chooses one that was not tried; there is one.
    fn pick(&self, tried: &[u64], client: Client) -> &Arc<Upstream> {
        if let [only] = &*self.upstreams {
            return only;
        }
        let upstreams = self.upstreams.iter().enumerate();
        let untried = upstreams.filter(|(_, upstream)| !tried.contains(&upstream.id()));
        let candidates: Vec<_> = untried
            .map(|(place, upstream)| Candidate {
                place,
                in_flight: upstream.in_flight(),
                is_well: upstream.health().is_well(),
            })
            .collect();
        let source = if self.balance == Balance::Source { number_of(client) } else { 0 };
        let place = choose(self.balance, &candidates, self.draws.next(), source);
        &self.upstreams[place.expect("fewer tries than upstreams")]
    }
}

/// A number that a client has on each of its connections.
fn number_of(client: Client) -> u64 {
    let mut hasher = DefaultHasher::new();
    client.hash(&mut hasher);
    hasher.finish()
}

/// Why an upstream did not answer.
struct Failed {
    error: CallError,
    /// The request's body, if another upstream may be asked.
    body: Option<Inbound>,
}

/// Asks `upstream`: on a connection that waits, if there is one; on a new one, if there is none or
/// that turns out to be dead.
async fn attempt(
    upstream: &Arc<Upstream>,
    said: Said<'_>,
    mut body: Inbound,
) -> Result<Reply, Failed> {
    let method = &said.request.method;
    if let Some(link) = upstream.waiting_link() {
        match ask(upstream, link, (said, body)).await {
            Ok(reply) => return Ok(reply),
            // Closed while it waited: no sign of ill health.
            Err(Broken { why, body: Some(untouched), heard: false })
                if may_repeat(&why, method) =>
            {
                body = untouched;
            }
            Err(broken) => return Err(failed(upstream, broken, method)),
        }
    }
    let (link, took) = match upstream.connect().await {
        Ok(connected) => connected,
        Err(error) => {
            return Err(Failed { error: CallError::Dial(error), body: Some(body) });
        }
    };
    let asked = ask(upstream, link, (said, body)).await;
    let mut reply = asked.map_err(|broken| failed(upstream, broken, method))?;
    reply.timings.connect = Some(took);
    Ok(reply)
}

async fn ask(
    upstream: &Arc<Upstream>,
    link: Link,
    (Said { request, trail }, body): (Said<'_>, Inbound),
) -> Result<Reply, Broken> {
    let host = match upstream.options().host.as_ref().or_else(|| request.headers.get(HOST)) {
        Some(host) => Cow::Borrowed(host),
        None => Cow::Owned(upstream.host()),
    };
    let outbound = Outbound { request, host: &host, trail, body };
    let start = Instant::now();
    let response = exchange::ask(link, outbound, Taken::of(upstream)).await?;
    upstream.health().answered();
    let timings = Timings { connect: None, first_byte: start.elapsed() };
    Ok(Reply { response, upstream: Arc::clone(upstream), timings })
}

fn failed(upstream: &Upstream, broken: Broken, method: &Method) -> Failed {
    let Broken { why, body, heard } = broken;
    let body = body.filter(|_| !heard && may_repeat(&why, method));
    let name = upstream.name().to_string();
    let error = match why {
        Why::Request(fault) => CallError::Request(fault),
        Why::Late => CallError::Late { upstream: name },
        why => CallError::Broken { upstream: name, source: Box::new(why) },
    };
    Failed { error, body }
}

/// Whether a request may be sent again that got no answer (RFC 9110 §9.2.2): its connection was
/// closed, and being done twice is as good as once.
fn may_repeat(why: &Why, method: &Method) -> bool {
    matches!(why, Why::Closed | Why::Io(_)) && method.is_idempotent()
}
