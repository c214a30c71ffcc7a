//! What it costs to answer from the cache, beside a small file from memory: nanoseconds a request,
//! from the bytes that came to the bytes that are sent.
//!
//! `cargo run --release -p relais-http --example cached_cost`

#![expect(clippy::print_stdout, clippy::disallowed_methods, reason = "a measurement for a person")]

use std::{
    sync::Arc,
    time::{Instant, SystemTime},
};

use arc_swap::ArcSwap;
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Response, request};
use relais_cache::{Cache, Settings};
use relais_http::{
    Answer, Ask, Body, Cached, Caller, DynHandler, Handler, Http, Limits, Trust,
    files::{Asset, Files, Options, Root},
    proxy::Onward,
};
use relais_net::{Conn, Fault, Peer, Service as _, Shutdown, Stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

const ROUNDS: u32 = 20_000;

/// The quickest of these counts: in the others, something else ran as well.
const TRIES: u32 = 9;

/// What a browser sends, but for its cookies.
const BROWSER: &str = "user-agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0\r\n\
                       accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n\
                       accept-language: en-US,en;q=0.5\r\n";

/// Says so many bytes, in answers of its own.
#[derive(Debug)]
struct Origin(usize);

impl Handler for Origin {
    async fn answer(&self, _ask: Ask) -> Result<Answer, Fault> {
        let body = Body::own(Bytes::from(vec![b'x'; self.0]));
        let answer = Response::builder()
            .header("content-type", "text/plain; charset=utf-8")
            .header("content-length", self.0)
            .header("etag", "\"65a1b2c3-400\"")
            .header("last-modified", "Sun, 06 Nov 1994 08:49:37 GMT")
            .header("cache-control", "max-age=3600");
        Ok(answer.body(body).expect("an answer"))
    }
}

impl Onward for Origin {
    fn rewrites(&self, _name: &HeaderName, _headers: &HeaderMap) -> bool {
        false
    }

    fn as_sent(&self, head: request::Parts, _caller: &Caller) -> Option<HeaderMap> {
        Some(head.headers)
    }
}

fn main() {
    for len in [1 << 10, 100 << 10] {
        let assets = Box::leak(Box::new([Asset {
            path: "a.txt",
            bytes: Box::leak(vec![b'x'; len].into_boxed_slice()),
            modified_secs: Some(1_000_000_000),
        }]));
        let assets: &'static [Asset] = assets;
        let files = || Files::open(Options::of(Root::Embedded(assets), SystemTime::now));
        let cache = || Cache::new(Settings::default());
        println!("{} KiB", len >> 10);
        for (what, lines) in [("bare", ""), ("browser", BROWSER)] {
            let file = measure(files().expect("assets"), lines);
            let hit = measure(
                Cached::new(Origin(len), cache(), Trust::default(), SystemTime::now),
                lines,
            );
            let bare = measure(Origin(len), lines);
            let no_store = format!("{lines}cache-control: no-store, no-cache\r\n");
            let miss = measure(
                Cached::new(Origin(len), cache(), Trust::default(), SystemTime::now),
                &no_store,
            );
            println!(
                "  {what:8} file {file:6}  hit {hit:6}  no cache {bare:6}  past it {miss:6} ns"
            );
        }
    }
}

fn measure(handler: impl Handler, lines: &str) -> u128 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let handler: Arc<dyn DynHandler> = Arc::new(handler);
    let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default());
    let request = format!("GET /a.txt HTTP/1.1\r\nhost: localhost\r\n{lines}\r\n");
    runtime.expect("a runtime").block_on(async {
        let (mut client, server) = tokio::io::duplex(1 << 20);
        let (_shutdown, drain) = Shutdown::new();
        let local = Arc::new("tcp://127.0.0.1:80".parse().expect("an endpoint"));
        let conn = Conn {
            stream: Stream::Memory(server),
            peer: Peer::Local,
            called: None,
            local,
            tls: None,
        };
        tokio::spawn(async move { http.serve(conn, drain).await });
        let mut came = vec![0; 1 << 20];
        let mut quickest = u128::MAX;
        for _ in 0..TRIES {
            let begun = Instant::now();
            for _ in 0..ROUNDS / TRIES {
                client.write_all(request.as_bytes()).await.expect("a server");
                assert!(client.read(&mut came).await.expect("an answer") > 0);
            }
            quickest = quickest.min(begun.elapsed().as_nanos() / u128::from(ROUNDS / TRIES));
        }
        quickest
    })
}
