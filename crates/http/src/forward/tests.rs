//! A client that names servers which are raw bytes.

use std::{net::SocketAddr, time::Duration};

use arc_swap::ArcSwap;
use http::HeaderValue;
use relais_net::{Conn, DialLimits, Gate, Peer, Service as _, Shutdown, Stream, tls};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream},
    net::{TcpListener, TcpStream},
};

use super::*;
use crate::{DynHandler, Hosts, Http, Limits};

/// A proxy for this machine, which asks this machine, but not at `own`.
fn options(ports: &[u16]) -> Options {
    let demand =
        tls::Demand { trust: tls::Trust::Roots(tls::Roots::none()), server_name: None, own: None };
    let limits = DialLimits {
        connect_max: Duration::from_secs(5),
        handshake_max: Duration::from_secs(5),
        source: None,
        keepalive: None,
    };
    Options {
        name: "here".to_owned(),
        clients: Network::LOOPBACK.to_vec(),
        ports: ports.to_vec(),
        allowed: Network::LOOPBACK.to_vec(),
        own: OwnListeners::default(),
        dialer: Dialer::new(limits, tls::Connector::new(&demand).unwrap()),
        limits: upstream::Limits::default(),
    }
}

/// A client of a proxy with these options.
fn client(options: Options) -> DuplexStream {
    client_of(Arc::new(Forward::new(options)), Peer::Local)
}

fn client_of(forward: Arc<dyn DynHandler>, peer: Peer) -> DuplexStream {
    let handler: Arc<dyn DynHandler> = Arc::new(Hosts::only(forward));
    let http = Http::new(Arc::new(ArcSwap::from_pointee(handler)), Limits::default());
    let (client, server) = tokio::io::duplex(1 << 16);
    let local = Arc::new("http://127.0.0.1:3128".parse().unwrap());
    let conn = Conn { stream: Stream::Memory(server), peer, called: None, local, tls: None };
    tokio::spawn(async move {
        let (_shutdown, drain) = Shutdown::new();
        _ = http.serve(conn, drain).await;
    });
    client
}

async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    (listener, at)
}

/// Reads up to the end of a head.
async fn head(stream: &mut (impl tokio::io::AsyncRead + Unpin)) -> String {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    head.split_inclusive("\r\n").filter(|line| !line.starts_with("date: ")).collect()
}

async fn hears(stream: &mut (impl tokio::io::AsyncRead + Unpin), expect: &str) {
    let mut heard = vec![0; expect.len()];
    stream.read_exact(&mut heard).await.unwrap();
    assert_eq!(String::from_utf8(heard).unwrap(), expect);
}

/// What comes back for `request`, on which the proxy asks nobody.
async fn refused(options: Options, request: &str) -> String {
    let mut client = client(options);
    client.write_all(request.as_bytes()).await.unwrap();
    client.shutdown().await.unwrap();
    let mut came = String::new();
    client.read_to_string(&mut came).await.unwrap();
    came
}

#[tokio::test]
async fn a_tunnel_leads_to_whom_the_client_names() {
    let (listener, at) = listener().await;
    for host in ["127.0.0.1", "localhost"] {
        let name = format!("{host}:{}", at.port());
        let mut client = client(options(&[at.port()]));
        let connect = format!("CONNECT {name} HTTP/1.1\r\nHost: {name}\r\n\r\nearly");
        client.write_all(connect.as_bytes()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        hears(&mut server, "early").await;
        assert_eq!(head(&mut client).await, "HTTP/1.1 200 OK\r\n\r\n");
        server.write_all(b"hello").await.unwrap();
        server.shutdown().await.unwrap();
        let mut came = String::new();
        client.read_to_string(&mut came).await.unwrap();
        assert_eq!(came, "hello");
        client.write_all(b"bye").await.unwrap();
        client.shutdown().await.unwrap();
        came.clear();
        server.read_to_string(&mut came).await.unwrap();
        assert_eq!(came, "bye");
    }
}

/// A proxy that may call so many at once, half of them kept for who asks next.
fn with_places(ports: &[u16], calls: &Gate) -> Options {
    let usual = options(ports);
    Options { dialer: usual.dialer.with_places(calls.clone()), ..usual }
}

#[tokio::test]
async fn a_tunnel_has_its_place_until_its_end_and_who_finds_none_is_told_to_come_again() {
    let (listener, at) = listener().await;
    let calls = Gate::new(1, 1);
    let connect = format!("CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n\r\n");
    let whole = format!("GET http://{at}/ HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n\r\n");
    let mut first = client(with_places(&[at.port()], &calls));
    first.write_all(connect.as_bytes()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    head(&mut first).await;
    for request in [&connect, &whole] {
        let came = refused(with_places(&[at.port()], &calls), request).await;
        assert!(came.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{came}");
        assert!(came.contains("This proxy can open no connection at the moment."), "{came}");
    }
    first.write_all(b"x").await.unwrap();
    hears(&mut server, "x").await;
    drop((first, server));
    while calls.inside() > 0 {
        tokio::task::yield_now().await;
    }
    let mut next = client(with_places(&[at.port()], &calls));
    next.write_all(connect.as_bytes()).await.unwrap();
    assert!(head(&mut next).await.starts_with("HTTP/1.1 200 OK\r\n"));
}

#[tokio::test]
async fn what_an_answer_switches_has_the_place_that_its_request_had() {
    let (listener, at) = listener().await;
    let calls = Gate::new(9, 9);
    let mut client = client(with_places(&[at.port()], &calls));
    let request = format!(
        "GET http://{at}/ HTTP/1.1\r\nHost: {at}\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    head(&mut server).await;
    let answer = b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: a\r\n\r\n";
    server.write_all(answer).await.unwrap();
    head(&mut client).await;
    assert_eq!(calls.inside(), 1);
    drop((client, server));
    while calls.inside() > 0 {
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn a_whole_url_is_asked_of_its_server_and_nobody_is_told_of_the_client() {
    let (listener, at) = listener().await;
    let mut client = client(options(&[443]));
    let request = format!(
        "POST http://{at}/a%20b?c HTTP/1.1\r\nHost: {at}\r\nX-End: 1\r\n\
         Proxy-Authorization: Basic x\r\nProxy-Connection: keep-alive\r\n\
         X-Forwarded-For: 10.0.0.1\r\nForwarded: for=10.0.0.1\r\nVia: 1.1 before\r\n\
         Content-Length: 2\r\n\r\nhi"
    );
    client.write_all(request.as_bytes()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let asked = head(&mut server).await;
    assert_eq!(
        asked,
        format!(
            "POST /a%20b?c HTTP/1.1\r\nhost: {at}\r\nx-end: 1\r\nvia: 1.1 before\r\n\
             via: 1.1 here\r\ncontent-length: 2\r\n\r\n"
        )
    );
    hears(&mut server, "hi").await;
    let answer = b"HTTP/1.1 201 Created\r\nProxy-Authenticate: x\r\nContent-Length: 1\r\n\r\nx";
    server.write_all(answer).await.unwrap();
    let came = head(&mut client).await;
    assert_eq!(came, "HTTP/1.1 201 Created\r\ncontent-length: 1\r\nvia: 1.1 here\r\n\r\n");
}

#[tokio::test]
async fn what_is_passed_on_is_edited() {
    let (listener, at) = listener().await;
    let one = |name, value| {
        let field = (HeaderName::from_static(name), HeaderValue::from_static(value));
        Edits::new(Vec::new(), vec![field], Vec::new()).unwrap()
    };
    let forward = Forward::new(options(&[443])).with_edits(one("dnt", "1"), one("x-by", "us"));
    let mut client = client_of(Arc::new(forward), Peer::Local);
    let get = format!("GET http://{at}/ HTTP/1.1\r\nHost: {at}\r\nDNT: 0\r\n\r\n");
    client.write_all(get.as_bytes()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let asked = head(&mut server).await;
    assert_eq!(asked, format!("GET / HTTP/1.1\r\nhost: {at}\r\ndnt: 1\r\nvia: 1.1 here\r\n\r\n"));
    server.write_all(b"HTTP/1.1 204 No Content\r\n\r\n").await.unwrap();
    let came = head(&mut client).await;
    assert_eq!(came, "HTTP/1.1 204 No Content\r\nvia: 1.1 here\r\nx-by: us\r\n\r\n");
}

/// A cache judges by it whom an answer is for.
#[test]
fn what_is_told_to_be_sent_is_what_is_prepared() {
    let set = vec![(HeaderName::from_static("dnt"), HeaderValue::from_static("1"))];
    let edits = Edits::new(Vec::new(), set, Vec::new()).unwrap();
    let forward = Forward::new(options(&[443])).with_edits(edits, Edits::default());
    let said = [
        ("host", "other"),
        ("connection", "x-a"),
        ("x-a", "1"),
        ("x-b", "2"),
        ("forwarded", "for=10.0.0.1"),
    ];
    let ask = crate::says::ask(Peer::Local, "http://EXAMPLE.org:00080/", &said);
    let (head, _) = ask.request.into_parts();
    let came = head.headers.clone();
    let told = forward.as_sent(head, &ask.caller).unwrap();
    let mut lines: Vec<_> = told.iter().map(|(name, value)| format!("{name}: {value:?}")).collect();
    lines.sort_unstable();
    let expect =
        ["dnt: \"1\"", "host: \"example.org\"", "via: \"1.1 here\"", "x-b: \"2\""].to_vec();
    assert_eq!(lines, expect);
    for name in came.keys().chain(told.keys()) {
        assert_eq!(forward.rewrites(name, &came), name != "x-b", "{name}");
    }
}

/// Also by another client.
#[tokio::test]
async fn requests_in_a_row_find_the_same_connection() {
    let (listener, at) = listener().await;
    let forward: Arc<dyn DynHandler> = Arc::new(Forward::new(options(&[443])));
    let serving = async {
        let (mut server, _) = listener.accept().await.unwrap();
        for path in ["/0", "/1", "/?2", "/3"] {
            let asked = head(&mut server).await;
            assert!(asked.starts_with(&format!("GET {path} HTTP/1.1\r\n")), "{asked}");
            server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        }
    };
    let asking = async {
        let get = |path: &str| format!("GET HTTP://{at}{path} HTTP/1.1\r\nHost: {at}\r\n\r\n");
        let mut client = client_of(Arc::clone(&forward), Peer::Local);
        client.write_all((get("/0") + &get("/1") + &get("?2")).as_bytes()).await.unwrap();
        for _ in 0..3 {
            head(&mut client).await;
            hears(&mut client, "ok").await;
        }
        let mut client = client_of(Arc::clone(&forward), Peer::Local);
        client.write_all(get("/3").as_bytes()).await.unwrap();
        head(&mut client).await;
        hears(&mut client, "ok").await;
    };
    tokio::join!(serving, asking);
}

/// A server may take all that comes on a connection for that of whom it let in there.
#[tokio::test]
async fn a_connection_that_stands_for_one_client_is_nobody_elses() {
    let (listener, at) = listener().await;
    let mut client = client(options(&[443]));
    for (proof, is_kept) in [
        ("Basic YTpi", true),
        ("NTLM TlRMTVNTUAAB", false),
        ("negotiate YII", false),
        ("Bearer x", true),
    ] {
        let get =
            format!("GET http://{at}/ HTTP/1.1\r\nHost: {at}\r\nAuthorization: {proof}\r\n\r\n");
        client.write_all(get.as_bytes()).await.unwrap();
        let (mut server, _) = listener.accept().await.unwrap();
        head(&mut server).await;
        server.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok").await.unwrap();
        head(&mut client).await;
        hears(&mut client, "ok").await;
        let get = format!("GET http://{at}/ HTTP/1.1\r\nHost: {at}\r\nConnection: x\r\n\r\n");
        client.write_all(get.as_bytes()).await.unwrap();
        if !is_kept {
            assert_eq!(server.read(&mut [0]).await.unwrap(), 0, "{proof}");
            server = listener.accept().await.unwrap().0;
        }
        assert!(head(&mut server).await.starts_with("GET / HTTP/1.1\r\n"), "{proof}");
        server.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n").await.unwrap();
        head(&mut client).await;
    }
}

#[tokio::test]
async fn who_takes_the_proxy_for_a_site_is_told_what_it_is() {
    let hint = "400 Bad Request\nThis is a proxy, not a site.";
    for request in ["GET / HTTP/1.1\r\nHost: a", "OPTIONS * HTTP/1.1\r\nHost: a", "GET / HTTP/1.0"]
    {
        let came = refused(options(&[443]), &format!("{request}\r\n\r\n")).await;
        assert!(came.starts_with("HTTP/1.") && came.contains(hint), "{came}");
        assert!(came.contains("proxy-status: \"here\"; error=http_request_error\r\n"), "{came}");
    }
    let browser = "GET / HTTP/1.1\r\nHost: a\r\nAccept: text/html\r\n\r\n";
    let came = refused(options(&[443]), browser).await;
    assert!(came.contains("<h1><b>400</b> Bad Request</h1><p>This is a proxy"), "{came}");
    let came = refused(options(&[443]), "HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").await;
    assert!(came.starts_with("HTTP/1.1 400 ") && came.ends_with("\r\n\r\n"), "{came}");
}

/// One request that is refused by itself, whoever would be asked.
#[tokio::test]
async fn what_may_not_be_asked_is_refused() {
    let check = async |request: &str, expect: &str| {
        let head = format!("{request} HTTP/1.1\r\nHost: ");
        let host = request.split_once(' ').unwrap().1;
        let host = host.split_once("://").map_or(host, |(_, rest)| rest).trim_end_matches('/');
        let came = refused(options(&[443]), &format!("{head}{host}\r\n\r\n")).await;
        assert!(came.starts_with(&format!("HTTP/1.1 {expect}")), "{request}: {came}");
        let closes = came.contains("connection: close\r\n");
        assert_eq!(closes, request.starts_with("CONNECT"), "{request}: {came}");
    };
    check("CONNECT 192.0.2.1:22", "403").await;
    check("CONNECT 192.0.2.1:80", "403").await;
    check("GET http://192.0.2.1:25/", "403").await;
    check("GET http://192.0.2.1:6667/", "403").await;
    check("GET http://a~b.example/", "400").await;
    check("TRACE http://192.0.2.1/", "405").await;
    // Nobody's, however much is allowed.
    check("GET http://0.0.0.0:8000/", "403").await;
    check("CONNECT 0.0.0.0:443", "403").await;
    check("CONNECT [::]:443", "403").await;
    check("CONNECT 224.0.0.1:443", "403").await;
    // Private.
    check("CONNECT 169.254.169.254:443", "403").await;
    check("GET http://10.0.0.1/", "403").await;
    check("GET http://[fd00::1]/", "403").await;
    check("GET http://[::ffff:10.0.0.1]/", "403").await;
    check("GET http://[64:ff9b::10.0.0.1]/", "403").await;
}

#[tokio::test]
async fn an_address_is_judged_however_it_is_named() {
    let (listener, at) = listener().await;
    let (port, ports) = (at.port(), [at.port()]);
    for host in ["127.0.0.1", "localhost", "LOCALHOST", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"] {
        for request in [
            format!("GET http://{host}:{port}/ HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"),
            format!("CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n"),
        ] {
            let came = refused(Options { allowed: Vec::new(), ..options(&ports) }, &request).await;
            assert!(came.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{host}: {came}");
            let rule = "is at an address of the proxy's own machine, where this proxy asks nobody. \
                        Who runs it can allow private addresses.\n";
            assert!(came.ends_with(rule), "{came}");
            assert!(came.contains("error=destination_ip_prohibited\r\n"), "{came}");
            // We ourselves listen there.
            let own = OwnListeners::default();
            own.set([format!("[::]:{port}").parse().unwrap()]);
            let came = refused(Options { own, ..options(&ports) }, &request).await;
            assert!(came.contains("is at an address of the proxy itself, where"), "{came}");
        }
    }
    tokio::time::timeout(Duration::ZERO, listener.accept()).await.unwrap_err();
}

#[tokio::test]
async fn only_clients_are_served() {
    let (listener, at) = listener().await;
    let check = async |peer: Peer, clients: &[&str], expect: &str| {
        let clients = clients.iter().map(|network| network.parse().unwrap()).collect();
        let forward = Forward::new(Options { clients, ..options(&[at.port()]) });
        let mut client = client_of(Arc::new(forward), peer);
        let connect = format!("CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n\r\n");
        client.write_all(connect.as_bytes()).await.unwrap();
        let head = head(&mut client).await;
        assert!(head.starts_with(&format!("HTTP/1.1 {expect} ")), "{peer}: {head}");
    };
    let net = |text: &str| Peer::Net(text.parse().unwrap());
    check(net("192.0.2.7:1"), &["192.0.2.0/24"], "200").await;
    listener.accept().await.unwrap();
    check(Peer::Local, &["127.0.0.1"], "200").await;
    listener.accept().await.unwrap();
    check(net("192.0.3.7:1"), &["192.0.2.0/24", "127.0.0.1"], "403").await;
    check(net("[2001:db8::1]:1"), &["0.0.0.0/0"], "403").await;
    check(Peer::Local, &["192.0.2.0/24"], "403").await;
    check(Peer::Local, &[], "403").await;
    tokio::time::timeout(Duration::ZERO, listener.accept()).await.unwrap_err();
}

#[tokio::test]
async fn a_host_that_disagrees_with_the_target_is_refused() {
    for request in [
        "GET http://a.example/ HTTP/1.1\r\nHost: b.example\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n",
        "GET http://a.example/ HTTP/1.1\r\n\r\n",
        "GET https://a.example/ HTTP/1.1\r\nHost: a.example:80\r\n\r\n",
        "CONNECT a.example:443 HTTP/1.1\r\nHost: b.example:443\r\n\r\n",
        "GET http://u@a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n",
        "GET http://a.example/#b HTTP/1.1\r\nHost: a.example\r\n\r\n",
    ] {
        let came = refused(options(&[443]), request).await;
        assert!(came.starts_with("HTTP/1.1 400 "), "{request}: {came}");
    }
}

#[tokio::test]
async fn what_is_neither_http_nor_https_is_refused_as_such() {
    for host in ["a.example", "a.example:21"] {
        let request = format!("GET ftp://a.example/ HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let came = refused(options(&[443]), &request).await;
        assert!(came.starts_with("HTTP/1.1 400 "), "{came}");
        assert!(came.contains("bad scheme: expected http or https"), "{came}");
    }
}

#[tokio::test]
async fn an_options_comes_so_far_and_no_further() {
    let (listener, at) = listener().await;
    let options_of = |left| {
        format!("OPTIONS http://{at}/ HTTP/1.1\r\nHost: {at}\r\nMax-Forwards: {left}\r\n\r\n")
    };
    let came = refused(options(&[443]), &options_of(0)).await;
    assert!(came.starts_with("HTTP/1.1 204 No Content\r\n"), "{came}");
    assert!(came.contains("allow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, CONNECT\r\n"));
    tokio::time::timeout(Duration::ZERO, listener.accept()).await.unwrap_err();
    let mut client = client(options(&[443]));
    client.write_all(options_of(2).as_bytes()).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let asked = head(&mut server).await;
    let expect = format!("OPTIONS / HTTP/1.1\r\nhost: {at}\r\nmax-forwards: 1\r\n");
    assert!(asked.starts_with(&expect), "{asked}");
}

#[tokio::test]
async fn what_comes_round_again_is_refused() {
    let request =
        "GET http://127.0.0.1:1024/ HTTP/1.1\r\nHost: 127.0.0.1:1024\r\nVia: 1.1 here\r\n\r\n";
    let came = refused(options(&[443]), request).await;
    assert!(came.starts_with("HTTP/1.1 508 Loop Detected\r\n"), "{came}");
}

#[tokio::test]
async fn whom_it_asked_in_vain_a_client_is_told_why() {
    let (listener, at) = listener().await;
    let (_, port) = (listener, at.port());
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let check = async |options: Options, request: String, expect: [&str; 2]| {
        let came = refused(options, &request).await;
        let [status, hint] = expect;
        assert!(came.starts_with(&format!("HTTP/1.1 {status} ")), "{request}: {came}");
        assert!(came.ends_with(&format!("{hint}\n")), "{request}: {came}");
    };
    let get = |url: &str, host: &str| format!("GET {url} HTTP/1.1\r\nHost: {host}\r\n\r\n");
    let connect = |at: &str| format!("CONNECT {at} HTTP/1.1\r\nHost: {at}\r\n\r\n");
    let at = free.to_string();
    let ports = [free.port(), port];
    let refused = format!("{at} refused the connection.");
    let no_calls = ["502", &*refused];
    check(options(&ports), get(&format!("http://{at}/"), &at), no_calls).await;
    check(options(&ports), connect(&at), no_calls).await;
    let name = format!("nowhere.invalid:{port}");
    let unknown = ["502", "No address of nowhere.invalid is known."];
    check(options(&ports), get(&format!("http://{name}/"), &name), unknown).await;
    check(options(&ports), connect(&name), unknown).await;
}

/// Has the server say `said` to who asks for `scheme`://.
async fn said(scheme: &str, limits: upstream::Limits, said: &'static [u8]) -> String {
    let (listener, at) = listener().await;
    let mut client = client(Options { limits, ..options(&[443]) });
    let get = format!("GET {scheme}://{at}/ HTTP/1.1\r\nHost: {at}\r\n\r\n");
    client.write_all(get.as_bytes()).await.unwrap();
    let serving = async {
        let (mut server, _): (TcpStream, _) = listener.accept().await.unwrap();
        server.write_all(said).await.unwrap();
        _ = server.read(&mut [0; 1024]).await;
        server
    };
    let (_server, head) = tokio::join!(serving, head(&mut client));
    head
}

#[tokio::test]
async fn a_server_that_does_not_answer_well_is_told_of() {
    let usual = upstream::Limits::default();
    let head = said("https", usual, b"HTTP/1.1 400 Bad Request\r\n\r\n").await;
    assert!(head.starts_with("HTTP/1.1 502 Bad Gateway\r\n"), "{head}");
    assert!(head.contains("error=tls_protocol_error\r\n"), "{head}");
    let head = said("http", usual, b"garbage\r\n\r\n").await;
    assert!(head.contains("error=http_protocol_error\r\n"), "{head}");
    let hasty = upstream::Limits { head_max: Duration::ZERO, ..usual };
    let head = said("http", hasty, b"").await;
    assert!(head.starts_with("HTTP/1.1 504 Gateway Timeout\r\n"), "{head}");
    assert!(head.contains("error=http_response_timeout\r\n"), "{head}");
}
