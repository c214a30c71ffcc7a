//! The ways in which a hit leaves: straight, by hyper, over HTTP/2, on every core.

use std::{sync::Arc, thread, time::Duration};

use http::header::{CACHE_STATUS, CONTENT_TYPE, HeaderValue, SERVER};
use http_body_util::{BodyExt as _, Empty};
use hyper_util::rt::{TokioExecutor, TokioIo};
use relais_cache::{Cache, Settings};
use relais_net::{
    Fault, Peer,
    tls::{Handshake, Protocol, Session, Version},
};

use relais_wire::exchange::{Cached as Seen, Exchange};

use super::world::{World, client_of, clock, ok, proxy, request, told};
use crate::{
    Answer, Ask, Body, Cached, FileSpan, Handler as _, OpenFiles, Piece, Stamp, Trust,
    cached::written::drain,
    line_log::{Closed, LogFile},
    media_type, says,
    sniff::{SniffLog, Sniffed},
    unfold,
};

const LINES: &str = "Content-Type: text/plain\nETag: \"1\"\nX-A: 1\nX-A: 2\n\
                     Date: Sun, 06 Nov 1994 08:49:37 GMT\nCache-Control: max-age=1000000000";

#[tokio::test]
async fn a_hit_is_the_same_whether_it_is_asked_for_in_one_piece_or_two() {
    let world = World::new().await;
    for (path, body) in [("/a", "body"), ("/b", ""), ("/c", &*"x".repeat(300_000))] {
        world.get_then(ok(LINES, body), path, "").await;
        for lines in ["", "If-None-Match: \"1\"", "Range: bytes=1-2", "Range: bytes=999999-"] {
            let request = request("GET", path, lines);
            let straight = world.raw(&[&request]).await;
            let (one, two) = request.split_at(9);
            let hyper = world.raw(&[one, two]).await;
            assert!(straight.contains("\r\ncache-status: relais; hit; ttl="), "{straight:.500}");
            assert_eq!(lines_of(&straight), lines_of(&hyper), "{path} {lines}");
        }
    }
    assert_eq!(world.count(), 3);
}

/// What came, with its fields in a fixed order: an empty body's length stands elsewhere.
fn lines_of(came: &str) -> (Vec<&str>, &str) {
    let (head, body) = came.split_once("\r\n\r\n").unwrap();
    let mut lines: Vec<_> = head.split("\r\n").collect();
    lines.sort_unstable();
    (lines, body)
}

#[tokio::test]
async fn hits_and_others_take_turns_on_a_connection() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let world = World::new().await;
    let long = "x".repeat(300_000);
    world.get_then(ok(LINES, "short"), "/a", "").await;
    world.get_then(ok(LINES, &long), "/b", "").await;
    let mut client = world.client();
    for (path, body) in [("/a", "short"), ("/b", &*long), ("/c", "new"), ("/a", "short")] {
        if path == "/c" {
            world.then(ok("Cache-Control: no-store", "new"));
        }
        client.write_all(request("GET", path, "").as_bytes()).await.unwrap();
        let mut came = Vec::new();
        let end = format!("\r\n\r\n{body}");
        while !came.ends_with(end.as_bytes()) {
            let mut some = vec![0; 1 << 16];
            let read = client.read(&mut some).await.unwrap();
            assert!(read > 0, "{path}: {} bytes", came.len());
            came.extend_from_slice(&some[..read]);
        }
    }
}

#[tokio::test]
async fn hits_go_over_http2_too() {
    let world = World::new().await;
    world.get_then(ok(LINES, "other"), "/a", "").await;
    let session = Session {
        protocol: Protocol::Http2,
        server_name: None,
        version: Version::Tls13,
        cipher: "",
        handshake: Handshake::Full,
        caller: None,
    };
    let client = TokioIo::new(client_of(&world.http, Some(session)));
    let (mut sender, driver) =
        hyper::client::conn::http2::handshake(TokioExecutor::new(), client).await.unwrap();
    tokio::spawn(driver);
    let mut ask = async |method: &str, path: &str| {
        let request = http::Request::builder().method(method).uri(format!("https://a{path}"));
        let request = request.version(http::Version::HTTP_2).body(Empty::<bytes::Bytes>::new());
        let answer = sender.send_request(request.unwrap()).await.unwrap();
        let said = answer.headers()[CACHE_STATUS].to_str().unwrap().to_owned();
        let length = answer.headers().get("content-length").cloned();
        let body = answer.into_body().collect().await.unwrap().to_bytes();
        (said, length.unwrap().to_str().unwrap().to_owned(), body)
    };
    world.then(ok("Cache-Control: max-age=60", "body"));
    let stored = "relais; fwd=uri-miss; fwd-status=200; ttl=60; stored";
    // What is spoken is of the key.
    assert_eq!(ask("GET", "/a").await, (stored.into(), "4".into(), "body".into()));
    let hit = || "relais; hit; ttl=60".to_owned();
    assert_eq!(ask("GET", "/a").await, (hit(), "4".into(), "body".into()));
    assert_eq!(ask("HEAD", "/a").await, (hit(), "4".into(), "".into()));
}

#[test]
fn what_one_core_stored_another_has() {
    let on_a_core = |task: Box<dyn FnOnce(&tokio::runtime::Runtime) -> String + Send>| {
        let core = move || {
            let mut builder = tokio::runtime::Builder::new_current_thread();
            task(&builder.enable_all().build().unwrap())
        };
        thread::spawn(core)
    };
    let (give, take) = std::sync::mpsc::channel();
    let (done, is_done) = std::sync::mpsc::channel::<()>();
    let first = on_a_core(Box::new(move |runtime| {
        runtime.block_on(async {
            let world = World::new().await;
            let came = world.get_then(ok(LINES, "x"), "/a", "").await;
            give.send(Arc::clone(&world.http)).unwrap();
            is_done.recv().unwrap();
            came
        })
    }));
    let second = on_a_core(Box::new(move |runtime| {
        runtime.block_on(async {
            use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
            let mut client = client_of(&take.recv().unwrap(), None);
            client.write_all(request("GET", "/a", "").as_bytes()).await.unwrap();
            client.shutdown().await.unwrap();
            let mut came = String::new();
            client.read_to_string(&mut came).await.unwrap();
            done.send(()).unwrap();
            told(&came)
        })
    }));
    assert!(second.join().unwrap().starts_with("200 x | hit; "));
    assert!(first.join().unwrap().ends_with("stored"));
}

/// A handler before a server that says nothing, whose cache has `/a`.
async fn filled() -> Cached<crate::proxy::Proxy> {
    let world = World::new().await;
    world.get_then(ok(LINES, "body"), "/a", "").await;
    Cached::new(
        proxy("127.0.0.1:1".parse().unwrap(), "/a"),
        world.cache.clone(),
        Trust::default(),
        clock,
    )
}

fn ask(path: &str, headers: &[(&str, &str)]) -> Ask {
    says::ask(Peer::Local, path, &[&[("host", "a")], headers].concat())
}

#[tokio::test]
async fn a_hit_is_there_at_once_and_its_fields_are_found() {
    let cached = filled().await;
    let mut answer = cached.at_once(&ask("/a", &[])).unwrap();
    assert!(answer.headers().is_empty());
    let plain = HeaderValue::from_static("text/plain");
    assert_eq!(media_type(&answer), Some(plain.clone()));
    assert_eq!(answer.body().provenance().unwrap().cached, Some(Seen::Hit));
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("other"));
    answer.headers_mut().insert(SERVER, HeaderValue::from_static("me"));
    assert_eq!(media_type(&answer).unwrap(), "other");
    unfold(&mut answer);
    assert_eq!(answer.headers()[CONTENT_TYPE], "other");
    assert_eq!(answer.headers()[SERVER], "me");
    assert_eq!(answer.headers().get_all("x-a").iter().count(), 2);
    let unchanged = cached.at_once(&ask("/a", &[("if-none-match", "\"1\"")])).unwrap();
    assert_eq!((unchanged.status().as_u16(), media_type(&unchanged)), (304, None));
}

#[tokio::test]
async fn the_sniffer_sees_what_was_done() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log");
    let log = SniffLog::start(LogFile::at(&path)).unwrap();
    let sniffed = Sniffed::new(filled().await, log.clone(), clock);
    drop(sniffed.at_once(&ask("/a", &[])));
    drop(sniffed.answer(ask("/b", &[])).await);
    assert_eq!(log.shutdown(Duration::from_secs(10)), Closed::InTime);
    let text = std::fs::read_to_string(path).unwrap();
    let told = |line: &str| {
        let read = Exchange::read(line.as_bytes()).unwrap();
        let media_type = read.response.media_type.unwrap_or_default().into_owned();
        (read.status.unwrap(), read.cached.unwrap(), media_type)
    };
    let told: Vec<_> = text.lines().map(told).collect();
    let plain = "text/plain; charset=utf-8";
    let expect = [(200, Seen::Hit, "text/plain".into()), (404, Seen::Miss, plain.into())];
    assert_eq!(told, expect);
}

#[tokio::test]
async fn what_is_no_hit_is_waited_for() {
    let cached = filled().await;
    assert!(cached.at_once(&ask("/b", &[])).is_none());
    assert!(cached.at_once(&ask("/a", &[("cache-control", "no-cache")])).is_none());
    assert!(cached.at_once(&ask("/b", &[("cache-control", "only-if-cached")])).is_none());
    let mut post = ask("/a", &[]);
    *post.request.method_mut() = http::Method::POST;
    assert!(cached.at_once(&post).is_none());
    let mut fat = ask("/a", &[]);
    *fat.request.body_mut() = crate::Inbound::Full("fat".into());
    assert!(cached.at_once(&fat).is_none());
}

#[tokio::test]
async fn what_the_proxy_refuses_is_not_stored() {
    let cached = filled().await;
    let keys = cached.cache().keys();
    let answer = cached.answer(ask("/nowhere", &[])).await.unwrap();
    assert_eq!((answer.status().as_u16(), cached.cache().keys()), (404, keys));
    assert_eq!(answer.headers()[CACHE_STATUS], "relais; fwd=uri-miss");
}

#[tokio::test]
async fn what_holds_no_memory_stores_nothing() {
    let settings = Settings { memory: 0, filling_max: 0, ..Settings::default() };
    assert_eq!(Cache::new(settings.clone()).bytes(), 0);
    let world = World::with(settings).await;
    let came = world.get_then(ok(LINES, "body"), "/a", "").await;
    assert!(came.starts_with("200 body | fwd=uri-miss; fwd-status=200"), "{came}");
    assert!(!came.contains("stored"), "{came}");
}

/// Answers with a file.
#[derive(Debug)]
struct Filed;

impl crate::proxy::Onward for Filed {
    fn rewrites(&self, _name: &http::HeaderName, _headers: &http::HeaderMap) -> bool {
        false
    }

    fn as_sent(&self, head: http::request::Parts, _: &crate::Caller) -> Option<http::HeaderMap> {
        Some(head.headers)
    }
}

impl crate::Handler for Filed {
    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, b"body").unwrap();
        let stamp = Stamp::of(&file).unwrap();
        let file = OpenFiles::at_most(1).open(file, stamp);
        let body = Body::of([Piece::File(FileSpan { file, offset: 0, len: 4, hold: None })]);
        let mut answer = http::Response::new(body);
        let fresh = HeaderValue::from_static("max-age=60");
        answer.headers_mut().insert(http::header::CACHE_CONTROL, fresh);
        Ok(answer)
    }
}

#[tokio::test]
async fn files_are_passed_on_and_not_said_to_be_stored() {
    let cache = Cache::new(Settings::default());
    let cached = Cached::new(Filed, cache.clone(), Trust::default(), clock);
    let answer = cached.answer(ask("/a", &[])).await.unwrap();
    assert_eq!(answer.headers()[CACHE_STATUS], "relais; fwd=uri-miss; fwd-status=200; ttl=60");
    assert_eq!(
        drain(answer.into_body(), 10, Duration::from_mins(1)).await.map_err(|fault| fault.side),
        Ok(())
    );
    assert_eq!(cache.keys(), 0);
}
