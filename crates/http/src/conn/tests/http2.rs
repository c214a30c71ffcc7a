//! HTTP/2 connections, as hyper's client sees them.

use http_body_util::{BodyExt, Empty};
use hyper::client::conn::http2::SendRequest;
use hyper_util::rt::{TokioExecutor, TokioIo};
use relais_net::tls::{Handshake, Protocol, Session, Version};

use super::*;
use crate::says::Told;

pub(super) fn http2_session() -> Session {
    Session {
        protocol: Protocol::Http2,
        server_name: None,
        version: Version::Tls13,
        cipher: "",
        handshake: Handshake::Full,
        caller: None,
    }
}

/// An HTTP/2 connection served in the background, and the client's end of it.
async fn http2(limits: Limits) -> (SendRequest<Empty<Bytes>>, Shutdown) {
    connect(&Arc::new(http(Stage::default(), limits))).await
}

/// The same by `http`.
pub(super) async fn connect(http: &Arc<Http>) -> (SendRequest<Empty<Bytes>>, Shutdown) {
    let (sender, _serving, shutdown) = serving(http, 1 << 21).await;
    (sender, shutdown)
}

/// The same, whose client takes so much of a stream before it is read; and who serves it.
pub(super) async fn serving(
    http: &Arc<Http>,
    window: u32,
) -> (SendRequest<Empty<Bytes>>, tokio::task::JoinHandle<Result<(), Fault>>, Shutdown) {
    serving_to(Peer::Local, http, window).await
}

/// The same of a client that is `peer`, and sends bodies of this kind.
pub(super) async fn serving_to<B>(
    peer: Peer,
    http: &Arc<Http>,
    window: u32,
) -> (SendRequest<B>, tokio::task::JoinHandle<Result<(), Fault>>, Shutdown)
where
    B: http_body::Body<Data = Bytes, Error = std::convert::Infallible> + Send + Unpin + 'static,
{
    let (client, server) = tokio::io::duplex(1 << 16);
    let (shutdown, drain) = Shutdown::new();
    let conn = Conn { peer, tls: Some(http2_session()), ..conn(Stream::Memory(server)) };
    let http = Arc::clone(http);
    let serving = tokio::spawn(async move { http.serve(conn, drain).await });
    let (sender, driver) = hyper::client::conn::http2::Builder::new(TokioExecutor::new())
        .initial_stream_window_size(window)
        .handshake(TokioIo::new(client))
        .await
        .unwrap();
    tokio::spawn(driver);
    (sender, serving, shutdown)
}

fn get(target: &str) -> http::request::Builder {
    http::Request::builder().uri(target).version(http::Version::HTTP_2)
}

#[tokio::test]
async fn http2_answers_and_judges_the_host() {
    let (mut sender, _shutdown) = http2(Limits::default()).await;
    let request = get("https://a/now").body(Empty::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "now");
    let request = get("https://a/now").header("host", "b").body(Empty::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn an_http2_drain_lets_the_answer_under_way_end() {
    let (mut sender, shutdown) = http2(Limits::default()).await;
    let request = get("https://a/later").body(Empty::new()).unwrap();
    let answering = tokio::spawn(sender.send_request(request));
    tokio::task::yield_now().await;
    let finishing = tokio::spawn(shutdown.finish(Duration::from_secs(5)));
    let answer = answering.await.unwrap().unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "later");
    assert_eq!(finishing.await.unwrap(), Drained::InTime);
}

#[tokio::test(start_paused = true)]
async fn an_idle_http2_connection_is_closed() {
    let (mut sender, _shutdown) = http2(no_time()).await;
    let request = get("https://a/now").body(Empty::new()).unwrap();
    let answer = sender.send_request(request).await.unwrap();
    assert_eq!(answer.into_body().collect().await.unwrap().to_bytes(), "now");
    in_time(closed(&mut sender)).await;
}

#[tokio::test(start_paused = true)]
async fn an_idle_http2_client_that_answers_nothing_is_told_and_left_in_peace() {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let http = http(Stage::default(), no_time());
    let (_shutdown, drain) = none();
    let conn = Conn { tls: Some(http2_session()), ..conn(Stream::Memory(server)) };
    let serving = tokio::spawn(async move { http.serve(conn, drain).await });
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &settings].concat();
    client.write_all(&hello).await.unwrap();
    in_time(serving).await.unwrap().unwrap();
    let mut output = Vec::new();
    client.read_to_end(&mut output).await.unwrap();
    // GOAWAY of no stream in particular, for no error.
    let goaway = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0];
    assert!(output.windows(goaway.len()).any(|window| window == goaway), "{output:?}");
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_who_answers_nothing_and_asks_for_nothing() {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let http = http(Stage::default(), Limits::default());
    let (shutdown, drain) = Shutdown::new();
    let conn = Conn { tls: Some(http2_session()), ..conn(Stream::Memory(server)) };
    tokio::spawn(async move { http.serve(conn, drain).await });
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &settings].concat();
    client.write_all(&hello).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = tokio::time::Instant::now();
    assert_eq!(shutdown.finish(Duration::from_mins(1)).await, Drained::InTime);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// An upload ends after the word to stop: that and its answer are no reason to wait for more.
#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_who_falls_silent_after_the_answer_under_way() {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let http = http(Stage::default(), Limits::default());
    let (shutdown, drain) = Shutdown::new();
    let conn = Conn { tls: Some(http2_session()), ..conn(Stream::Memory(server)) };
    tokio::spawn(async move { http.serve(conn, drain).await });
    let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(4, 0, 0, b"")];
    // POST https://a/echo in the tables of HPACK, with END_HEADERS.
    let ask = frame(1, 4, 1, b"\x83\x87\x04\x05/echo\x41\x01a");
    client.write_all(&[&hello.concat()[..], &ask].concat()).await.unwrap();
    tokio::time::sleep(Duration::from_millis(300)).await;
    let begun = tokio::time::Instant::now();
    let finishing = tokio::spawn(shutdown.finish(Duration::from_mins(1)));
    tokio::time::sleep(Duration::from_millis(2500)).await;
    assert!(!finishing.is_finished(), "its answer is under way");
    client.write_all(&frame(0, 1, 1, b"all")).await.unwrap();
    assert_eq!(finishing.await.unwrap(), Drained::InTime);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
    let mut output = Vec::new();
    client.read_to_end(&mut output).await.unwrap();
    assert!(output.windows(3).any(|window| window == b"all"), "{output:?}");
}

/// *Shape*: RFC 9113 §4.1.
pub(super) fn frame(kind: u8, flags: u8, stream: u8, content: &[u8]) -> Vec<u8> {
    let len = u8::try_from(content.len()).unwrap();
    [&[0, 0, len, kind, flags, 0, 0, 0, stream], content].concat()
}

/// Says of each request whether all of its body came.
#[derive(Debug)]
struct Uploads(tokio::sync::mpsc::UnboundedSender<bool>);

impl Handler for Uploads {
    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        let came = ask.request.into_body().collect().await;
        self.0.send(came.is_ok()).unwrap();
        came.map(|_| Response::new(Body::empty()))
    }
}

/// Without an error, too: a client that goes on may reset a stream so whenever it likes.
#[tokio::test]
async fn an_upload_that_is_reset_is_not_whole() {
    // POST https://a/ in the tables of HPACK.
    let head = b"\x83\x87\x84\x41\x01a";
    let (no_error, cancel) = ([0, 0, 0, 0], [0, 0, 0, 8]);
    let (end_stream, end_headers) = (1, 4);
    for (last, is_whole) in [
        (frame(0, end_stream, 1, b"half"), true),
        (frame(3, 0, 1, &no_error), false),
        (frame(3, 0, 1, &cancel), false),
    ] {
        let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
        let handler: Arc<dyn DynHandler> = Arc::new(Uploads(tell));
        let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default());
        let (mut client, server) = tokio::io::duplex(1 << 16);
        let (_shutdown, drain) = none();
        let conn = Conn { tls: Some(http2_session()), ..conn(Stream::Memory(server)) };
        tokio::spawn(async move { http.serve(conn, drain).await });
        let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &frame(4, 0, 0, b"")];
        client.write_all(&hello.concat()).await.unwrap();
        let upload = [frame(1, end_headers, 1, head), frame(0, 0, 1, b"half")];
        client.write_all(&upload.concat()).await.unwrap();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        client.write_all(&last).await.unwrap();
        // Who is not asked to the end any more learns nothing: that is not whole, too.
        assert_eq!(told.recv().await.unwrap_or(false), is_whole, "{last:?}");
    }
}

/// Waits until the server has gone.
async fn closed(sender: &mut SendRequest<Empty<Bytes>>) {
    while !sender.is_closed() {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

/// Time stands still until everybody waits: then it jumps to the next alarm.
#[tokio::test(start_paused = true)]
async fn a_stream_that_its_client_lets_stand_is_reset_and_the_others_go_on() {
    let (_, file) = open(&vec![b'a'; 4 << 20]);
    let limits = Limits::default();
    let http = Arc::new(http(stage(Arc::clone(&file)), limits));
    let (mut sender, _shutdown) = connect(&http).await;
    let answer = sender.send_request(file_request()).await.unwrap();
    let begun = tokio::time::Instant::now();
    // It takes other answers meanwhile, but no more of this one than its window lets in.
    while http.shared.inside() > 0 {
        tokio::time::sleep(Duration::from_secs(10)).await;
        let request = get("https://a/now").body(Empty::new()).unwrap();
        let now = sender.send_request(request).await.unwrap();
        assert_eq!(now.into_body().collect().await.unwrap().to_bytes(), "now");
        assert!(begun.elapsed() < Duration::from_mins(4), "it stands");
    }
    assert!(begun.elapsed() > limits.stall_max, "too soon: {:?}", begun.elapsed());
    answer.into_body().collect().await.unwrap_err();
    eventually(|| Arc::strong_count(&file) == 2).await;
}

#[tokio::test(start_paused = true)]
async fn a_crowd_of_bodies_has_no_room_for_another_and_less_patience() {
    let (_, file) = open(&vec![b'a'; 4 << 20]);
    let limits = Limits { shared_max: 2, ..Limits::default() };
    let http = Arc::new(http(stage(file), limits));
    let (mut sender, _shutdown) = connect(&http).await;
    let first = sender.send_request(file_request()).await.unwrap();
    let second = sender.send_request(file_request()).await.unwrap();
    let third = sender.send_request(file_request()).await.unwrap();
    let statuses = [&first, &second, &third].map(|answer| answer.status().as_u16());
    assert_eq!(statuses, [200, 200, 503]);
    assert_eq!(third.headers()["retry-after"], "5");
    let begun = tokio::time::Instant::now();
    while http.shared.inside() == 2 {
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert!(begun.elapsed() < limits.stall_max / 2, "too late: {:?}", begun.elapsed());
    }
}

/// Of four places.
#[tokio::test(start_paused = true)]
async fn one_client_does_not_take_every_place_for_bodies() {
    let (_, file) = open(&vec![b'a'; 4 << 20]);
    let http = Arc::new(http(stage(file), Limits { shared_max: 4, ..Limits::default() }));
    let from = |ip: &str| Peer::Net((ip.parse::<std::net::IpAddr>().unwrap(), 1).into());
    // Another address of one household is the same client.
    let (mut first, _, _first) = serving_to(from("2001:db8::1"), &http, 1 << 21).await;
    let (mut second, _, _second) = serving_to(from("2001:db8::2"), &http, 1 << 21).await;
    let (mut other, _, _other) = serving_to(from("192.0.2.1"), &http, 1 << 21).await;
    let mut held = Vec::new();
    for (sender, expect) in
        [(&mut first, [200, 200]), (&mut second, [200, 503]), (&mut other, [200, 503])]
    {
        for expect in expect {
            held.push(sender.send_request(file_request()).await.unwrap());
            assert_eq!(held.last().unwrap().status(), expect, "{}", held.len());
        }
    }
}

fn file_request() -> http::Request<Empty<Bytes>> {
    get("https://a/file").body(Empty::new()).unwrap()
}

#[tokio::test]
async fn requests_are_refused_one_by_one_and_told() {
    let told = Told::default();
    let handler: Arc<dyn DynHandler> = Arc::new(told.clone());
    let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default());
    let (mut sender, _shutdown) = connect(&Arc::new(http)).await;
    let mut many = get("https://a/many");
    for _ in 0..101 {
        many = many.header("x", "y");
    }
    for (request, expect, heard) in [
        (get("https://a/").header("x", " y"), 400, Some("400 https://a/")),
        (many, 431, Some("431 https://a/many")),
        (get("http://a/"), 400, Some("400 http://a/")),
        (get("a:443").method("CONNECT"), 501, Some("501 a:443")),
        (get("https://a/"), 200, None),
    ] {
        let answer = sender.send_request(request.body(Empty::new()).unwrap()).await.unwrap();
        assert_eq!(answer.status(), expect);
        assert!(!answer.headers().contains_key("connection"));
        assert_eq!(told.take(), heard.as_slice());
    }
}

/// Frames of a client that does not keep to what it was told.
#[tokio::test(start_paused = true)]
async fn a_stream_too_many_is_refused() {
    let (mut client, server) = tokio::io::duplex(1 << 16);
    let http = http(Stage::default(), Limits { streams_max: 2, ..Limits::default() });
    let (_shutdown, drain) = none();
    let conn = Conn { tls: Some(http2_session()), ..conn(Stream::Memory(server)) };
    tokio::spawn(async move { http.serve(conn, drain).await });
    // GET https://a/never, with END_STREAM and END_HEADERS.
    let fields = b"\x82\x87\x04\x06/never\x41\x01a";
    let len = u8::try_from(fields.len()).unwrap();
    let ask = |stream| [&[0, 0, len, 1, 5, 0, 0, 0, stream], &fields[..]].concat();
    let settings = [0, 0, 0, 4, 0, 0, 0, 0, 0];
    let hello = [b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".as_slice(), &settings].concat();
    client.write_all(&[hello, ask(1), ask(3), ask(5)].concat()).await.unwrap();
    // RST_STREAM of stream 5: REFUSED_STREAM.
    let refused = [0, 0, 4, 3, 0, 0, 0, 0, 5, 0, 0, 0, 7];
    let mut output = Vec::new();
    while !output.windows(refused.len()).any(|window| window == refused) {
        let came = in_time(client.read_buf(&mut output)).await.unwrap();
        assert!(came > 0, "closed: {output:?}");
    }
}
