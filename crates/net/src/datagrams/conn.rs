//! A socket that speaks with one peer.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use tokio::net::UdpSocket;

use super::{
    batch::Batch,
    sending::{Sent, may_be_of_before},
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
        let any: IpAddr = match peer {
            SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
            SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
        };
        let socket = std::net::UdpSocket::bind((source.unwrap_or(any), 0))?;
        socket.set_nonblocking(true)?;
        socket.connect(peer)?;
        Ok(Self { socket: Socket::open(UdpSocket::from_std(socket)?, peer), peer })
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

    /// Waits until [`DatagramConn::try_hear`] may hear something.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// What the system says. It is no more good then.
    pub async fn ready(&self) -> io::Result<()> {
        self.socket.ready_or_refused().await
    }

    /// Hears what is there.
    ///
    /// # Errors
    ///
    /// What the system says of the socket, and not of the peer.
    pub fn try_hear(&self, batch: &mut Batch) -> io::Result<Word> {
        match self.socket.receive(batch) {
            Ok(()) => Ok(Word::Datagrams),
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Word::Silence),
            Err(error) if may_be_of_before(&error) => Ok(Word::Refused(error.kind())),
            Err(error) => Err(error),
        }
    }

    /// Sends `trains`. Waits for nothing: what cannot go now is dropped.
    pub fn send_batch<'a>(&self, trains: impl IntoIterator<Item = Train<'a>>) -> Sent {
        self.socket.send(trains.into_iter().map(|train| (train, None, None)))
    }
}
