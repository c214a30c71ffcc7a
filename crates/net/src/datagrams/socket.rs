//! What sockets of datagrams have in common, whether they hear one peer or all.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr, UdpSocket},
    os::fd::{AsFd, BorrowedFd},
    sync::{
        OnceLock,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
};

use libc::{IP_PKTINFO, IPPROTO_IP, IPPROTO_IPV6, IPV6_RECVPKTINFO, SOL_UDP, UDP_GRO, UDP_SEGMENT};

use super::{
    address::Family,
    batch::Batch,
    calls::{self, Slot, set_option},
    readiness::{Readiness, Received},
    sending::{Load, Outlet, Sent},
};

/// A socket, and what it is able to do.
#[derive(Debug)]
pub(super) struct Socket {
    /// Waited at for what comes, and not for room to send: who does that is woken again and again while
    /// what was sent is read.
    plain: Readiness,
    outlet: Outlet,
    /// How the system was asked to hand over what comes, once something is heard here: not before, as
    /// somebody else may still hear at the same socket, who asked otherwise.
    hears: OnceLock<Hears>,
    /// For how many messages there is to be room the next time, as it costs of each.
    expects: AtomicUsize,
}

/// How what comes is handed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Hears {
    /// Datagrams that follow each other as one.
    Trains,
    Single,
}

/// Has the system tell of each datagram that comes from now on to which of our addresses it was sent.
pub(super) fn tell_addresses(socket: BorrowedFd<'_>, family: Family) -> io::Result<()> {
    let option = match family {
        Family::V4 => (IPPROTO_IP, IP_PKTINFO),
        Family::V6 => (IPPROTO_IPV6, IPV6_RECVPKTINFO),
    };
    set_option(socket, option, 1)
}

/// How many messages there is always room for.
const FEW: usize = 4;

impl Socket {
    /// `plain`, which does not block, and is bound or connected `at` somewhere.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn open(plain: UdpSocket, at: SocketAddr) -> io::Result<Self> {
        let plain = Readiness::of(plain)?;
        // Asked by setting it to what it is: a system that does not know it would send a train as
        // one datagram.
        let takes_trains = set_option(plain.as_fd(), (SOL_UDP, UDP_SEGMENT), 0).is_ok();
        let outlet = Outlet { family: Family::of(at), takes_trains: AtomicBool::new(takes_trains) };
        Ok(Self { plain, outlet, hears: OnceLock::new(), expects: AtomicUsize::new(FEW) })
    }

    pub(super) fn local(&self) -> io::Result<SocketAddr> {
        self.plain.socket().local_addr()
    }

    /// Waits for datagrams alone, which costs less than to wait for words by ICMP, too.
    pub(super) async fn ready(&self) -> io::Result<()> {
        self.hear_as(Hears::Trains);
        self.plain.readable().await
    }

    /// Waits for datagrams and for words by ICMP: who hears one peer is told those.
    pub(super) async fn ready_or_refused(&self) -> io::Result<()> {
        self.hear_as(Hears::Trains);
        self.plain.readable_or_refused().await
    }

    /// Asks the system to hand over what comes like this, if it was not asked before. Gives how it was.
    fn hear_as(&self, wish: Hears) -> Hears {
        *self.hears.get_or_init(|| {
            // A system that cannot hands over datagrams; and a socket that others had before may still
            // hand over trains.
            _ = set_option(self.as_fd(), (SOL_UDP, UDP_GRO), (wish == Hears::Trains).into());
            wish
        })
    }

    /// Waits for a datagram: how long it is, whose, and to which of our addresses it was sent, if the
    /// socket has several.
    pub(super) async fn hear(
        &self,
        buffer: &mut [u8],
    ) -> io::Result<(usize, SocketAddr, Option<IpAddr>)> {
        if self.hear_as(Hears::Single) == Hears::Trains {
            return Err(ErrorKind::Unsupported.into());
        }
        if buffer.is_empty() {
            return Err(ErrorKind::InvalidInput.into());
        }
        loop {
            let mut slots = [Slot::default()];
            let receive = || calls::receive(self.as_fd(), buffer, buffer.len(), &mut slots);
            self.plain.receive_patiently(receive).await?;
            let [Slot { from, control, length, .. }] = slots;
            if let Some(from) = from.read() {
                return Ok((length, from, control.read().at));
            }
        }
    }

    pub(super) async fn send_to(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        let to = match self.outlet.family.dress(to.ip()) {
            Some(ip) if ip != to.ip() => SocketAddr::new(ip, to.port()),
            _ => to,
        };
        let plain = self.plain.socket();
        let sent = match plain.send_to(datagram, to) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                let patient = tokio::net::UdpSocket::from_std(plain.try_clone()?)?;
                patient.send_to(datagram, to).await
            }
            sent => sent,
        };
        sent.map(|_| ())
    }

    pub(super) fn receive(&self, batch: &mut Batch) -> io::Result<()> {
        self.plain.receive(|| {
            batch.receive(self.as_fd(), self.expects.load(Ordering::Relaxed))?;
            self.expects.store((2 * batch.messages()).max(FEW), Ordering::Relaxed);
            Ok(if batch.is_partial() { Received::All } else { Received::Some })
        })
    }

    /// Has [`Socket::ready`] return at once until nothing is there.
    pub(super) fn keep_polling(&self) {
        self.plain.keep_polling();
    }

    pub(super) fn send<'a>(&self, loads: impl Iterator<Item = Load<'a>>) -> Sent {
        self.outlet.send(self.as_fd(), loads)
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.plain.as_fd()
    }
}
