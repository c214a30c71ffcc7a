//! Connections from end to end: raw bytes in, raw bytes out.

mod broken_tunnels;
mod early;
mod files;
mod http2;
mod refused;
mod straight;
mod tunnels;
mod uploads;

use std::{
    io::Write,
    pin::pin,
    sync::Arc,
    task::{Context, Waker},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::BodyExt;
use relais_net::{Conn, Drain, Drained, Fault, Peer, Service, Shutdown, Side, Stream};
use relais_wire::{date::parse_http_date, http1::HeadLimits};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt, DuplexStream},
    net::{TcpListener, TcpStream},
    task::coop::consume_budget,
};

use super::*;
use crate::{
    Answer, Ask, Body, DynHandler, Ended, FileSpan, Handler, OpenFile, OpenFiles, Piece, Stamp,
    Tunnel,
};

/// Answers by path.
#[derive(Debug, Default)]
struct Stage {
    file: Option<Arc<OpenFile>>,
}

impl Handler for Stage {
    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        match ask.request.uri().path() {
            "/now" => Some(Response::new(Body::full("now".into()))),
            "/busy" => {
                spend_budget();
                Some(Response::new(Body::full("busy".into())))
            }
            "/busy-long" => {
                spend_budget();
                Some(Response::new(Body::full(vec![b'x'; 3_000_000].into())))
            }
            _ => None,
        }
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        match ask.request.uri().path() {
            "/later" => {
                tokio::task::yield_now().await;
                Ok(Response::new(Body::full("later".into())))
            }
            "/heedless" => {
                drop(ask);
                tokio::time::sleep(Duration::from_millis(1)).await;
                Ok(Response::new(Body::full("heedless".into())))
            }
            "/busy-later" => {
                spend_budget();
                Ok(Response::new(Body::full("busy".into())))
            }
            "/echo" => {
                let bytes = ask.request.into_body().collect().await?.to_bytes();
                Ok(Response::new(Body::full(bytes)))
            }
            "/file" => {
                let file = self.file.clone().expect("a file on this stage");
                let len = file.stamp.len;
                let head = Piece::Bytes(Bytes::from_static(b"<"));
                let span = Piece::File(FileSpan { file, offset: 0, len, hold: None });
                Ok(Response::new(Body::of([head, span, Piece::Bytes(Bytes::from_static(b">"))])))
            }
            "/tunnel" => {
                let (near, far) = tokio::io::duplex(64);
                let tunnel = Tunnel::new(Stream::Memory(far), Bytes::new());
                // Says what it hears.
                tokio::spawn(async move {
                    let (mut hears, mut says) = tokio::io::split(near);
                    tokio::io::copy(&mut hears, &mut says).await
                });
                let answer = Response::builder().status(StatusCode::SWITCHING_PROTOCOLS);
                let answer = answer.header("connection", "upgrade").header("upgrade", "echo");
                Ok(answer.body(Body::tunnel(tunnel)).unwrap())
            }
            "/ours" => Err(fault(Side::Relais)),
            "/upstream" => Err(fault(Side::Upstream)),
            "/never" => std::future::pending().await,
            path => panic!("no act for {path}"),
        }
    }
}

/// Spends what the task under way may do before others have their turn.
pub(super) fn spend_budget() {
    let mut cx = Context::from_waker(Waker::noop());
    let is_left = |_: &i32| pin!(consume_budget()).poll(&mut cx).is_ready();
    assert!((0..10_000).take_while(is_left).count() < 10_000, "there is a budget");
}

fn fault(side: Side) -> Fault {
    Fault::new(side, "acting", std::io::ErrorKind::Other.into())
}

fn http(stage: Stage, limits: Limits) -> Http {
    let handler: Arc<dyn DynHandler> = Arc::new(stage);
    Http::new(Arc::new(ArcSwap::from_pointee(handler)), limits)
}

fn conn(stream: Stream) -> Conn {
    let endpoint = "http://127.0.0.1:80".parse().unwrap();
    Conn { stream, peer: Peer::Local, called: None, local: Arc::new(endpoint), tls: None }
}

/// A connection served in the background.
struct Served {
    client: DuplexStream,
    shutdown: Shutdown,
}

fn serve(limits: Limits) -> Served {
    serve_through(1 << 16, limits)
}

/// The same over what holds so many bytes each way.
fn serve_through(bytes: usize, limits: Limits) -> Served {
    let (client, server) = tokio::io::duplex(bytes);
    let (shutdown, drain) = Shutdown::new();
    tokio::spawn(async move {
        // How it ends is seen by the client.
        _ = http(Stage::default(), limits).serve(conn(Stream::Memory(server)), drain).await;
    });
    Served { client, shutdown }
}

/// Sends `input`, ends the sending side, and gives everything that comes back without the dates.
async fn talk(input: &str) -> String {
    let Served { mut client, shutdown: _shutdown } = serve(Limits::default());
    client.write_all(input.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    rest_of(&mut client).await
}

async fn rest_of(client: &mut DuplexStream) -> String {
    let mut output = Vec::new();
    client.read_to_end(&mut output).await.unwrap();
    undated(&String::from_utf8(output).unwrap())
}

/// `output` with dates that say so in place of those of today; others stay.
fn undated(output: &str) -> String {
    let lines = output.split_inclusive("\r\n");
    let is_date = |line: &str| {
        let date = line.strip_prefix("date: ").and_then(|date| date.strip_suffix("\r\n"));
        date.is_some_and(|date| parse_http_date(date.as_bytes(), SystemTime::UNIX_EPOCH).is_some())
    };
    lines.map(|line| if is_date(line) { "date: NOW\r\n" } else { line }).collect()
}

const NOW: &str = "HTTP/1.1 200 OK\r\ncontent-length: 3\r\ndate: NOW\r\n\r\nnow";

#[tokio::test]
async fn requests_are_answered_in_order() {
    let input = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n\
        POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi\
        GET /later HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let expect = format!(
        "{NOW}HTTP/1.1 200 OK\r\ncontent-length: 2\r\ndate: NOW\r\n\r\nhi\
        HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 5\r\ndate: NOW\r\n\r\nlater"
    );
    assert_eq!(talk(input).await, expect);
}

#[tokio::test]
async fn what_could_be_read_in_two_ways_is_refused_and_what_came_before_is_answered() {
    let good = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n";
    for bad in [
        "GET /now HTTP/1.1\nHost: a\r\n\r\n",
        "GET /now HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
        "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "GET /now HTTP/1.1\r\n\r\n",
        "GET /now HTTP/1.1\r\nHost : a\r\n\r\n",
    ] {
        let alone = talk(bad).await;
        assert!(alone.starts_with("HTTP/1.1 400 Bad Request\r\n"), "{bad:?}: {alone}");
        assert!(alone.contains("connection: close\r\n"), "{bad:?}: {alone}");
        let after = talk(&format!("{good}{bad}{good}")).await;
        assert_eq!(after, format!("{NOW}{alone}"), "{bad:?}");
    }
}

#[tokio::test]
async fn a_request_whose_body_is_refused_has_one_answer() {
    let chunked = "HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n";
    let answered = talk(&format!("POST /now {chunked}")).await;
    assert_eq!(answered.matches("HTTP/1.1 ").count(), 1, "{answered}");
    assert!(answered.starts_with("HTTP/1.1 200 "), "{answered}");
    let waiting = talk(&format!("POST /echo {chunked}")).await;
    assert_eq!(waiting.matches("HTTP/1.1 ").count(), 1, "{waiting}");
    assert!(waiting.starts_with("HTTP/1.1 400 "), "{waiting}");
}

#[tokio::test]
async fn what_stands_behind_a_last_request_has_no_answer() {
    let last = "GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let answered = talk(&format!("{last}\0\r\n\r\n")).await;
    assert_eq!(answered.matches("HTTP/1.1 ").count(), 1, "{answered}");
    assert!(answered.starts_with("HTTP/1.1 200 "), "{answered}");
}

#[tokio::test]
async fn what_comes_behind_a_request_for_a_tunnel_goes_into_it() {
    let head = "GET /tunnel HTTP/1.1\r\nHost: a\r\nConnection: upgrade\r\nUpgrade: echo\r\n\r\n";
    // Until there is an answer, what comes is judged as HTTP: none of it is lost in silence.
    for (early, expect) in [("", ""), ("a", "a"), ("no end", "no end"), ("line\r\nmore", "")] {
        let answer = talk(&format!("{head}{early}")).await;
        let (told, said) = answer.split_once("\r\n\r\n").unwrap();
        assert!(told.starts_with("HTTP/1.1 101 "), "{answer}");
        assert_eq!(said, expect, "{early:?}");
    }
}

#[tokio::test]
async fn a_body_that_nobody_wants_is_no_request() {
    let smuggled = "GET /later HTTP/1.1\r\nHost: a\r\n\r\n";
    let input = format!(
        "POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n{smuggled}\
         GET /now HTTP/1.1\r\nHost: a\r\n\r\n",
        smuggled.len()
    );
    assert_eq!(talk(&input).await, format!("{NOW}{NOW}"));
}

#[tokio::test]
async fn too_large_a_head_is_told_so() {
    let long = "a".repeat(20_000);
    let target = talk(&format!("GET /{long} HTTP/1.1\r\nHost: a\r\n\r\n")).await;
    assert!(target.starts_with("HTTP/1.1 414 "), "{target}");
    let many = "x: y\r\n".repeat(101);
    let fields = talk(&format!("GET /now HTTP/1.1\r\nHost: a\r\n{many}\r\n")).await;
    assert!(fields.starts_with("HTTP/1.1 431 "), "{fields}");
}

#[tokio::test]
async fn a_fault_has_the_status_of_its_side() {
    let ours = talk("GET /ours HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(ours.starts_with("HTTP/1.1 500 "), "{ours}");
    let upstream = talk("GET /upstream HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(upstream.starts_with("HTTP/1.1 502 "), "{upstream}");
    let tunnel = talk("CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n").await;
    assert!(tunnel.starts_with("HTTP/1.1 501 "), "{tunnel}");
}

#[tokio::test(start_paused = true)]
async fn a_drain_lets_the_answer_under_way_end() {
    let Served { mut client, shutdown } = serve(Limits::default());
    client
        .write_all(b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh")
        .await
        .unwrap();
    // Once it asks for the rest of the body, the request is under way.
    tokio::task::yield_now().await;
    let finishing = tokio::spawn(shutdown.finish(Duration::from_secs(5)));
    tokio::task::yield_now().await;
    client.write_all(b"i").await.unwrap();
    let output = rest_of(&mut client).await;
    assert_eq!(
        output,
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 2\r\ndate: NOW\r\n\r\nhi"
    );
    drop(client);
    assert_eq!(finishing.await.unwrap(), Drained::InTime);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_the_rest_of_a_head() {
    for cut in [1, 10, 19, 22, 27] {
        let Served { mut client, shutdown } = serve(Limits::default());
        let (first, rest) = "GET /now HTTP/1.1\r\nHost: a\r\n\r\n".split_at(cut);
        client.write_all(first.as_bytes()).await.unwrap();
        let_others_go_on().await;
        let finishing = tokio::spawn(shutdown.finish(Duration::from_secs(5)));
        let_others_go_on().await;
        client.write_all(rest.as_bytes()).await.unwrap();
        let output = rest_of(&mut client).await;
        let last = NOW.replace("OK\r\n", "OK\r\nconnection: close\r\n");
        assert_eq!(output, last, "{cut}");
        drop(client);
        assert_eq!(finishing.await.unwrap(), Drained::InTime);
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_does_not_wait_for_the_rest_of_a_head_for_long() {
    for before in ["", "GET /now HTTP/1.1\r\nHost: a\r\n\r\n"] {
        let Served { mut client, shutdown } = serve(Limits::default());
        client.write_all(before.as_bytes()).await.unwrap();
        client.write_all(b"GET /now HT").await.unwrap();
        let_others_go_on().await;
        let begun = tokio::time::Instant::now();
        let finishing = tokio::spawn(shutdown.finish(Duration::from_mins(1)));
        let expect = if before.is_empty() { "" } else { NOW };
        assert_eq!(rest_of(&mut client).await, expect);
        drop(client);
        assert_eq!(finishing.await.unwrap(), Drained::InTime);
        assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_closes_a_connection_without_a_request() {
    let Served { mut client, shutdown } = serve(Limits::default());
    client.write_all(b"GET /now HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    let mut output = vec![0; 3];
    client.read_exact(&mut output).await.unwrap();
    // Longer than a sweep: by then it is at rest.
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(shutdown.finish(Duration::from_secs(5)).await, Drained::InTime);
}

#[tokio::test]
async fn of_a_body_that_nobody_wants_so_much_is_taken() {
    for (bytes, answers) in [(1 << 20, 2), (2 << 20, 1)] {
        let Served { client, shutdown: _shutdown } = serve(Limits::default());
        let head = format!("POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: {bytes}\r\n\r\n");
        let next = b"GET /now HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
        let request = [head.as_bytes(), &vec![b'x'; bytes], next].concat();
        let (mut output, mut input) = tokio::io::split(client);
        // Who is closed in the middle of a body cannot send all of it.
        tokio::spawn(async move { _ = input.write_all(&request).await });
        let mut text = String::new();
        output.read_to_string(&mut text).await.unwrap();
        assert_eq!(text.matches("HTTP/1.1 200 ").count(), answers, "{bytes}: {text}");
        // In the last answer.
        assert_eq!(text.matches("connection: close\r\n").count(), 1, "{bytes}: {text}");
    }
}

/// Time stands still until everybody waits: then it jumps to the next alarm.
#[tokio::test(start_paused = true)]
async fn a_body_that_nobody_wants_may_be_silent_for_so_long() {
    let Served { mut client, shutdown: _shutdown } = serve(Limits::default());
    let head = b"POST /now HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\n";
    client.write_all(head).await.unwrap();
    let begun = tokio::time::Instant::now();
    // However long it takes in all.
    for _ in 0..8 {
        tokio::time::sleep(Duration::from_secs(3)).await;
        client.write_all(b"x").await.unwrap();
    }
    assert!(rest_of(&mut client).await.starts_with("HTTP/1.1 200 "));
    let waited = begun.elapsed();
    assert!((28..32).contains(&waited.as_secs()), "{waited:?}");
}

/// A real socket, for what a pipe in memory cannot do.
async fn tcp() -> (TcpStream, Stream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    (client, Stream::Tcp(listener.accept().await.unwrap().0))
}

fn open(bytes: &[u8]) -> (std::fs::File, Arc<OpenFile>) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let stamp = Stamp::of(&file).unwrap();
    (file.try_clone().unwrap(), OpenFiles::at_most(1).open(file, stamp))
}

fn stage(file: Arc<OpenFile>) -> Stage {
    Stage { file: Some(file) }
}

fn none() -> (Shutdown, Drain) {
    Shutdown::new()
}

/// Waits until it is so, and no time has to pass before.
async fn eventually(is_so: impl Fn() -> bool) {
    for _ in 0..100_000 {
        if is_so() {
            return;
        }
        tokio::task::yield_now().await;
    }
    panic!("it did not come to that");
}

/// Has all other tasks do what they can do without us.
async fn let_others_go_on() {
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_crowded_house_has_idle_connections_rest_at_once_and_wakes_them() {
    let (mut client, server) = tcp().await;
    let http1 = http(Stage::default(), Limits { awake_max: 0, ..Limits::default() });
    let awake = Arc::clone(&http1.awake);
    let (_shutdown, drain) = none();
    tokio::spawn(async move { http1.serve(conn(server), drain).await });
    for _ in 0..3 {
        client.write_all(b"GET /now HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut output = vec![0; NOW.len() + "Sun, 06 Nov 1994 08:49:37 GMT".len() - "NOW".len()];
        client.read_exact(&mut output).await.unwrap();
        assert_eq!(undated(&String::from_utf8(output).unwrap()), NOW);
        eventually(|| awake.load(std::sync::atomic::Ordering::Relaxed) == 0).await;
    }
}

#[tokio::test]
async fn a_head_may_be_as_large_as_is_configured() {
    let line = format!("x: {}\r\n", "y".repeat(15_000));
    check_head((100, 64 * 1024), &line.repeat(4), "HTTP/1.1 200 ").await;
    check_head((100, 64 * 1024), &line.repeat(5), "HTTP/1.1 431 ").await;
    check_head((100, 1 << 20), &line.repeat(60), "HTTP/1.1 200 ").await;
    // One more is the host's.
    check_head((100, 32 * 1024), &"x: y\r\n".repeat(99), "HTTP/1.1 200 ").await;
    check_head((100, 32 * 1024), &"x: y\r\n".repeat(100), "HTTP/1.1 431 ").await;
    check_head((500, 32 * 1024), &"x: y\r\n".repeat(499), "HTTP/1.1 200 ").await;
    check_head((500, 32 * 1024), &"x: y\r\n".repeat(500), "HTTP/1.1 431 ").await;
}

async fn check_head((fields_max, head_bytes_max): (u32, u32), fields: &str, expect: &str) {
    let head = HeadLimits { fields_max, head_bytes_max, ..Limits::default().head };
    let Served { mut client, shutdown: _shutdown } = serve(Limits { head, ..Limits::default() });
    let request = format!("GET /now HTTP/1.1\r\nHost: a\r\n{fields}\r\n");
    // Who is refused before the end of a head may not come to send all of it.
    _ = client.write_all(request.as_bytes()).await;
    _ = client.shutdown().await;
    let output = rest_of(&mut client).await;
    assert!(output.starts_with(expect), "{fields_max}, {head_bytes_max}: {output}");
}

/// Limits of nothing. The clock that they are held against is the kernel's coarse one, which no test
/// can pause: the first sweep after its next tick ends the connection.
fn no_time() -> Limits {
    let none = Duration::ZERO;
    Limits { head_max: none, idle_max: none, stall_max: none, ..Limits::default() }
}

#[tokio::test(start_paused = true)]
async fn who_takes_too_long_is_told_or_left() {
    check_slow("GET /now HT", "HTTP/1.1 408 ").await;
    check_slow("", "").await;
    let begun = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nh";
    check_slow(begun, "HTTP/1.1 408 ").await;
}

/// Who asks for much at once has a poll come to its end before it can wait for the next sweep.
#[tokio::test(start_paused = true)]
async fn who_had_much_at_once_is_swept_like_others() {
    for path in ["/busy", "/busy-later"] {
        let busy = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        let text = NOW.replace("length: 3", "length: 4").replace("now", "busy");
        check_slow(&busy, &text).await;
        check_slow(&format!("{busy}GET /now HT"), &format!("{text}HTTP/1.1 408 ")).await;
    }
    let (mut client, server) = tokio::io::duplex(1 << 12);
    let (_shutdown, drain) = none();
    let http = http(Stage::default(), no_time());
    let serving =
        tokio::spawn(async move { http.serve(conn(Stream::Memory(server)), drain).await });
    client.write_all(b"GET /busy-long HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    // It takes nothing.
    in_time(serving).await.unwrap().unwrap_err();
}

async fn check_slow(input: &str, expect: &str) {
    let Served { mut client, shutdown: _shutdown } = serve(no_time());
    client.write_all(input.as_bytes()).await.unwrap();
    let output = in_time(rest_of(&mut client)).await;
    assert!(output.starts_with(expect), "{output}");
    assert_eq!(output.is_empty(), expect.is_empty(), "{output}");
}

/// What `future` gives within a day, of paused time: that is some ticks of a clock that is not.
async fn in_time<F: Future>(future: F) -> F::Output {
    tokio::time::timeout(Duration::from_hours(24), future).await.expect("it ends")
}
