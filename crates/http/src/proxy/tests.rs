//! A proxy between a client and a server that are raw bytes.

mod interim;
mod long;
mod times;

use std::{net::SocketAddr, sync::Arc, time::Duration};

use arc_swap::ArcSwap;
use relais_net::{Conn, Peer, Service as _, Shutdown, Stream};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{
    DynHandler, Http, Limits,
    upstream::{self, Balance, Group, Speaks, Upstream, dialer_for_tests},
};

/// What the server says on each of its connections, one answer after each request head.
struct Server {
    address: SocketAddr,
    listener: TcpListener,
}

impl Server {
    async fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { address: listener.local_addr().unwrap(), listener }
    }

    /// A proxy before it.
    fn proxy(&self) -> Http {
        self.proxy_within(upstream::Limits::default())
    }

    fn proxy_within(&self, limits: upstream::Limits) -> Http {
        self.proxy_that_speaks(Speaks::Http1, limits)
    }

    fn proxy_that_speaks(&self, speaks: Speaks, limits: upstream::Limits) -> Http {
        self.proxy_and_upstream(speaks, limits).0
    }

    fn proxy_and_upstream(
        &self,
        speaks: Speaks,
        limits: upstream::Limits,
    ) -> (Http, Arc<Upstream>) {
        let (proxy, upstream) = self.handler(speaks, limits);
        let handler: Arc<dyn DynHandler> = Arc::new(proxy);
        (Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default()), upstream)
    }

    fn handler(&self, speaks: Speaks, limits: upstream::Limits) -> (Proxy, Arc<Upstream>) {
        let endpoint = format!("http://{}", self.address).parse().unwrap();
        let upstream = Upstream::new(upstream::Options {
            endpoint,
            host: None,
            dialer: dialer_for_tests(),
            speaks,
            limits,
        });
        let upstream = Arc::new(upstream);
        let group = Group::new(vec![Arc::clone(&upstream)], Balance::Least);
        let group = Arc::new(group.unwrap());
        let route = Route {
            path: "/".to_owned(),
            prefix: Prefix::Kept,
            group,
            request: Edits::default(),
            response: Edits::default(),
        };
        let (name, trust) = ("here".to_owned(), Trust::default());
        (Proxy::new(Options { routes: vec![route], name, trust }), upstream)
    }

    async fn accept(&self) -> TcpStream {
        self.listener.accept().await.unwrap().0
    }
}

/// Reads up to the end of a head.
async fn head(stream: &mut TcpStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// Serves a client whose end is given back.
fn client(proxy: Http) -> DuplexStream {
    let (client, server) = tokio::io::duplex(1 << 16);
    serve(proxy, Stream::Memory(server));
    client
}

fn serve(proxy: Http, stream: Stream) {
    let (shutdown, drain) = Shutdown::new();
    std::mem::forget(shutdown);
    let local = Arc::new("http://127.0.0.1:80".parse().unwrap());
    let peer = Peer::Net("192.0.2.7:1".parse().unwrap());
    let conn = Conn { stream, peer, called: None, local, tls: None };
    tokio::spawn(async move { proxy.serve(conn, drain).await });
}

/// What comes back on `request`, which the server answers with `answer` and a close.
async fn passed(request: &str, answer: &'static str) -> (String, String) {
    let server = Server::new().await;
    let mut client = client(server.proxy());
    client.write_all(request.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    let serving = async {
        let mut stream = server.accept().await;
        let asked = head(&mut stream).await;
        stream.write_all(answer.as_bytes()).await.unwrap();
        asked
    };
    let mut came = String::new();
    let (asked, read) = tokio::join!(serving, client.read_to_string(&mut came));
    read.unwrap();
    (asked, without_date(&came))
}

fn without_date(text: &str) -> String {
    text.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect()
}

#[tokio::test]
async fn a_request_and_its_answer_are_passed_on_without_what_was_for_one_hop() {
    let request = "GET /a%20b?c HTTP/1.1\r\nHost: a.example\r\nConnection: x-hop\r\nX-Hop: 1\r\n\
                   X-Forwarded-For: 10.0.0.1\r\nX-End: 2\r\n\r\n";
    let answer =
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=5\r\nX-B: 3\r\n\r\nhi";
    let (asked, came) = passed(request, answer).await;
    assert_eq!(
        asked,
        "GET /a%20b?c HTTP/1.1\r\nhost: a.example\r\nx-end: 2\r\nvia: 1.1 here\r\n\
         x-forwarded-proto: http\r\nx-forwarded-host: a.example\r\n\
         forwarded: for=192.0.2.7;proto=http;host=\"a.example\"\r\n\
         x-forwarded-for: 192.0.2.7\r\n\r\n"
    );
    assert_eq!(came, "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nx-b: 3\r\nvia: 1.1 here\r\n\r\nhi");
}

/// A cache judges by it whom an answer is for.
#[tokio::test]
async fn what_is_told_to_be_sent_is_sent() {
    let peer = Peer::Net("192.0.2.7:1".parse().unwrap());
    let (nobody, _) = Server::new().await.handler(Speaks::Http1, upstream::Limits::default());
    for lines in [
        "host: a",
        "host: A:80\naccept-language: de\naccept-language: en",
        "host: a\nconnection: accept-language, x-a\naccept-language: de\nx-a: 1\nx-b: 2",
        "host: a\nconnection: cookie, host\ncookie: a=b",
        "host: a\nte: trailers\nconnection: te",
        "host: a\nvia: 1.1 before\nforwarded: for=1\nx-forwarded-for: 2\nx-forwarded-proto: https",
        "host: a\nkeep-alive: 1\nproxy-connection: a\nproxy-authorization: b\ncontent-length: 0",
    ] {
        let text = lines.replace('\n', "\r\n");
        let text = format!("GET /a HTTP/1.1\r\n{text}\r\n\r\n");
        let (sent, _) = passed(&text, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
        let mut sent: Vec<_> = sent.trim_end().split("\r\n").skip(1).map(str::to_owned).collect();
        let fields: Vec<_> = lines.lines().map(|line| line.split_once(": ").unwrap()).collect();
        let ask = crate::says::ask(peer, "/a", &fields);
        let (head, _) = ask.request.into_parts();
        let told = nobody.as_sent(head, &ask.caller).unwrap();
        let line = |(name, value): (&HeaderName, &HeaderValue)| {
            format!("{name}: {}", value.to_str().unwrap())
        };
        let mut told_lines: Vec<_> = told.iter().map(line).collect();
        sent.sort_unstable();
        told_lines.sort_unstable();
        assert_eq!(told_lines, sent, "{lines}");
    }
}

/// What is not told to be rewritten is taken as it came, and not looked at as it is sent.
#[tokio::test]
async fn what_is_rewritten_is_told_to_be() {
    let peer = Peer::Net("192.0.2.7:1".parse().unwrap());
    let (nobody, _) = Server::new().await.handler(Speaks::Http1, upstream::Limits::default());
    let all = |headers: &HeaderMap, name: &HeaderName| {
        headers.get_all(name).into_iter().cloned().collect::<Vec<_>>()
    };
    let fields = [
        ("host", "A:80"),
        ("connection", "x-a, te, upgrade, cookie, accept"),
        ("x-a", "1"),
        ("x-b", "2"),
        ("accept", "a"),
        ("accept-language", "de"),
        ("te", "trailers, gzip"),
        ("upgrade", "websocket"),
        ("cookie", "a=1"),
        ("cookie", "b=2"),
        ("content-length", "0"),
        ("max-forwards", "9"),
        ("via", "1.1 before"),
        ("forwarded", "for=1"),
        ("x-forwarded-for", "2"),
        ("x-forwarded-host", "b"),
        ("x-forwarded-proto", "https"),
        ("keep-alive", "1"),
        ("proxy-connection", "a"),
        ("proxy-authorization", "b"),
        ("expect", "100-continue"),
    ];
    for version in [http::Version::HTTP_10, http::Version::HTTP_11, http::Version::HTTP_2] {
        let ask = crate::says::ask(peer, "/a", &fields);
        let (mut head, _) = ask.request.into_parts();
        head.version = version;
        let came = head.headers.clone();
        let told = nobody.as_sent(head, &ask.caller).unwrap();
        for name in came.keys().chain(told.keys()) {
            let is_same = all(&came, name) == all(&told, name);
            assert!(is_same || nobody.rewrites(name, &came), "{name} over {version:?}");
        }
        for left in ["x-b", "accept-language"] {
            let left: HeaderName = left.parse().unwrap();
            assert!(!nobody.rewrites(&left, &came), "{left}");
        }
    }
}

/// What the server is asked: without what says which way it came.
async fn asked(request: &str) -> String {
    let (asked, _) = passed(request, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await;
    let way = ["via: ", "x-forwarded-", "forwarded: "];
    let is_of_way = |line: &str| way.iter().any(|name| line.starts_with(name));
    asked.split_inclusive("\r\n").filter(|line| !is_of_way(line)).collect()
}

#[tokio::test]
async fn what_is_asked_is_in_the_form_for_a_server() {
    let check = async |request: &str, expect: &str| {
        let request = request.replace('|', "\r\n");
        assert_eq!(asked(&request).await, expect.replace('|', "\r\n"), "{request}");
    };
    check("GET http://a?b HTTP/1.1|Host: a||", "GET /?b HTTP/1.1|host: a||").await;
    check("OPTIONS * HTTP/1.1|Host: a||", "OPTIONS * HTTP/1.1|host: a||").await;
    for host in ["A", "a:", "a:80", "a:00080"] {
        check(&format!("GET / HTTP/1.1|Host: {host}||"), "GET / HTTP/1.1|host: a||").await;
    }
    let (one, none) = ("max-forwards: 1", "max-forwards: 0");
    let options = |last| format!("OPTIONS / HTTP/1.1|host: a|{last}||");
    check(&options(one), &options(none)).await;
    // What is empty is said to be empty.
    for method in ["POST", "PUT", "PATCH"] {
        let empty = format!("{method} / HTTP/1.1|host: a|content-length: 0||");
        check(&format!("{method} / HTTP/1.1|Host: a|Content-Length: 0||"), &empty).await;
        check(&format!("{method} / HTTP/1.1|Host: a||"), &empty).await;
    }
    let empty = "DELETE / HTTP/1.1|host: a|content-length: 0||";
    check("DELETE / HTTP/1.1|Host: a|Content-Length: 0||", empty).await;
    check("DELETE / HTTP/1.1|Host: a||", "DELETE / HTTP/1.1|host: a||").await;
    let (get, got) = ("GET / HTTP/1.1|Host: a|", "GET / HTTP/1.1|host: a|");
    let trailers = format!("{got}te: trailers|connection: te||");
    check(&format!("{get}TE: trailers, gzip|Connection: TE||"), &trailers).await;
    check(&format!("{get}Connection: upgrade|Upgrade: h2c||"), &format!("{got}|")).await;
    check(&format!("{get}Connection: upgrade|Upgrade: x, HTTP/2.0||"), &format!("{got}|")).await;
}

#[tokio::test]
async fn bodies_pass_however_they_are_framed() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let check = async |answer, expect: &str| {
        let (_, came) = passed(get, answer).await;
        assert_eq!(came, expect);
    };
    check(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n2;x=y\r\nbc\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nvia: 1.1 here\r\ntransfer-encoding: chunked\r\n\r\n1\r\na\r\n2\r\nbc\r\n0\r\n\r\n",
    )
    .await;
    check(
        "HTTP/1.0 200 OK\r\n\r\nuntil the end",
        "HTTP/1.1 200 OK\r\nvia: 1.0 here\r\ntransfer-encoding: chunked\r\n\r\nD\r\nuntil the end\r\n0\r\n\r\n",
    )
    .await;
    check("HTTP/1.1 204 No Content\r\n\r\n", "HTTP/1.1 204 No Content\r\nvia: 1.1 here\r\n\r\n")
        .await;
    check(
        "HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 404 Nope\r\nContent-Length: 1\r\n\r\nx",
        "HTTP/1.1 103 Early Hints\r\nlink: a\r\nvia: 1.1 here\r\n\r\n\
         HTTP/1.1 404 Not Found\r\ncontent-length: 1\r\nvia: 1.1 here\r\n\r\nx",
    )
    .await;
}

#[tokio::test]
async fn what_breaks_off_is_not_passed_on_as_whole() {
    let get = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let (_, came) = passed(get, "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhi").await;
    assert!(came.ends_with("\r\n\r\nhi"), "{came}");
    let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n";
    for (cut, rest) in [(chunks.to_owned(), "2\r\nhi\r\n"), (format!("{chunks}x"), "2\r\nhi\r\n")] {
        let (_, came) = passed(get, cut.leak()).await;
        assert!(came.ends_with(rest), "{came}");
    }
    // What may be made twice would be, if nothing comes.
    let post = "POST / HTTP/1.1\r\nHost: a\r\n\r\n";
    for bad in [
        "",
        "HTTP/1.1 200",
        "garbage\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    ] {
        let (_, came) = passed(post, bad).await;
        assert!(came.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{bad:?}: {came}");
    }
}

/// What has neither length nor chunks is ended by the connection alone, which has to end badly then.
#[tokio::test]
async fn what_breaks_off_does_not_end_well_for_who_speaks_http_1_0() {
    let server = Server::new().await;
    for (last, is_whole) in [("0\r\n\r\n", true), ("", false)] {
        let socket = Server::new().await;
        let mut client = TcpStream::connect(socket.address).await.unwrap();
        serve(server.proxy(), Stream::Tcp(socket.accept().await));
        client.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
        let mut stream = server.accept().await;
        head(&mut stream).await;
        let chunks = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n";
        stream.write_all([chunks, last].concat().as_bytes()).await.unwrap();
        drop(stream);
        let mut came = Vec::new();
        let ended = client.read_to_end(&mut came).await;
        assert_eq!(ended.is_ok(), is_whole, "{ended:?}");
        assert!(came.ends_with(b"\r\n\r\nhi"));
    }
}

#[tokio::test]
async fn a_body_is_passed_on_with_its_length_or_in_chunks() {
    let server = Server::new().await;
    for (framing, body, expect) in [
        ("Content-Length: 5", "hello", "content-length: 5\r\n\r\nhello"),
        (
            "Transfer-Encoding: chunked",
            "3\r\nabc\r\n0\r\n\r\n",
            "transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ),
    ] {
        let mut client = client(server.proxy());
        let request = format!("POST / HTTP/1.1\r\nHost: a\r\n{framing}\r\n\r\n{body}");
        client.write_all(request.as_bytes()).await.unwrap();
        let mut stream = server.accept().await;
        let mut asked = String::new();
        while !asked.ends_with(expect) {
            asked.push(char::from(stream.read_u8().await.unwrap()));
        }
        stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        let mut came = [0; 15];
        client.read_exact(&mut came).await.unwrap();
        assert_eq!(&came, b"HTTP/1.1 200 OK");
    }
}

#[tokio::test]
async fn trailers_pass_but_for_those_that_belong_before_a_body() {
    let trailers = "0\r\nX-End: 1\r\nConnection: close\r\nX-Forwarded-For: 10.0.0.1\r\nX-B: 2\r\nX_C: 3\r\n\r\n";
    let server = Server::new().await;
    let mut client = client(server.proxy());
    let chunked = "Transfer-Encoding: chunked\r\n";
    let request = format!("POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\n{chunked}\r\n{trailers}");
    client.write_all(request.as_bytes()).await.unwrap();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    assert_eq!(head(&mut stream).await, "0\r\nx-end: 1\r\nx-b: 2\r\n\r\n");
    let names = "Trailer: X-End, X-Forwarded-For, X-B, X_C\r\n";
    let answer = format!("HTTP/1.1 200 OK\r\n{names}{chunked}\r\n{trailers}");
    stream.write_all(answer.as_bytes()).await.unwrap();
    head_of(&mut client).await;
    // Of answers no program is told by other names.
    assert_eq!(head_of(&mut client).await, "0\r\nx-end: 1\r\nx_c: 3\r\nx-b: 2\r\n\r\n");
}

/// The next request goes where the last one went; and elsewhere, if nobody is there any more.
#[tokio::test]
async fn a_connection_is_used_again_and_a_dead_one_is_replaced() {
    let server = Server::new().await;
    let mut client = client(server.proxy());
    let get = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n";
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    let mut stream = None;
    for dies in [false, false, true, false] {
        client.write_all(get).await.unwrap();
        if stream.is_none() {
            stream = Some(server.accept().await);
        }
        let there = stream.as_mut().unwrap();
        head(there).await;
        there.write_all(answer).await.unwrap();
        let mut came = Vec::new();
        while !came.ends_with(b"\r\n\r\nok") {
            came.push(client.read_u8().await.unwrap());
        }
        if dies {
            stream = None;
        }
    }
}

/// A server that is replaced closes new connections, too, and is there again at once.
#[tokio::test]
async fn who_closes_a_new_connection_is_asked_once_more_if_that_does_no_harm() {
    for (method, closes, expect) in [
        ("GET", 1, "HTTP/1.1 200 "),
        ("PUT", 1, "HTTP/1.1 200 "),
        ("GET", 2, "HTTP/1.1 502 "),
        ("POST", 1, "HTTP/1.1 502 "),
    ] {
        let server = Server::new().await;
        let mut client = client(server.proxy());
        let request = format!("{method} / HTTP/1.1\r\nHost: a\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let serving = async {
            for _ in 0..closes {
                head(&mut server.accept().await).await;
            }
            let mut stream = server.accept().await;
            head(&mut stream).await;
            stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n").await.unwrap();
            std::future::pending::<()>().await;
        };
        tokio::select! {
            head = head_of(&mut client) => assert!(head.starts_with(expect), "{method}: {head}"),
            () = serving => (),
        }
    }
}

#[tokio::test]
async fn an_upgrade_makes_a_tunnel() {
    let server = Server::new().await;
    let (proxy, asked_of) = server.proxy_and_upstream(Speaks::Http1, upstream::Limits::default());
    let mut client = client(proxy);
    let upgrade = "Connection: Upgrade\r\nUpgrade: websocket\r\n";
    let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{upgrade}\r\n");
    client.write_all(request.as_bytes()).await.unwrap();
    let mut stream = server.accept().await;
    let asked = head(&mut stream).await;
    assert!(asked.contains("connection: upgrade\r\nupgrade: websocket\r\n"), "{asked}");
    let answer = format!("HTTP/1.1 101 Switching Protocols\r\n{upgrade}\r\nearly");
    stream.write_all(answer.as_bytes()).await.unwrap();
    let mut came = String::new();
    while !came.ends_with("early") {
        came.push(char::from(client.read_u8().await.unwrap()));
    }
    assert!(came.starts_with("HTTP/1.1 101 Switching Protocols\r\n"), "{came}");
    client.write_all(b"ping").await.unwrap();
    let mut heard = [0; 4];
    stream.read_exact(&mut heard).await.unwrap();
    stream.write_all(b"pong").await.unwrap();
    client.read_exact(&mut heard).await.unwrap();
    assert_eq!(&heard, b"pong");
    assert_eq!(asked_of.in_flight(), 1);
    drop(stream);
    assert_eq!(client.read(&mut heard).await.unwrap(), 0);
    drop(client);
    while asked_of.in_flight() > 0 {
        tokio::task::yield_now().await;
    }
}

/// Whoever spoke it behind us would be seen by nobody.
#[tokio::test]
async fn another_http_is_not_changed_to() {
    for fields in [
        "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA",
        "Connection: Upgrade\r\nUpgrade: websocket, h2c",
        "Connection: Upgrade\r\nUpgrade: TLS/1.0",
        "Connection: Upgrade\r\nUpgrade: \"h2c\"",
    ] {
        let request = format!("GET / HTTP/1.1\r\nHost: a\r\n{fields}\r\n\r\n");
        let answer = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
        let (asked, came) = passed(&request, answer).await;
        assert!(!asked.to_lowercase().contains("upgrade"), "{asked}");
        assert!(came.starts_with("HTTP/1.1 200 OK\r\n"), "{came}");
    }
}

#[tokio::test]
async fn a_protocol_is_changed_to_only_if_it_was_asked_for() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
    for answer in [
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\n\r\n",
        "HTTP/1.1 101 Switching Protocols\r\n\r\n",
    ] {
        let (_, came) = passed(request, answer).await;
        assert!(came.starts_with("HTTP/1.1 502 "), "{answer}{came}");
    }
}

#[tokio::test]
async fn a_request_that_is_not_all_sent_makes_no_tunnel() {
    let server = Server::new().await;
    let mut client = client(server.proxy());
    let upgrade = "Connection: Upgrade\r\nUpgrade: chat\r\n";
    let request = format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n{upgrade}\r\na");
    client.write_all(request.as_bytes()).await.unwrap();
    let mut stream = server.accept().await;
    head(&mut stream).await;
    let answer = format!("HTTP/1.1 101 Switching Protocols\r\n{upgrade}\r\n");
    stream.write_all(answer.as_bytes()).await.unwrap();
    assert!(head_of(&mut client).await.starts_with("HTTP/1.1 502 "));
}

#[tokio::test]
async fn who_cannot_be_reached_or_does_not_answer_is_told_apart() {
    let server = Server::new().await;
    let limits = upstream::Limits { head_max: Duration::ZERO, ..upstream::Limits::default() };
    let (late, refused) = (server.proxy_within(limits), server.proxy());
    let ask = async |proxy| {
        let mut client = client(proxy);
        client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n").await.unwrap();
        let mut came = [0; 12];
        client.read_exact(&mut came).await.unwrap();
        String::from_utf8(came.to_vec()).unwrap()
    };
    assert_eq!(ask(late).await, "HTTP/1.1 504");
    drop(server);
    assert_eq!(ask(refused).await, "HTTP/1.1 502");
}

#[tokio::test]
async fn what_is_to_come_no_further_is_answered_here() {
    let server = Server::new().await;
    for (method, expect) in [("OPTIONS", "HTTP/1.1 204 "), ("TRACE", "HTTP/1.1 405 ")] {
        let mut client = client(server.proxy());
        let request = format!("{method} / HTTP/1.1\r\nHost: a\r\nMax-Forwards: 0\r\n\r\n");
        client.write_all(request.as_bytes()).await.unwrap();
        let head = head_of(&mut client).await;
        assert!(head.starts_with(expect), "{head}");
        let allows = head.contains("allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n");
        assert_eq!(allows, method == "OPTIONS", "{head}");
    }
    tokio::time::timeout(Duration::ZERO, server.accept()).await.unwrap_err();
}

#[tokio::test]
async fn what_comes_round_again_is_refused() {
    let server = Server::new().await;
    let mut client = client(server.proxy());
    client.write_all(b"GET / HTTP/1.1\r\nHost: a\r\nVia: 1.1 here\r\n\r\n").await.unwrap();
    let mut came = [0; 12];
    client.read_exact(&mut came).await.unwrap();
    assert_eq!(&came, b"HTTP/1.1 508");
}

/// Longer pieces of memory take an allocator ten times as long.
#[tokio::test]
async fn what_waits_for_an_answer_is_no_longer_than_an_allocator_has_at_hand() {
    let server = Server::new().await;
    let (proxy, _) = server.handler(Speaks::Http1, upstream::Limits::default());
    let peer = Peer::Net(server.address);
    let answering = proxy.answer(crate::says::ask(peer, "/", &[]));
    assert!(size_of_val(&answering) <= crate::says::AT_HAND_BYTES, "{}", size_of_val(&answering));
}

/// Reads a head, byte by byte.
async fn head_of(client: &mut DuplexStream) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(client.read_u8().await.unwrap());
    }
    String::from_utf8(head).unwrap()
}

/// RFC 9110 §10.1.1.
#[tokio::test]
async fn leave_to_send_a_body_is_asked_for_where_there_is_one_and_who_asks_knows_of_that() {
    let check = async |version: &str, length: &str, expect: bool| {
        let answer = "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n";
        let body = if length.contains('2') { "hi" } else { "" };
        let request = format!(
            "POST / HTTP/{version}\r\nHost: a\r\nExpect: 100-continue\r\n{length}\r\n{body}"
        );
        let (asked, _) = passed(&request, answer).await;
        assert_eq!(asked.contains("expect: 100-continue\r\n"), expect, "{asked}");
    };
    check("1.1", "Content-Length: 2\r\n", true).await;
    check("1.1", "Content-Length: 0\r\n", false).await;
    check("1.1", "", false).await;
    check("1.0", "Content-Length: 2\r\n", false).await;
}

/// RFC 9110 §15.5.22.
#[tokio::test]
async fn which_protocol_is_wanted_is_told_if_it_may_be_asked_for() {
    let request = "GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";
    let (_, came) = passed(
        request,
        "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Content-Length: 0\r\n\r\n",
    )
    .await;
    assert!(came.contains("upgrade: websocket\r\n"), "{came}");
    let (_, came) = passed(
        request,
        "HTTP/1.1 426 Upgrade Required\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\
         Content-Length: 0\r\n\r\n",
    )
    .await;
    assert!(!came.contains("h2c"), "{came}");
}
