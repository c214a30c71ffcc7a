//! Datagrams: a socket that hears many senders, and what is done with what they send.

use std::{
    fmt::Debug,
    io::{self, ErrorKind},
    net::SocketAddr,
    os::fd::{AsFd, OwnedFd},
    pin::Pin,
    sync::Arc,
};

use socket2::SockRef;

mod address;
mod batch;
mod before;
mod calls;
mod conn;
mod control;
mod ourselves;
mod readiness;
mod sending;
mod socket;
mod train;

pub use batch::{Batch, Heard};
pub(crate) use conn::connected;
pub use conn::{DatagramConn, Word};
pub use sending::{Outgoing, Sent};
pub use train::Train;

use address::Family;
use ourselves::{OF_PROCESS, Ourselves, Sockets};
use socket::{Socket, tell_addresses};

use crate::{Drain, Endpoint, Fault, Place, Scheme, bind::bind_datagrams};

/// A bound socket on which datagrams arrive. Belongs to no runtime yet.
#[derive(Debug)]
pub struct DatagramListener {
    socket: std::net::UdpSocket,
    local: Arc<Endpoint>,
}

/// A socket that hears datagrams, waited at by the runtime that opened it: by one task at a time. What says
/// that it comes from this very socket, or from another of this process, is dropped: answered, it would be
/// for ever.
#[derive(Debug)]
pub struct Datagrams {
    socket: Socket,
    local: Arc<Endpoint>,
    ourselves: Ourselves,
}

/// Answers the datagrams of a listener.
pub trait DatagramService: Debug + Send + Sync + 'static {
    /// Hears and answers until told to stop. `socket` is kept for a successor: datagrams that come
    /// meanwhile wait in it.
    ///
    /// # Errors
    ///
    /// The [`Fault`] that keeps it from going on. What one sender does is no such fault.
    fn serve(
        &self,
        socket: Arc<Datagrams>,
        drain: Drain,
    ) -> impl Future<Output = Result<(), Fault>> + Send;
}

/// A [`DatagramService`] whose type is forgotten. Implemented for every [`DatagramService`].
pub trait DynDatagramService: Debug + Send + Sync + 'static {
    /// See [`DatagramService::serve`].
    fn serve_boxed(
        &self,
        socket: Arc<Datagrams>,
        drain: Drain,
    ) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>>;
}

impl<S: DatagramService> DynDatagramService for S {
    fn serve_boxed(
        &self,
        socket: Arc<Datagrams>,
        drain: Drain,
    ) -> Pin<Box<dyn Future<Output = Result<(), Fault>> + Send + '_>> {
        Box::pin(self.serve(socket, drain))
    }
}

impl DatagramListener {
    /// Binds `endpoint`, which is of datagrams. Blocks while a name is resolved.
    ///
    /// # Errors
    ///
    /// What the system says, or [`ErrorKind::Unsupported`] for an endpoint of streams.
    pub fn bind(endpoint: &Endpoint) -> io::Result<Self> {
        let (Scheme::Udp, Place::Net(at)) = (endpoint.scheme, &endpoint.place) else {
            return Err(ErrorKind::Unsupported.into());
        };
        Self::of(bind_datagrams(at)?.into(), endpoint)
    }

    /// Takes over a socket that another process bound for us (socket activation).
    ///
    /// # Errors
    ///
    /// What the system says of the descriptor.
    pub fn adopt(socket: OwnedFd, endpoint: &Endpoint) -> io::Result<Self> {
        Self::of(socket.into(), endpoint)
    }

    fn of(socket: std::net::UdpSocket, endpoint: &Endpoint) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let bound = socket.local_addr()?;
        if bound.ip().is_unspecified() {
            // An answer from another address than the asked one is none. Before anything comes: later
            // is too late for that.
            tell_addresses(socket.as_fd(), Family::of(bound))?;
        }
        let mut endpoint = endpoint.clone();
        if let Place::Net(at) = &mut endpoint.place {
            at.port = bound.port();
        }
        Ok(Self { socket, local: Arc::new(endpoint) })
    }

    /// Where it hears, with the port the kernel chose if none was asked for.
    pub fn local(&self) -> &Endpoint {
        &self.local
    }

    /// Waits at the socket on behalf of the current runtime. A successor may open it again, once
    /// what was opened before is not waited at any more.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn open(&self) -> io::Result<Datagrams> {
        self.open_among(&OF_PROCESS)
    }

    /// The same, as one of these.
    fn open_among(&self, ours: &'static Sockets) -> io::Result<Datagrams> {
        let (socket, local) = (self.socket.try_clone()?, Arc::clone(&self.local));
        // As much as the system has for one socket: what comes while we are busy waits there.
        _ = SockRef::from(&socket).set_recv_buffer_size(WAITING_BYTES);
        let at = socket.local_addr()?;
        let socket = Socket::open(socket, at)?;
        Ok(Datagrams { socket, local, ourselves: Ourselves::at(at, ours) })
    }
}

/// How much of the system's memory datagrams may have that wait to be heard, overhead included.
const WAITING_BYTES: usize = 4 * 1024 * 1024;

impl Datagrams {
    /// Where it hears.
    pub fn local(&self) -> &Arc<Endpoint> {
        &self.local
    }

    /// Waits for datagrams, and hears all that are there and have room in `batch`.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn hear_batch(&self, batch: &mut Batch) -> io::Result<()> {
        loop {
            self.ready().await?;
            if self.try_hear(batch)? == Word::Datagrams {
                return Ok(());
            }
        }
    }

    /// Waits until [`Datagrams::try_hear`] may hear something. For one task at a time, the one that hears.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// What the system says. It is no more good then.
    pub async fn ready(&self) -> io::Result<()> {
        self.socket.ready().await
    }

    /// Hears all that are there and have room in `batch`.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn try_hear(&self, batch: &mut Batch) -> io::Result<Word> {
        match self.socket.receive(batch) {
            Ok(()) => {
                let judge = self.ourselves.judge();
                batch.leave_out(|port| judge.knows(port), |from, at| judge.is_forged(from, at));
                Ok(Word::Datagrams)
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(Word::Silence),
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(Word::Silence),
            Err(error) => Err(error),
        }
    }

    /// Has [`Datagrams::ready`] return at once until nothing is there (busy polling): each time it lets the
    /// runtime's other tasks go on, and that is all.
    ///
    /// For who answers many senders at a time: it saves some 5 % of an answer. To begin and to end it costs
    /// as much as is saved on some ten.
    pub fn keep_polling(&self) {
        self.socket.keep_polling();
    }

    /// Sends `outgoing` in their order. Waits for nothing: what cannot go now is dropped.
    ///
    /// *Cost*: neighbours of one length for one receiver are one to the system, which may save half
    /// of the time: who has many does well to send those for one receiver one after the other.
    pub fn send_batch<'a>(&self, outgoing: impl IntoIterator<Item = Outgoing<'a>>) -> Sent {
        let loads = outgoing.into_iter();
        self.socket.send(loads.map(|Outgoing { train, to, from }| (train, Some(to), from)))
    }

    /// Waits for a datagram. What does not fit `buffer` is cut.
    ///
    /// For who has time: one datagram, one system call. Not together with [`Datagrams::ready`]:
    /// what comes in trains from then on cannot be told here.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// What the system says; [`ErrorKind::Unsupported`] if trains are heard, [`ErrorKind::InvalidInput`]
    /// if `buffer` is empty.
    pub async fn hear(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        loop {
            let (length, from, at) = self.socket.hear(buffer).await?;
            if !self.ourselves.judge().is_forged(from, at) {
                return Ok((length, from));
            }
        }
    }

    /// How many datagrams were dropped that said they come from this socket, or another of this process.
    pub fn forged(&self) -> u64 {
        self.ourselves.count()
    }

    /// Sends a datagram to `to`.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        self.socket.send_to(datagram, to).await
    }
}

#[cfg(test)]
mod tests;
