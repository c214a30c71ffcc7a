//! One request and its answer on a connection of HTTP/1.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderValue, Method, Response, Version,
    header::{AUTHORIZATION, EXPECT, UPGRADE},
    request,
};
use http_body::Body as _;
use relais_net::{Fault, Side};
use relais_wire::http1::{
    self,
    response::{Asked, AtClose, BadHead, BodyDecoder, Framing, Head, Persistence},
};

use super::{
    Limits, head,
    link::Link,
    pool,
    sending::{Sending, Unsent},
    server::Taken,
};
use crate::{Body, Inbound, Piece, Pieces, Tunnel, alarm::Patience};

/// How many heads of 1xx are passed over before an answer.
const INTERIM_MAX: u32 = 16;

/// How long a server is waited for that was asked whether it wants a body.
const CONTINUE_MAX: Duration = Duration::from_secs(1);

/// A request, and what goes with it.
#[derive(Debug)]
pub(super) struct Outbound<'a> {
    pub(super) request: &'a request::Parts,
    /// What `Host` says.
    pub(super) host: &'a HeaderValue,
    /// Lines behind its fields.
    pub(super) trail: &'a [u8],
    pub(super) body: Inbound,
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

#[derive(Debug, thiserror::Error)]
pub(super) enum Why {
    #[error("the connection was closed before an answer came")]
    Closed,
    #[error("the connection broke")]
    Io(#[source] io::Error),
    #[error("the answer is not well-formed")]
    Head(#[source] BadHead),
    #[error("the answer has more fields than there is room for")]
    Fields,
    #[error("the answer's body is not well-formed")]
    Body(#[source] http1::Refusal),
    #[error("too many interim answers: expected at most {INTERIM_MAX}")]
    Interim,
    #[error("no answer came in time")]
    Late,
    #[error("the request's body broke off")]
    Request(#[source] Fault),
    #[error("the connection took no request")]
    Unsent(#[source] hyper::Error),
    #[error("HTTP/2 went wrong")]
    Http2(#[source] hyper::Error),
}

/// An exchange under way.
#[derive(Debug)]
struct Exchange {
    link: Box<Link>,
    sending: Sending,
    /// The upstream stopped taking the request: what it answers is read, and the link not used again.
    deaf: bool,
    /// The connection may stand for one client from here on, and is not another's to use.
    bound: bool,
    heard: bool,
    interim: u32,
    patience: Patience,
}

/// Sends a request on `link`, and waits for the head of its answer.
///
/// # Errors
///
/// Why there is none; the link is closed then.
pub(super) async fn ask(
    mut link: Box<Link>,
    outbound: Outbound<'_>,
    taken: Taken,
) -> Result<Response<Body>, Broken> {
    let Outbound { request, host, trail, body } = outbound;
    let framing = framing_of(&body);
    let mut front = Vec::with_capacity(512);
    head::print(request, (host, trail), framing, &mut front);
    link.used += 1;
    let mut sending = Sending::new(front, body, framing);
    sending.may_ask = !expects_continue(&request.headers);
    let mut exchange = Exchange {
        link,
        sending,
        deaf: false,
        bound: binds(&request.headers),
        heard: false,
        interim: 0,
        patience: Patience::default(),
    };
    let limits = taken.limits();
    let asked = match request.method {
        Method::HEAD => Asked::Head,
        _ if request.headers.contains_key(UPGRADE) => Asked::Upgrade,
        _ => Asked::Usual,
    };
    match poll_fn(|cx| exchange.poll_head(cx, asked, limits)).await {
        Ok((head, headers)) => exchange.answer(&head, headers, taken),
        Err(why) => {
            let Exchange { sending, heard, .. } = exchange;
            Err(Broken { why, body: sending.into_untouched_body(), heard })
        }
    }
}

/// How a request's body is sent.
fn framing_of(body: &Inbound) -> head::Framing {
    if body.is_end_stream() {
        return head::Framing::Nothing;
    }
    body.size_hint().exact().map_or(head::Framing::Chunked, head::Framing::Length)
}

fn expects_continue(headers: &HeaderMap) -> bool {
    headers.get(EXPECT).is_some_and(|value| value.as_bytes().eq_ignore_ascii_case(b"100-continue"))
}

/// Whether a request proves who its client is once for its whole connection, as no scheme should
/// and these two do (RFC 4559 §6): whoever was next on it would be taken for that client.
fn binds(headers: &HeaderMap) -> bool {
    let scheme = headers.get(AUTHORIZATION).map(HeaderValue::as_bytes);
    let scheme = scheme.and_then(|value| value.split(u8::is_ascii_whitespace).next());
    let is = |name: &str| scheme.is_some_and(|s| s.eq_ignore_ascii_case(name.as_bytes()));
    is("NTLM") || is("Negotiate")
}

impl Exchange {
    fn poll_head(
        &mut self,
        cx: &mut Context<'_>,
        asked: Asked,
        limits: &Limits,
    ) -> Poll<Result<(Head, HeaderMap), Why>> {
        loop {
            self.send(cx)?;
            let unread = &self.link.unread;
            if !unread.is_empty()
                && let Some(head) = self.link.reader.read(unread, asked).map_err(Why::Head)?
            {
                let is_interim = head.status < 200 && head.status != 101;
                if !is_interim {
                    self.patience.moved();
                    let block = self.link.unread.split_to(head.len);
                    let headers = head::fields(&block, self.link.reader.fields());
                    return Poll::Ready(headers.map(|headers| (head, headers)).ok_or(Why::Fields));
                }
                self.pass_over(&head)?;
                continue;
            }
            match self.link.poll_read(cx) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(Why::Closed)),
                Poll::Ready(Ok(_)) => self.heard = true,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Why::Io(error))),
                Poll::Pending => {
                    let asks = !self.sending.may_ask;
                    ready!(
                        self.patience.poll(cx, if asks { CONTINUE_MAX } else { limits.head_max })
                    );
                    if !asks {
                        return Poll::Ready(Err(Why::Late));
                    }
                    // A server that does not know the question does not answer it.
                    self.go_on();
                }
            }
        }
    }

    /// Passes over a head of 1xx.
    fn pass_over(&mut self, head: &Head) -> Result<(), Why> {
        drop(self.link.unread.split_to(head.len));
        self.interim += 1;
        if self.interim > INTERIM_MAX {
            return Err(Why::Interim);
        }
        if head.status == 100 && !self.sending.may_ask {
            self.go_on();
        }
        Ok(())
    }

    /// Sends the body, too.
    fn go_on(&mut self) {
        self.sending.may_ask = true;
        self.patience.moved();
    }

    /// Sends what can be sent.
    fn send(&mut self, cx: &mut Context<'_>) -> Result<(), Why> {
        if self.deaf {
            return Ok(());
        }
        let before = self.sending.sent;
        let sending = self.sending.poll(cx, &mut self.link.stream);
        if self.sending.sent > before {
            // An upload may take longer than its answer.
            self.patience.moved();
        }
        match sending {
            Poll::Ready(Err(Unsent::Body(fault))) => Err(Why::Request(fault)),
            // It may have answered before, and closed.
            Poll::Ready(Err(Unsent::Upstream)) => {
                self.deaf = true;
                Ok(())
            }
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// The answer with this head, whose body is read from here on.
    fn answer(
        self,
        head: &Head,
        headers: HeaderMap,
        taken: Taken,
    ) -> Result<Response<Body>, Broken> {
        let status = head::status(head);
        let body = if head.framing == Framing::Tunnel {
            let Link { stream, unread, .. } = *self.link;
            Body::tunnel(Tunnel { far: stream, early: unread })
        } else {
            let decoder = BodyDecoder::new(head.framing, taken.limits().head);
            let len = decoder.left();
            let persists = head.persistence == Persistence::Persists && !self.bound;
            let mut reading =
                Reading { exchange: Some(self), decoder, persists, taken, trailers: None };
            match reading.whole().map_err(|why| Broken { why, body: None, heard: true })? {
                Some(whole) => Body::own(whole),
                None => Body::stream(reading, len),
            }
        };
        let mut response = Response::new(body);
        *response.status_mut() = status;
        *response.headers_mut() = headers;
        *response.version_mut() = match head.version {
            http1::Version::Http10 => Version::HTTP_10,
            http1::Version::Http11 => Version::HTTP_11,
        };
        Ok(response)
    }
}

/// The body of an answer, as it comes.
#[derive(Debug)]
struct Reading {
    /// `None` once it is over.
    exchange: Option<Exchange>,
    decoder: BodyDecoder,
    /// Whether the connection may be used again.
    persists: bool,
    taken: Taken,
    trailers: Option<HeaderMap>,
}

impl Reading {
    /// All of the body, if it came with the head and is of one piece.
    fn whole(&mut self) -> Result<Option<Bytes>, Why> {
        if self.decoder.has_ended() {
            self.finish();
            return Ok(Some(Bytes::new()));
        }
        let Some(Exchange { link, .. }) = &mut self.exchange else { return Ok(None) };
        // Chunks may be many; what is told by a length is one.
        match self.decoder.left() {
            Some(left) if left <= link.unread.len() as u64 => {
                let piece = self.take_piece()?;
                Ok(piece)
            }
            _ => Ok(None),
        }
    }

    /// Takes the next piece off what was read; `None` if more has to come, or there is no more.
    fn take_piece(&mut self) -> Result<Option<Bytes>, Why> {
        let Some(Exchange { link, .. }) = &mut self.exchange else { return Ok(None) };
        while !link.unread.is_empty() {
            let decoded = self.decoder.decode(&link.unread).map_err(Why::Body)?;
            let input = link.unread.split_to(decoded.consumed);
            if decoded.ended {
                if !self.decoder.trailers().is_empty() {
                    self.trailers = head::fields(&input, self.decoder.trailers());
                }
                self.finish();
                return Ok((!decoded.data.is_empty()).then(|| input.slice(decoded.data)));
            }
            if !decoded.data.is_empty() {
                return Ok(Some(input.slice(decoded.data)));
            }
            if decoded.consumed == 0 {
                break;
            }
        }
        Ok(None)
    }

    /// Lets the connection be used again, if it can be.
    fn finish(&mut self) {
        let Some(Exchange { link, sending, deaf, .. }) = self.exchange.take() else { return };
        // Whatever follows the answer was not asked for.
        if self.persists && sending.done && !deaf && link.unread.is_empty() {
            pool::put(self.taken.id(), link, self.taken.limits());
        }
        self.taken.end();
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Why>> {
        loop {
            if let Some(piece) = self.take_piece()? {
                return Poll::Ready(Ok(Some(piece)));
            }
            let Some(exchange) = &mut self.exchange else { return Poll::Ready(Ok(None)) };
            exchange.send(cx)?;
            match exchange.link.poll_read(cx) {
                Poll::Ready(Ok(0)) => match self.decoder.at_close() {
                    AtClose::Whole => {
                        self.persists = false;
                        self.finish();
                        return Poll::Ready(Ok(None));
                    }
                    AtClose::Cut => return Poll::Ready(Err(Why::Closed)),
                },
                Poll::Ready(Ok(_)) => exchange.patience.moved(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Why::Io(error))),
                Poll::Pending => {
                    ready!(exchange.patience.poll(cx, self.taken.limits().stall_max));
                    return Poll::Ready(Err(Why::Late));
                }
            }
        }
    }
}

impl Pieces for Reading {
    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, Fault>>> {
        let piece = ready!(self.poll_piece(cx));
        if let Err(why) = &piece {
            tracing::debug!(error = why as &dyn std::error::Error, "an answer breaks off");
            self.exchange = None;
        }
        Poll::Ready(match piece {
            Ok(piece) => piece.map(|bytes| Ok(Piece::Bytes(bytes))),
            Err(Why::Request(fault)) => Some(Err(fault)),
            Err(why) => {
                let error = io::Error::other(why);
                Some(Err(Fault::new(Side::Upstream, "reading an answer's body", error)))
            }
        })
    }

    fn trailers(mut self: Pin<&mut Self>) -> Option<HeaderMap> {
        self.trailers.take()
    }
}
