//! Datagrams: a socket that hears many senders, and what is done with what they send.

use std::{fmt::Debug, io, net::SocketAddr, os::fd::OwnedFd, pin::Pin, sync::Arc};

use tokio::net::UdpSocket;

use crate::{Drain, Endpoint, Fault, Place, Scheme, bind::bind_datagrams};

/// A bound socket on which datagrams arrive. Belongs to no runtime yet.
#[derive(Debug)]
pub struct DatagramListener {
    socket: std::net::UdpSocket,
    local: Arc<Endpoint>,
}

/// A socket that hears datagrams, waited at by the runtime that opened it.
#[derive(Debug)]
pub struct Datagrams {
    socket: UdpSocket,
    local: Arc<Endpoint>,
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
    /// What the system says, or [`io::ErrorKind::Unsupported`] for an endpoint of streams.
    pub fn bind(endpoint: &Endpoint) -> io::Result<Self> {
        let (Scheme::Udp, Place::Net(at)) = (endpoint.scheme, &endpoint.place) else {
            return Err(io::ErrorKind::Unsupported.into());
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
        let mut endpoint = endpoint.clone();
        if let Place::Net(at) = &mut endpoint.place {
            at.port = socket.local_addr()?.port();
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
        let socket = UdpSocket::from_std(self.socket.try_clone()?)?;
        Ok(Datagrams { socket, local: Arc::clone(&self.local) })
    }
}

impl Datagrams {
    /// Where it hears.
    pub fn local(&self) -> &Arc<Endpoint> {
        &self.local
    }

    /// Waits for a datagram. What does not fit `buffer` is cut.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn hear(&self, buffer: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket.recv_from(buffer).await
    }

    /// Sends a datagram to `to`.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub async fn send(&self, datagram: &[u8], to: SocketAddr) -> io::Result<()> {
        self.socket.send_to(datagram, to).await.map(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_datagram_comes_and_is_answered() {
        let listener = DatagramListener::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
        let port = listener.local().host_port().unwrap().port;
        let socket = listener.open().unwrap();
        let client = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        client.send_to(b"hi", ("127.0.0.1", port)).await.unwrap();
        let mut buffer = [0; 8];
        let (length, from) = socket.hear(&mut buffer).await.unwrap();
        assert_eq!((&buffer[..length], from), (&b"hi"[..], client.local_addr().unwrap()));
        socket.send(b"ho", from).await.unwrap();
        assert_eq!(client.recv(&mut buffer).await.unwrap(), 2);
    }

    #[test]
    fn streams_are_not_heard() {
        let error = DatagramListener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::Unsupported);
    }
}
