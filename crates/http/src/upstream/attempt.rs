//! A request that one upstream is given, and what became of it.

use std::{
    borrow::Cow,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use http::{Method, Response, header::HOST, request};
use relais_net::Client;

use super::{
    CallError, Failed, OnInterim,
    ask::{self, Broken, Outbound},
    exchange::Why,
    http2,
    link::Link,
    queue::Waited,
    server::{Connected, Speaks, Taken, Upstream},
    shared::Shared,
};
use crate::{Body, Inbound, places::Place};

/// An answer, and how it came about.
#[derive(Debug)]
pub struct Reply {
    /// The answer, as the upstream gave it: fields for this hop included. How long the request waited for
    /// a place goes with its body.
    pub response: Response<Body>,
    /// Who gave it.
    pub upstream: Arc<Upstream>,
    /// How long it took until there was a connection; `None` if there was one before.
    pub connect: Option<Duration>,
}

impl Reply {
    /// The same, saying how long the request waited for a place, if it did.
    pub(super) fn after(mut self, waited: &Waited) -> Self {
        if let Some(waited) = waited.time() {
            self.response.body_mut().add_provenance(|provenance| provenance.queue = Some(waited));
        }
        self
    }
}

/// A request but for its body: the same however often it is tried.
pub(super) struct Said<'a> {
    pub(super) request: &'a request::Parts,
    /// Lines behind its fields.
    pub(super) trail: &'a [u8],
    /// Who is told of interim answers.
    pub(super) interims: Option<&'a dyn OnInterim>,
    /// Who asks.
    pub(super) client: Client,
    /// How long it waited for a place, with whomever was asked.
    pub(super) waited: Waited,
}

/// What was tried in vain.
pub(super) struct Missed {
    pub(super) why: Failed,
    /// The request's body, if another upstream may be asked.
    pub(super) body: Option<Inbound>,
}

/// What a request is sent on.
enum Way {
    Http1(Box<Link>),
    Http2(Shared),
}

/// How often a request is sent to an upstream that does not begin to answer it, through no fault of
/// either's.
const TRIES_MAX: u32 = 3;

/// Asks `upstream`: on a connection that is there, if one is; on another, if there is none or that
/// turns out to be dead.
pub(super) async fn attempt(
    upstream: &Arc<Upstream>,
    said: &Said<'_>,
    mut body: Inbound,
) -> Result<Reply, Missed> {
    let method = &said.request.method;
    if let Err(error) = upstream.can_change(&said.request.headers) {
        return Err(Missed { why: no_answer(upstream, error), body: None });
    }
    let mut tries = 1;
    loop {
        // First, so that there are no more connections than may ask.
        let place = match upstream.enter(&said.waited).await {
            Ok(place) => place,
            Err(error) => {
                return Err(Missed { why: no_answer(upstream, error), body: Some(body) });
            }
        };
        let speaks = upstream.speaks_for(&said.request.headers);
        let there = if tries == 1 { there(upstream, speaks) } else { None };
        let (way, took) = match there {
            Some(way) => (way, None),
            // Boxed, as it is rare and its state large.
            None => match Box::pin(upstream.connect(speaks, said.client)).await {
                Ok((Connected::Http1(link), took)) => (Way::Http1(link), took),
                Ok((Connected::Http2(shared), took)) => (Way::Http2(shared), took),
                Err(error) => {
                    let why = no_answer(upstream, error);
                    return Err(Missed { why, body: Some(body) });
                }
            },
        };
        match ask((upstream, place), way, (said, body)).await {
            Ok(response) => {
                upstream.answered();
                return Ok(Reply { response, upstream: Arc::clone(upstream), connect: took });
            }
            // No sign of ill health.
            Err(Broken { why, body: Some(untouched), heard: false })
                if tries < TRIES_MAX && came_late(&why, took) && may_repeat(&why, method) =>
            {
                body = untouched;
                tries += 1;
            }
            Err(broken) => return Err(missed(upstream, broken, method)),
        }
    }
}

/// A connection that is there, on which this is spoken, or HTTP/1.1, which may have been agreed on.
fn there(upstream: &Upstream, speaks: Speaks) -> Option<Way> {
    let shared = match speaks {
        Speaks::Http1 => None,
        Speaks::Http2 => upstream.shared_link().map(Way::Http2),
    };
    shared.or_else(|| upstream.waiting_link().map(Way::Http1))
}

/// Whether a request came when its connection was at its end: closed while it waited, or told to be the
/// last for others.
fn came_late(why: &Why, connected_in: Option<Duration>) -> bool {
    connected_in.is_none() || matches!(why, Why::Unprocessed(_))
}

/// An upstream, asked.
#[expect(clippy::large_enum_variant, reason = "it is a part of a future that is boxed already")]
enum Asking<'a> {
    Http1(ask::Asking<'a>),
    Http2(Pin<Box<dyn Future<Output = Result<Response<Body>, Broken>> + Send + 'a>>),
}

/// Asks `upstream` on a connection of its own. No `async fn`: its state would be as large again.
fn ask<'a>(
    (upstream, place): (&'a Arc<Upstream>, Option<Place>),
    way: Way,
    (&Said { request, trail, interims, .. }, body): (&Said<'a>, Inbound),
) -> Asking<'a> {
    let taken = Taken::of(upstream, place);
    let host = match upstream.options().host.as_ref().or_else(|| request.headers.get(HOST)) {
        Some(host) => Cow::Borrowed(host),
        None => Cow::Owned(upstream.host()),
    };
    let outbound = Outbound { request, host, trail, body, interims };
    match way {
        Way::Http1(link) => Asking::Http1(ask::ask(link, outbound, taken)),
        Way::Http2(shared) => {
            let scheme =
                if upstream.options().endpoint.scheme.is_secure() { "https" } else { "http" };
            Asking::Http2(Box::pin(http2::ask(shared, scheme, outbound, taken)))
        }
    }
}

impl Future for Asking<'_> {
    type Output = Result<Response<Body>, Broken>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Http1(asking) => Pin::new(asking).poll(cx),
            Self::Http2(asking) => asking.as_mut().poll(cx),
        }
    }
}

fn missed(upstream: &Upstream, broken: Broken, method: &Method) -> Missed {
    let Broken { why, body, heard } = broken;
    let body = body.filter(|_| !heard && may_repeat(&why, method));
    let error = match why {
        Why::Request(fault) => return Missed { why: Failed::Client(fault), body: None },
        Why::Late => CallError::Late { upstream: upstream.name().to_string() },
        why => CallError::broken(upstream.name(), why),
    };
    Missed { why: no_answer(upstream, error), body }
}

fn no_answer(upstream: &Upstream, error: CallError) -> Failed {
    Failed::NoAnswer { upstream: Arc::clone(upstream.name()), error }
}

/// Whether a request may be sent again that got no answer (RFC 9110 §9.2.2): it was not sent at all,
/// or its upstream says that it did not begin with it (RFC 9113 §8.7); or its connection was closed, and
/// being done twice is as good as once.
fn may_repeat(why: &Why, method: &Method) -> bool {
    match why {
        Why::Unsent(_) | Why::Unprocessed(_) => true,
        Why::Closed | Why::Io(_) => method.is_idempotent(),
        _ => false,
    }
}
