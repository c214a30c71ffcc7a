//! Asking an upstream over HTTP/2.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use http::{
    HeaderMap, Request, Response, Uri, Version,
    header::{CONNECTION, HOST},
};
use http_body::Body as _;
use hyper::body::Incoming;
use relais_net::{Fault, Side};

use super::{
    ask::{Broken, Outbound},
    exchange::Why,
    server::Taken,
    shared::Shared,
};
use crate::{Body, Inbound, Piece, Pieces, alarm::Patience, spare};

/// Sends a request, and waits for the head of its answer.
pub(super) async fn ask(
    shared: &mut Shared,
    scheme: &str,
    outbound: Outbound<'_>,
    taken: Taken,
) -> Result<Response<Body>, Broken> {
    let taken_up = Arc::new(AtomicU64::new(0));
    let request = request(scheme, outbound).map(|body| {
        if body.is_end_stream() { body } else { Inbound::counted(body, Arc::clone(&taken_up)) }
    });
    let (mut patience, head_max) = (Patience::default(), taken.limits().head_max);
    let mut answer = Box::pin(async {
        if let Err(error) = shared.ready().await {
            return Err(broken(Why::Unsent(error), Some(request.into_body())));
        }
        shared.try_send_request(request).await.map_err(|mut error| match error.take_message() {
            Some(request) => broken(Why::Unsent(error.into_error()), Some(request.into_body())),
            None => broken(Why::Http2(error.into_error()), None),
        })
    });
    let answer = poll_fn(|cx| match answer.as_mut().poll(cx) {
        Poll::Pending => {
            // An upload may take longer than its answer.
            let late = patience.poll(cx, taken_up.load(Relaxed), head_max);
            late.map(|()| Err(broken(Why::Late, None)))
        }
        ready @ Poll::Ready(_) => ready,
    });
    let (head, body) = answer.await?.into_parts();
    let len = body.size_hint().exact();
    let reading = Reading { body, patience: Patience::default(), taken, trailers: None };
    let body =
        if reading.body.is_end_stream() { Body::empty() } else { Body::stream(reading, len) };
    Ok(Response::from_parts(head, body))
}

fn broken(why: Why, body: Option<Inbound>) -> Broken {
    Broken { why, body, heard: false }
}

/// The request as HTTP/2 has it: its host is in its target.
fn request(scheme: &str, outbound: Outbound<'_>) -> Request<Inbound> {
    let Outbound { request, host, trail, body } = outbound;
    let mut headers = spare::headers();
    for (name, value) in &request.headers {
        if !matches!(*name, HOST | CONNECTION) {
            headers.append(name, value.clone());
        }
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
    patience: Patience<()>,
    taken: Taken,
    trailers: Option<HeaderMap>,
}

impl Pieces for Reading {
    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, Fault>>> {
        let this = &mut *self;
        let fault = |error| Fault::new(Side::Upstream, "reading an answer's body", error);
        loop {
            let Poll::Ready(frame) = Pin::new(&mut this.body).poll_frame(cx) else {
                ready!(this.patience.poll(cx, (), this.taken.limits().stall_max));
                return Poll::Ready(Some(Err(fault(io::ErrorKind::TimedOut.into()))));
            };
            this.patience.moved();
            match frame.map(|frame| frame.map(http_body::Frame::into_data)) {
                None => return Poll::Ready(None),
                Some(Err(error)) => return Poll::Ready(Some(Err(fault(io::Error::other(error))))),
                Some(Ok(Ok(bytes))) => return Poll::Ready(Some(Ok(Piece::Bytes(bytes)))),
                Some(Ok(Err(frame))) => this.trailers = frame.into_trailers().ok(),
            }
        }
    }

    fn trailers(mut self: Pin<&mut Self>) -> Option<HeaderMap> {
        let mut trailers = self.trailers.take()?;
        super::head::strip_trailers(&mut trailers);
        Some(trailers)
    }
}

#[cfg(test)]
mod tests {
    use std::{convert::Infallible, sync::Arc, time::Duration};

    use bytes::Bytes;
    use http_body_util::{BodyExt as _, Full};
    use hyper::service::service_fn;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use relais_net::Peer;
    use tokio::net::TcpListener;

    use super::*;
    use crate::upstream::{
        Balance, Call, CallError, Group, Limits, Options, Reply, Speaks, Upstream, dialer_for_tests,
    };

    /// Answers a request with what it says.
    async fn echo(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let said = format!("{} {} {:?} ", request.method(), request.uri(), request.headers());
        let body = request.into_body().collect().await.unwrap().to_bytes();
        Ok(Response::new(Full::new([said.as_bytes(), &body].concat().into())))
    }

    async fn serve(listener: TcpListener, answers: Answers) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let service = service_fn(move |request| async move {
                match answers {
                    Answers::Echo => echo(request).await,
                    Answers::Never => std::future::pending().await,
                }
            });
            let conn = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service);
            tokio::spawn(conn);
        }
    }

    #[derive(Clone, Copy)]
    enum Answers {
        Echo,
        Never,
    }

    async fn group(answers: Answers, limits: Limits) -> Group {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(serve(listener, answers));
        let (host, dialer, speaks) = (None, dialer_for_tests(), Speaks::Http2);
        let upstream = Upstream::new(Options { endpoint, host, dialer, speaks, limits });
        Group::new(vec![Arc::new(upstream)], Balance::Least).unwrap()
    }

    async fn call(group: &Group, body: &'static [u8]) -> Result<Reply, CallError> {
        let (head, ()) =
            Request::post("/a?b").header(HOST, "a.example").body(()).unwrap().into_parts();
        let body = Inbound::Full(Bytes::from_static(body));
        let (trail, client) = (&b"via: 1.1 here\r\n"[..], Peer::Local.client());
        group.call(Call { request: &head, trail, body, client }).await
    }

    #[tokio::test]
    async fn requests_share_a_connection() {
        let group = group(Answers::Echo, Limits::default()).await;
        for nth in 0..3 {
            let Reply { response, timings, .. } = call(&group, b"hi").await.unwrap();
            assert_eq!(timings.connect.is_some(), nth == 0);
            let mut body = response.into_body();
            let piece = poll_fn(|cx| body.poll_piece(cx, 1000)).await.unwrap().unwrap();
            let Piece::Bytes(said) = piece else { panic!("{piece:?}") };
            let said = String::from_utf8(said.to_vec()).unwrap();
            assert_eq!(
                said,
                "POST http://a.example/a?b {\"via\": \"1.1 here\", \"content-length\": \"2\"} hi"
            );
            assert!(poll_fn(|cx| body.poll_piece(cx, 1000)).await.is_none());
        }
    }

    #[tokio::test]
    async fn who_does_not_answer_is_given_up_and_the_connection_kept() {
        let limits = Limits { head_max: Duration::ZERO, ..Limits::default() };
        let group = group(Answers::Never, limits).await;
        assert!(matches!(call(&group, b"").await, Err(CallError::Late { .. })));
    }

    #[tokio::test]
    async fn what_is_no_http2_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            use tokio::io::AsyncWriteExt as _;
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            }
        });
        let (host, dialer, speaks) = (None, dialer_for_tests(), Speaks::Http2);
        let limits = Limits::default();
        let upstream = Upstream::new(Options { endpoint, host, dialer, speaks, limits });
        let group = Group::new(vec![Arc::new(upstream)], Balance::Least).unwrap();
        let error = call(&group, b"").await.unwrap_err();
        assert!(matches!(error, CallError::Broken { .. }), "{error:?}");
    }
}
