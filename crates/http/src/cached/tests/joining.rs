//! Many clients and one request to the server.

use std::{future::poll_fn, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use relais_cache::{Abandoned, Joining, Settings};
use relais_net::{
    Peer,
    tls::{Handshake, Protocol, Session, Version},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    sync::Notify,
    task::JoinHandle,
};

use super::{
    FRESH,
    world::{Act, World, client_of, ok, request, says as answers, told},
};
use crate::{Answer, Body, Piece, says};

const COLLAPSED: &str = "fwd=uri-miss; fwd-status=200; collapsed; ttl=60, age 0";

/// A 200 with a length whose body pauses behind its first half.
fn halves(lines: &str, first: &str, second: &str) -> (Act, Arc<Notify>) {
    let go_on = Arc::new(Notify::new());
    let length = first.len() + second.len();
    let head = format!("HTTP/1.1 200 OK\r\n{lines}\r\nContent-Length: {length}\r\n\r\n");
    (Act::Pauses(head + first, Arc::clone(&go_on), second.into()), go_on)
}

/// A client that asked for `path` and reads nothing.
async fn asking(world: &World, path: &str) -> DuplexStream {
    let mut client = world.client();
    client.write_all(request("GET", path, "").as_bytes()).await.unwrap();
    client
}

/// What comes to `client` until `end`.
async fn read_until(client: &mut DuplexStream, end: &str) -> String {
    let mut came = Vec::new();
    while !came.ends_with(end.as_bytes()) {
        let mut some = vec![0; 1 << 16];
        let read = client.read(&mut some).await.unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&came));
        came.extend_from_slice(&some[..read]);
    }
    String::from_utf8(came).unwrap()
}

#[tokio::test]
async fn many_who_ask_at_once_are_one_to_the_server() {
    let world = World::new().await;
    let long = "x".repeat(300_000);
    for (path, body, expect) in [("/a", "body", "body"), ("/b", &*long, "x...300000")] {
        let go_on = Arc::new(Notify::new());
        let head = format!("HTTP/1.1 200 OK\r\n{FRESH}\r\nContent-Length: {}\r\n\r\n", body.len());
        world.then(Act::Pauses(String::new(), Arc::clone(&go_on), head + body));
        let all = async {
            let gets = (0..20).map(|_| world.get(path, ""));
            futures_of(gets).await
        };
        let release = async {
            world.until(|world| world.count() == 1).await;
            world.settle().await;
            go_on.notify_one();
        };
        let (all, ()) = tokio::join!(all, release);
        assert_eq!(world.asked(), [format!("GET {path}")]);
        let first = format!("200 {expect} | fwd=uri-miss; fwd-status=200; ttl=60; stored");
        assert_eq!(all.iter().filter(|came| **came == first).count(), 1);
        let joined = format!("200 {expect} | {COLLAPSED}");
        assert_eq!(all.iter().filter(|came| **came == joined).count(), 19, "{all:?}");
    }
}

/// What they give, in order.
async fn futures_of<F: Future>(futures: impl Iterator<Item = F>) -> Vec<F::Output> {
    let mut futures: Vec<_> = futures.map(|future| (Box::pin(future), None)).collect();
    poll_fn(|cx| {
        let mut is_over = true;
        for (future, output) in &mut futures {
            if output.is_none() {
                match future.as_mut().poll(cx) {
                    std::task::Poll::Ready(ready) => *output = Some(ready),
                    std::task::Poll::Pending => is_over = false,
                }
            }
        }
        if is_over { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
    futures.into_iter().filter_map(|(_, output)| output).collect()
}

#[tokio::test]
async fn who_comes_in_the_middle_has_what_there_is_before_the_rest_comes() {
    let world = World::new().await;
    let (act, go_on) = halves(FRESH, "0123", "4567");
    world.then(act);
    let mut first = asking(&world, "/a").await;
    read_until(&mut first, "0123").await;
    let mut second = asking(&world, "/a").await;
    let came = read_until(&mut second, "0123").await;
    assert!(came.contains("\r\ncontent-length: 8\r\n"), "{came}");
    assert_eq!(world.get("/a", "Range: bytes=1-2").await, format!("206 12 | {COLLAPSED}"));
    let mut third = world.client();
    third.write_all(request("GET", "/a", "Range: bytes=2-5").as_bytes()).await.unwrap();
    let part = read_until(&mut third, "\r\n\r\n23").await;
    assert!(part.contains("content-range: bytes 2-5/8\r\n"), "{part}");
    assert!(part.contains("content-length: 4\r\n"), "{part}");
    go_on.notify_one();
    for (client, end) in [(&mut first, "4567"), (&mut second, "4567"), (&mut third, "45")] {
        assert_eq!(read_until(client, end).await, end);
    }
    assert_eq!(world.get("/a", "").await, "200 01234567 | hit; ttl=60, age 0");
    assert_eq!(world.asked(), ["GET /a"]);
}

#[tokio::test]
async fn who_joins_over_http2_or_in_chunks_gets_the_same() {
    let world = World::new().await;
    let go_on = Arc::new(Notify::new());
    let head = format!("HTTP/1.1 200 OK\r\n{FRESH}\r\nTransfer-Encoding: chunked\r\n\r\n");
    let begin = head + "4\r\n0123\r\n";
    world.then(Act::Pauses(begin, Arc::clone(&go_on), "4\r\n4567\r\n0\r\n\r\n".into()));
    let session = Session {
        protocol: Protocol::Http2,
        server_name: None,
        version: Version::Tls13,
        cipher: "",
        handshake: Handshake::Full,
        caller: None,
    };
    // Both over TLS: what is spoken is of the key.
    let http1 = Session { protocol: Protocol::Http1, ..session.clone() };
    let mut first = client_of(&world.http, Some(http1.clone()));
    first.write_all(request("GET", "/a", "").as_bytes()).await.unwrap();
    read_until(&mut first, "0123\r\n").await;
    let io = TokioIo::new(client_of(&world.http, Some(session)));
    let (mut sender, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), io).await.unwrap();
    tokio::spawn(driver);
    let get = http::Request::builder().uri("https://a/a").version(http::Version::HTTP_2);
    let answer = sender.send_request(get.body(Empty::<bytes::Bytes>::new()).unwrap());
    let mut body = answer.await.unwrap().into_body();
    assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "0123");
    let mut second = client_of(&world.http, Some(http1));
    second.write_all(request("GET", "/a", "").as_bytes()).await.unwrap();
    read_until(&mut second, "4\r\n0123\r\n").await;
    go_on.notify_one();
    assert_eq!(body.collect().await.unwrap().to_bytes(), "4567");
    for client in [&mut first, &mut second] {
        read_until(client, "4\r\n4567\r\n0\r\n\r\n").await;
    }
    assert_eq!(world.count(), 1);
}

#[tokio::test]
async fn a_client_that_leaves_does_not_end_what_others_wait_for() {
    let world = World::new().await;
    for (path, pauses) in [("/a", Pauses::Head), ("/b", Pauses::Body)] {
        let (mut clients, go_on) = two_who_ask(&world, path, pauses).await;
        drop(clients.remove(0));
        world.settle().await;
        go_on.notify_one();
        assert_eq!(clients.remove(0).rest().await, "01234567", "{path}");
    }
    assert_eq!((world.asked().len(), world.cache.keys()), (2, 2));
}

#[tokio::test]
async fn the_last_who_leaves_ends_it_unless_it_is_to_be_finished() {
    check_all_leave(two_who_ask).await;
}

#[tokio::test]
async fn one_who_leaves_alone_ends_it_unless_it_is_to_be_finished() {
    check_all_leave(async |world: &World, path: &str, pauses| {
        let (client, go_on) = one_who_asks(world, path, pauses).await;
        (vec![client], go_on)
    })
    .await;
}

/// All who ask leave while the server pauses.
async fn check_all_leave(ask: impl AsyncFn(&World, &str, Pauses) -> (Vec<Client>, Arc<Notify>)) {
    for (abandoned, keys) in [(Abandoned::Ended, 0), (Abandoned::Finished, 2)] {
        let joining = Joining { abandoned, ..Joining::default() };
        let world = World::with(Settings { joining, ..Settings::default() }).await;
        for (path, pauses) in [("/a", Pauses::Head), ("/b", Pauses::Body)] {
            let (clients, go_on) = ask(&world, path, pauses).await;
            drop(clients);
            world.settle().await;
            go_on.notify_one();
        }
        match abandoned {
            Abandoned::Ended => world.settle().await,
            Abandoned::Finished => world.until(|world| world.cache.keys() == keys).await,
        }
        assert_eq!((world.cache.keys(), world.count()), (keys, 2));
    }
}

/// Where a server pauses.
#[derive(Clone, Copy)]
enum Pauses {
    Head,
    Body,
}

/// A client that can leave without a word: it waits for a head, or has read half of a body.
enum Client {
    Waits(JoinHandle<Answer>),
    Reads(Body, String),
}

impl Client {
    async fn asks(world: &World, path: &str, pauses: Pauses) -> Self {
        let (handler, ask) =
            (Arc::clone(&world.handler), says::ask(Peer::Local, path, &[("host", "a")]));
        let mut waiting = tokio::spawn(async move { handler.answer_boxed(ask).await.unwrap() });
        match pauses {
            Pauses::Head => {
                world.until(|world| world.count() > 0).await;
                world.settle().await;
                Self::Waits(waiting)
            }
            Pauses::Body => {
                let mut body = (&mut waiting).await.unwrap().into_body();
                let piece = poll_fn(|cx| body.poll_piece(cx, u64::MAX)).await;
                Self::Reads(body, text(piece.unwrap().unwrap()))
            }
        }
    }

    /// All that it gets.
    async fn rest(mut self) -> String {
        let (mut body, mut came) = match &mut self {
            Self::Waits(waiting) => (waiting.await.unwrap().into_body(), String::new()),
            Self::Reads(body, came) => {
                (std::mem::replace(body, Body::empty()), std::mem::take(came))
            }
        };
        while let Some(piece) = poll_fn(|cx| body.poll_piece(cx, u64::MAX)).await {
            came += &text(piece.unwrap());
        }
        came
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        if let Self::Waits(waiting) = self {
            waiting.abort();
        }
    }
}

fn text(piece: Piece) -> String {
    let Piece::Bytes(bytes) = piece else { panic!("a file") };
    String::from_utf8(bytes.to_vec()).unwrap()
}

async fn one_who_asks(world: &World, path: &str, pauses: Pauses) -> (Client, Arc<Notify>) {
    let go_on = Arc::new(Notify::new());
    let head = format!("HTTP/1.1 200 OK\r\n{FRESH}\r\nContent-Length: 8\r\n\r\n0123");
    let (begin, end) = match pauses {
        Pauses::Head => (String::new(), head + "4567"),
        Pauses::Body => (head, "4567".to_owned()),
    };
    world.then(Act::Pauses(begin, Arc::clone(&go_on), end));
    (Client::asks(world, path, pauses).await, go_on)
}

async fn two_who_ask(world: &World, path: &str, pauses: Pauses) -> (Vec<Client>, Arc<Notify>) {
    let (first, go_on) = one_who_asks(world, path, pauses).await;
    (vec![first, Client::asks(world, path, pauses).await], go_on)
}

/// Who asked for it is a reader like others, once there are others.
#[tokio::test]
async fn a_client_that_reads_nothing_holds_up_nobody() {
    let world = World::new().await;
    let long = "x".repeat(2_000_000);
    world.then(ok(FRESH, &long));
    let idle = asking(&world, "/a").await;
    world.until(|world| world.count() == 1).await;
    world.settle().await;
    let came = world.get("/a", "").await;
    assert_eq!(came, format!("200 x...2000000 | {COLLAPSED}"));
    let mut idle = idle;
    let came = read_until(&mut idle, "xxx").await;
    drop(came);
    assert_eq!(world.count(), 1);
}

#[tokio::test]
async fn all_who_read_what_breaks_off_are_cut() {
    let world = World::new().await;
    for (length, end) in [
        ("Content-Length: 8\r\n\r\n0123", "0123"),
        ("Transfer-Encoding: chunked\r\n\r\n4\r\n0123\r\n", "0123\r\n"),
    ] {
        let go_on = Arc::new(Notify::new());
        let head = format!("HTTP/1.1 200 OK\r\n{FRESH}\r\n{length}");
        world.then(Act::Breaks(head, Arc::clone(&go_on)));
        let mut first = asking(&world, "/a").await;
        read_until(&mut first, end).await;
        let mut second = asking(&world, "/a").await;
        read_until(&mut second, end).await;
        go_on.notify_one();
        for client in [&mut first, &mut second] {
            let mut rest = String::new();
            client.read_to_string(&mut rest).await.unwrap();
            assert!(rest.trim().is_empty(), "{rest}");
        }
        assert_eq!(world.cache.keys(), 0);
    }
    let anew = world.get_then(ok(FRESH, "new"), "/a", "").await;
    assert_eq!(anew, "200 new | fwd=uri-miss; fwd-status=200; ttl=60; stored");
}

/// All at the same time: the server has all of their requests before it answers any but the first.
#[tokio::test]
async fn who_waited_for_what_is_not_for_others_asks_at_once() {
    let world = World::new().await;
    let go_on = Arc::new(Notify::new());
    let own = "HTTP/1.1 200 OK\r\nCache-Control: no-store\r\nContent-Length: 3\r\n\r\nown";
    world.then(Act::Pauses(String::new(), Arc::clone(&go_on), own.into()));
    let first = async {
        world.until(|world| world.count() == 1).await;
        world.settle().await;
        for _ in 0..4 {
            world.then(Act::Pauses(String::new(), Arc::clone(&go_on), own.into()));
        }
        go_on.notify_one();
        world.until(|world| world.count() == 5).await;
        go_on.notify_waiters();
    };
    let all = futures_of((0..5).map(|_| world.get("/a", "")));
    let (all, ()) = tokio::join!(all, first);
    let expect = "200 own | fwd=uri-miss; fwd-status=200";
    assert!(all.iter().all(|came| came == expect), "{all:?}");
    // It is known from now on.
    let two = [world.then(Act::Hangs), world.then(Act::Hangs)].len();
    let _clients = [asking(&world, "/a").await, asking(&world, "/a").await];
    world.until(|world| world.count() == 5 + two).await;
}

#[tokio::test]
async fn a_server_that_fails_is_asked_so_often_and_then_all_are_told() {
    let failing =
        || Act::Ends("HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno".into());
    let world = World::new().await;
    let go_on = Arc::new(Notify::new());
    let text = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno";
    world.then(Act::Pauses(String::new(), Arc::clone(&go_on), text.into()));
    world.then(failing());
    world.then(failing());
    let release = async {
        world.until(|world| world.count() == 1).await;
        world.settle().await;
        go_on.notify_one();
    };
    let (all, ()) = tokio::join!(futures_of((0..10).map(|_| world.get("/a", ""))), release);
    assert_eq!(world.count(), 3);
    let own = "200 no".len();
    assert!(all.iter().all(|came| came.starts_with("503 ")), "{all:?}");
    let of_server = |came: &&String| came[..own].ends_with("no");
    assert_eq!(all.iter().filter(of_server).count(), 3, "{all:?}");
}

#[tokio::test]
async fn what_is_stored_stands_in_for_all_who_wait() {
    let world = World::new().await;
    world.get_then(ok("Cache-Control: max-age=5, stale-if-error=60", "old"), "/a", "").await;
    world.at(9);
    let go_on = Arc::new(Notify::new());
    let text = "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 2\r\n\r\nno";
    world.then(Act::Pauses(String::new(), Arc::clone(&go_on), text.into()));
    let release = async {
        world.until(|world| world.count() == 2).await;
        world.settle().await;
        go_on.notify_one();
    };
    let (all, ()) = tokio::join!(futures_of((0..10).map(|_| world.get("/a", ""))), release);
    assert!(all.iter().all(|came| came == "200 old | hit; ttl=-4, age 9"), "{all:?}");
    assert_eq!(world.count(), 2);
}

#[tokio::test]
async fn a_confirmation_is_for_all_who_wait() {
    let world = World::new().await;
    world.get_then(ok("ETag: \"1\"\nCache-Control: max-age=5", "x"), "/a", "").await;
    world.at(9);
    let go_on = Arc::new(Notify::new());
    let text = "HTTP/1.1 304 Not Modified\r\nETag: \"1\"\r\n\r\n";
    world.then(Act::Pauses(String::new(), Arc::clone(&go_on), text.into()));
    let release = async {
        world.until(|world| world.count() == 2).await;
        world.settle().await;
        go_on.notify_one();
    };
    let (all, ()) = tokio::join!(futures_of((0..10).map(|_| world.get("/a", ""))), release);
    assert!(all.iter().all(|came| came.starts_with("200 x | fwd=stale; fwd-status=")), "{all:?}");
    assert_eq!(world.count(), 2);
}

#[tokio::test]
async fn who_asks_after_a_change_does_not_join_what_was_asked_for_before() {
    let world = World::new().await;
    let (act, go_on) = halves(FRESH, "old-", "old-");
    world.then(act);
    let mut first = asking(&world, "/a").await;
    read_until(&mut first, "old-").await;
    world.then(answers("204 No Content", "", ""));
    world.ask("POST", "/a", "Content-Length: 0").await;
    let newer = world.get_then(ok(FRESH, "new"), "/a", "").await;
    assert_eq!(newer, "200 new | fwd=uri-miss; fwd-status=200; ttl=60; stored");
    go_on.notify_one();
    read_until(&mut first, "old-").await;
    assert_eq!(world.get("/a", "").await, "200 new | hit; ttl=60, age 0");
}

/// However large it turns out to be: who joined has all of it, and so has who asked for it.
#[tokio::test]
async fn what_turns_out_to_be_too_large_goes_to_all_who_read_it() {
    let world = World::with(Settings { object_max: 100_000, ..Settings::default() }).await;
    let (go_on, long) = (Arc::new(Notify::new()), "x".repeat(3_000_000));
    let begin = format!("HTTP/1.1 200 OK\r\n{FRESH}\r\nConnection: close\r\n\r\n0123");
    world.then(Act::PausesAndEnds(begin, Arc::clone(&go_on), long));
    let joined = async {
        world.until(|world| world.count() == 1).await;
        world.settle().await;
        let others = futures_of((0..3).map(|_| world.get("/a", "")));
        let release = async {
            world.settle().await;
            go_on.notify_one();
        };
        tokio::join!(others, release).0
    };
    let (first, others) = tokio::join!(world.get("/a", ""), joined);
    assert!(first.starts_with("200 0...3000004 | "), "{first}");
    assert!(others.iter().all(|came| came.starts_with("200 0...3000004 | ")), "{others:?}");
    assert_eq!((world.cache.keys(), world.count()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn a_server_that_hangs_is_asked_again_for_all_who_wait_and_each_waits_so_long() {
    let joining = Joining {
        head_wait_max: Duration::from_secs(5),
        wait_max: Duration::from_secs(12),
        ..Joining::default()
    };
    let world = World::with(Settings { joining, ..Settings::default() }).await;
    for _ in 0..4 {
        world.then(Act::Hangs);
    }
    let _first = asking(&world, "/a").await;
    world.until(|world| world.count() == 1).await;
    let waiting = futures_of((0..10).map(|_| world.get("/a", ""))).await;
    let late = waiting.iter().filter(|came| came.starts_with("504 ")).count();
    assert!(late >= 7, "{waiting:?}");
    assert!(waiting.iter().all(|came| came.starts_with("504 ")), "{waiting:?}");
    // The first, and one more each time.
    assert!(world.count() <= 4, "{}", world.count());
}

#[tokio::test]
async fn too_many_are_told_to_come_again() {
    let joining = Joining { waiting_max: 2, ..Joining::default() };
    let world = World::with(Settings { joining, ..Settings::default() }).await;
    world.then(Act::Hangs);
    let _first = asking(&world, "/a").await;
    world.until(|world| world.count() == 1).await;
    let _two = [asking(&world, "/a").await, asking(&world, "/a").await];
    world.settle().await;
    let came = world.raw(&[&request("GET", "/a", "")]).await;
    assert!(came.contains("\r\nretry-after: 1\r\n"), "{came}");
    assert!(told(&came).starts_with("503 "), "{came}");
}
