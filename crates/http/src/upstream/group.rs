//! Several upstreams that can answer the same, and which of them is asked.

use std::{io, sync::Arc};

use http::{HeaderValue, Method, Response, header::HOST, request};
use relais_net::Fault;
use tokio::time::Instant;

use super::{
    exchange::{self, Broken, Outbound, Why},
    link::Link,
    server::{Taken, Timings, Upstream},
};
use crate::{Body, Inbound};

/// How often a request is tried.
const TRIES_MAX: usize = 3;

/// Upstreams that can answer the same.
#[derive(Debug)]
pub struct Group {
    /// Never empty.
    upstreams: Vec<Arc<Upstream>>,
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
    #[error("cannot connect to {upstream}")]
    Connect {
        /// Whom to.
        upstream: String,
        /// What the system says.
        source: io::Error,
    },
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

/// Where a link comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Pool,
    New,
}

impl Group {
    /// These upstreams, of which there is at least one.
    pub fn new(upstreams: Vec<Arc<Upstream>>) -> Option<Self> {
        (!upstreams.is_empty()).then_some(Self { upstreams })
    }

    /// Asks one of them; another if it cannot be reached, or if its connection turns out to be dead
    /// and asking twice does no harm.
    ///
    /// # Errors
    ///
    /// Why the last that was tried did not answer.
    pub async fn call(
        &self,
        request: &request::Parts,
        mut body: Inbound,
    ) -> Result<Reply, CallError> {
        let mut tries = 0;
        loop {
            tries += 1;
            let upstream = self.pick(tries);
            let (link, from, timings) = match link(upstream, tries).await {
                Ok(link) => link,
                Err(source) => {
                    upstream.failed();
                    if tries < TRIES_MAX.min(self.upstreams.len()) {
                        continue;
                    }
                    return Err(connect_error(upstream, source));
                }
            };
            let own = upstream.options().host.as_ref().or_else(|| request.headers.get(HOST));
            let nameless = HeaderValue::from_static("");
            let outbound = Outbound { request, host: own.unwrap_or(&nameless), body };
            let asked = Instant::now();
            match exchange::ask(link, outbound, Taken::of(upstream)).await {
                Ok(response) => {
                    upstream.answered();
                    let timings = Timings { first_byte: asked.elapsed(), ..timings };
                    return Ok(Reply { response, upstream: Arc::clone(upstream), timings });
                }
                Err(Broken { why, body: Some(untouched), heard: false })
                    if may_repeat(&why, from, &request.method) && tries < TRIES_MAX =>
                {
                    body = untouched;
                }
                Err(Broken { why, .. }) => return Err(give_up(upstream, why)),
            }
        }
    }

    fn pick(&self, tries: usize) -> &Arc<Upstream> {
        let least = self.upstreams.iter().min_by_key(|upstream| upstream.in_flight());
        if tries == 1 {
            return least.expect("at least one upstream");
        }
        &self.upstreams[(tries - 1) % self.upstreams.len()]
    }
}

fn give_up(upstream: &Upstream, why: Why) -> CallError {
    let name = upstream.name().to_owned();
    match why {
        Why::Request(fault) => CallError::Request(fault),
        Why::Late => {
            upstream.failed();
            CallError::Late { upstream: name }
        }
        why => {
            upstream.failed();
            CallError::Broken { upstream: name, source: Box::new(why) }
        }
    }
}

/// A connection to `upstream`: one that waits the first time, a new one from then on.
async fn link(upstream: &Upstream, tries: usize) -> io::Result<(Link, From, Timings)> {
    if tries == 1
        && let Some(link) = upstream.waiting_link()
    {
        return Ok((link, From::Pool, Timings::default()));
    }
    let (link, took) = upstream.connect().await?;
    Ok((link, From::New, Timings { connect: Some(took), ..Timings::default() }))
}

fn connect_error(upstream: &Upstream, source: io::Error) -> CallError {
    let name = upstream.name().to_owned();
    if source.kind() == io::ErrorKind::TimedOut {
        return CallError::Late { upstream: name };
    }
    CallError::Connect { upstream: name, source }
}

/// Whether a request may be sent again that got no answer (RFC 9110 §9.2.2): its connection was
/// closed while it waited, and being done twice is as good as once.
fn may_repeat(why: &Why, from: From, method: &Method) -> bool {
    let is_dead = matches!(why, Why::Closed | Why::Io(_));
    is_dead && from == From::Pool && method.is_idempotent()
}
