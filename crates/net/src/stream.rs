//! One duplex byte stream, whatever carries it.

use std::{
    future::pending,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
};

use rustls_pki_types::CertificateDer;
use tokio::{
    io::{AsyncRead, AsyncWrite, DuplexStream, Interest, ReadBuf},
    net::{TcpStream, UnixStream},
};
use tokio_rustls::TlsStream;

mod counted;
mod ending;
mod idle;
mod moving;
mod parting;

pub use counted::{ByteCounts, CountedStream};
pub use idle::Idle;

/// A connected stream in the clear.
///
/// An enum and not a `Box<dyn …>`: the kinds are few and ours, a relay and a file server want the
/// socket under it, and a test wants [`Stream::Memory`].
#[derive(Debug)]
pub enum Stream {
    /// A TCP socket.
    Tcp(TcpStream),
    /// TLS over a TCP socket, of either side. Boxed: it is ten times the size of the others.
    Tls(Box<TlsStream<TcpStream>>),
    /// TLS within the TLS of a proxy, which passes it on. To look [whether it is idle](Self::idle) takes
    /// a byte of what came: only for who does not use it again.
    Within(Box<TlsStream<Box<Stream>>>),
    /// A Unix socket.
    Unix(UnixStream),
    /// A pipe inside this process, for tests.
    Memory(DuplexStream),
}

impl Stream {
    /// The TCP socket, under TLS or in the clear, to set and to ask what a socket is asked.
    pub fn socket(&self) -> Option<&TcpStream> {
        match self {
            Self::Tcp(socket) => Some(socket),
            Self::Tls(stream) => Some(stream.get_ref().0),
            Self::Within(stream) => stream.get_ref().0.socket(),
            Self::Unix(_) | Self::Memory(_) => None,
        }
    }

    /// Waits until the connection is broken: it was reset, or is otherwise known to bring and take nothing
    /// more. Never ends for one that the other side merely said all on, or for which the system does not
    /// tell.
    ///
    /// Cancel safe.
    pub async fn broken(&self) {
        let broken = match self {
            Self::Unix(socket) => socket.ready(Interest::ERROR).await,
            _ => match self.socket() {
                Some(socket) => socket.ready(Interest::ERROR).await,
                None => pending().await,
            },
        };
        // What cannot be asked any more is broken, too.
        _ = broken;
    }

    /// The certificates that the other side showed, its own first; none without TLS.
    pub fn shown_chain(&self) -> &[CertificateDer<'static>] {
        match self {
            Self::Tls(stream) => stream.get_ref().1.peer_certificates().unwrap_or_default(),
            Self::Within(stream) => stream.get_ref().1.peer_certificates().unwrap_or_default(),
            Self::Tcp(_) | Self::Unix(_) | Self::Memory(_) => &[],
        }
    }
}

macro_rules! each {
    ($self:ident, $stream:ident => $call:expr) => {
        match $self.get_mut() {
            Stream::Tcp($stream) => $call,
            Stream::Tls($stream) => $call,
            Stream::Within($stream) => $call,
            Stream::Unix($stream) => $call,
            Stream::Memory($stream) => $call,
        }
    };
}

impl AsyncRead for Stream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_read(cx, buf))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write(cx, buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        each!(self, stream => Pin::new(stream).poll_write_vectored(cx, bufs))
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Tcp(stream) => stream.is_write_vectored(),
            Self::Tls(stream) => stream.is_write_vectored(),
            Self::Within(stream) => stream.is_write_vectored(),
            Self::Unix(stream) => stream.is_write_vectored(),
            Self::Memory(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_flush(cx))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        each!(self, stream => Pin::new(stream).poll_shutdown(cx))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{io::AsyncWriteExt as _, net::TcpListener, time::timeout};

    use super::*;

    /// Two ends of one connection.
    pub(super) async fn tcp() -> (Stream, Stream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let ours = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        (Stream::Tcp(ours), Stream::Tcp(listener.accept().await.unwrap().0))
    }

    #[tokio::test]
    async fn who_reset_a_connection_broke_it_and_who_said_all_did_not() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let stream = Stream::Tcp(listener.accept().await.unwrap().0);
        caller.shutdown().await.unwrap();
        assert!(timeout(Duration::from_millis(50), stream.broken()).await.is_err());
        caller.set_zero_linger().unwrap();
        drop(caller);
        stream.broken().await;
        let (ours, _theirs) = UnixStream::pair().unwrap();
        let ours = Stream::Unix(ours);
        assert!(timeout(Duration::from_millis(50), ours.broken()).await.is_err());
    }
}
