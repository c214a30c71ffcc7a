//! Connections on which nothing is expected: those kept for the next use.

use std::{
    io::{self, ErrorKind, Read},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use rustix::{fd::AsFd, net::RecvFlags};
use rustls::{ConnectionCommon, SideData};
use tokio::{
    io::{AsyncRead, Interest, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::TlsStream;

use super::Stream;

/// What became of a connection on which nothing is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Nothing came: as far as can be told it may be used. The other side may close it in this very
    /// moment; who uses it must be ready to try another.
    Quiet,
    /// Bytes came that nobody asked for. Whatever is said on it next, they would be taken for the
    /// answer: it must not be used.
    Spoke,
    /// The other side closed it, or it broke.
    Gone,
}

/// How often an idle TLS connection is read from at once. What is no content, as tickets are, may
/// come; who sends more than that is not idle.
const TLS_READS_MAX: usize = 8;

impl Stream {
    /// Looks whether anything came on a connection on which nothing is expected, without taking any
    /// content. What the runtime has not seen yet is not seen here.
    ///
    /// *Cost*: no system call where nothing came.
    pub fn idle(&mut self) -> Idle {
        match self {
            Self::Tcp(socket) => judge(socket.try_io(Interest::READABLE, || peek(&*socket))),
            Self::Unix(socket) => judge(socket.try_io(Interest::READABLE, || peek(&*socket))),
            Self::Tls(stream) => match &mut **stream {
                TlsStream::Client(stream) => {
                    let (socket, connection) = stream.get_mut();
                    tls_idle(socket, connection)
                }
                TlsStream::Server(stream) => {
                    let (socket, connection) = stream.get_mut();
                    tls_idle(socket, connection)
                }
            },
            Self::Within(stream) => now(&mut **stream),
            Self::Memory(pipe) => now(pipe),
        }
    }

    /// Waits until a connection is no longer [quiet](Idle::Quiet), and tells why.
    ///
    /// Cancel safe.
    pub async fn stirred(&mut self) -> Idle {
        loop {
            let idle = self.idle();
            if idle != Idle::Quiet {
                return idle;
            }
            let readable = match self {
                Self::Tcp(socket) => socket.readable().await,
                Self::Unix(socket) => socket.readable().await,
                Self::Tls(stream) => stream.get_ref().0.readable().await,
                Self::Within(stream) => {
                    return std::future::poll_fn(|cx| take(&mut **stream, cx)).await;
                }
                Self::Memory(pipe) => return std::future::poll_fn(|cx| take(pipe, cx)).await,
            };
            if readable.is_err() {
                return Idle::Gone;
            }
        }
    }
}

fn peek(socket: impl AsFd) -> io::Result<usize> {
    let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
    let (bytes, _) = rustix::net::recv(socket, &mut [0_u8; 1], flags)?;
    Ok(bytes)
}

fn judge(seen: io::Result<usize>) -> Idle {
    match seen {
        Ok(0) => Idle::Gone,
        Ok(_) => Idle::Spoke,
        Err(error) if error.kind() == ErrorKind::WouldBlock => Idle::Quiet,
        Err(_) => Idle::Gone,
    }
}

/// Reads what came of TLS itself, e.g. tickets, which a server may send at any time.
fn tls_idle<D: SideData>(socket: &TcpStream, connection: &mut ConnectionCommon<D>) -> Idle {
    for _ in 0..TLS_READS_MAX {
        match connection.process_new_packets() {
            Ok(state) if state.plaintext_bytes_to_read() > 0 => return Idle::Spoke,
            Ok(state) if !state.peer_has_closed() => {}
            _ => return Idle::Gone,
        }
        let read = socket.try_io(Interest::READABLE, || connection.read_tls(&mut Direct(socket)));
        match read {
            Ok(0) => return Idle::Gone,
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Idle::Quiet,
            Err(_) => return Idle::Gone,
        }
    }
    Idle::Spoke
}

/// A socket's bytes, taken without asking the runtime, which was asked already.
struct Direct<'a>(&'a TcpStream);

impl Read for Direct<'_> {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let (bytes, _) = rustix::net::recv(self.0, buf, RecvFlags::DONTWAIT)?;
        Ok(bytes)
    }
}

/// What [`take`] finds, without waiting.
fn now(pipe: &mut (impl AsyncRead + Unpin)) -> Idle {
    match take(pipe, &mut Context::from_waker(Waker::noop())) {
        Poll::Pending => Idle::Quiet,
        Poll::Ready(idle) => idle,
    }
}

/// A pipe cannot be looked into; a byte taken out of it is one that would have spoiled it anyway.
fn take(pipe: &mut (impl AsyncRead + Unpin), cx: &mut Context<'_>) -> Poll<Idle> {
    let mut byte = [0];
    let mut buf = ReadBuf::new(&mut byte);
    Pin::new(pipe).poll_read(cx, &mut buf).map(|read| judge(read.map(|()| buf.filled().len())))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        net::UnixStream,
    };

    use super::*;
    use crate::stream::tests::tcp;

    async fn each_kind() -> [(Stream, Stream); 3] {
        let (near, far) = UnixStream::pair().unwrap();
        let unix = (Stream::Unix(near), Stream::Unix(far));
        let (near, far) = duplex(64);
        [tcp().await, unix, (Stream::Memory(near), Stream::Memory(far))]
    }

    #[tokio::test]
    async fn where_nothing_came_is_quiet() {
        for (mut ours, mut theirs) in each_kind().await {
            assert_eq!(ours.idle(), Idle::Quiet);
            theirs.write_all(b"answer").await.unwrap();
            // All that came is read, whether the kernel was asked for more or not.
            for size in [2, 4] {
                ours.read_exact(&mut [0; 4][..size]).await.unwrap();
            }
            assert_eq!(ours.idle(), Idle::Quiet);
            assert_eq!(ours.idle(), Idle::Quiet);
        }
    }

    #[tokio::test]
    async fn who_speaks_unasked_is_noticed() {
        for (mut ours, mut theirs) in each_kind().await {
            theirs.write_all(b"HTTP/1.1 408 \r\n\r\n").await.unwrap();
            assert_eq!(ours.stirred().await, Idle::Spoke);
            assert_eq!(ours.idle(), Idle::Spoke);
        }
    }

    #[tokio::test]
    async fn who_goes_is_noticed() {
        for (mut ours, theirs) in each_kind().await {
            drop(theirs);
            assert_eq!(ours.stirred().await, Idle::Gone);
            assert_eq!(ours.idle(), Idle::Gone);
        }
        let (mut ours, theirs) = tcp().await;
        theirs.socket().unwrap().set_zero_linger().unwrap();
        drop(theirs);
        assert_eq!(ours.stirred().await, Idle::Gone);
    }

    #[tokio::test]
    async fn what_stirs_later_wakes_who_waits() {
        for (mut ours, mut theirs) in each_kind().await {
            let waiting = tokio::spawn(async move { ours.stirred().await });
            tokio::task::yield_now().await;
            theirs.write_all(b"x").await.unwrap();
            assert_eq!(waiting.await.unwrap(), Idle::Spoke);
        }
    }
}
