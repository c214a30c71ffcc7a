//! Against hyper's server.

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
    let (head, ()) = Request::post("/a?b").header(HOST, "a.example").body(()).unwrap().into_parts();
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
