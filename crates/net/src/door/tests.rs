//! Callers at real sockets.

use std::{net::Ipv4Addr, num::NonZeroUsize, sync::Mutex};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
};

use super::*;
use crate::{
    Drained, Service, Shutdown,
    tls::{Acceptor, CallerPapers, Offer, Protocols, Resumption, certified},
};

/// Panics at `p`, echoes everything else.
#[derive(Debug, Default)]
struct Touchy {
    unmet: Unmets,
}

/// Who never came to be spoken with, and why.
type Unmets = Arc<Mutex<Vec<String>>>;

impl Service for Touchy {
    async fn serve(&self, mut conn: Conn, _drain: Drain) -> Result<(), Fault> {
        loop {
            let byte = conn.stream.read_u8().await;
            let byte = byte.map_err(|error| Fault::new(Side::Client, "reading", error))?;
            assert_ne!(byte, b'p', "asked to");
            let wrote = conn.stream.write_u8(byte).await;
            wrote.map_err(|error| Fault::new(Side::Client, "writing", error))?;
        }
    }

    fn refusal(&self) -> &'static [u8] {
        b"full"
    }

    fn unmet(&self, Unmet { peer, why, .. }: &Unmet) {
        self.unmet.lock().unwrap().push(format!("{}: {why}", peer.ip().unwrap()));
    }

    fn welcome(&self, peer: Peer) -> Welcome {
        match peer {
            Peer::Net(at) if at.port() == UNWELCOME => Welcome::TurnedAway,
            Peer::Net(_) | Peer::Local => Welcome::Welcome,
        }
    }

    fn header(&self, peer: Peer) -> Header {
        let is_relay = peer.ip() == Some(RELAY.into());
        if is_relay { Header::Expected } else { Header::None }
    }

    fn refusal_in_the_clear(&self, first: &[u8]) -> &'static [u8] {
        if first.starts_with(b"GET / HTTP/1.1\r\n") { b"not here" } else { b"" }
    }
}

/// Calls for others, and tells for whom.
const RELAY: Ipv4Addr = Ipv4Addr::new(127, 0, 0, 9);

/// A port from which nobody is spoken with.
const UNWELCOME: u16 = 7;

/// A call of the relay's, for whoever is at `source`.
async fn call_for(port: u16, source: &str) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((RELAY, 0).into()).unwrap();
    let mut caller = socket.connect(([127, 0, 0, 1], port).into()).await.unwrap();
    let (ip, from) = source.split_once(':').unwrap();
    let header = format!("PROXY TCP4 {ip} 192.0.2.2 {from} 80\r\n");
    caller.write_all(header.as_bytes()).await.unwrap();
    caller
}

struct Open {
    port: u16,
    tally: Arc<Tally>,
    shutdown: Shutdown,
    unmet: Unmets,
    /// For who is inside to go on when the listener is gone.
    cores: Cores,
}

fn open(places_max: usize) -> Open {
    open_with(places_max, None, Duration::from_secs(1))
}

fn open_with(places_max: usize, tls: Option<Acceptor>, handshake_max: Duration) -> Open {
    let cores = Cores::start(NonZeroUsize::MIN).unwrap();
    let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).unwrap();
    let port = listener.local().host_port().unwrap().port;
    let (tally, unmet) = (Arc::default(), Unmets::default());
    let door = Arc::new(Door {
        service: Arc::new(Touchy { unmet: Arc::clone(&unmet) }),
        security: Security::of(tls.map(Arc::new)),
        gate: Gate::new(places_max, places_max.div_ceil(4) * 3),
        handshake_max: Arc::new(ArcSwap::from_pointee(handshake_max)),
        tally: Arc::clone(&tally),
    });
    let (shutdown, drain) = Shutdown::new();
    let first = cores.first().clone();
    let seats = cores.clone();
    first.spawn(async move { serve(listener, door, seats, drain).await.unwrap() });
    Open { port, tally, shutdown, unmet, cores }
}

#[tokio::test]
async fn a_panic_ends_one_connection_and_is_counted() {
    let Open { port, tally, shutdown, .. } = open(8);
    let mut steady = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut touched = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    touched.write_u8(b'p').await.unwrap();
    assert!(touched.read_u8().await.is_err());
    steady.write_u8(b'x').await.unwrap();
    assert_eq!(steady.read_u8().await.unwrap(), b'x');
    assert_eq!(tally.panicked.load(Ordering::Relaxed), 1);
    drop(steady);
    assert_eq!(shutdown.finish(Duration::from_secs(5)).await, Drained::InTime);
}

#[tokio::test]
async fn who_finds_no_place_is_told() {
    let Open { port, tally, shutdown: _shutdown, .. } = open(1);
    let mut inside = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    inside.write_u8(b'x').await.unwrap();
    assert_eq!(inside.read_u8().await.unwrap(), b'x');
    let mut outside = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let mut got = String::new();
    outside.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "full");
    assert_eq!(tally.refused.count(), 1);
}

fn acceptor() -> Acceptor {
    let offer = Offer {
        certified: vec![certified(&["a.example"])],
        protocols: Protocols::Plain,
        caller_papers: CallerPapers::Unasked,
        resumption: Resumption::new().unwrap(),
    };
    Acceptor::new(&offer).unwrap()
}

#[tokio::test]
async fn who_calls_for_others_has_their_limits_and_not_one_of_its_own() {
    // Of four places three may be of one client.
    let Open { port, tally, shutdown: _shutdown, .. } = open(4);
    let mut inside = Vec::new();
    for source in ["192.0.2.1:1", "192.0.2.1:2", "192.0.2.1:3"] {
        let mut caller = call_for(port, source).await;
        caller.write_u8(b'x').await.unwrap();
        assert_eq!(caller.read_u8().await.unwrap(), b'x');
        inside.push(caller);
    }
    let mut got = String::new();
    call_for(port, "192.0.2.1:4").await.read_to_string(&mut got).await.unwrap();
    assert_eq!(got, "full");
    assert_eq!(tally.refused.count(), 1);
    let mut other = call_for(port, "192.0.2.3:1").await;
    other.write_u8(b'x').await.unwrap();
    assert_eq!(other.read_u8().await.unwrap(), b'x');
}

#[tokio::test]
async fn with_who_is_turned_away_there_is_no_handshake() {
    let Open { port, tally, shutdown: _shutdown, .. } =
        open_with(8, Some(acceptor()), Duration::from_secs(5));
    let mut caller = call_for(port, &format!("192.0.2.1:{UNWELCOME}")).await;
    // Met by the service as it is: nothing of TLS.
    caller.write_u8(b'x').await.unwrap();
    assert_eq!(caller.read_u8().await.unwrap(), b'x');
    assert_eq!(tally.handshakes_failed.load(Ordering::Relaxed), 0);
}

#[tokio::test]
async fn of_who_never_came_in_the_service_is_told_for_whom_and_why() {
    let Open { port, shutdown, unmet, .. } =
        open_with(8, Some(acceptor()), Duration::from_millis(100));
    let mut caller = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    caller.write_all(b"hello").await.unwrap();
    _ = caller.read_to_end(&mut Vec::new()).await;
    let late = call_for(port, "192.0.2.1:1").await.read_to_end(&mut Vec::new()).await;
    assert_eq!(late.unwrap(), 0);
    assert_eq!(shutdown.finish(Duration::from_secs(5)).await, Drained::InTime);
    let mut unmet = unmet.lock().unwrap().clone();
    unmet.sort();
    let hello = "127.0.0.1: no handshake: \"hello\" in place of a handshake: expected TLS";
    assert_eq!(unmet, [hello, "192.0.2.1: no handshake: not done in 100ms"]);
}

#[tokio::test]
async fn who_does_not_come_in_holds_up_no_end_and_is_told_of() {
    let Open { port, tally, shutdown, unmet, cores: _cores } =
        open_with(8, Some(acceptor()), Duration::from_mins(1));
    let mut caller = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    caller.write_all(&[22, 3, 1, 2, 0, 1]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(shutdown.finish(Duration::from_secs(30)).await, Drained::InTime);
    assert_eq!(tally.handshakes_failed.load(Ordering::Relaxed), 1);
    let told = "127.0.0.1: no handshake: not done 1s after the word to stop";
    assert_eq!(*unmet.lock().unwrap(), [told]);
}

#[tokio::test]
async fn a_bad_handshake_ends_by_its_deadline() {
    let Open { port, tally, shutdown, .. } =
        open_with(8, Some(acceptor()), Duration::from_millis(100));
    // Nothing, and half a record.
    for said in [&b""[..], &[22, 3, 1, 2, 0, 1]] {
        let mut caller = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        caller.write_all(said).await.unwrap();
        // An alert, or just the end.
        caller.read_to_end(&mut Vec::new()).await.unwrap();
    }
    assert_eq!(shutdown.finish(Duration::from_secs(5)).await, Drained::InTime);
    assert_eq!(tally.handshakes_failed.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn who_speaks_in_the_clear_at_a_tls_door_is_told_so_if_it_is_understood() {
    let Open { port, tally, shutdown, .. } = open_with(8, Some(acceptor()), Duration::from_secs(5));
    let long = [&b"GET / HTTP/1.1\r\n"[..], &b"x".repeat(40_000)].concat();
    for said in [b"GET / HTTP/1.1\r\n\r\n", &long[..]] {
        let mut caller = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        caller.write_all(said).await.unwrap();
        let mut got = String::new();
        caller.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "not here");
    }
    let mut caller = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    caller.write_all(b"hello").await.unwrap();
    let mut got = Vec::new();
    // The end, or a reset, as something was left unread.
    _ = caller.read_to_end(&mut got).await;
    assert_eq!(got, b"");
    assert_eq!(shutdown.finish(Duration::from_secs(5)).await, Drained::InTime);
    assert_eq!(tally.handshakes_failed.load(Ordering::Relaxed), 3);
}

#[tokio::test]
async fn who_was_told_may_not_go_on_for_ever() {
    let Open { port, shutdown, .. } = open_with(8, Some(acceptor()), Duration::from_secs(5));
    let mut caller = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    caller.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
    // Ends in a reset once more than 64 KiB were sent.
    while caller.write_all(&[b'x'; 4096]).await.is_ok() {}
    assert_eq!(shutdown.finish(Duration::from_secs(5)).await, Drained::InTime);
}
