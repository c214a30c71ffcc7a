//! The straight way and hyper's give the same answers.

use std::sync::{
    Mutex,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use http::header;

use super::*;

/// Answers at once, by path.
#[derive(Debug)]
struct Acts;

impl Handler for Acts {
    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        let answer = Response::builder();
        let text = |text: &'static str| Body::full(Bytes::from_static(text.as_bytes()));
        let answer = match ask.request.uri().path() {
            "/later" | "/long-later" => return None,
            "/text" => {
                answer.header("x-a", "1").header("b", "2").header("x-a", "3").body(text("a"))
            }
            "/empty" => answer.body(Body::empty()),
            "/length" => answer.header(header::CONTENT_LENGTH, 4).body(text("four")),
            "/zero" => {
                answer.header(header::CONTENT_LENGTH, 0).header("b", "2").body(Body::empty())
            }
            "/date" => answer.header(header::DATE, "then").body(text("a")),
            "/unchanged" => answer.status(304).header(header::ETAG, "\"a\"").body(Body::empty()),
            "/unchanged-with-body" => answer.status(304).body(text("not to be sent")),
            "/none" => answer.status(204).body(Body::empty()),
            "/teapot" => answer.status(418).body(text("short and stout")),
            "/unknown" => answer.status(599).body(text("a")),
            "/close" => answer.header(header::CONNECTION, "close").body(text("bye")),
            "/pieces" => {
                let piece = |text: &'static str| Piece::Bytes(Bytes::from_static(text.as_bytes()));
                answer.body(Body::of([piece("one"), piece("two")]))
            }
            "/long" => answer.body(Body::full(vec![b'x'; 3_000_000].into())),
            "/said" => {
                let said = format!("{} {:?}", ask.request.uri(), ask.request.headers());
                answer.body(Body::full(said.into()))
            }
            path => panic!("no act for {path}"),
        };
        Some(answer.unwrap())
    }

    async fn answer(&self, ask: Ask) -> Result<Answer, Fault> {
        let is_long = ask.request.uri().path() == "/long-later";
        let body = if is_long { vec![b'x'; 3_000_000].into() } else { "later".into() };
        Ok(Response::new(Body::full(body)))
    }
}

fn acts(limits: Limits) -> Http {
    let handler: Arc<dyn DynHandler> = Arc::new(Acts);
    Http::new(Arc::new(ArcSwap::from_pointee(handler)), limits)
}

/// What `parts` are answered with, each sent when all before it was read.
async fn answered(parts: &[&str]) -> String {
    let http = acts(Limits::default());
    let (mut client, server) = tokio::io::duplex(1 << 12);
    let (_shutdown, drain) = none();
    tokio::spawn(async move { http.serve(conn(Stream::Memory(server)), drain).await });
    for part in parts {
        client.write_all(part.as_bytes()).await.unwrap();
        let_others_go_on().await;
    }
    client.shutdown().await.unwrap();
    rest_of(&mut client).await
}

#[tokio::test]
async fn a_request_is_answered_alike_whether_it_comes_in_one_piece_or_two() {
    for path in [
        "/text",
        "/zero",
        "/empty",
        "/length",
        "/date",
        "/unchanged",
        "/unchanged-with-body",
        "/none",
        "/teapot",
        "/unknown",
        "/close",
        "/pieces",
        "/long",
        "/later",
        "/said?a=b",
    ] {
        let fields = "Host: a\r\nAccept: */*\r\nX-A: 1\r\nx-a:\t 2 \r\nX-Empty:\r\n\r\n";
        let straight = answered(&[&format!("GET {path} HTTP/1.1\r\n{fields}")]).await;
        let hyper = answered(&[&format!("GET {path} HT"), &format!("TP/1.1\r\n{fields}")]).await;
        assert!(straight.starts_with("HTTP/1.1 "), "{path}: {straight}");
        assert!(straight == hyper, "{path}: {straight:.300}\n\n{hyper:.300}");
    }
}

#[tokio::test]
async fn both_ways_take_turns_on_a_connection() {
    let get = |path: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
    let post = "POST /text HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
    let parts =
        [&get("/text"), &get("/later"), &get("/text"), post, &get("/pieces"), &get("/text")];
    let whole = answered(&parts.map(|part| part as &str)).await;
    let texts: Vec<_> = whole.split("HTTP/1.1 200 OK\r\n").skip(1).collect();
    let ends = ["\r\n\r\na", "later", "\r\n\r\na", "\r\n\r\na", "onetwo", "\r\n\r\na"];
    assert_eq!(texts.len(), ends.len(), "{whole}");
    for (text, end) in texts.iter().zip(ends) {
        assert!(text.ends_with(end), "{text:?}");
    }
}

#[tokio::test]
async fn what_asks_for_more_takes_the_long_way_and_is_heard() {
    let closed = answered(&["GET /text HTTP/1.1\r\nHost: a\r\nConnection: Close\r\n\r\n"]).await;
    assert!(closed.contains("connection: close\r\n"), "{closed}");
    let old = answered(&["GET /text HTTP/1.0\r\n\r\n"]).await;
    assert!(old.starts_with("HTTP/1.0 200 OK\r\n"), "{old}");
    let head = answered(&["HEAD /length HTTP/1.1\r\nHost: a\r\n\r\n"]).await;
    assert!(head.ends_with("content-length: 4\r\ndate: NOW\r\n\r\n"), "{head}");
    let many = format!("GET /text HTTP/1.1\r\nHost: a\r\n{}\r\n", "x: y\r\n".repeat(50));
    assert!(answered(&[&many]).await.ends_with("\r\n\r\na"));
}

/// A client that reads late finds all of a long answer, and nobody waits for a sweep.
#[tokio::test(start_paused = true)]
async fn a_long_answer_waits_for_its_client() {
    for path in ["/long", "/long-later"] {
        let begun = tokio::time::Instant::now();
        let http = acts(Limits::default());
        let (mut client, server) = tokio::io::duplex(1 << 12);
        let (_shutdown, drain) = none();
        tokio::spawn(async move { http.serve(conn(Stream::Memory(server)), drain).await });
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let_others_go_on().await;
        // Nothing more is said, or the server would be woken by that.
        let mut answer = Vec::new();
        let body = vec![b'x'; 3_000_000];
        while !answer.ends_with(&body) {
            assert_ne!(client.read_buf(&mut answer).await.unwrap(), 0, "{path}: cut");
            assert!(answer.len() < 3_001_000, "{path}: more than was asked for");
        }
        assert!(String::from_utf8_lossy(&answer[..300]).contains("content-length: 3000000"));
        assert_eq!(begun.elapsed(), Duration::ZERO, "{path}");
    }
}

/// Only then may others be sent as much again.
#[tokio::test]
async fn what_was_sent_is_not_held() {
    struct Told(Arc<AtomicBool>);
    impl AsRef<[u8]> for Told {
        fn as_ref(&self) -> &[u8] {
            b"held"
        }
    }
    impl Drop for Told {
        fn drop(&mut self) {
            self.0.store(true, Relaxed);
        }
    }
    #[derive(Debug)]
    struct Once(Mutex<Option<Bytes>>);
    impl Handler for Once {
        fn at_once(&self, _ask: &Ask) -> Option<Answer> {
            Some(Response::new(Body::full(self.0.lock().unwrap().take().unwrap())))
        }
        async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
            unreachable!()
        }
    }
    let gone = Arc::new(AtomicBool::new(false));
    let body = Bytes::from_owner(Told(Arc::clone(&gone)));
    let handler: Arc<dyn DynHandler> = Arc::new(Once(Mutex::new(Some(body))));
    let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default());
    let (mut client, server) = tokio::io::duplex(1 << 12);
    let (_shutdown, drain) = none();
    tokio::spawn(async move { http.serve(conn(Stream::Memory(server)), drain).await });
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(client.read(&mut [0; 4096]).await.unwrap() > 0);
    assert!(gone.load(Relaxed));
}

#[tokio::test]
async fn hyper_is_called_in_only_for_what_is_out_of_the_ordinary() {
    let http = acts(Limits::default());
    let awake = Arc::clone(&http.awake);
    let (mut client, server) = tokio::io::duplex(1 << 12);
    let (_shutdown, drain) = none();
    tokio::spawn(async move { http.serve(conn(Stream::Memory(server)), drain).await });
    for (path, hypers) in [("/text", 0), ("/later", 0), ("/pieces", 1)] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        assert!(client.read(&mut [0; 4096]).await.unwrap() > 0);
        assert_eq!(awake.load(Relaxed), hypers, "{path}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_does_not_take_an_answer_is_left() {
    let http = acts(no_time());
    let (mut client, server) = tokio::io::duplex(1 << 12);
    let (_shutdown, drain) = none();
    let serving =
        tokio::spawn(async move { http.serve(conn(Stream::Memory(server)), drain).await });
    client.write_all(b"GET /long HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
    assert!(in_time(serving).await.unwrap().is_err());
}

/// Answers when it is told to, in so many pieces; a POST at once.
#[derive(Debug)]
struct Waits(Arc<tokio::sync::Semaphore>, usize);

impl Waits {
    fn body(&self) -> Body {
        if self.1 == 1 {
            return Body::full("at last".into());
        }
        Body::of(["at ", "last"].map(|text| Piece::Bytes(text.into())))
    }
}

impl Handler for Waits {
    fn at_once(&self, ask: &Ask) -> Option<Answer> {
        (*ask.request.method() == http::Method::POST).then(|| Response::new(self.body()))
    }

    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        drop(self.0.acquire().await);
        Ok(Response::new(self.body()))
    }
}

/// A client that knows does not send its next request into the end, and what it sent is not taken.
#[tokio::test]
async fn the_answer_under_way_when_we_are_to_stop_says_that_it_is_the_last() {
    let next = "GET /text HTTP/1.1\r\nHost: a\r\n\r\n";
    for (cut, pieces) in [(next.len(), 1), (next.len(), 2), (10, 1), (10, 2)] {
        let go = Arc::new(tokio::sync::Semaphore::new(0));
        let handler: Arc<dyn DynHandler> = Arc::new(Waits(Arc::clone(&go), pieces));
        let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default());
        let (mut client, server) = tokio::io::duplex(1 << 12);
        let (shutdown, drain) = Shutdown::new();
        tokio::spawn(async move { http.serve(conn(Stream::Memory(server)), drain).await });
        for part in [&next[..cut], &next[cut..]] {
            client.write_all(part.as_bytes()).await.unwrap();
            let_others_go_on().await;
        }
        let finishing = tokio::spawn(shutdown.finish(Duration::from_secs(5)));
        let_others_go_on().await;
        client.write_all(next.as_bytes()).await.unwrap();
        go.add_permits(2);
        let expect = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 7\r\n\
            date: NOW\r\n\r\nat last";
        assert_eq!(rest_of(&mut client).await, expect, "cut at {cut}, in {pieces}");
        drop(client);
        assert_eq!(finishing.await.unwrap(), Drained::InTime);
    }
}

/// hyper, which is called in for it, reads it and has its answer before it can be told anything.
#[tokio::test]
async fn an_answer_at_once_when_we_are_to_stop_says_that_it_is_the_last() {
    let handler: Arc<dyn DynHandler> = Arc::new(Waits(Arc::new(tokio::sync::Semaphore::new(0)), 1));
    let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default());
    let (mut client, server) = tokio::io::duplex(1 << 12);
    let (shutdown, drain) = Shutdown::new();
    shutdown.request();
    let post = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
    client.write_all(post).await.unwrap();
    tokio::spawn(async move { http.serve(conn(Stream::Memory(server)), drain).await });
    let expect = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 7\r\n\
        date: NOW\r\n\r\nat last";
    assert_eq!(rest_of(&mut client).await, expect);
}
