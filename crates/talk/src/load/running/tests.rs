//! Loads on servers in this process, over sockets.

use std::{net::SocketAddr, num::NonZeroU64};

use futures_util::{SinkExt as _, StreamExt as _};
use relais_net::{
    DialLimits, Endpoint,
    tls::{Connector, Demand, Roots, Trust},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream, UdpSocket},
};

use super::*;
use crate::load::{Kind, Parts, Request, Said, Until};

fn dialer() -> Dialer {
    let most = Duration::from_secs(20);
    let limits =
        DialLimits { connect_max: most, handshake_max: most, source: None, keepalive: None };
    let trust = Trust::Roots(Roots::none());
    Dialer::new(limits, Connector::new(&Demand { trust, server_name: None, own: None }).unwrap())
}

fn load(endpoint: &str, said: Said, connections: usize, requests: u64) -> Load {
    let endpoint: Endpoint = endpoint.parse().unwrap();
    Load {
        target: Target { endpoint, path: "/".to_owned(), said },
        task: Task::Ask,
        connections: NonZeroUsize::new(connections).unwrap(),
        streams: NonZeroUsize::MIN,
        threads: NonZeroUsize::new(2).unwrap(),
        schedule: Schedule { rate: None, warmup: Duration::ZERO, until: Until::Requests(requests) },
        timeout: Duration::from_secs(20),
    }
}

fn get() -> Said {
    let parts = Parts { method: "GET", path: "/", host: "a", fields: &[], data: None };
    Said::Request(Request::of(parts).unwrap())
}

fn message() -> Said {
    Said::Message(b"hello\n"[..].into())
}

async fn outcome(load: Load) -> Outcome {
    let mut running = Running::start(load, dialer()).unwrap();
    running.wait().await;
    running.end().await
}

/// A server that does `serve` with each who calls, by their number from 0.
async fn server<F: Future<Output = ()> + Send>(
    serve: impl Fn(usize, TcpStream) -> F + Send + Sync + Copy + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        for number in 0.. {
            let (stream, _) = listener.accept().await.unwrap();
            tokio::spawn(async move { serve(number, stream).await });
        }
    });
    address
}

async fn echo(_: usize, mut stream: TcpStream) {
    let (mut reads, mut writes) = stream.split();
    _ = tokio::io::copy(&mut reads, &mut writes).await;
}

/// Answers `times` requests, each of which comes in one piece.
async fn answer(mut stream: TcpStream, times: usize, answer: &str) {
    let mut request = [0; 1024];
    for _ in 0..times {
        match stream.read(&mut request).await {
            Ok(1..) => stream.write_all(answer.as_bytes()).await.unwrap(),
            _ => return,
        }
    }
}

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn as_many_requests_are_answered_as_were_asked_for() {
    let at = server(async |_, stream| answer(stream, usize::MAX, OK).await).await;
    let outcome = outcome(load(&format!("http://{at}"), get(), 7, 1_000)).await;
    let ledger = &outcome.ledger;
    assert_eq!((ledger.answers(), ledger.failures(), ledger.connects()), (1_000, 0, 7));
    assert_eq!((ledger.statuses, outcome.reached), ([0, 1_000, 0, 0, 0], 7));
    assert_eq!(ledger.received, 1_000 * u64::try_from(OK.len()).unwrap());
    assert_eq!((outcome.unanswered, outcome.unsent, ledger.since_sent.total()), (0, 0, 0));
}

#[tokio::test]
async fn a_connection_that_is_over_is_followed_by_another() {
    const LAST: &str = "HTTP/1.1 503 No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
    let at = server(async |_, stream| answer(stream, 1, LAST).await).await;
    let ledger = outcome(load(&format!("http://{at}"), get(), 3, 30)).await.ledger;
    assert_eq!((ledger.answers(), ledger.failures()), (30, 0));
    assert_eq!(ledger.statuses, [0, 0, 0, 0, 30]);
    assert!(ledger.connects() >= 30, "{} connections", ledger.connects());
}

#[tokio::test]
async fn who_closes_before_an_answer_is_counted_and_called_again() {
    let at = server(async |_, mut stream| {
        let mut request = [0; 1024];
        for answer in [OK, ""] {
            _ = stream.read(&mut request).await;
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    let ledger = outcome(load(&format!("http://{}", at.await), get(), 1, 10)).await.ledger;
    assert_eq!((ledger.answers(), ledger.failures()), (5, 5));
    let kinds: Vec<_> = ledger.failed_requests().map(|(kind, _)| kind).collect();
    assert_eq!(kinds, [Kind::Closed]);
}

#[tokio::test]
async fn who_closes_while_nothing_is_asked_is_called_again() {
    let at = server(async |_, stream| answer(stream, 1, OK).await).await;
    let mut rare = load(&format!("http://{at}"), get(), 1, 4);
    rare.schedule.rate = NonZeroU64::new(5);
    let ledger = outcome(rare).await.ledger;
    assert_eq!((ledger.answers(), ledger.failures(), ledger.connects()), (4, 0, 4));
}

#[tokio::test]
async fn with_a_rate_latency_is_counted_from_when_requests_were_due() {
    let at = server(async |_, stream| answer(stream, usize::MAX, OK).await).await;
    let mut timed = load(&format!("http://{at}"), get(), 4, 100);
    timed.schedule.rate = NonZeroU64::new(1_000);
    let begun = Instant::now();
    let ledger = outcome(timed).await.ledger;
    assert!(begun.elapsed() >= Duration::from_millis(99));
    assert_eq!((ledger.answers(), ledger.since_sent.total()), (100, 100));
    assert!(ledger.latency.mean() >= ledger.since_sent.mean());
}

#[tokio::test]
async fn what_warms_up_is_not_counted() {
    let at = server(echo).await;
    let mut warmed = load(&format!("tcp://{at}"), message(), 2, 50);
    warmed.schedule.warmup = Duration::from_millis(20);
    assert_eq!(outcome(warmed).await.ledger.answers(), 50);
}

#[tokio::test]
async fn messages_come_back_in_streams_and_in_datagrams() {
    let at = server(echo).await;
    let ledger = outcome(load(&format!("tcp://{at}"), message(), 3, 300)).await.ledger;
    assert_eq!((ledger.answers(), ledger.failures(), ledger.received), (300, 0, 1_800));
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let at = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut datagram = [0; 100];
        while let Ok((length, sender)) = socket.recv_from(&mut datagram).await {
            _ = socket.send_to(&datagram[..length], sender).await;
        }
    });
    let ledger = outcome(load(&format!("udp://{at}"), message(), 3, 300)).await.ledger;
    assert_eq!((ledger.answers(), ledger.failures()), (300, 0));
}

#[tokio::test]
async fn where_nobody_listens_nothing_is_asked() {
    let at = {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        listener.local_addr().unwrap()
    };
    let outcome = outcome(load(&format!("tcp://{at}"), message(), 5, 10)).await;
    assert_eq!((outcome.reached, outcome.ledger.answers(), outcome.time), (0, 0, Duration::ZERO));
    let failed: Vec<_> = outcome.ledger.failed_calls().collect();
    assert_eq!((failed.len(), failed[0].0, failed[0].1.count), (1, Kind::Refused, 5));
}

#[tokio::test]
async fn a_server_that_mixes_answers_up_is_found_out() {
    let talk = |at: SocketAddr| {
        let mut talk = load(&format!("tcp://{at}"), message(), 20, 200);
        talk.task = Task::Talk { messages: 10 };
        talk
    };
    let dialogues = outcome(talk(server(echo).await)).await.ledger.dialogues;
    assert_eq!((dialogues.right, dialogues.wrong), (20, 0));
    let at = server(async |number, stream| match number {
        7 => answer(stream, 10, "client 99 message 1\n").await,
        _ => echo(number, stream).await,
    })
    .await;
    let dialogues = outcome(talk(at)).await.ledger.dialogues;
    assert_eq!((dialogues.right, dialogues.wrong), (19, 1));
    let (_, failure) = &dialogues.samples[0];
    assert_eq!(failure.kind, Kind::Wrong);
    assert!(failure.what.starts_with("\"client 99 message 1\\n\" came back"), "{failure}");
}

#[tokio::test]
async fn what_is_under_way_when_somebody_ends_it_is_told() {
    // It accepts, and never answers.
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let mut timed = load(&format!("tcp://{at}"), message(), 6, 60);
    timed.schedule.rate = NonZeroU64::new(1_000);
    let mut running = Running::start(timed, dialer()).unwrap();
    // Not cancelled by another task that is done first, but by a timer: it is to be under way.
    let waited = tokio::time::timeout(Duration::from_secs(2), running.wait()).await;
    assert!(waited.is_err());
    assert!(matches!(running.progress().stage, Stage::Asking(_)));
    let outcome = running.end().await;
    assert_eq!((outcome.ledger.answers(), outcome.unanswered, outcome.unsent), (0, 6, 54));
}

#[tokio::test]
async fn who_takes_the_call_and_begins_no_web_socket_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let mut talk = load(&format!("ws://{at}"), message(), 2, 10);
    talk.timeout = Duration::from_millis(50);
    let outcome = outcome(talk).await;
    let (kind, failed) = outcome.ledger.failed_calls().next().unwrap();
    assert_eq!((kind, failed.count, outcome.reached), (Kind::TimedOut, 2, 0));
    assert_eq!(failed.sample.as_deref(), Some("not connected in 50ms"));
}

#[tokio::test]
async fn what_waits_for_its_connection_when_somebody_ends_it_is_told() {
    let at = server(async |number, stream| {
        if number == 0 {
            let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
            let message = socket.next().await.unwrap().unwrap();
            socket.send(message).await.unwrap();
            socket.next().await.unwrap().unwrap();
            socket.get_mut().shutdown().await.unwrap();
        }
        // What comes then is not read, and another call is taken, but becomes no WebSocket.
        std::future::pending::<()>().await;
    })
    .await;
    let mut running =
        Running::start(load(&format!("ws://{at}"), message(), 1, 9), dialer()).unwrap();
    let waited = tokio::time::timeout(Duration::from_secs(2), running.wait()).await;
    assert!(waited.is_err());
    let outcome = running.end().await;
    let Outcome { ledger, unanswered, .. } = &outcome;
    // The second is sent on the first connection, which is closed then, the third waits for another.
    let failed: Vec<_> = ledger.failed_requests().map(|(kind, _)| kind).collect();
    assert_eq!((ledger.answers(), failed, *unanswered), (1, vec![Kind::Closed], 1));
}

#[tokio::test]
async fn a_web_socket_that_sends_back_more_answers_wrongly() {
    let at = server(async |_, stream| {
        let mut socket = tokio_tungstenite::accept_async(stream).await.unwrap();
        socket.next().await.unwrap().unwrap();
        socket.send("x".repeat(1 << 20).into()).await.unwrap();
    })
    .await;
    let ledger = outcome(load(&format!("ws://{at}"), message(), 1, 1)).await.ledger;
    let failed: Vec<_> = ledger.failed_requests().map(|(kind, _)| kind).collect();
    assert_eq!(failed, [Kind::Wrong]);
}
