//! Asking an upstream over HTTP/2.

use std::{
    error::Error as _,
    future::poll_fn,
    io,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{
    HeaderMap, HeaderName, Request, Response, Uri, Version,
    header::{CONNECTION, EXPECT, HOST},
};
use http_body::Body as _;
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use relais_net::{Fault, Patience, Side};

use super::{
    ask::{Broken, Outbound},
    exchange::{Waits, Why},
    server::Taken,
    shared::Shared,
    upload::{Progress, Upload},
};
use crate::{Body, Inbound, Piece, Pieces, body::Breaking, spare};

/// Sends a request, and waits for the head of its answer. Interim answers before it are passed over:
/// hyper tells of none, and takes each off h2's queue as it comes.
pub(super) async fn ask(
    mut shared: Shared,
    scheme: &str,
    outbound: Outbound<'_>,
    taken: Taken,
) -> Result<Response<Body>, Broken> {
    let (head, body) = request(scheme, outbound).into_parts();
    let (upload, progress) = Upload::of(body);
    let request = Request::from_parts(head, upload);
    shared.listen();
    let answer = wait(send(shared.sender.clone(), request, &progress), &progress, &taken).await;
    let answer = answer.inspect_err(|broken| match &broken.why {
        Why::Late => shared.doubt(),
        Why::Io(_) => shared.retire(),
        Why::Unprocessed(error) if !is_refusal(error) => shared.retire(),
        _ => (),
    })?;
    shared.listen();
    progress.answered();
    let (head, body) = answer.into_parts();
    if !has_room(&head.headers, &taken) {
        return Err(broken(Why::Fields, None));
    }
    let len = body.size_hint().exact();
    let patience = Patience::default();
    let breaking = Breaking::default();
    let reading = Reading { body, patience, progress, shared, taken, trailers: None, breaking };
    let body =
        if reading.body.is_end_stream() { Body::empty() } else { Body::stream(reading, len) };
    Ok(Response::from_parts(head, body))
}

async fn send(
    mut sender: SendRequest<Upload>,
    request: Request<Upload>,
    progress: &Progress,
) -> Result<Response<Incoming>, Broken> {
    if let Err(error) = sender.ready().await {
        return Err(broken(Why::Unsent(error), progress.take_untouched()));
    }
    sender.try_send_request(request).await.map_err(|mut error| {
        let is_unsent = error.take_message().is_some();
        let why = match (is_unsent, progress.take_fault()) {
            (true, _) => Why::Unsent(error.into_error()),
            (false, Some(fault)) => Why::Request(fault),
            (false, None) => why(error.into_error()),
        };
        broken(why, progress.take_untouched())
    })
}

/// What `error` says of a request that has no answer.
fn why(error: hyper::Error) -> Why {
    if h2_error(&error).is_some_and(is_of_the_unprocessed) {
        Why::Unprocessed(error)
    } else if error.source().is_some_and(<dyn std::error::Error>::is::<io::Error>) {
        Why::Io(io::Error::other(error))
    } else {
        Why::Http2(error)
    }
}

fn h2_error(error: &hyper::Error) -> Option<&h2::Error> {
    error.source()?.downcast_ref()
}

/// Whether the upstream says that it did not begin with a request (RFC 9113 §8.7). That it goes away is
/// told to those alone that came after the last it cares for.
fn is_of_the_unprocessed(error: &h2::Error) -> bool {
    error.is_remote() && (error.is_go_away() || error.reason() == Some(h2::Reason::REFUSED_STREAM))
}

/// Whether it is but this one request that the upstream does not begin with.
fn is_refusal(error: &hyper::Error) -> bool {
    h2_error(error).is_some_and(h2::Error::is_reset)
}

/// Waits for an `answer`, for as long as the one whose turn it is may take.
async fn wait(
    answer: impl Future<Output = Result<Response<Incoming>, Broken>>,
    progress: &Progress,
    taken: &Taken,
) -> Result<Response<Incoming>, Broken> {
    let (mut answer, mut patience) = (Box::pin(answer), Patience::default());
    poll_fn(|cx| match answer.as_mut().poll(cx) {
        Poll::Pending if taken.is_late() => Poll::Ready(Err(broken(Why::Late, None))),
        Poll::Pending => {
            let max = (taken.limits().head_max, taken.left());
            let late = progress.waits().poll_late(&mut patience, cx, max);
            late.map(|why| Err(broken(why, None)))
        }
        ready @ Poll::Ready(_) => ready,
    })
    .await
}

fn broken(why: Why, body: Option<Inbound>) -> Broken {
    Broken { why, body, heard: false }
}

/// Whether there is room for so many fields. Of their size h2 takes care.
fn has_room(fields: &HeaderMap, taken: &Taken) -> bool {
    u32::try_from(fields.len()).is_ok_and(|fields| fields <= taken.limits().head.fields_max)
}

/// The request as HTTP/2 has it: its host is in its target.
fn request(scheme: &str, outbound: Outbound<'_>) -> Request<Inbound> {
    let Outbound { request, host, trail, body, .. } = outbound;
    let mut headers = spare::headers();
    let is_sent = |name: &HeaderName| match *name {
        HOST | CONNECTION => false,
        // As over HTTP/1.
        EXPECT => !body.is_end_stream(),
        _ => true,
    };
    for (name, value) in request.headers.iter().filter(|(name, _)| is_sent(name)) {
        headers.append(name, value.clone());
    }
    super::head::read_lines(trail, &mut headers);
    let mut sent = Request::new(body);
    let target = super::head::target(&request.uri);
    let uri = Uri::builder().scheme(scheme).authority(host.as_bytes()).path_and_query(&*target);
    // A host that is none for a URI is left to the upstream to be refused.
    *sent.uri_mut() = uri.build().unwrap_or_else(|_| request.uri.clone());
    *sent.method_mut() = request.method.clone();
    *sent.version_mut() = Version::HTTP_2;
    *sent.headers_mut() = headers;
    sent
}

/// The body of an answer, as it comes.
#[derive(Debug)]
struct Reading {
    body: Incoming,
    patience: Patience<Waits>,
    /// How far the request's is, which may still be on its way.
    progress: Arc<Progress>,
    shared: Shared,
    taken: Taken,
    trailers: Option<HeaderMap>,
    breaking: Breaking,
}

impl Reading {
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        let (waits, stall_max) = (self.progress.waits(), self.taken.limits().stall_max);
        let why = ready!(waits.poll_late(&mut self.patience, cx, (stall_max, self.taken.left())));
        if let Why::Late = why {
            self.shared.doubt();
        }
        Poll::Ready(self.fault(why))
    }

    /// Why it breaks off: with the request, if that did.
    fn fault(&self, why: Why) -> Fault {
        match (self.progress.take_fault(), why) {
            (Some(fault), _) | (None, Why::Request(fault)) => fault,
            (None, why) => {
                Fault::new(Side::Upstream, "reading an answer's body", io::Error::other(why))
            }
        }
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Fault>> {
        if self.taken.is_late() && !self.body.is_end_stream() {
            return Poll::Ready(Err(self.fault(self.progress.waits().late())));
        }
        loop {
            let Poll::Ready(frame) = Pin::new(&mut self.body).poll_frame(cx) else {
                return self.poll_late(cx).map(Err);
            };
            self.patience.moved();
            self.shared.listen();
            return Poll::Ready(match frame.map(|frame| frame.map(http_body::Frame::into_data)) {
                // Else it was reset without an error, which hyper takes for its end. It is none before
                // the answer's (RFC 9113 §8.1).
                None if self.body.is_end_stream() => Ok(None),
                None => Err(self.fault(Why::Cut)),
                Some(Err(error)) => Err(self.fault(Why::Http2(error))),
                Some(Ok(Ok(bytes))) => Ok(Some(bytes)),
                Some(Ok(Err(frame))) => {
                    self.trailers = frame.into_trailers().ok();
                    if self.trailers.iter().all(|trailers| has_room(trailers, &self.taken)) {
                        continue;
                    }
                    Err(self.fault(Why::Fields))
                }
            });
        }
    }
}

impl Pieces for Reading {
    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, Fault>>> {
        if let Some(fault) = self.breaking.take() {
            return Poll::Ready(Some(Err(fault)));
        }
        match ready!(self.poll_piece(cx)) {
            Ok(piece) => Poll::Ready(piece.map(|bytes| Ok(Piece::Bytes(bytes)))),
            Err(fault) => self.breaking.hold(fault, cx),
        }
    }

    fn are_of_memory(&self) -> bool {
        true
    }

    fn trailers(mut self: Pin<&mut Self>) -> Option<HeaderMap> {
        let mut trailers = self.trailers.take()?;
        super::head::strip_trailers(&mut trailers);
        Some(trailers)
    }
}

#[cfg(test)]
mod tests;
