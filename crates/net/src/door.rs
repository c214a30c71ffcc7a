//! A listener and what lies behind it: callers are let in, seated on a core, and served.

use std::{
    error::Error,
    io,
    os::fd::AsFd,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwap;
use tokio::{io::AsyncWriteExt, time::Instant};
use tracing::{debug, error, warn};

use crate::{
    Conn, Cores, Drain, DynService, Fault, Gate, HandshakeError, Header, Incoming, Listener, Peer,
    Permit, Refused, Seat, Security, Side, Stream, ToldRarely, Unmet, Welcome, next_caller,
    unpanicked::unpanicked,
};

/// What lies behind a listener.
#[derive(Debug)]
pub struct Door {
    /// What is spoken with those who come in.
    pub service: Arc<dyn DynService>,
    /// How their bytes are secured.
    pub security: Security,
    /// How many may be inside.
    pub gate: Gate,
    /// How long a caller may take for its handshake. A slot, because a reload brings another time while
    /// the door is open.
    pub handshake_max: Arc<ArcSwap<Duration>>,
    /// What has happened at this door.
    pub tally: Arc<Tally>,
}

/// What has happened at a [`Door`], each a count since it was opened.
#[derive(Debug, Default)]
pub struct Tally {
    /// Callers turned away by the gate.
    pub refused: ToldRarely,
    /// Callers whose handshake failed or came too late, be it for our end.
    pub handshakes_failed: AtomicU64,
    /// Connections that ended by a fault of ours.
    pub failed: ToldRarely,
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
    let peer = incoming.peer();
    let header = door.service.header_of(peer);
    let descriptors = door.service.descriptors_a_caller();
    let permit = match header {
        Header::None => door.gate.enter(peer.client(), descriptors),
        // A relay calls for many: each counts for whom it is, once that is told.
        Header::Expected => door.gate.enter_untold(descriptors),
    };
    match permit {
        Ok(permit) => {
            let inside = Inside { door: Arc::clone(door), permit };
            seat_and_talk(cores.seat(), (incoming, header), inside, drain.clone());
        }
        Err(refused) => refuse((&incoming, peer), door, refused),
    }
}

/// What a connection holds while it is inside.
struct Inside {
    door: Arc<Door>,
    permit: Permit,
}

fn seat_and_talk(
    seat: Seat,
    (incoming, header): (Incoming, Header),
    mut inside: Inside,
    drain: Drain,
) {
    let peer = incoming.peer();
    let handle = seat.handle();
    handle.spawn(async move {
        // Held to the end, and not moved: a future has room twice for what is.
        let (_seat, Inside { door, permit }) = (&seat, &mut inside);
        let talk = pin!(talk((incoming, header), (door, permit), drain));
        match unpanicked(talk).await {
            Some(Ok(())) => (),
            Some(Err(fault)) => note((&fault, peer), &door.tally),
            None => {
                door.tally.panicked.fetch_add(1, Ordering::Relaxed);
                error!(%peer, "a bug ended this connection; please report it");
            }
        }
    });
}

async fn talk(
    (incoming, header): (Incoming, Header),
    (door, permit): (&Door, &mut Permit),
    drain: Drain,
) -> Result<(), Fault> {
    let (began, mut peer) = (Instant::now(), incoming.peer());
    let handshake_max = **door.handshake_max.load();
    // Boxed, and soon gone: what talks for hours is not to hold the room of that.
    let shaking = Box::pin(let_in((incoming, header), (door, permit), &mut peer));
    let late = |how: String| Err(io::Error::new(io::ErrorKind::TimedOut, how).into());
    let shaken = tokio::select! {
        biased;
        shaken = tokio::time::timeout(handshake_max, shaking) => {
            shaken.unwrap_or_else(|_| late(format!("not done in {handshake_max:?}")))
        }
        () = parting(&drain) => late(format!("not done {PART_MAX:?} after the word to stop")),
    };
    let met = match shaken {
        Ok(Some(conn)) => Ok(door.service.serve_boxed(conn, drain)),
        Ok(None) => return Ok(()),
        Err(error) => Err(error),
    };
    let error = match met {
        Ok(talk) => return talk.await,
        Err(error) => Box::pin(turn_away(error, door)).await,
    };
    door.tally.handshakes_failed.fetch_add(1, Ordering::Relaxed);
    let (why, lasted) = (format!("no handshake: {error}"), began.elapsed());
    door.service.tell_unmet(&Unmet { peer, why, lasted });
    Err(Fault::new(Side::Client, "shaking hands", error))
}

/// Waits until we are told to stop, and then as long as a handshake may still take: who has not come in
/// has nothing to lose.
async fn parting(drain: &Drain) {
    drain.requested().await;
    tokio::time::sleep(PART_MAX).await;
}

/// How long a handshake may take to come to its end once we are told to stop.
const PART_MAX: Duration = Duration::from_secs(1);

/// Does what the endpoint asks before bytes flow: a header, TLS, or nothing. `None` if there turned out
/// to be no place for whom the call is. `peer` becomes who calls, once that is told.
async fn let_in(
    (incoming, header): (Incoming, Header),
    (door, permit): (&Door, &mut Permit),
    peer: &mut Peer,
) -> Result<Option<Conn>, HandshakeError> {
    let conn = incoming.greet(header).await?;
    *peer = conn.peer;
    if header == Header::Expected
        && let Err(refused) = permit.count_for(conn.peer.client())
    {
        match &conn.stream {
            Stream::Tcp(socket) => refuse((socket, conn.peer), door, refused),
            Stream::Unix(socket) => refuse((socket, conn.peer), door, refused),
            Stream::Tls(_) | Stream::Within(_) | Stream::Memory(_) => (),
        }
        return Ok(None);
    }
    match door.service.welcome_to(conn.peer) {
        Welcome::Welcome => conn.shake(door.security.offered().as_deref()).await.map(Some),
        Welcome::TurnedAway => Ok(Some(conn)),
    }
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
fn note((fault, peer): (&Fault, Peer), tally: &Tally) {
    let error: &dyn Error = fault;
    match fault.side {
        Side::Relais => {
            // Where something runs out it does so for all who call.
            if let Some(count) = tally.failed.add(1) {
                warn!(error, "connections failed: {count}");
            } else {
                debug!(error, "connection failed");
            }
        }
        Side::Client | Side::Upstream => debug!("{peer}: {}", with_sources(error)),
    }
}

/// An error and what it came from, in one line.
fn with_sources(error: &dyn Error) -> String {
    let (mut text, mut next) = (error.to_string(), error.source());
    while let Some(source) = next {
        text = format!("{text}: {source}");
        next = source.source();
    }
    text
}

fn refuse((socket, peer): (impl AsFd, Peer), door: &Door, refused: Refused) {
    if let Some(count) = door.tally.refused.add(1) {
        warn!(%peer, error = %refused, "turned callers away: {count}");
    }
    if door.security.is_in_the_clear() {
        // As much as fits the socket's buffer at once; who does not listen is not waited for.
        _ = rustix::net::send(
            socket,
            door.service.refusal_bytes(),
            rustix::net::SendFlags::NOSIGNAL,
        );
    }
}

#[cfg(test)]
mod tests;
