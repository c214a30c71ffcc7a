//! Clients, a proxy with a cache, and a server that is raw bytes.

use std::{
    cell::Cell,
    collections::VecDeque,
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwap;
use relais_cache::{Cache, Settings, disk::Disk};
use relais_net::{Conn, Peer, Service as _, Shutdown, Stream, tls::Session};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    net::{TcpListener, TcpStream},
    sync::Notify,
};

use super::super::disk_reads::DiskReads;
use crate::{
    Cached, Desk, DynHandler, Http, Limits, Trust,
    proxy::{Edits, Options, Prefix, Proxy, Route},
    upstream::{self, Balance, Group, Upstream, dialer_for_tests},
};

thread_local! {
    static SECONDS: Cell<u64> = const { Cell::new(0) };
}

/// The time of day, as it is set by [`World::at`].
pub(super) fn clock() -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000_000 + SECONDS.get())
}

/// What the server does when it was asked.
#[derive(Clone, Debug)]
pub(super) enum Act {
    /// Says this.
    Says(String),
    /// Says this and closes the connection.
    Ends(String),
    /// Says this and resets the connection.
    Resets(String),
    /// Says the first, and the second when it is told to.
    Pauses(String, Arc<Notify>, String),
    /// The same, and closes the connection behind it.
    PausesAndEnds(String, Arc<Notify>, String),
    /// Says this, and closes the connection when it is told to.
    Breaks(String, Arc<Notify>),
    /// Says nothing.
    Hangs,
}

/// `200` with a length, these other fields, and `body`.
pub(super) fn ok(lines: &str, body: &str) -> Act {
    says("200 OK", lines, body)
}

/// The same with another status.
pub(super) fn says(status: &str, lines: &str, body: &str) -> Act {
    let lines = wired(lines);
    let len = body.len();
    Act::Says(format!("HTTP/1.1 {status}\r\n{lines}Content-Length: {len}\r\n\r\n{body}"))
}

/// A proxy with a cache, before a server that does what it is told.
pub(super) struct World {
    pub http: Arc<Http>,
    pub cache: Cache,
    pub handler: Arc<dyn DynHandler>,
    /// What it is looked after by.
    pub desk: Arc<dyn Desk>,
    /// Who waits for its disk.
    pub reads: DiskReads,
    script: Arc<Script>,
}

#[derive(Debug, Default)]
struct Script {
    acts: Mutex<VecDeque<Act>>,
    /// Heads of requests.
    asked: Mutex<Vec<String>>,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::with(Settings::default()).await
    }

    pub(super) async fn with(settings: Settings) -> Self {
        SECONDS.set(0);
        let script = Arc::new(Script::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(play(listener, Arc::clone(&script)));
        Self::before(address, script, settings)
    }

    /// The same, with nobody behind it.
    pub(super) async fn with_nobody_there() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        Self::before(address, Arc::default(), Settings::default())
    }

    /// The same, before which requests are edited.
    pub(super) async fn with_edits(request: Edits) -> Self {
        SECONDS.set(0);
        let script = Arc::new(Script::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = proxy_with(listener.local_addr().unwrap(), "/", request);
        tokio::spawn(play(listener, Arc::clone(&script)));
        Self::of(proxy, script, Cache::new(Settings::default()))
    }

    fn before(address: SocketAddr, script: Arc<Script>, settings: Settings) -> Self {
        Self::of(proxy(address, "/"), script, Cache::new(settings))
    }

    /// The same, with a disk below its memory.
    pub(super) async fn with_disk(disk: Arc<Disk>) -> Self {
        SECONDS.set(0);
        let script = Arc::new(Script::default());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let proxy = proxy(listener.local_addr().unwrap(), "/");
        tokio::spawn(play(listener, Arc::clone(&script)));
        Self::of(proxy, script, Cache::with_disk(Settings::default(), disk, "us"))
    }

    fn of(proxy: Proxy, script: Arc<Script>, cache: Cache) -> Self {
        let cached = Cached::new(proxy, cache.clone(), Trust::default(), clock);
        let (desk, reads) = (cached.desk_of(), cached.shared.sending.reads.clone());
        let handler: Arc<dyn DynHandler> = Arc::new(cached);
        let slot = Arc::new(ArcSwap::from_pointee(Arc::clone(&handler)));
        let http = Http::new(slot, Limits::default());
        Self { http: Arc::new(http), cache, handler, desk, reads, script }
    }

    /// It is so many seconds after the beginning.
    #[expect(clippy::unused_self, reason = "it is the time of this world")]
    pub(super) fn at(&self, seconds: u64) {
        SECONDS.set(seconds);
    }

    /// The server is to do this next.
    pub(super) fn then(&self, act: Act) {
        self.script.acts.lock().unwrap().push_back(act);
    }

    /// What the server was asked since this was called last: `GET /`, and then the fields that make
    /// conditions, name ranges and say who asks.
    pub(super) fn asked(&self) -> Vec<String> {
        let asked = std::mem::take(&mut *self.script.asked.lock().unwrap());
        asked.iter().map(|head| brief(head)).collect()
    }

    /// What comes back on a GET for `path` with these fields: see [`told`].
    pub(super) async fn get(&self, path: &str, lines: &str) -> String {
        self.ask("GET", path, lines).await
    }

    /// The same with another method.
    pub(super) async fn ask(&self, method: &str, path: &str, lines: &str) -> String {
        let came = self.raw(&[&request(method, path, lines)]).await;
        if method == "HEAD" { told_of_head(&came) } else { told(&came) }
    }

    /// The same where the server is to do `act`.
    pub(super) async fn get_then(&self, act: Act, path: &str, lines: &str) -> String {
        self.then(act);
        self.get(path, lines).await
    }

    /// What comes back on a GET of the client at this address.
    pub(super) async fn get_from(&self, ip: &str, path: &str, lines: &str) -> String {
        let peer = Peer::Net(format!("{ip}:1").parse().unwrap());
        let client = client_at(peer, &self.http, None);
        told(&talked(client, &[&request("GET", path, lines)]).await)
    }

    /// What comes back on `parts`, each of which is sent when all before it was read.
    pub(super) async fn raw(&self, parts: &[&str]) -> String {
        talked(self.client(), parts).await
    }

    /// A client that is served.
    pub(super) fn client(&self) -> DuplexStream {
        client_of(&self.http, None)
    }

    /// Lets all go on that can.
    pub(super) async fn settle(&self) {
        for _ in 0..200 {
            tokio::task::yield_now().await;
        }
    }

    /// The same, until `is_so`.
    pub(super) async fn until(&self, is_so: impl Fn(&Self) -> bool) {
        let all_goes_on = async {
            while !is_so(self) {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_mins(1), all_goes_on).await.unwrap();
    }

    /// How many requests the server has had since [`World::asked`].
    pub(super) fn count(&self) -> usize {
        self.script.asked.lock().unwrap().len()
    }
}

/// What comes back to `client` on `parts`, each of which is sent when all before it was read.
async fn talked(mut client: DuplexStream, parts: &[&str]) -> String {
    for part in parts {
        client.write_all(part.as_bytes()).await.unwrap();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    client.shutdown().await.unwrap();
    let mut came = Vec::new();
    client.read_to_end(&mut came).await.unwrap();
    String::from_utf8(came).unwrap()
}

/// A client that `http` serves, over TLS if there is a session.
pub(super) fn client_of(http: &Arc<Http>, tls: Option<Session>) -> DuplexStream {
    client_at(Peer::Net("192.0.2.7:1".parse().unwrap()), http, tls)
}

fn client_at(peer: Peer, http: &Arc<Http>, tls: Option<Session>) -> DuplexStream {
    let (client, server) = tokio::io::duplex(1 << 16);
    let (shutdown, drain) = Shutdown::new();
    std::mem::forget(shutdown);
    let local = Arc::new("http://127.0.0.1:80".parse().unwrap());
    let conn = Conn { stream: Stream::Memory(server), peer, called: None, local, tls };
    let http = Arc::clone(http);
    tokio::spawn(async move { http.serve(conn, drain).await });
    client
}

pub(super) fn request(method: &str, path: &str, lines: &str) -> String {
    let lines = wired(lines);
    format!("{method} {path} HTTP/1.1\r\nHost: a\r\n{lines}\r\n")
}

/// Lines, as they are sent.
fn wired(lines: &str) -> String {
    lines.lines().flat_map(|line| [line, "\r\n"]).collect()
}

/// Passes on to `address` what is below `path`.
pub(super) fn proxy(address: SocketAddr, path: &str) -> Proxy {
    proxy_with(address, path, Edits::default())
}

/// The same, and edits requests.
fn proxy_with(address: SocketAddr, path: &str, request: Edits) -> Proxy {
    let endpoint = format!("http://{address}").parse().unwrap();
    let (dialer, limits) = (dialer_for_tests(), upstream::Limits::default());
    let upstream = Upstream::new(upstream::Options {
        endpoint,
        host: None,
        dialer,
        speaks: upstream::Speaks::Http1,
        limits,
    });
    let group = Arc::new(Group::new(vec![Arc::new(upstream)], Balance::Least).unwrap());
    let response = Edits::default();
    let route = Route { path: path.to_owned(), prefix: Prefix::Kept, group, request, response };
    Proxy::new(Options { routes: vec![route], name: "here".to_owned(), trust: Trust::default() })
}

async fn play(listener: TcpListener, script: Arc<Script>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        tokio::spawn(talk(stream, Arc::clone(&script)));
    }
}

async fn talk(mut stream: TcpStream, script: Arc<Script>) {
    loop {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let Ok(byte) = stream.read_u8().await else { return };
            head.push(byte);
        }
        script.asked.lock().unwrap().push(String::from_utf8(head).unwrap());
        let act = script.acts.lock().unwrap().pop_front();
        // Who goes away does not hear the rest.
        match act.expect("the server was asked once too often") {
            Act::Says(text) => _ = stream.write_all(text.as_bytes()).await,
            Act::Ends(text) => {
                _ = stream.write_all(text.as_bytes()).await;
                return;
            }
            Act::Resets(text) => {
                _ = stream.write_all(text.as_bytes()).await;
                stream.set_zero_linger().unwrap();
                return;
            }
            Act::Pauses(begin, go_on, end) => {
                _ = stream.write_all(begin.as_bytes()).await;
                go_on.notified().await;
                _ = stream.write_all(end.as_bytes()).await;
            }
            Act::PausesAndEnds(begin, go_on, end) => {
                _ = stream.write_all(begin.as_bytes()).await;
                go_on.notified().await;
                _ = stream.write_all(end.as_bytes()).await;
                return;
            }
            Act::Breaks(text, go_on) => {
                _ = stream.write_all(text.as_bytes()).await;
                go_on.notified().await;
                return;
            }
            Act::Hangs => std::future::pending().await,
        }
    }
}

fn brief(head: &str) -> String {
    let mut lines = head.lines();
    let line = lines.next().unwrap().trim_end_matches(" HTTP/1.1").to_owned();
    let told = ["if-", "range", "authorization", "cookie"];
    let is_told = |line: &&str| told.iter().any(|name| line.starts_with(name));
    lines.filter(is_told).fold(line, |told, line| format!("{told}, {line}"))
}

/// An answer, in short: `200 body | hit; ttl=5, age 7`; `CUT` where the body breaks off.
pub(super) fn told(came: &str) -> String {
    let Some((head, rest)) = came.split_once("\r\n\r\n") else { return format!("CUT {came}") };
    short(head, &body(head, rest))
}

/// The same of an answer to HEAD, which has no body whatever it says.
pub(super) fn told_of_head(came: &str) -> String {
    short(came.strip_suffix("\r\n\r\n").unwrap(), "")
}

fn short(head: &str, body: &str) -> String {
    let status = &head["HTTP/1.1 ".len()..][..3];
    let said = fields(head, "cache-status")
        .last()
        .map_or("nothing", |said| said.strip_prefix("relais").unwrap().trim_start_matches("; "));
    let age = fields(head, "age").next().map_or(String::new(), |age| format!(", age {age}"));
    format!("{status} {body} | {said}{age}")
}

/// The values of the fields called `name` in a head.
pub(super) fn fields<'h>(head: &'h str, name: &str) -> impl Iterator<Item = &'h str> {
    let lines = head.split("\r\n").skip(1).filter_map(|line| line.split_once(": "));
    lines.filter(move |(other, _)| *other == name).map(|(_, value)| value)
}

fn body(head: &str, rest: &str) -> String {
    let short = |text: &str| match text.len() {
        0..50 => text.to_owned(),
        len => format!("{}...{len}", &text[..1]),
    };
    if fields(head, "transfer-encoding").next().is_some() {
        let (mut rest, mut whole) = (rest, String::new());
        while let Some((size, after)) = rest.split_once("\r\n") {
            let size = usize::from_str_radix(size, 16).unwrap();
            if size == 0 {
                return short(&whole);
            }
            let Some(chunk) = after.get(..size) else { break };
            whole += chunk;
            rest = after.get(size + 2..).unwrap_or_default();
        }
        return format!("CUT {}", short(&whole));
    }
    let len = fields(head, "content-length").next().map_or(0, |len| len.parse().unwrap());
    if rest.len() < len { format!("CUT {}", short(rest)) } else { short(rest) }
}
