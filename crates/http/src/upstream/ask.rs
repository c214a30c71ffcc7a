//! Sending a request on a connection of HTTP/1, and waiting for the head of its answer.

use std::{
    borrow::Cow,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use http::{
    HeaderMap, HeaderValue, Method, Response, Version,
    header::{AUTHORIZATION, CONTENT_LENGTH, EXPECT, UPGRADE},
    request,
};
use http_body::Body as _;
use relais_wire::http1::{
    self,
    response::{Asked, Framing, Head},
};

use super::{
    OnInterim,
    exchange::{Exchange, INTERIM_MAX, Whose, Why},
    head,
    link::{HEAD_READ_BYTES, Link},
    reading::Reading,
    sending::Sending,
    server::Taken,
    switch::is_as_asked,
};
use crate::{Body, Inbound, Tunnel};

/// How long a server is waited for that was asked whether it wants a body.
const CONTINUE_MAX: Duration = Duration::from_secs(1);

/// A request, and what goes with it.
#[derive(Debug)]
pub(super) struct Outbound<'a> {
    pub(super) request: &'a request::Parts,
    /// What `Host` says.
    pub(super) host: Cow<'a, HeaderValue>,
    /// Lines behind its fields.
    pub(super) trail: &'a [u8],
    pub(super) body: Inbound,
    /// Who is told of interim answers.
    pub(super) interims: Option<&'a dyn OnInterim>,
}

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) why: Why,
    /// The request's body, if none of it was asked for.
    pub(super) body: Option<Inbound>,
    /// Whether anything came back.
    pub(super) heard: bool,
}

/// A request whose answer has not begun: waits for its head.
///
/// Gives why there is none otherwise; the link is closed then.
#[derive(Debug)]
pub(super) struct Asking<'a> {
    request: &'a request::Parts,
    /// `None` once there is an answer, or none to come; so are the rest.
    exchange: Option<Exchange>,
    taken: Option<Taken>,
    asked: Asked,
    heard: bool,
    came_before: CameBefore,
    interims: Option<&'a dyn OnInterim>,
}

/// What came of interim answers.
#[derive(Debug, Default)]
struct CameBefore {
    heads: u32,
    bytes: usize,
}

impl CameBefore {
    /// Counts one of so many bytes. All together may have as many as one head: each is passed on, and
    /// a client is not to be sent many times what its answer may have.
    fn count(&mut self, bytes: usize, bytes_max: u32) -> Result<(), Why> {
        self.heads += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        if self.heads > INTERIM_MAX {
            return Err(Why::Interim);
        }
        let is_within = u32::try_from(self.bytes).is_ok_and(|bytes| bytes <= bytes_max);
        if is_within { Ok(()) } else { Err(Why::InterimBytes { max: bytes_max }) }
    }
}

/// Sends a request on `link`.
pub(super) fn ask(link: Box<Link>, outbound: Outbound<'_>, taken: Taken) -> Asking<'_> {
    let Outbound { request, host, trail, body, interims } = outbound;
    let framing = framing_of(request, &body);
    let mut front = Vec::with_capacity(512);
    head::print(request, (&host, trail), framing, &mut front);
    let mut sending = Sending::new(front, body, framing);
    sending.may_ask = !framing.has_content() || !expects_continue(&request.headers);
    let asked = match request.method {
        Method::HEAD => Asked::Head,
        _ if request.headers.contains_key(UPGRADE) => Asked::Upgrade,
        _ => Asked::Usual,
    };
    let exchange = Exchange::new(link, sending, binds(&request.headers));
    let (exchange, taken) = (Some(exchange), Some(taken));
    Asking {
        request,
        exchange,
        taken,
        asked,
        heard: false,
        came_before: CameBefore::default(),
        interims,
    }
}

impl Future for Asking<'_> {
    type Output = Result<Response<Body>, Broken>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let asking = self.get_mut();
        let came = ready!(asking.poll_head(cx));
        let (exchange, taken) = asking.exchange.take().zip(asking.taken.take()).expect(ONCE);
        let (head, headers) = match came {
            Ok(came) => came,
            Err(why) => {
                let body = exchange.sending.into_untouched_body();
                return Poll::Ready(Err(Broken { why, body, heard: asking.heard }));
            }
        };
        if head.framing == Framing::Tunnel && !is_as_asked(&asking.request.headers, &headers) {
            return Poll::Ready(Err(Broken { why: Why::Protocol, body: None, heard: true }));
        }
        Poll::Ready(answer(exchange, (&head, headers), taken))
    }
}

/// What a future is.
const ONCE: &str = "polled until ready";

/// How a request's body is sent. An empty one is said to be empty if the client said so, or if the
/// server may wait to be told, as the method is for sending something (RFC 9110 §8.6).
fn framing_of(request: &request::Parts, body: &Inbound) -> head::Framing {
    if body.is_end_stream() {
        let is_for_content = matches!(request.method, Method::POST | Method::PUT | Method::PATCH);
        let is_told = is_for_content || request.headers.contains_key(CONTENT_LENGTH);
        return if is_told { head::Framing::Length(0) } else { head::Framing::Nothing };
    }
    body.size_hint().exact().map_or(head::Framing::Chunked, head::Framing::Length)
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Whether a request proves who its client is once for its whole connection, as no scheme should
/// and these two do (RFC 4559 §6): whoever was next on it would be taken for that client.
fn binds(headers: &HeaderMap) -> Whose {
    let scheme = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let scheme = scheme.and_then(|value| value.split(u8::is_ascii_whitespace).next());
    let is = |name: &str| scheme.is_some_and(|s| s.eq_ignore_ascii_case(name.as_bytes()));
    if is("NTLM") || is("Negotiate") { Whose::OneClient } else { Whose::Anyones }
}

impl Asking<'_> {
    fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<(Head, HeaderMap), Why>> {
        let Self { exchange, taken, asked, heard, came_before, interims, .. } = self;
        let (exchange, taken) = exchange.as_mut().zip(taken.as_ref()).expect(ONCE);
        loop {
            exchange.send(cx)?;
            let link = &mut exchange.link;
            if !link.unread.is_empty()
                && let Some(head) = link.reader.read(&link.unread, *asked).map_err(Why::Head)?
            {
                let is_interim = head.status < 200 && head.status != 101;
                if !is_interim {
                    let block = link.unread.split_to(head.len);
                    let headers = head::fields(&block, link.reader.fields());
                    return Poll::Ready(headers.map(|headers| (head, headers)).ok_or(Why::Fields));
                }
                came_before.count(head.len, taken.limits().head.head_bytes_max)?;
                pass_over(exchange, &head, *interims);
                continue;
            }
            match link.poll_read(cx, HEAD_READ_BYTES) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(Why::Closed)),
                Poll::Ready(Ok(_)) => *heard = true,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Why::Io(error))),
                Poll::Pending if taken.is_late() => return Poll::Ready(Err(Why::Late)),
                Poll::Pending if exchange.sending.may_ask => {
                    return exchange
                        .poll_late(cx, (taken.limits().head_max, taken.left()))
                        .map(Err);
                }
                Poll::Pending => {
                    ready!(exchange.poll_late(cx, (CONTINUE_MAX, taken.left())));
                    // A server that does not know the question does not answer it.
                    go_on(exchange);
                }
            }
        }
    }
}

/// Passes over a head of 1xx, of which others are told. 100 is for us: whether the client is to send its
/// body is said when that is asked for.
fn pass_over(exchange: &mut Exchange, head: &Head, interims: Option<&dyn OnInterim>) {
    let block = exchange.link.unread.split_to(head.len);
    if head.status == 100 {
        if !exchange.sending.may_ask {
            go_on(exchange);
        }
        return;
    }
    let Some(interims) = interims else { return };
    // A field that is none for a map is nothing that a client needs to know.
    let Some(headers) = head::fields(&block, exchange.link.reader.fields()) else { return };
    let mut interim = Response::new(());
    *interim.status_mut() = head::status(head);
    *interim.headers_mut() = headers;
    *interim.version_mut() = version(head);
    interims.on_interim(interim);
}

fn version(head: &Head) -> Version {
    match head.version {
        http1::Version::Http10 => Version::HTTP_10,
        http1::Version::Http11 => Version::HTTP_11,
    }
}

/// Sends the body, too.
fn go_on(exchange: &mut Exchange) {
    exchange.sending.may_ask = true;
    exchange.moved();
}

/// The answer with this head, whose body is read from here on.
fn answer(
    exchange: Exchange,
    (head, headers): (&Head, HeaderMap),
    taken: Taken,
) -> Result<Response<Body>, Broken> {
    let status = head::status(head);
    let body = if head.framing == Framing::Tunnel {
        // What is left of the request would be said in the tunnel (RFC 9110 §7.8).
        if !exchange.sending.done {
            return Err(Broken { why: Why::Switch, body: None, heard: true });
        }
        let Link { stream, unread, permit, .. } = *exchange.link;
        // It is under way for as long as anything can be said.
        Body::tunnel(Tunnel::new(stream, unread).holding((taken, permit)))
    } else {
        let reading = Reading::new(exchange, head, taken);
        reading.into_body().map_err(|why| Broken { why, body: None, heard: true })?
    };
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    *response.version_mut() = version(head);
    Ok(response)
}
