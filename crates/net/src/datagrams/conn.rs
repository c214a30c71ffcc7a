//! A socket that speaks with one peer.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use super::{
    batch::Batch,
    before::{Before, of_before},
    sending::Sent,
    socket::Socket,
    train::Train,
};

/// A socket of datagrams that hears one peer and sends to it, waited at by the runtime that made
/// it.
///
/// Nobody answers when it is made, and nobody may be there: that is told later, if at all, when it
/// is [heard](DatagramConn::try_hear).
#[derive(Debug)]
pub struct DatagramConn {
    socket: Socket,
    peer: SocketAddr,
}

/// What was heard of a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// Datagrams came.
    Datagrams,
    /// Somebody on the way, or the peer's own system, answered that what was sent before did not get
    /// there (ICMP). What is sent later may.
    Refused(ErrorKind),
    /// What was sent before was too long for some part of the way (ICMP): what is sent later and is too
    /// long is not, and counted as dropped.
    TooLong,
    /// Nothing is there.
    Silence,
}

impl DatagramConn {
    /// A socket for `peer`, which sends from `source`, if not whichever address the system takes.
    ///
    /// # Errors
    ///
    /// What the system says; most likely that there is no descriptor, or no way there.
    pub fn new(peer: SocketAddr, source: Option<IpAddr>) -> io::Result<Self> {
        Ok(Self { socket: Socket::open(connected(peer, source)?, peer)?, peer })
    }

    /// Who is spoken with.
    pub fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// Where it sends from.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn local(&self) -> io::Result<SocketAddr> {
        self.socket.local()
    }

    /// Waits until [`DatagramConn::try_hear`] may hear something. For one task at a time, the one that hears.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// What the system says. It is no more good then.
    pub async fn ready(&self) -> io::Result<()> {
        self.socket.ready_or_refused().await
    }

    /// Waits for datagrams alone, which costs less: what is [refused](Word::Refused) meanwhile is told
    /// with them, or of what is sent next. For one task at a time, too.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// What the system says. It is no more good then.
    pub async fn datagrams_ready(&self) -> io::Result<()> {
        self.socket.ready().await
    }

    /// Hears what is there.
    ///
    /// # Errors
    ///
    /// What the system says of the socket, and not of the peer.
    pub fn try_hear(&self, batch: &mut Batch) -> io::Result<Word> {
        let error = match self.socket.receive(batch) {
            Ok(()) => return Ok(Word::Datagrams),
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Word::Silence),
            Err(error) => error,
        };
        match of_before(&error) {
            Some(Before::Refused) => Ok(Word::Refused(error.kind())),
            Some(Before::TooLong) => Ok(Word::TooLong),
            Some(Before::Nothing) => Ok(Word::Silence),
            None => Err(error),
        }
    }

    /// Sends `trains`. Waits for nothing: what cannot go now is dropped.
    pub fn send_batch<'a>(&self, trains: impl IntoIterator<Item = Train<'a>>) -> Sent {
        self.socket.send(trains.into_iter().map(|train| (train, None, None)))
    }
}

/// A socket that hears `peer` alone and does not block, which sends from `source`, if not whichever
/// address the system takes.
pub(crate) fn connected(
    peer: SocketAddr,
    source: Option<IpAddr>,
) -> io::Result<std::net::UdpSocket> {
    let any: IpAddr = match peer {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = std::net::UdpSocket::bind((source.unwrap_or(any), 0))?;
    if may_be_broadcast(peer.ip()) {
        // The system asks for this as a promise that it is meant; who says the address means it.
        socket.set_broadcast(true)?;
    }
    connect(socket, peer)
}

/// Whether all of a network, of whatever size, may be at `ip`: its last bits are all 1.
fn may_be_broadcast(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => ip.to_bits() & 3 == 3,
        IpAddr::V6(_) => false,
    }
}

fn connect(socket: std::net::UdpSocket, peer: SocketAddr) -> io::Result<std::net::UdpSocket> {
    socket.set_nonblocking(true)?;
    socket.connect(peer)?;
    // Until then anybody could send to it: what came is not the peer's. What comes now is.
    while socket.recv(&mut [0]).is_ok() {}
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_goes_to_all_of_a_network() {
        let server = std::net::UdpSocket::bind("0.0.0.0:0").unwrap();
        let to = ([127, 255, 255, 255], server.local_addr().unwrap().port()).into();
        connected(to, None).unwrap().send(b"hi").unwrap();
        assert_eq!(server.recv(&mut [0; 8]).unwrap(), 2);
    }

    #[test]
    fn what_came_before_the_peer_was_known_is_not_its_own() {
        let bind = || std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let (ours, stranger, peer) = (bind(), bind(), bind());
        let at = ours.local_addr().unwrap();
        for _ in 0..3 {
            stranger.send_to(b"stranger", at).unwrap();
        }
        let ours = connect(ours, peer.local_addr().unwrap()).unwrap();
        stranger.send_to(b"stranger", at).unwrap();
        peer.send_to(b"peer", at).unwrap();
        let mut heard = [0; 16];
        let length = ours.recv(&mut heard).unwrap();
        assert_eq!(&heard[..length], b"peer");
        assert_eq!(ours.recv(&mut heard).unwrap_err().kind(), ErrorKind::WouldBlock);
    }
}
