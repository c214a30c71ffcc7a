//! A listener and what lies behind it: callers are let in, seated on a core, and served.

use std::{
    error::Error,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use tokio::io::AsyncWriteExt;
use tracing::{debug, error, warn};

use crate::{
    Cores, Drain, DynService, Fault, Gate, HandshakeError, Incoming, Listener, Permit, Refused,
    Seat, Side, Stream, next_caller, tls::Acceptor, unpanicked::unpanicked,
};

/// What lies behind a listener.
#[derive(Debug)]
pub struct Door {
    /// What is spoken with those who come in.
    pub service: Arc<dyn DynService>,
    /// How their bytes are secured; `None` in the slot for a door in the clear. A slot, because
    /// a reload brings other certificates while the door is open.
    pub tls: Arc<ArcSwapOption<Acceptor>>,
    /// How many may be inside.
    pub gate: Gate,
    /// How long a caller may take for its handshake.
    pub handshake_max: Duration,
    /// What has happened at this door.
    pub tally: Arc<Tally>,
}

/// What has happened at a [`Door`], each a count since it was opened.
#[derive(Debug, Default)]
pub struct Tally {
    /// Callers turned away by the gate.
    pub refused: AtomicU64,
    /// Callers whose handshake failed or came too late.
    pub handshakes_failed: AtomicU64,
    /// Connections that ended in a panic of ours.
    pub panicked: AtomicU64,
}

/// Lets callers of `listener` in, one task each on one of `cores`, until told to stop.
///
/// Runs on the current runtime, which is to be one of the cores'. A panic in a connection is
/// logged, counted and ends that connection only.
///
/// # Errors
///
/// What the system says when it won't have the listener waited at. Later errors are logged.
pub async fn serve(
    listener: Listener,
    door: Arc<Door>,
    cores: Cores,
    drain: Drain,
) -> io::Result<()> {
    let open = listener.open()?;
    let mut stop = pin!(drain.requested());
    loop {
        tokio::select! {
            biased;
            () = &mut stop => return Ok(()),
            incoming = next_caller(open.local(), || open.accept()) => {
                admit(incoming, &door, &cores, &drain);
            }
        }
    }
}

fn admit(incoming: Incoming, door: &Arc<Door>, cores: &Cores, drain: &Drain) {
    match door.gate.enter(incoming.peer().client()) {
        Ok(permit) => {
            let seat = cores.seat();
            let inside = Inside { door: Arc::clone(door), _permit: permit };
            let drain = drain.clone();
            seat_and_talk(seat, incoming, inside, drain);
        }
        Err(refused) => refuse(&incoming, door, refused),
    }
}

/// What a connection holds while it is inside.
struct Inside {
    door: Arc<Door>,
    _permit: Permit,
}

fn seat_and_talk(seat: Seat, incoming: Incoming, inside: Inside, drain: Drain) {
    let peer = incoming.peer();
    let handle = seat.handle();
    handle.spawn(async move {
        // Moved in whole: naming a field alone would leave the permit behind, outside.
        let (_seat, Inside { door, _permit }) = (seat, inside);
        match unpanicked(talk(incoming, &door, drain)).await {
            Some(Ok(())) => (),
            Some(Err(fault)) => note(&fault),
            None => {
                door.tally.panicked.fetch_add(1, Ordering::Relaxed);
                error!(%peer, "a bug ended this connection; please report it");
            }
        }
    });
}

async fn talk(incoming: Incoming, door: &Door, drain: Drain) -> Result<(), Fault> {
    let tls = door.tls.load_full();
    let header = door.service.header_of(incoming.peer());
    let handshake = incoming.handshake(tls.as_deref(), header);
    let handshake = tokio::time::timeout(door.handshake_max, handshake);
    let late = |_| Err(HandshakeError::Failed(io::ErrorKind::TimedOut.into()));
    let error = match handshake.await.unwrap_or_else(late) {
        Ok(conn) => return door.service.serve_boxed(conn, drain).await,
        Err(error) => error,
    };
    door.tally.handshakes_failed.fetch_add(1, Ordering::Relaxed);
    Err(Fault::new(Side::Client, "shaking hands", turn_away(error, door).await))
}

/// Tells who speaks in the clear what is the matter, if the service has words for it.
async fn turn_away(error: HandshakeError, door: &Door) -> io::Error {
    let text = error.to_string();
    let (mut plain, first) = match error {
        HandshakeError::Failed(error) => return error,
        HandshakeError::InTheClear { plain, first } => (plain, first),
    };
    let told = door.service.refusal_bytes_in_the_clear(&first);
    if !told.is_empty() {
        // Who has no room even for that is not waited for.
        _ = tokio::time::timeout(TELL_MAX, plain.write_all(told)).await;
        Stream::Tcp(plain).linger().await;
    }
    io::Error::new(io::ErrorKind::InvalidData, text)
}

/// How long a caller that is turned away may take to be told why.
const TELL_MAX: Duration = Duration::from_secs(1);

/// Our own faults are news; a caller that hangs up is not.
fn note(fault: &Fault) {
    let error: &dyn Error = fault;
    match fault.side {
        Side::Relais => warn!(error, "connection failed"),
        Side::Client | Side::Upstream => debug!(error, "connection ended"),
    }
}

fn refuse(incoming: &Incoming, door: &Door, refused: Refused) {
    let before = door.tally.refused.fetch_add(1, Ordering::Relaxed);
    // The first, and then ever more rarely: a flood must not become a flood of log lines.
    if (before + 1).is_power_of_two() {
        warn!(peer = %incoming.peer(), error = %refused, "turned callers away: {}", before + 1);
    }
    if door.tls.load().is_none() {
        // As much as fits the socket's buffer at once; who does not listen is not waited for.
        _ = rustix::net::send(
            incoming,
            door.service.refusal_bytes(),
            rustix::net::SendFlags::NOSIGNAL,
        );
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroUsize;

    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpStream,
    };

    use super::*;
    use crate::{
        Conn, Drained, Service, Shutdown,
        tls::{Offer, Protocols, Resumption, certified},
    };

    /// Panics at `p`, echoes everything else.
    #[derive(Debug)]
    struct Touchy;

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

        fn refusal_in_the_clear(&self, first: &[u8]) -> &'static [u8] {
            if first.starts_with(b"GET / HTTP/1.1\r\n") { b"not here" } else { b"" }
        }
    }

    struct Open {
        port: u16,
        tally: Arc<Tally>,
        shutdown: Shutdown,
    }

    fn open(places_max: usize) -> Open {
        open_with(places_max, None, Duration::from_secs(1))
    }

    fn open_with(places_max: usize, tls: Option<Acceptor>, handshake_max: Duration) -> Open {
        let cores = Cores::start(NonZeroUsize::MIN).unwrap();
        let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).unwrap();
        let port = listener.local().host_port().unwrap().port;
        let tally = Arc::default();
        let door = Arc::new(Door {
            service: Arc::new(Touchy),
            tls: Arc::new(ArcSwapOption::from_pointee(tls)),
            gate: Gate::new(places_max, places_max),
            handshake_max,
            tally: Arc::clone(&tally),
        });
        let (shutdown, drain) = Shutdown::new();
        let first = cores.first().clone();
        first.spawn(async move { serve(listener, door, cores, drain).await.unwrap() });
        Open { port, tally, shutdown }
    }

    #[tokio::test]
    async fn a_panic_ends_one_connection_and_is_counted() {
        let Open { port, tally, shutdown } = open(8);
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
        let Open { port, tally, shutdown: _shutdown } = open(1);
        let mut inside = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        inside.write_u8(b'x').await.unwrap();
        assert_eq!(inside.read_u8().await.unwrap(), b'x');
        let mut outside = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut got = String::new();
        outside.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "full");
        assert_eq!(tally.refused.load(Ordering::Relaxed), 1);
    }

    fn acceptor() -> Acceptor {
        let offer = Offer {
            certified: vec![certified(&["a.example"])],
            protocols: Protocols::Plain,
            caller_authorities: None,
            resumption: Resumption::new().unwrap(),
        };
        Acceptor::new(&offer).unwrap()
    }

    #[tokio::test]
    async fn a_bad_handshake_ends_by_its_deadline() {
        let Open { port, tally, shutdown } =
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
        let Open { port, tally, shutdown } = open_with(8, Some(acceptor()), Duration::from_secs(5));
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
        let Open { port, tally: _, shutdown } =
            open_with(8, Some(acceptor()), Duration::from_secs(5));
        let mut caller = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        caller.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        // Ends in a reset once more than 64 KiB were sent.
        while caller.write_all(&[b'x'; 4096]).await.is_ok() {}
        assert_eq!(shutdown.finish(Duration::from_secs(5)).await, Drained::InTime);
    }
}
