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
mod tests {
    use std::{borrow::Cow, convert::Infallible, time::Duration};

    use bytes::Bytes;
    use http::HeaderValue;
    use http_body_util::{BodyExt as _, Full};
    use hyper::service::service_fn;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use relais_net::Peer;
    use tokio::{
        io::AsyncWriteExt as _,
        net::TcpListener,
        sync::{mpsc, oneshot},
    };

    use super::*;
    use crate::{
        ConnBody,
        clock::coarse_now,
        upstream::{
            Balance, Call, CallError, Failed, Group, Limits, Options, Reply, Speaks, Upstream,
            dialer_for_tests, shared,
        },
    };

    const SECOND: Duration = Duration::from_secs(1);

    /// Does as the body says: is silent, says much, or says what it was asked.
    async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
        let said = format!("{} {} {:?} ", request.method(), request.uri(), request.headers());
        let body = request.into_body().collect().await.map(http_body_util::Collected::to_bytes);
        Ok(Response::new(Full::new(match body.as_deref() {
            Ok(b"silence" | b"") | Err(_) => std::future::pending().await,
            Ok(b"much") => vec![b'x'; MUCH].into(),
            Ok(body) => [said.as_bytes(), body].concat().into(),
        })))
    }

    /// More than is sent before somebody takes it.
    const MUCH: usize = 1 << 20;

    /// Says when one of its connections has ended.
    async fn serve(listener: TcpListener, ended: mpsc::UnboundedSender<()>) {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let conn = hyper::server::conn::http2::Builder::new(TokioExecutor::new())
                .serve_connection(TokioIo::new(stream), service_fn(answer));
            let ended = ended.clone();
            tokio::spawn(async move {
                _ = conn.await;
                _ = ended.send(());
            });
        }
    }

    async fn group_and_ends(limits: Limits) -> (Group, mpsc::UnboundedReceiver<()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let (ended, ends) = mpsc::unbounded_channel();
        tokio::spawn(serve(listener, ended));
        (group_at(at, limits), ends)
    }

    fn group_at(at: std::net::SocketAddr, limits: Limits) -> Group {
        let endpoint = format!("http://{at}").parse().unwrap();
        let (host, dialer, speaks) = (None, dialer_for_tests(), Speaks::Http2);
        let upstream = Upstream::new(Options { endpoint, host, dialer, speaks, limits });
        Group::new(vec![Arc::new(upstream)], Balance::Least).unwrap()
    }

    async fn group(limits: Limits) -> Group {
        group_and_ends(limits).await.0
    }

    async fn call_with(group: &Group, body: Inbound) -> Result<Reply, Failed> {
        let (head, ()) =
            Request::post("/a?b").header(HOST, "a.example").body(()).unwrap().into_parts();
        let (trail, client) = (&b"via: 1.1 here\r\n"[..], Peer::Local.client());
        group.call(Call { request: &head, trail, body, client, interims: None }).await
    }

    async fn call(group: &Group, body: &'static str) -> Result<Reply, Failed> {
        call_with(group, Inbound::Full(Bytes::from_static(body.as_bytes()))).await
    }

    async fn read(reply: Reply) -> String {
        let (mut body, mut read) = (reply.response.into_body(), Vec::new());
        while let Some(piece) = poll_fn(|cx| body.poll_piece(cx, 1 << 16)).await {
            let Piece::Bytes(bytes) = piece.unwrap() else { panic!("bytes") };
            read.extend_from_slice(&bytes);
        }
        String::from_utf8(read).unwrap()
    }

    fn is_late(called: &Result<Reply, Failed>) -> bool {
        matches!(called, Err(Failed::NoAnswer { error: CallError::Late { .. }, .. }))
    }

    /// Whether another connection was made for a call.
    async fn is_called_anew(group: &Group) -> bool {
        let reply = call(group, "hi").await.unwrap();
        let is_new = reply.connect.is_some();
        assert!(read(reply).await.ends_with(" hi"));
        is_new
    }

    #[test]
    fn nobody_is_asked_for_leave_to_send_nothing() {
        let asks = |body: &'static [u8]| {
            let asked = Request::post("/").header(EXPECT, "100-continue").body(());
            let (head, ()) = asked.unwrap().into_parts();
            let host = Cow::Owned(HeaderValue::from_static("a.example"));
            let body = Inbound::Full(Bytes::from_static(body));
            let outbound = Outbound { request: &head, host, trail: b"", body, interims: None };
            request("http", outbound).headers().contains_key(EXPECT)
        };
        assert!(asks(b"a") && !asks(b""));
    }

    #[tokio::test]
    async fn requests_share_a_connection() {
        let group = group(Limits::default()).await;
        for nth in 0..3 {
            let reply = call(&group, "hi").await.unwrap();
            assert_eq!(reply.connect.is_some(), nth == 0);
            assert_eq!(
                read(reply).await,
                "POST http://a.example/a?b {\"via\": \"1.1 here\", \"content-length\": \"2\"} hi"
            );
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_does_not_answer_is_given_up_and_the_connection_kept_if_anything_comes_there() {
        let group = group(Limits { head_max: 2 * SECOND, ..Limits::default() }).await;
        assert!(is_called_anew(&group).await);
        let (silent, is_new) = tokio::join!(call(&group, "silence"), is_called_anew(&group));
        assert!(is_late(&silent));
        assert!(!is_new && !is_called_anew(&group).await);
    }

    /// Who is gone without a word does not even answer that.
    #[tokio::test(start_paused = true)]
    async fn where_nothing_comes_at_all_nobody_asks_again_and_what_was_asked_goes_on() {
        let group = group(Limits { head_max: 2 * SECOND, ..Limits::default() }).await;
        let much = call(&group, "much").await.unwrap();
        assert!(!is_called_anew(&group).await);
        assert!(is_late(&call(&group, "silence").await));
        assert!(is_called_anew(&group).await);
        assert_eq!(read(much).await.len(), MUCH);
    }

    #[tokio::test]
    async fn a_connection_ends_that_nobody_uses_for_long_or_ever_will() {
        let idle_max = 10 * SECOND;
        let (group, mut ends) = group_and_ends(Limits { idle_max, ..Limits::default() }).await;
        let later = || coarse_now() + 10_001;
        assert!(is_called_anew(&group).await);
        shared::sweep_at(coarse_now());
        let much = call(&group, "much").await.unwrap();
        assert!(much.connect.is_none());
        shared::sweep_at(later());
        assert!(!is_called_anew(&group).await, "somebody used it");
        assert_eq!(read(much).await.len(), MUCH);
        shared::sweep_at(later() + 10_001);
        ends.recv().await.unwrap();
        assert!(is_called_anew(&group).await);
        drop(group);
        shared::sweep_at(coarse_now());
        ends.recv().await.unwrap();
    }

    /// The body of a request whose client says so much of five bytes.
    async fn inbound(said: &str) -> (Inbound, tokio::io::DuplexStream) {
        inbound_framed("Content-Length: 5", said).await
    }

    async fn inbound_framed(by: &str, said: &str) -> (Inbound, tokio::io::DuplexStream) {
        let (mut client, server) = tokio::io::duplex(1 << 10);
        let (tell, told) = oneshot::channel();
        let tell = std::sync::Mutex::new(Some(tell));
        let service = service_fn(move |request: Request<Incoming>| {
            let tell = tell.lock().unwrap().take().unwrap();
            async move {
                _ = tell.send(request.into_body());
                std::future::pending::<Result<Response<Full<Bytes>>, Infallible>>().await
            }
        });
        let conn = hyper::server::conn::http1::Builder::new();
        tokio::spawn(conn.serve_connection(TokioIo::new(server), service));
        let head = format!("POST / HTTP/1.1\r\nHost: a\r\n{by}\r\n\r\n");
        client.write_all([&head, said].concat().as_bytes()).await.unwrap();
        (Inbound::Conn(ConnBody::new(told.await.unwrap(), None)), client)
    }

    #[tokio::test]
    async fn trailers_of_requests_are_sent_but_for_those_that_belong_before_a_body() {
        let said = "1\r\nx\r\n0\r\nX-A: 1\r\nX_B: 2\r\nX-Forwarded-For: 3\r\nProxy: 4\r\n\r\n";
        let (body, _client) = inbound_framed("Transfer-Encoding: chunked", said).await;
        let (mut upload, _) = Upload::of(body);
        let trailers = loop {
            let frame = upload.frame().await.unwrap().unwrap();
            if let Ok(trailers) = frame.into_trailers() {
                break trailers;
            }
        };
        let names: Vec<_> = trailers.keys().map(HeaderName::as_str).collect();
        assert_eq!(names, ["x-a"]);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_client_does_not_send_is_not_the_upstreams_fault() {
        let group = group(Limits { head_max: 2 * SECOND, ..Limits::default() }).await;
        for _ in 0..3 {
            let (body, client) = inbound("he").await;
            let start = tokio::time::Instant::now();
            let (called, ()) = tokio::join!(call_with(&group, body), async {
                tokio::time::sleep(10 * SECOND).await;
                drop(client);
            });
            assert!(matches!(called, Err(Failed::Client(_))), "{called:?}");
            assert!(start.elapsed() >= 10 * SECOND);
        }
        let (body, _client) = inbound("he").await;
        let called = call_with(&group, body).await;
        assert!(matches!(called, Err(Failed::Client(_))), "{called:?}");
        assert!(group.upstreams()[0].is_well());
        assert!(!is_called_anew(&group).await);
        let (body, _client) = inbound("hello").await;
        assert!(read(call_with(&group, body).await.unwrap()).await.ends_with(" hello"));
    }

    /// All streams but one of a connection.
    #[tokio::test]
    async fn who_takes_no_answer_has_nobody_else_wait() {
        let group = group(Limits::default()).await;
        let mut untaken = Vec::new();
        for _ in 0..63 {
            untaken.push(call(&group, "much").await.unwrap());
        }
        let reply = call(&group, "much").await.unwrap();
        assert!(reply.connect.is_none());
        assert_eq!(read(reply).await.len(), MUCH);
        let connected = untaken.iter().filter(|reply| reply.connect.is_some()).count();
        assert_eq!(connected, 1);
        for reply in untaken {
            assert_eq!(read(reply).await.len(), MUCH);
        }
    }

    #[tokio::test]
    async fn what_is_no_http2_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let group = group_at(listener.local_addr().unwrap(), Limits::default());
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
            }
        });
        let why = call(&group, "").await.unwrap_err();
        let Failed::NoAnswer { upstream, error: CallError::Broken { .. } } = &why else {
            panic!("{why:?}")
        };
        assert_eq!(upstream, group.upstreams()[0].name());
    }
}
