//! The way in: who listens, and who calls.

use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
    sync::Arc,
};

use rustix::net::{SocketAddrAny, SocketFlags, acceptfrom_with};
use socket2::Socket;
use tokio::{
    io::{Interest, unix::AsyncFd},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::server::TlsStream;

use relais_wire::proxy_header::Told;

use crate::{
    Endpoint, Peer, Place, Stream,
    bind::{SocketFile, bind_net, bind_path},
    header,
    tls::{Acceptor, Session},
    waiting::wait_at,
};

/// A bound socket on which callers arrive. Belongs to no runtime yet.
#[derive(Debug)]
pub struct Listener {
    /// The file to remove at the end, for a Unix socket that we made.
    ///
    /// The first field, since it is dropped first: while the file is there, somebody listens. Were
    /// the socket closed before, a successor could take the file for forsaken, put its own in the
    /// place, and lose that to our removal.
    file: Option<SocketFile>,
    socket: Socket,
    local: Arc<Endpoint>,
    address: Option<SocketAddr>,
}

impl Listener {
    /// Binds `endpoint`, which is a stream's. After this the port is ours, and nothing is accepted.
    ///
    /// Blocks while a name is resolved.
    ///
    /// # Errors
    ///
    /// What the system says, or [`ErrorKind::Unsupported`] for an endpoint of datagrams.
    pub fn bind(endpoint: &Endpoint) -> io::Result<Self> {
        if endpoint.scheme == crate::Scheme::Udp {
            return Err(ErrorKind::Unsupported.into());
        }
        match &endpoint.place {
            Place::Path(path) => {
                let (socket, file) = bind_path(path)?;
                Self::of(OwnedFd::from(socket).into(), endpoint, Some(file))
            }
            Place::Net(at) => Self::of(bind_net(at)?, endpoint, None),
        }
    }

    /// Takes over a listening socket that another process bound for us (socket activation).
    ///
    /// # Errors
    ///
    /// What the system says of the descriptor.
    pub fn adopt(socket: OwnedFd, endpoint: &Endpoint) -> io::Result<Self> {
        Self::of(Socket::from(socket), endpoint, None)
    }

    fn of(socket: Socket, endpoint: &Endpoint, file: Option<SocketFile>) -> io::Result<Self> {
        socket.set_nonblocking(true)?;
        let (mut endpoint, mut address) = (endpoint.clone(), None);
        if let Place::Net(at) = &mut endpoint.place {
            // Callers inherit it from the listener: one system call less for each of them.
            socket.set_tcp_nodelay(true)?;
            address = socket.local_addr()?.as_socket();
            at.port = address.map_or(at.port, |bound| bound.port());
        }
        Ok(Self { file, socket, local: Arc::new(endpoint), address })
    }

    /// Where it listens, with the port the kernel chose if none was asked for.
    pub fn local(&self) -> &Endpoint {
        &self.local
    }

    /// The address that it is bound to, whatever name led there; a Unix socket has none.
    pub fn address(&self) -> Option<SocketAddr> {
        self.address
    }

    /// Waits at the socket on behalf of the current runtime.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn open(self) -> io::Result<Open> {
        let Self { file, socket, local, .. } = self;
        // Not tokio's own listeners: they would tie each caller to the runtime that accepts it.
        Ok(Open { _file: file, socket: wait_at(socket, Interest::READABLE)?, local })
    }
}

/// A listener that a runtime waits at.
#[derive(Debug)]
pub(crate) struct Open {
    /// Dropped first, as in [`Listener`].
    _file: Option<SocketFile>,
    socket: AsyncFd<Socket>,
    local: Arc<Endpoint>,
}

impl Open {
    pub(crate) fn local(&self) -> &Endpoint {
        &self.local
    }

    /// Waits for the next caller. Does no handshake, so a slow caller holds up nobody.
    ///
    /// Cancel safe: dropping the future loses no caller.
    ///
    /// # Errors
    ///
    /// What the system says. Most of it passes (`EMFILE`, `ECONNABORTED`): the listener stays good.
    pub(crate) async fn accept(&self) -> io::Result<Incoming> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (socket, from) = self
            .socket
            .async_io(Interest::READABLE, |socket| Ok(acceptfrom_with(socket, flags)?))
            .await?;
        Ok(Incoming { socket, peer: peer_of(from), local: Arc::clone(&self.local) })
    }
}

fn peer_of(from: Option<SocketAddrAny>) -> Peer {
    from.and_then(|from| SocketAddr::try_from(from).ok()).map_or(Peer::Local, Peer::at)
}

/// A caller at the door: accepted by the kernel, not yet by us. Belongs to no runtime yet.
#[derive(Debug)]
pub struct Incoming {
    socket: OwnedFd,
    peer: Peer,
    local: Arc<Endpoint>,
}

impl Incoming {
    /// Who calls.
    pub fn peer(&self) -> Peer {
        self.peer
    }

    /// Hears who calls, and for whom, on the current runtime: nothing else is known yet of what flows.
    ///
    /// # Errors
    ///
    /// [`HandshakeError::Failed`]. The caller is gone.
    pub async fn greet(self, header: Header) -> Result<Conn, HandshakeError> {
        let Self { socket, peer, local } = self;
        let stream = match peer {
            Peer::Net(_) => Stream::Tcp(TcpStream::from_std(socket.into())?),
            Peer::Local => Stream::Unix(UnixStream::from_std(socket.into())?),
        };
        let mut conn = Conn { stream, peer, called: None, local, tls: None };
        if header == Header::Expected {
            // Boxed: what is read goes, and its room with it.
            let told = Box::pin(header::take(&conn.stream)).await?;
            if let Told::Call { source, destination } = told {
                (conn.peer, conn.called) = (Peer::at(source), Some(destination));
            }
        }
        Ok(conn)
    }
}

/// Whether a caller tells first who called it (PROXY), before all else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Header {
    /// It does not: what it says is its own.
    None,
    /// It does, or is none of ours.
    Expected,
}

/// Looks at the first bytes and shakes hands if they are TLS'.
async fn shake(
    plain: TcpStream,
    acceptor: &Acceptor,
) -> Result<(TlsStream<TcpStream>, Session), HandshakeError> {
    // Not taken, only seen: one more system call, which is little beside a handshake.
    let mut first = [0; FIRST_BYTES_MAX];
    let seen = plain.peek(&mut first).await?;
    match first[..seen] {
        [] | [HANDSHAKE_RECORD, ..] => Ok(acceptor.accept(plain).await?),
        [..] => Err(HandshakeError::InTheClear { plain, first: first[..seen].into() }),
    }
}

/// How much is looked at of what a caller says first.
const FIRST_BYTES_MAX: usize = 16;

/// What every TLS connection starts with: a record's type (RFC 8446, section 5.1).
const HANDSHAKE_RECORD: u8 = 22;

/// Why a handshake came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum HandshakeError {
    /// What the system or the other side says.
    #[error(transparent)]
    Failed(#[from] io::Error),
    /// The first byte is none of TLS: likely somebody means another scheme.
    #[error("\"{}\" in place of a handshake: expected TLS", first.escape_ascii())]
    InTheClear {
        /// The caller, of whom nothing has been read.
        plain: TcpStream,
        /// What it said first: at most 16 bytes.
        first: Box<[u8]>,
    },
}

impl AsFd for Incoming {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket.as_fd()
    }
}

/// A caller we talk to.
#[derive(Debug)]
pub struct Conn {
    /// The bytes, in the clear.
    pub stream: Stream,
    /// Who called, perhaps as told by who passed the call on.
    pub peer: Peer,
    /// The address that was called, as told by who passed the call on.
    pub called: Option<SocketAddr>,
    /// Where the call came in: what was listened on, with the port the kernel chose if none was
    /// asked for.
    pub local: Arc<Endpoint>,
    /// What the handshake agreed on, if there is TLS under the stream.
    pub tls: Option<Session>,
}

impl Conn {
    /// Shakes hands where there is TLS, on the current runtime. A Unix socket never has any.
    ///
    /// # Errors
    ///
    /// [`HandshakeError`]; but for who spoke in the clear, the caller is gone.
    pub async fn shake(self, tls: Option<&Acceptor>) -> Result<Self, HandshakeError> {
        match (self.stream, tls) {
            (Stream::Tcp(plain), Some(acceptor)) => {
                // Boxed: the state of a handshake is large, and done with long before its connection is.
                let (stream, session) = Box::pin(shake(plain, acceptor)).await?;
                let stream = Stream::Tls(Box::new(stream.into()));
                Ok(Self { stream, tls: Some(session), ..self })
            }
            (stream, _) => Ok(Self { stream, ..self }),
        }
    }

    /// The address that was called, never one of IPv4 in IPv6 clothes; of a Unix socket there is none.
    pub fn destination(&self) -> Option<SocketAddr> {
        let called = self.called.or_else(|| self.stream.socket()?.local_addr().ok())?;
        Some(SocketAddr::new(called.ip().to_canonical(), called.port()))
    }
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::*;

    #[tokio::test]
    async fn a_port_of_0_is_replaced_by_the_one_the_kernel_chose() {
        let listener = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).unwrap();
        let port = listener.local().host_port().unwrap().port;
        assert_ne!(port, 0);
        assert_eq!(listener.address(), Some(SocketAddr::new([127, 0, 0, 1].into(), port)));
        let open = listener.open().unwrap();
        let mut client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut conn = open.accept().await.unwrap().greet(Header::None).await.unwrap();
        assert_eq!(conn.peer, Peer::Net(client.local_addr().unwrap()));
        conn.stream.write_all(b"hi").await.unwrap();
        drop(conn);
        let mut got = String::new();
        client.read_to_string(&mut got).await.unwrap();
        assert_eq!(got, "hi");
    }

    #[tokio::test]
    async fn who_is_called_over_ipv4_at_every_address_is_called_over_ipv4() {
        let listener = Listener::bind(&"tcp://:0".parse().unwrap()).unwrap();
        let port = listener.local().host_port().unwrap().port;
        let open = listener.open().unwrap();
        let _client = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let mut conn = open.accept().await.unwrap().greet(Header::None).await.unwrap();
        let at = |ip: &str| Some(SocketAddr::new(ip.parse().unwrap(), port));
        assert_eq!(conn.destination(), at("127.0.0.1"));
        conn.called = at("::ffff:192.0.2.1");
        assert_eq!(conn.destination(), at("192.0.2.1"));
    }

    /// A link to `folder` that the kernel takes a while to follow.
    fn long_way(folder: &Path) -> PathBuf {
        let step = |to: PathBuf, index: usize| {
            let link = folder.join(index.to_string());
            std::os::unix::fs::symlink(Path::new(&"./".repeat(1900)).join(to), &link).unwrap();
            PathBuf::from(index.to_string())
        };
        folder.join((0..30).fold(PathBuf::from("."), step))
    }

    #[test]
    fn a_socket_file_is_never_there_without_its_socket() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        // The removal takes this way, so that a socket closed before it would be seen.
        let way = long_way(folder.path()).join("s");
        let is_seen_forsaken = || {
            while std::os::unix::net::UnixStream::connect(&path).is_ok() {}
            path.exists()
        };
        let endpoint = Endpoint { scheme: crate::Scheme::Unix, place: Place::Path(way) };
        for _ in 0..10 {
            let listener = Listener::bind(&endpoint).unwrap();
            std::thread::scope(|scope| {
                let looking = scope.spawn(is_seen_forsaken);
                drop(listener);
                assert!(!looking.join().unwrap());
            });
        }
    }
}
