//! The way to a hub: a connection, and datagrams beside it if they are wanted.

use std::{
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use relais_hub::client::{Both, Carried, Wire};
use relais_net::{Dialer, Endpoint, Host, HostPort, Place, Scheme, Stream};
use tokio::{
    net::UdpSocket,
    time::{Instant, sleep_until},
};

use crate::output::tell;

/// Where datagrams go, and whether they are still tried. A clone is the same.
#[derive(Clone, Debug)]
pub(super) struct Udp(Arc<Tried>);

#[derive(Debug)]
struct Tried {
    dialer: Dialer,
    /// The host of the hub, at the port that it tells, or where somebody says.
    host: Host,
    port: Option<u16>,
    is_over: AtomicBool,
}

/// The way to a hub.
#[derive(Debug)]
pub(super) struct Ways {
    wire: Wire,
    by: Option<ByDatagrams>,
}

#[derive(Debug)]
struct ByDatagrams {
    both: Both,
    udp: Udp,
    socket: Option<UdpSocket>,
}

/// Room for more than the longest datagram of a hub: what is cut is none.
const DATAGRAM_BYTES_MAX: usize = 2048;

impl Udp {
    /// Datagrams to the hub at `endpoint`, or `at` where somebody passes them on.
    pub(super) fn new(dialer: Dialer, endpoint: &Endpoint, at: Option<&Endpoint>) -> Option<Self> {
        let there = at.unwrap_or(endpoint).host_port()?;
        let (host, port) = (there.host.clone(), at.map(|_| there.port));
        Some(Self(Arc::new(Tried { dialer, host, port, is_over: AtomicBool::new(false) })))
    }

    /// A socket for datagrams to the hub, which hears them at `port`.
    async fn open(&self, port: u16) -> io::Result<UdpSocket> {
        let (host, port) = (self.0.host.clone(), self.0.port.unwrap_or(port));
        let endpoint = Endpoint { scheme: Scheme::Udp, place: Place::Net(HostPort { host, port }) };
        let dialed = self.0.dialer.dial_datagrams(&endpoint).await.map_err(io::Error::other)?;
        Ok(dialed.socket)
    }

    /// They are tried no more: why.
    fn give_up(&self, why: &str) {
        if !self.0.is_over.swap(true, Ordering::Relaxed) {
            tell(format_args!("no datagrams: {why}; all goes over the connection"));
        }
    }
}

impl Ways {
    /// The way over `stream`, and beside it by `udp`.
    pub(super) fn new(stream: Stream, udp: Option<Udp>) -> Self {
        let udp = udp.filter(|udp| !udp.0.is_over.load(Ordering::Relaxed));
        let by = udp.map(|udp| ByDatagrams { both: Both::default(), udp, socket: None });
        Self { wire: Wire::new(stream), by }
    }

    /// Has `frames` said while [`next`](Self::next) waits.
    pub(super) fn say(&mut self, frames: &[u8]) {
        match &mut self.by {
            Some(by) => by.both.say(frames, Instant::now()),
            None => self.wire.say(frames),
        }
    }

    /// Waits for a line; `None` once the hub says no more, or something of it was missed. Cancel safe.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    pub(super) async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(by) = &mut self.by else { return self.wire.next().await };
        loop {
            if let Some(line) = by.both.line() {
                return Ok(Some(line));
            }
            self.wire.say(&by.both.frames());
            match by.both.wake(Instant::now()) {
                Carried::Well => {}
                Carried::Missed => return Ok(None),
                Carried::Not => {
                    by.udp.give_up("they do not come through");
                    return Ok(None);
                }
            }
            by.send().await;
            let wakes_at = by.both.wakes_at();
            tokio::select! {
                line = self.wire.next() => match line? {
                    Some(line) => by.both.hear(line, Instant::now()),
                    None => return Ok(None),
                },
                datagram = hear(by.socket.as_ref()) => {
                    by.both.hear_datagram(&datagram, Instant::now());
                }
                () = sleep_until(wakes_at.unwrap_or_else(Instant::now)), if wakes_at.is_some() => {}
            }
        }
    }

    /// Says all that is unsaid, and that nothing more comes.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    pub(super) async fn end(mut self) -> io::Result<()> {
        if let Some(by) = &mut self.by {
            self.wire.say(&by.both.frames());
            by.send().await;
        }
        self.wire.end().await
    }
}

impl ByDatagrams {
    /// Sends what is to be sent, once it is known where to.
    async fn send(&mut self) {
        if let Some(refusal) = self.both.refused() {
            self.udp.give_up(&format!("the hub refuses them ({})", refusal.code));
        }
        if let (None, Some(port)) = (&self.socket, self.both.port()) {
            match self.udp.open(port).await {
                Ok(socket) => self.socket = Some(socket),
                Err(error) => self.udp.give_up(&error.to_string()),
            }
        }
        let Some(socket) = &self.socket else { return };
        for datagram in self.both.datagrams_to_send() {
            // What does not go is sent again.
            _ = socket.send(&datagram).await;
        }
    }
}

/// Waits for a datagram.
async fn hear(socket: Option<&UdpSocket>) -> Vec<u8> {
    let Some(socket) = socket else { return std::future::pending().await };
    let mut datagram = vec![0; DATAGRAM_BYTES_MAX];
    loop {
        // What the system says here is of what was sent, which is sent again.
        if let Ok(count) = socket.recv(&mut datagram).await {
            datagram.truncate(count);
            return datagram;
        }
    }
}
