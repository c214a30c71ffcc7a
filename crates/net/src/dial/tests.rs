//! Calls over loopback, to those who answer and those who don't.

use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
        mpsc,
    },
};

use socket2::{Domain, Socket, Type};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, UnixListener},
};

use super::*;
use crate::{
    Idle, Side,
    tls::{
        Acceptor, CallerPapers, Demand, Handshake, Offer, Protocol, Resumption, Roots, Trust,
        Version, certified,
    },
};

const LIMITS: DialLimits = DialLimits {
    connect_max: Duration::from_secs(5),
    handshake_max: Duration::from_secs(3),
    source: None,
    keepalive: None,
};

fn dialer(trust: Trust) -> Dialer {
    let demand = Demand { trust, server_name: None, own: None };
    Dialer::new(LIMITS, Connector::new(&demand).unwrap())
}

pub(super) fn clear() -> Dialer {
    dialer(Trust::Roots(Roots::none()))
}

/// A dialer to which every name has these addresses.
fn knowing(ips: &[&str]) -> Dialer {
    let ips: Vec<IpAddr> = ips.iter().map(|ip| ip.parse().unwrap()).collect();
    Dialer { names: Names::asking(Arc::new(move |_| Ok(ips.clone()))), ..clear() }
}

async fn listener() -> (TcpListener, u16) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    (listener, port)
}

async fn dial(dialer: &Dialer, endpoint: &str) -> Result<Dialed, DialError> {
    dialer.dial(&endpoint.parse().unwrap(), Protocols::Http).await
}

/// A port of 127.0.0.1 at which nobody listens.
fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

#[tokio::test]
async fn clear_endpoints_are_called_by_address_and_by_name() {
    let (listener, port) = listener().await;
    let dialer = clear();
    for endpoint in ["tcp://127.0.0.1", "http://localhost", "ws://[::ffff:127.0.0.1]"] {
        let mut made = dial(&dialer, &format!("{endpoint}:{port}")).await.unwrap();
        let (mut other, from) = listener.accept().await.unwrap();
        assert_eq!(made.peer, Peer::Net(SocketAddr::from(([127, 0, 0, 1], port))));
        assert_eq!((made.session, made.timings.handshake), (None, Duration::ZERO));
        assert_eq!(made.stream.socket().unwrap().local_addr().unwrap(), from);
        assert_eq!(made.stream.idle(), Idle::Quiet);
        made.stream.write_all(b"hi").await.unwrap();
        let mut heard = [0; 2];
        other.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"hi");
    }
}

#[tokio::test]
async fn a_unix_socket_is_called() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let endpoint = format!("unix://{}", path.display());
    let error = dial(&clear(), &endpoint).await.unwrap_err();
    assert!(matches!(error, DialError::Unreachable { .. }), "{error:?}");
    let listener = UnixListener::bind(&path).unwrap();
    let made = dial(&clear(), &endpoint).await.unwrap();
    assert!(matches!(made.stream, Stream::Unix(_)));
    assert_eq!(made.peer, Peer::Local);
    listener.accept().await.unwrap();
    drop(listener);
    let error = dial(&clear(), &endpoint).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{endpoint} refused the connection"));
}

#[tokio::test]
async fn the_next_address_is_called_where_nobody_answers() {
    let (listener, port) = listener().await;
    let made = dial(&knowing(&["127.0.0.2", "127.0.0.1"]), &format!("tcp://a:{port}")).await;
    assert_eq!(made.unwrap().peer, Peer::Net(listener.local_addr().unwrap()));
}

#[tokio::test]
async fn errors_say_who_was_called_and_whose_fault_it_is() {
    let port = free_port();
    let check = async |dialer: &Dialer, endpoint: &str, expect: &str, side| {
        let error = dial(dialer, endpoint).await.unwrap_err();
        assert_eq!((error.to_string().as_str(), error.side()), (expect, side));
    };
    let text = format!("http://127.0.0.1:{port} refused the connection");
    check(&clear(), &format!("http://127.0.0.1:{port}"), &text, Side::Upstream).await;
    let text = format!("tcp://a.example:{port} (127.0.0.3:{port}) refused the connection");
    let dialer = knowing(&["127.0.0.3", "127.0.0.1"]);
    check(&dialer, &format!("tcp://a.example:{port}"), &text, Side::Upstream).await;
    let nobody = knowing(&[]);
    let text = "no address of http://a.example:80 is known";
    check(&nobody, "http://a.example", text, Side::Upstream).await;
    let text = "nobody can be called at tcp://127.0.0.1:0: nobody can be called at port 0";
    check(&clear(), "tcp://127.0.0.1:0", text, Side::Relais).await;
    let text = "nobody can be called at udp://127.0.0.1:53: it is of datagrams";
    check(&clear(), "udp://127.0.0.1:53", text, Side::Relais).await;
    let text = "nobody can be called at tcp://:80: there is no host to call";
    check(&clear(), "tcp://:80", text, Side::Relais).await;
}

#[tokio::test]
async fn a_call_is_from_the_source_and_to_its_family() {
    let (listener, port) = listener().await;
    let source = Some("127.0.0.9".parse().unwrap());
    let calling = |ips| Dialer { limits: DialLimits { source, ..LIMITS }, ..knowing(ips) };
    let endpoint = format!("tcp://a:{port}");
    dial(&calling(&["::1", "127.0.0.1"]), &endpoint).await.unwrap();
    assert_eq!(Some(listener.accept().await.unwrap().1.ip()), source);
    let error = dial(&calling(&["::1"]), &endpoint).await.unwrap_err();
    assert!(matches!(error, DialError::Uncallable { .. }), "{error:?}");
    // An address of somebody else (RFC 5737).
    let limits = DialLimits { source: Some("192.0.2.1".parse().unwrap()), ..LIMITS };
    let error = dial(&Dialer { limits, ..clear() }, &format!("tcp://127.0.0.1:{port}")).await;
    assert!(matches!(error, Err(DialError::Local { .. })), "{error:?}");
}

/// Whoever `allow` does not allow is not called, whatever name leads there.
#[tokio::test]
async fn only_allowed_addresses_are_called() {
    let (listener, port) = listener().await;
    let judged = Arc::new(Mutex::new(Vec::new()));
    let guarded = |dialer: Dialer| {
        let judged = Arc::clone(&judged);
        dialer.with_access(move |at| {
            judged.lock().unwrap().push(at);
            if at.ip().is_loopback() { Access::Denied } else { Access::Allowed }
        })
    };
    let check = async |dialer: Dialer, host: &str, expect: &[&str]| {
        judged.lock().unwrap().clear();
        let error = dial(&guarded(dialer), &format!("http://{host}:{port}")).await.unwrap_err();
        assert!(matches!(error, DialError::Denied(_)), "{error:?}");
        assert_eq!(error.side(), Side::Client);
        let expect: Vec<_> =
            expect.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), port)).collect();
        assert_eq!(*judged.lock().unwrap(), expect);
    };
    check(clear(), "127.0.0.1", &["127.0.0.1"]).await;
    check(clear(), "[::1]", &["::1"]).await;
    check(clear(), "[::ffff:127.0.0.1]", &["127.0.0.1"]).await;
    check(knowing(&["127.0.0.1", "::1"]), "a.example", &["127.0.0.1", "::1"]).await;
    check(knowing(&["::ffff:7f00:1"]), "a.example", &["127.0.0.1"]).await;
    let nobody_came = timeout(Duration::ZERO, listener.accept()).await;
    nobody_came.unwrap_err();
}

#[tokio::test]
async fn an_address_that_may_not_be_called_holds_up_no_other() {
    let (_listener, port) = listener().await;
    let dialer = knowing(&["127.0.0.2", "127.0.0.1"]).with_access(|at| match at.ip() {
        IpAddr::V4(ip) if ip.octets()[3] == 2 => Access::Denied,
        _ => Access::Allowed,
    });
    let made = dial(&dialer, &format!("tcp://a:{port}")).await.unwrap();
    assert_eq!(made.peer.ip(), Some("127.0.0.1".parse().unwrap()));
}

/// The second answer of a resolver does not get past who judged the first.
#[tokio::test]
async fn a_name_that_moves_is_judged_where_it_leads_now() {
    let (_listener, port) = listener().await;
    let asked = AtomicUsize::new(0);
    let names = Names::asking(Arc::new(move |_| {
        let first = asked.fetch_add(1, Ordering::Relaxed) == 0;
        Ok(vec![if first { "127.0.0.2" } else { "127.0.0.1" }.parse().unwrap()])
    }));
    let dialer = Dialer { names, ..clear() }.with_access(|at| match at.ip() {
        IpAddr::V4(ip) if ip.octets()[3] == 1 => Access::Denied,
        _ => Access::Allowed,
    });
    let endpoint = format!("tcp://a:{port}");
    let error = dial(&dialer, &endpoint).await.unwrap_err();
    assert!(matches!(error, DialError::Refused(_)), "{error:?}");
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(10)).await;
    tokio::time::resume();
    let error = dial(&dialer, &endpoint).await.unwrap_err();
    assert!(matches!(error, DialError::Denied(_)), "{error:?}");
}

#[track_caller]
fn assert_timed_out(error: &DialError, expect: &str) {
    assert!(matches!(error, DialError::TimedOut { .. }), "{error:?}");
    assert_eq!((error.to_string().as_str(), error.side()), (expect, Side::Upstream));
}

#[tokio::test(start_paused = true)]
async fn a_resolver_that_says_nothing_is_not_waited_for() {
    let (go, wait) = mpsc::channel::<()>();
    let wait = Mutex::new(wait);
    let names = Names::asking(Arc::new(move |_| {
        _ = wait.lock().unwrap().recv();
        Err(io::ErrorKind::Other.into())
    }));
    let dialer = Dialer { names, ..clear() };
    let error = dial(&dialer, "http://a.example").await.unwrap_err();
    assert_timed_out(&error, "resolving http://a.example:80 took longer than 5s");
    drop(go);
}

#[tokio::test(start_paused = true)]
async fn who_does_not_answer_is_not_waited_for() {
    let full = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    full.bind(&"127.0.0.1:0".parse::<SocketAddr>().unwrap().into()).unwrap();
    full.listen(0).unwrap();
    let at = full.local_addr().unwrap().as_socket().unwrap();
    // The kernel answers for a few, and then no more.
    let mut held = Vec::new();
    let error = loop {
        match dial(&clear(), &format!("http://{at}")).await {
            Ok(made) => held.push(made),
            Err(error) => break error,
        }
        assert!(held.len() < 10);
    };
    assert_timed_out(&error, &format!("connecting to http://{at} took longer than 5s"));
}

#[tokio::test(start_paused = true)]
async fn who_does_not_shake_hands_is_not_waited_for() {
    let (_listener, port) = listener().await;
    let endpoint = format!("https://127.0.0.1:{port}");
    let error = dial(&dialer(Trust::InsecureAnyone), &endpoint).await.unwrap_err();
    assert_timed_out(&error, &format!("shaking hands with {endpoint} took longer than 3s"));
}

/// A server with TLS, and a dialer that trusts it.
fn secure() -> (Acceptor, Dialer) {
    let shown = certified(&["127.0.0.1", "localhost"]);
    let roots = Roots::none().with_given(shown.chain()).unwrap();
    let offer = Offer {
        certified: vec![shown],
        protocols: Protocols::Http,
        caller_papers: CallerPapers::Unasked,
        resumption: Resumption::new().unwrap(),
    };
    (Acceptor::new(&offer).unwrap(), dialer(Trust::Roots(roots)))
}

#[tokio::test]
async fn secure_endpoints_are_called_and_sessions_resumed() {
    let (listener, port) = listener().await;
    let (acceptor, dialer) = secure();
    let check = async |endpoint: String, protocols, protocol, handshake| {
        let server = async {
            let (plain, _) = listener.accept().await.unwrap();
            let (mut stream, _) = acceptor.accept(plain).await.unwrap();
            stream.write_all(b"x").await.unwrap();
            stream.read_u8().await.unwrap()
        };
        let client = async {
            let endpoint = endpoint.parse().unwrap();
            let mut made = dialer.dial(&endpoint, protocols).await.unwrap();
            assert_eq!(made.stream.read_u8().await.unwrap(), b'x');
            made.stream.write_all(b"y").await.unwrap();
            made.stream.flush().await.unwrap();
            made
        };
        let (heard, made) = tokio::join!(server, client);
        assert_eq!(heard, b'y');
        let session = made.session.unwrap();
        assert_eq!((session.version, session.handshake), (Version::Tls13, handshake));
        assert_eq!(session.protocol, protocol);
        assert!(matches!(made.stream, Stream::Tls(_)));
        assert!(made.timings.handshake > Duration::ZERO);
    };
    let (ip, name) = (format!("127.0.0.1:{port}"), format!("localhost:{port}"));
    check(format!("https://{ip}"), Protocols::Http, Protocol::Http2, Handshake::Full).await;
    check(format!("wss://{ip}"), Protocols::Http1, Protocol::Http1, Handshake::Resumed).await;
    check(format!("tls://{name}"), Protocols::Plain, Protocol::Unsaid, Handshake::Full).await;
}

#[tokio::test]
async fn who_is_not_believed_is_not_spoken_to() {
    let (listener, port) = listener().await;
    let (acceptor, dialer) = secure();
    let check = async |dialer: &Dialer, host: &str, expect: &str| {
        let server = async {
            let (plain, _) = listener.accept().await.unwrap();
            acceptor.accept(plain).await.map(drop)
        };
        let endpoint = format!("https://{host}:{port}");
        let (heard, made) = tokio::join!(server, dial(dialer, &endpoint));
        heard.unwrap_err();
        let error = made.unwrap_err();
        assert!(matches!(error, DialError::Untrusted { .. }), "{error:?}");
        assert_eq!((error.to_string().as_str(), error.side()), (expect, Side::Upstream));
    };
    let text = format!(
        "the certificate of https://127.0.0.1:{port} is not believed: its issuer is not trusted"
    );
    check(&clear(), "127.0.0.1", &text).await;
    let elsewhere = Dialer { names: knowing(&["127.0.0.1"]).names, ..dialer };
    let text = format!(
        "the certificate of https://a.example:{port} (127.0.0.1:{port}) is not believed: \
         it is not for \"a.example\""
    );
    check(&elsewhere, "a.example", &text).await;
}

#[tokio::test]
async fn who_speaks_no_tls_is_told_so() {
    let (listener, port) = listener().await;
    let server = async {
        let (mut plain, _) = listener.accept().await.unwrap();
        plain.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").await.unwrap();
        _ = plain.read_to_end(&mut Vec::new()).await;
    };
    let endpoint = format!("https://127.0.0.1:{port}");
    let dialer = dialer(Trust::InsecureAnyone);
    let ((), made) = tokio::join!(server, dial(&dialer, &endpoint));
    assert_eq!(made.unwrap_err().to_string(), format!("no TLS is spoken at {endpoint}"));
}

/// A secure connection, from both ends, on which nothing was said.
async fn fresh() -> (Stream, tokio_rustls::server::TlsStream<TcpStream>) {
    let (listener, port) = listener().await;
    let (acceptor, dialer) = secure();
    let server = async {
        let (plain, _) = listener.accept().await.unwrap();
        acceptor.accept(plain).await.unwrap().0
    };
    let endpoint = format!("https://127.0.0.1:{port}");
    let (theirs, made) = tokio::join!(server, dial(&dialer, &endpoint));
    (made.unwrap().stream, theirs)
}

#[tokio::test]
async fn tickets_are_no_content() {
    let (mut ours, mut theirs) = fresh().await;
    theirs.flush().await.unwrap();
    ours.socket().unwrap().readable().await.unwrap();
    assert_eq!(ours.idle(), Idle::Quiet);
    assert_eq!(ours.idle(), Idle::Quiet);
    ours.write_all(b"y").await.unwrap();
    assert_eq!(theirs.read_u8().await.unwrap(), b'y');
    theirs.write_all(b"x").await.unwrap();
    assert_eq!(ours.read_u8().await.unwrap(), b'x');
    assert_eq!(ours.idle(), Idle::Quiet);
}

#[tokio::test]
async fn who_speaks_unasked_or_goes_is_noticed_under_tls() {
    let (mut ours, mut theirs) = fresh().await;
    theirs.write_all(b"x").await.unwrap();
    assert_eq!(ours.stirred().await, Idle::Spoke);
    assert_eq!(ours.idle(), Idle::Spoke);

    let (mut ours, mut theirs) = fresh().await;
    theirs.shutdown().await.unwrap();
    assert_eq!(ours.stirred().await, Idle::Gone);
    assert_eq!(ours.idle(), Idle::Gone);

    let (mut ours, theirs) = fresh().await;
    drop(theirs);
    assert_eq!(ours.stirred().await, Idle::Gone);

    let (mut ours, theirs) = fresh().await;
    let (mut plain, _) = theirs.into_inner();
    plain.write_all(b"HTTP/1.1 408 \r\n\r\n").await.unwrap();
    assert_eq!(ours.stirred().await, Idle::Gone);
}

#[tokio::test]
async fn what_was_read_with_more_than_was_wanted_is_noticed() {
    let (mut ours, mut theirs) = fresh().await;
    theirs.write_all(b"xy").await.unwrap();
    theirs.flush().await.unwrap();
    assert_eq!(ours.read_u8().await.unwrap(), b'x');
    assert_eq!(ours.idle(), Idle::Spoke);
}
