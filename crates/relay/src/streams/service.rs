//! The service behind a listener that relays.

use std::{
    borrow::Cow,
    io,
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, SystemTime},
};

use relais_net::{
    Conn, DialError, Dialed, Drain, Fault, Header, Network, Peer, Service, Side, Stream, Unmet,
    Welcome,
};
use relais_tap::{By, Direction, Ending, Ends, Tap};
use relais_wire::{
    client_hello::{self, Malformed},
    proxy_header::Told,
};

use super::{
    hello::{HelloError, read_hello},
    passing::{Lasts, Pair, Passed, pass},
    reported::Reported,
    routes::Routes,
    shape::{Shape, Shaping},
    upstreams::Taken,
    way::Along,
};

/// What a relay does, and for whom.
#[derive(Debug)]
pub struct Options {
    /// Who is called, for whom.
    pub routes: Routes,
    /// Who may call, itself or through others.
    pub callers: Callers,
    /// Relays whose word is taken for who called them: they tell so first.
    pub trusted: Vec<Network>,
    /// How long a connection may last.
    pub lasts: Lasts,
    /// How long a caller may take to say which server it means, where that is looked at.
    pub hello_max: Duration,
    /// What is done to bytes besides.
    pub shape: Shape,
    /// Where connections are reported.
    pub tap: Tap,
    /// The time of day.
    pub clock: fn() -> SystemTime,
}

/// Who may call. A Unix socket's callers always may: its file says who.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Callers {
    /// Only these, unless there are none.
    pub allow: Vec<Network>,
    /// None of these, even if allowed.
    pub deny: Vec<Network>,
}

impl Callers {
    /// Whether `peer` may call.
    pub fn may(&self, peer: Peer) -> bool {
        let Some(ip) = peer.ip() else { return true };
        let is_in = |networks: &[Network]| networks.iter().any(|network| network.contains(ip));
        (self.allow.is_empty() || is_in(&self.allow)) && !is_in(&self.deny)
    }
}

/// Joins every caller with an upstream, and passes on what either says as it is.
#[derive(Debug)]
pub struct Streams {
    options: Options,
    shaping: Shaping,
    /// Connections so far.
    count: AtomicU64,
}

impl Streams {
    /// A relay that does as `options` say.
    pub fn new(options: Options) -> Self {
        Self { shaping: Shaping::new(options.shape), options, count: AtomicU64::new(0) }
    }

    /// What is done to bytes, to be changed while it runs.
    pub fn shaping(&self) -> &Shaping {
        &self.shaping
    }

    /// Does all that is to be done before bytes pass freely.
    async fn join(&self, mut conn: Conn, reported: &mut Reported) -> Result<Joined, Unjoined> {
        let Options { routes, callers, hello_max, .. } = &self.options;
        // Who was turned away before the handshake, and is allowed since, is not served without it.
        let is_unshaken = conn.local.scheme.is_secure() && conn.tls.is_none();
        if is_unshaken || !callers.may(conn.peer) {
            return Err(Unjoined::Denied(conn.stream));
        }
        let mut early = Vec::new();
        let mut name = conn.tls.as_ref().and_then(|session| session.server_name.clone());
        if routes.look_inside() && conn.tls.is_none() {
            let hello = read_hello(&mut conn.stream, &mut early, *hello_max).await;
            let hello = match hello {
                Ok(client_hello::Hello { server_name }) => server_name,
                // Who has all that is left has those who speak no TLS, too.
                Err(HelloError::Malformed(Malformed::NotOne)) if routes.has_others() => None,
                Err(error) => return Err(Unjoined::NoHello(conn.stream, error)),
            };
            name = hello.map(Into::into);
            reported.flow().bytes(Direction::ToServer, &early);
        }
        if let Some(name) = &name {
            reported.flow().note("relay.name", || name.to_string());
        }
        let Some(upstreams) = routes.find(name.as_deref()) else {
            return Err(Unjoined::NoRoute(conn.stream));
        };
        // Asking a socket for its address is a system call.
        let told = if upstreams.are_told() { told_of(&conn) } else { Told::Nothing };
        let called = upstreams.call(conn.peer.client(), told).await;
        let (Dialed { stream: server, .. }, taken) = match called {
            Ok(called) => called,
            Err(error) => return Err(Unjoined::NoUpstream(conn.stream, error)),
        };
        reported.joined(taken.endpoint());
        Ok(Joined { pair: Pair { client: conn.stream, server }, early, taken })
    }
}

/// A caller and an upstream that is to hear it.
struct Joined {
    pair: Pair,
    /// What the caller said already.
    early: Vec<u8>,
    taken: Taken,
}

/// Why a caller came to no upstream, and the caller.
enum Unjoined {
    Denied(Stream),
    NoHello(Stream, HelloError),
    NoRoute(Stream),
    NoUpstream(Stream, DialError),
}

impl Unjoined {
    /// Who ended it and why, and the caller, who is to be told.
    fn told(self) -> (By, Cow<'static, str>, Stream, Option<Fault>) {
        match self {
            Self::Denied(client) => (By::Relais, "denied".into(), client, None),
            Self::NoRoute(client) => (By::Relais, "no upstream of that name".into(), client, None),
            Self::NoHello(client, error) => (By::Client, error.to_string().into(), client, None),
            Self::NoUpstream(client, error) => {
                let side = error.side();
                let by = if side == Side::Upstream { By::Server } else { By::Relais };
                let why = match &error {
                    DialError::Refused(_) => "refused".into(),
                    DialError::TimedOut { .. } => "timed out".into(),
                    DialError::NotFound { .. } => "not found".into(),
                    other => other.to_string().into(),
                };
                // What is the upstream's doing is told of the connection, which is enough.
                let is_ours = side == Side::Relais;
                let fault = || Fault::new(side, "calling an upstream", io::Error::other(error));
                (by, why, client, is_ours.then(fault))
            }
        }
    }
}

impl Service for Streams {
    async fn serve(&self, conn: Conn, drain: Drain) -> Result<(), Fault> {
        // Held to the end: who is relayed may finish, within the grace.
        let _drain = drain;
        let (number, peer) = (self.count.fetch_add(1, Relaxed), conn.peer);
        let Options { routes, tap, clock, lasts, .. } = &self.options;
        let names = || Ends { client: peer.to_string(), server: routes.name() };
        let mut reported = Reported::new(tap.open(names, clock()), peer, *clock);
        // Boxed: the state of a call is large, and done with long before its connection is.
        match Box::pin(self.join(conn, &mut reported)).await {
            Ok(Joined { pair, early, taken }) => {
                let along = Along { flow: reported.flow(), shaping: &self.shaping, number };
                let passed = pass(pair, early, *lasts, (along, reported.record())).await;
                drop(taken);
                reported.close(passed);
                Ok(())
            }
            Err(unjoined) => {
                let (by, why, client, fault) = unjoined.told();
                // What would have been an answer did not come: that is no end of one.
                client.reset();
                reported.close(Passed { by, why, to_server: 0, to_client: 0 });
                fault.map_or(Ok(()), Err)
            }
        }
    }

    fn unmet(&self, Unmet { peer, why, lasted }: &Unmet) {
        let Options { routes, tap, clock, .. } = &self.options;
        let names = || Ends { client: peer.to_string(), server: routes.name() };
        let (at, why) = (clock(), why.clone().into());
        let flow = tap.open(names, at.checked_sub(*lasted).unwrap_or(at));
        // The door has a line of its own for it.
        flow.close(Ending { at, by: By::Client, why, to_server: 0, to_client: 0 });
    }

    /// The upstream's, too.
    fn descriptors(&self) -> usize {
        2
    }

    fn welcome(&self, peer: Peer) -> Welcome {
        if self.options.callers.may(peer) { Welcome::Welcome } else { Welcome::TurnedAway }
    }

    fn header(&self, peer: Peer) -> Header {
        // Who may open a Unix socket is said by its file; trust in nobody is trust in none of them.
        let trusted = &self.options.trusted;
        let is_trusted = match peer.ip() {
            Some(ip) => trusted.iter().any(|network| network.contains(ip)),
            None => !trusted.is_empty(),
        };
        if is_trusted { Header::Expected } else { Header::None }
    }
}

/// What an upstream is told of who called.
fn told_of(conn: &Conn) -> Told {
    match (conn.peer, conn.destination()) {
        (Peer::Net(source), Some(destination)) => Told::Call { source, destination },
        _ => Told::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use relais_net::{Balance, Shutdown};
    use relais_tap::{Detail, Event, Watcher};
    use relais_wire::proxy_header;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, TcpStream},
        task::JoinHandle,
    };

    use super::*;
    use crate::streams::{
        hello::tests::hello,
        routes::Name,
        upstreams::{Upstreams, tests::dialer},
    };

    fn upstreams(at: &str) -> Arc<Upstreams> {
        let endpoints = vec![at.parse().unwrap()];
        Arc::new(Upstreams::new(endpoints, Balance::Round, dialer()).unwrap())
    }

    fn options(at: &str) -> Options {
        Options {
            routes: Routes { named: Vec::new(), others: Some(upstreams(at)) },
            callers: Callers::default(),
            trusted: Vec::new(),
            lasts: Lasts {
                idle_max: Duration::from_mins(1),
                half_closed_max: Duration::from_mins(1),
                total_max: None,
            },
            hello_max: Duration::from_secs(5),
            shape: Shape::default(),
            tap: Tap::new(16),
            clock: || SystemTime::UNIX_EPOCH,
        }
    }

    async fn server() -> (TcpListener, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = format!("tcp://{}", listener.local_addr().unwrap());
        (listener, at)
    }

    /// A caller of a relay with these options, what watches it, and the relay's work.
    async fn call(options: Options) -> (TcpStream, Watcher, JoinHandle<Result<(), Fault>>) {
        call_at("tcp://127.0.0.1:1", options).await
    }

    /// The same, of one that listens there.
    async fn call_at(
        at: &str,
        options: Options,
    ) -> (TcpStream, Watcher, JoinHandle<Result<(), Fault>>) {
        let (listener, _) = server().await;
        let client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (near, from) = listener.accept().await.unwrap();
        let watcher = options.tap.watch(Detail::Flows);
        let streams = Streams::new(options);
        let local = Arc::new(at.parse().unwrap());
        let (stream, peer) = (Stream::Tcp(near), Peer::Net(from));
        let conn = Conn { stream, peer, called: None, local, tls: None };
        let serving = tokio::spawn(async move {
            let (_shutdown, drain) = Shutdown::new();
            streams.serve(conn, drain).await
        });
        (client, watcher, serving)
    }

    /// What was told of a call, until its end.
    async fn told(mut watcher: Watcher) -> Vec<String> {
        let mut told = Vec::new();
        while let Some(event) = watcher.next().await {
            match event {
                Event::Note { what, text, .. } => told.push(format!("{what} {text}")),
                Event::Closed {
                    ending: Some(Ending { by, why, to_server, to_client, .. }),
                    ..
                } => {
                    told.push(format!("{} {why} {to_server} {to_client}", by.name()));
                    break;
                }
                _ => (),
            }
        }
        told
    }

    #[tokio::test]
    async fn a_caller_is_joined_with_an_upstream_and_that_is_told() {
        let (listener, at) = server().await;
        let (mut client, watcher, serving) = call(options(&at)).await;
        client.write_all(b"hello").await.unwrap();
        client.shutdown().await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        let mut heard = String::new();
        far.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "hello");
        drop(far);
        assert_eq!(client.read(&mut [0]).await.unwrap(), 0);
        serving.await.unwrap().unwrap();
        assert_eq!(
            told(watcher).await,
            [format!("relay.upstream {at}"), "client closed 5 0".to_owned()]
        );
    }

    /// How a call ends that comes to no upstream: as a reset for the caller, and told.
    async fn refused(options: Options, says: &[u8]) -> String {
        let (mut client, watcher, serving) = call(options).await;
        client.write_all(says).await.unwrap();
        let seen = client.read(&mut [0]).await.unwrap_err();
        assert_eq!(seen.kind(), io::ErrorKind::ConnectionReset);
        _ = serving.await.unwrap();
        told(watcher).await.pop().unwrap()
    }

    #[tokio::test]
    async fn who_comes_to_no_upstream_is_cut_off_and_it_is_told_why() {
        let (listener, at) = server().await;
        drop(listener);
        assert_eq!(refused(options(&at), b"").await, "server refused 0 0");
        let deny = vec!["127.0.0.0/8".parse().unwrap()];
        let denied = Options { callers: Callers { deny, ..Callers::default() }, ..options(&at) };
        assert_eq!(refused(denied, b"").await, "relais denied 0 0");
        let named = || vec![(Name("a.example".to_owned()), upstreams(&at))];
        let routed = || Options { routes: Routes { named: named(), others: None }, ..options(&at) };
        let why = refused(routed(), b"GET / HTTP/1.1\r\n").await;
        assert_eq!(why, "client no TLS hello: no TLS client hello 0 0");
        for nameless in [hello(b""), hello(b"bad name"), hello(b"b.example")] {
            let why = refused(routed(), &nameless).await;
            assert_eq!(why, "relais no upstream of that name 0 0");
        }
    }

    #[tokio::test]
    async fn nobody_is_served_in_the_clear_where_tls_is_spoken() {
        let (listener, at) = server().await;
        drop(listener);
        let (client, watcher, _serving) = call_at("tls://127.0.0.1:1", options(&at)).await;
        assert_eq!(told(watcher).await, ["relais denied 0 0"]);
        drop(client);
    }

    #[tokio::test]
    async fn who_never_came_to_be_spoken_with_is_told_of_too() {
        let options = options("tcp://a.example:1");
        let watcher = options.tap.watch(Detail::Flows);
        let (why, lasted) = ("no handshake: not TLS".to_owned(), Duration::from_secs(1));
        Streams::new(options).unmet(&Unmet { peer: Peer::Local, why, lasted });
        assert_eq!(told(watcher).await, ["client no handshake: not TLS 0 0"]);
    }

    #[tokio::test]
    async fn what_was_looked_at_is_passed_on_as_it_was() {
        let (listener, at) = server().await;
        let (_nobody, elsewhere) = server().await;
        let named = vec![(Name("a.example".to_owned()), upstreams(&elsewhere))];
        let others = Some(upstreams(&at));
        let routed = Options { routes: Routes { named, others }, ..options(&at) };
        let (mut client, _watcher, _serving) = call(routed).await;
        let hello = hello(b"");
        for byte in &hello {
            client.write_all(&[*byte]).await.unwrap();
        }
        client.write_all(b"more").await.unwrap();
        client.shutdown().await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        far.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, [&hello[..], b"more"].concat());
    }

    #[tokio::test]
    async fn who_is_cut_off_by_our_own_end_is_told_with_what_had_passed() {
        let (listener, at) = server().await;
        let (mut client, watcher, serving) = call(options(&at)).await;
        client.write_all(b"hello").await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        far.read_exact(&mut [0; 5]).await.unwrap();
        serving.abort();
        assert!(client.read(&mut [0]).await.is_err());
        let told = told(watcher).await;
        assert_eq!(told, [format!("relay.upstream {at}"), "relais stopped 5 0".to_owned()]);
    }

    #[tokio::test]
    async fn who_asks_for_no_name_that_is_one_comes_to_the_others() {
        let named = |at: &str| {
            let named = vec![(Name("a.example".to_owned()), upstreams(at))];
            Routes { named, others: Some(upstreams(at)) }
        };
        for says in [&b"GET / HTTP/1.1\r\n"[..], &[0xff], &hello(b"bad name")] {
            let (listener, at) = server().await;
            let (mut client, _watcher, _serving) =
                call(Options { routes: named(&at), ..options(&at) }).await;
            client.write_all(says).await.unwrap();
            let (mut far, _) = listener.accept().await.unwrap();
            let mut heard = vec![0; says.len()];
            far.read_exact(&mut heard).await.unwrap();
            assert_eq!(heard, says);
        }
    }

    #[tokio::test]
    async fn an_upstream_is_told_who_called() {
        let (listener, at) = server().await;
        let telling = Upstreams::new(vec![at.parse().unwrap()], Balance::Round, dialer());
        let others =
            telling.map(|upstreams| Arc::new(upstreams.telling(proxy_header::Version::V1)));
        let routes = Routes { named: Vec::new(), others };
        let (mut client, _watcher, _serving) = call(Options { routes, ..options(&at) }).await;
        client.write_all(b"hello").await.unwrap();
        client.shutdown().await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        let mut heard = String::new();
        far.read_to_string(&mut heard).await.unwrap();
        let (from, to) = (client.local_addr().unwrap().port(), client.peer_addr().unwrap().port());
        assert_eq!(heard, format!("PROXY TCP4 127.0.0.1 127.0.0.1 {from} {to}\r\nhello"));
    }

    #[test]
    fn callers_are_let_in_by_their_networks() {
        let networks = |text: &str| -> Vec<Network> {
            text.split_whitespace().map(|network| network.parse().unwrap()).collect()
        };
        let check = |allow, deny, ip: &str, expect| {
            let callers = Callers { allow: networks(allow), deny: networks(deny) };
            let peer = Peer::Net((ip.parse::<std::net::IpAddr>().unwrap(), 1).into());
            assert_eq!(callers.may(peer), expect, "{ip} of {allow:?} but {deny:?}");
            assert!(callers.may(Peer::Local));
        };
        check("", "", "192.0.2.1", true);
        check("192.0.2.0/24", "", "192.0.2.1", true);
        check("192.0.2.0/24", "", "192.0.3.1", false);
        check("192.0.2.0/24", "192.0.2.1", "192.0.2.1", false);
        check("", "192.0.2.1", "192.0.2.2", true);
        check("", "0.0.0.0/0", "::1", true);
    }
}
