//! Requests to servers in this process, made of h2, over sockets.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::atomic::AtomicUsize,
    time::Duration,
};

use h2::{
    Reason,
    server::{self, SendResponse},
};
use http::{Request, Response};
use relais_net::{
    DialLimits, Scheme,
    tls::{Connector, Demand, Roots, Trust},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};

use super::*;
use crate::load::{Load, Outcome, Parts, Running, Said, Schedule, Target, Task, Until};

/// What a server does with a request.
type Asked = (Request<h2::RecvStream>, SendResponse<Bytes>);

const MS: Duration = Duration::from_millis(1);

fn load(at: std::net::SocketAddr, (connections, streams): (usize, usize), requests: u64) -> Load {
    let parts = Parts { method: "GET", path: "/", host: "a", fields: &[], data: None };
    Load {
        target: Target {
            endpoint: format!("http://{at}").parse().unwrap(),
            path: "/".to_owned(),
            said: Said::Http2(Http2Request::of(parts, Scheme::Http).unwrap()),
        },
        task: Task::Ask,
        connections: NonZeroUsize::new(connections).unwrap(),
        streams: NonZeroUsize::new(streams).unwrap(),
        threads: NonZeroUsize::new(2).unwrap(),
        schedule: Schedule { rate: None, warmup: Duration::ZERO, until: Until::Requests(requests) },
        timeout: MS * 20_000,
    }
}

async fn outcome(load: Load) -> Outcome {
    let most = MS * 20_000;
    let limits =
        DialLimits { connect_max: most, handshake_max: most, source: None, keepalive: None };
    let demand = Demand { trust: Trust::Roots(Roots::none()), server_name: None, own: None };
    let dialer = Dialer::new(limits, Connector::new(&demand).unwrap());
    let mut running = Running::start(load, dialer).unwrap();
    running.wait().await;
    running.end().await
}

/// A server that does `serve` with each who calls, by their number from 0.
async fn listen<F: Future<Output = ()> + Send>(
    serve: impl Fn(usize, TcpStream) -> F + Send + Sync + Clone + 'static,
) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            let serve = serve.clone();
            tokio::spawn(async move { serve(number, stream).await });
        }
    });
    at
}

/// Serves one who calls: each request as `answer` does, by their number from 0.
async fn serve<F: Future<Output = ()> + Send + 'static>(
    stream: TcpStream,
    answer: impl Fn(usize, Asked) -> F,
) {
    let mut conn = server::handshake(stream).await.unwrap();
    for number in 0.. {
        let Some(Ok(asked)) = conn.accept().await else { return };
        tokio::spawn(answer(number, asked));
    }
}

fn ok(send: &mut SendResponse<Bytes>) {
    let mut body = send.send_response(Response::new(()), false).unwrap();
    body.send_data(Bytes::from_static(b"ok"), true).unwrap();
}

fn kinds(outcome: &Outcome) -> Vec<(Kind, u64)> {
    outcome.ledger.failed_requests().map(|(kind, failed)| (kind, failed.count)).collect()
}

#[tokio::test]
async fn as_many_requests_are_answered_as_were_asked_for() {
    let at = listen(|_, stream| serve(stream, async |_, (_, mut send)| ok(&mut send)));
    let outcome = outcome(load(at.await, (3, 7), 1_000)).await;
    let ledger = &outcome.ledger;
    assert_eq!((ledger.answers(), kinds(&outcome), ledger.connects()), (1_000, vec![], 3));
    assert_eq!((ledger.statuses, outcome.reached), ([0, 1_000, 0, 0, 0], 3));
    assert_eq!((outcome.unanswered, outcome.unsent), (0, 0));
    // Two frames each, with heads of 9 bytes.
    assert!(ledger.received >= 1_000 * 21, "{} bytes", ledger.received);
    assert!(ledger.sent >= 1_000 * 10, "{} bytes", ledger.sent);
}

#[tokio::test]
async fn so_many_are_under_way_on_one_connection_as_it_has_streams() {
    static UNDER_WAY: AtomicUsize = AtomicUsize::new(0);
    static MOST: AtomicUsize = AtomicUsize::new(0);
    // Nobody is answered before five ask.
    static TURNS: Semaphore = Semaphore::const_new(0);
    let answer = async |_, (_, mut send): Asked| {
        let now = UNDER_WAY.fetch_add(1, Ordering::SeqCst) + 1;
        MOST.fetch_max(now, Ordering::SeqCst);
        if now == 5 {
            TURNS.add_permits(5);
        }
        TURNS.acquire().await.unwrap().forget();
        UNDER_WAY.fetch_sub(1, Ordering::SeqCst);
        ok(&mut send);
    };
    let at = listen(move |_, stream| serve(stream, answer)).await;
    let outcome = outcome(load(at, (1, 5), 5)).await;
    assert_eq!((outcome.ledger.answers(), outcome.ledger.connects()), (5, 1));
    assert_eq!(MOST.load(Ordering::SeqCst), 5);
}

#[tokio::test]
async fn with_a_rate_latency_is_counted_from_when_requests_were_due() {
    // One stands still for a second, and with it the one stream there is.
    let answer = async |number, (_, mut send): Asked| {
        if number == 0 {
            tokio::time::sleep(MS * 1_000).await;
        }
        ok(&mut send);
    };
    let at = listen(move |_, stream| serve(stream, answer)).await;
    let mut timed = load(at, (1, 1), 50);
    timed.schedule.rate = NonZeroU64::new(1_000);
    let ledger = outcome(timed).await.ledger;
    assert_eq!((ledger.answers(), ledger.since_sent.total()), (50, 50));
    // All of them were due meanwhile; one was sent.
    assert!(ledger.latency.within(500_000).unwrap() >= MS * 700, "{:?}", ledger.latency.mean());
    assert!(ledger.since_sent.within(500_000).unwrap() < MS * 700);
}

#[tokio::test]
async fn who_goes_away_in_order_is_called_again_and_nothing_is_lost() {
    let at = listen(async |_, stream| {
        let mut conn = server::handshake(stream).await.unwrap();
        for number in 1.. {
            let Some(Ok((_, mut send))) = conn.accept().await else { return };
            ok(&mut send);
            if number == 10 {
                conn.graceful_shutdown();
            }
        }
    });
    let outcome = outcome(load(at.await, (1, 1), 100)).await;
    let ledger = &outcome.ledger;
    // One that was under way behind the last is told that it was.
    assert_eq!(ledger.answers() + ledger.failures(), 100);
    assert!(
        kinds(&outcome).iter().all(|(kind, _)| *kind == Kind::GoneAway),
        "{:?}",
        kinds(&outcome)
    );
    assert!(ledger.answers() >= 90 && ledger.connects() >= 10, "{}", ledger.connects());
}

#[tokio::test]
async fn who_goes_away_before_an_answer_is_counted_as_that() {
    let at = listen(async |_, stream| {
        let mut conn = server::handshake(stream).await.unwrap();
        let _asked = conn.accept().await;
        conn.abrupt_shutdown(Reason::ENHANCE_YOUR_CALM);
        _ = poll_fn(|cx| conn.poll_closed(cx)).await;
    });
    let outcome = outcome(load(at.await, (1, 1), 3)).await;
    assert_eq!((outcome.ledger.answers(), kinds(&outcome)), (0, vec![(Kind::GoneAway, 3)]));
    let (_, failed) = outcome.ledger.failed_requests().next().unwrap();
    let expect = "the server goes away, before an answer: ENHANCE_YOUR_CALM";
    assert_eq!(failed.sample.as_deref(), Some(expect));
    assert_eq!(outcome.ledger.connects(), 3);
}

#[tokio::test]
async fn streams_that_are_refused_or_reset_leave_their_connection_to_the_others() {
    let answer = async |number, (_, mut send): Asked| match number % 3 {
        0 => send.send_reset(Reason::REFUSED_STREAM),
        1 => send.send_reset(Reason::INTERNAL_ERROR),
        _ => ok(&mut send),
    };
    let at = listen(move |_, stream| serve(stream, answer)).await;
    let outcome = outcome(load(at, (1, 4), 90)).await;
    let expect = vec![(Kind::StreamReset, 30), (Kind::StreamRefused, 30)];
    assert_eq!((outcome.ledger.answers(), kinds(&outcome)), (30, expect));
    assert_eq!(outcome.ledger.connects(), 1);
}

#[tokio::test]
async fn who_closes_without_a_word_is_counted_as_closed() {
    let at = listen(async |_, stream| {
        let mut conn = server::handshake(stream).await.unwrap();
        _ = conn.accept().await;
    });
    let outcome = outcome(load(at.await, (1, 1), 2)).await;
    let kinds: Vec<_> = kinds(&outcome).into_iter().map(|(kind, _)| kind).collect();
    // Closed, or reset where something of ours came after the end.
    assert!(kinds.iter().all(|kind| matches!(kind, Kind::Closed | Kind::Reset)), "{kinds:?}");
    assert_eq!((outcome.ledger.answers(), outcome.ledger.failures()), (0, 2));
}

#[tokio::test]
async fn a_server_of_http_1_is_found_out_before_anything_is_asked() {
    let at = listen(async |_, mut stream| {
        _ = stream.read(&mut [0; 1024]).await;
        _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        // Not closed before that is read.
        _ = stream.read_to_end(&mut Vec::new()).await;
    });
    let outcome = outcome(load(at.await, (2, 3), 10)).await;
    let (kind, failed) = outcome.ledger.failed_calls().next().unwrap();
    let expect = "what came is no HTTP/2: expected a server that speaks it";
    assert_eq!((kind, failed.sample.as_deref()), (Kind::Malformed, Some(expect)));
    assert_eq!((outcome.reached, outcome.ledger.answers()), (0, 0));
}

#[tokio::test]
async fn a_connection_on_which_nothing_comes_any_more_is_followed_by_another() {
    let at = listen(async |number, stream| {
        let mut conn = server::handshake(stream).await.unwrap();
        while let Some(Ok((_, mut send))) = conn.accept().await {
            if number == 0 {
                // Open, and never heard from again.
                return std::future::pending().await;
            }
            ok(&mut send);
        }
    });
    let mut silent = load(at.await, (1, 2), 20);
    silent.timeout = MS * 200;
    let outcome = outcome(silent).await;
    assert_eq!((outcome.ledger.answers(), kinds(&outcome)), (18, vec![(Kind::TimedOut, 2)]));
    assert_eq!(outcome.ledger.connects(), 2);
}

#[tokio::test]
async fn one_answer_that_is_late_is_given_up_alone() {
    let answer = async |number, (_, mut send): Asked| {
        if number == 0 {
            return std::future::pending().await;
        }
        ok(&mut send);
    };
    let at = listen(move |_, stream| serve(stream, answer)).await;
    let mut late = load(at, (1, 2), 2_000);
    late.timeout = MS * 300;
    late.schedule.rate = NonZeroU64::new(4_000);
    let outcome = outcome(late).await;
    assert_eq!((outcome.ledger.answers(), kinds(&outcome)), (1_999, vec![(Kind::TimedOut, 1)]));
    assert_eq!(outcome.ledger.connects(), 1);
}

#[tokio::test]
async fn how_many_streams_a_server_lets_be_open_is_known_and_the_others_wait() {
    let at = listen(async |_, stream| {
        let mut conn =
            server::Builder::new().max_concurrent_streams(2).handshake::<_, Bytes>(stream);
        let mut conn = (&mut conn).await.unwrap();
        while let Some(Ok((_, mut send))) = conn.accept().await {
            ok(&mut send);
        }
    });
    let outcome = outcome(load(at.await, (2, 9), 500)).await;
    assert_eq!((outcome.ledger.answers(), kinds(&outcome)), (500, vec![]));
    assert_eq!(outcome.ledger.streams_max, Some(2));
}

#[tokio::test]
async fn a_body_goes_out_and_one_that_is_larger_than_all_windows_comes_back() {
    const LENGTH: usize = 3 << 20;
    let answer = async |_, (request, mut send): Asked| {
        let mut asked = request.into_body();
        let mut length = 0;
        while let Some(Ok(piece)) = asked.data().await {
            asked.flow_control().release_capacity(piece.len()).unwrap();
            length += piece.len();
        }
        assert_eq!(length, LENGTH);
        let mut body = send.send_response(Response::new(()), false).unwrap();
        body.send_data(vec![b'x'; LENGTH].into(), false).unwrap();
        body.send_trailers(http::HeaderMap::new()).unwrap();
    };
    let at = listen(move |_, stream| serve(stream, answer)).await;
    let mut large = load(at, (1, 3), 9);
    let data = vec![b'y'; LENGTH];
    let parts = Parts { method: "POST", path: "/", host: "a", fields: &[], data: Some(&data) };
    large.target.said = Said::Http2(Http2Request::of(parts, Scheme::Http).unwrap());
    let outcome = outcome(large).await;
    assert_eq!((outcome.ledger.answers(), kinds(&outcome)), (9, vec![]));
    let all = u64::try_from(LENGTH * 9).unwrap();
    let (received, sent) = (outcome.ledger.received, outcome.ledger.sent);
    assert!(received > all && sent > all, "{received} bytes came, {sent} went");
}

/// Reads a frame: its kind, and what it carries (RFC 9113, section 4.1).
async fn frame(stream: &mut TcpStream) -> Option<(u8, Vec<u8>)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.ok()?;
    let [high, middle, low, kind, ..] = head;
    let mut content =
        vec![0; usize::from(high) << 16 | usize::from(middle) << 8 | usize::from(low)];
    stream.read_exact(&mut content).await.ok()?;
    Some((kind, content))
}

/// Frames of all kinds that nobody meant, of streams that may be open, made of `seed`.
fn nonsense(mut seed: u64) -> Vec<u8> {
    let mut next = move || {
        // Knuth's, of which the high bits are the better ones.
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        seed.to_be_bytes()[0]
    };
    let mut bytes = Vec::new();
    for _ in 0..20 {
        let length = next() % 40;
        bytes.extend([0, 0, length, next() % 11, next(), 0, 0, 0, next() % 4]);
        bytes.extend((0..length).map(|_| next()));
    }
    bytes
}

#[tokio::test]
async fn whatever_a_server_sends_is_an_answer_or_a_failure_and_no_panic() {
    let at = listen(async |number, mut stream| {
        stream.read_exact(&mut [0; 24]).await.unwrap();
        stream.write_all(&[0, 0, 0, 4, 0, 0, 0, 0, 0]).await.unwrap();
        while let Some((kind, content)) = frame(&mut stream).await {
            let said = match kind {
                1 => nonsense(u64::try_from(number).unwrap()),
                6 => [&[0, 0, 8, 6, 1, 0, 0, 0, 0], &content[..]].concat(),
                _ => continue,
            };
            _ = stream.write_all(&said).await;
        }
    });
    let mut nonsensical = load(at.await, (20, 2), 400);
    nonsensical.timeout = MS * 200;
    let outcome = outcome(nonsensical).await;
    assert_eq!(outcome.ledger.answers() + outcome.ledger.failures(), 400);
    assert!(
        kinds(&outcome).iter().any(|(kind, _)| *kind == Kind::Malformed),
        "{:?}",
        kinds(&outcome)
    );
    assert!(outcome.ledger.connects() > 20, "{} connections", outcome.ledger.connects());
}
