//! Bytes that go from one socket to another through a pipe, and never come to our memory.

use std::{
    io::{self, ErrorKind},
    os::fd::{AsFd, BorrowedFd},
    task::{Context, Poll, ready},
};

use tokio::{
    io::Interest,
    net::{TcpStream, UnixStream},
};

use super::Stream;
use crate::Pipe;

/// A socket that carries just what is spoken on it.
#[derive(Clone, Copy)]
enum Plain<'a> {
    Tcp(&'a TcpStream),
    Unix(&'a UnixStream),
}

impl Stream {
    /// Whether what its socket carries is what is spoken, so that the system can move it.
    pub fn is_plain(&self) -> bool {
        self.plain().is_some()
    }

    fn plain(&self) -> Option<Plain<'_>> {
        match self {
            Self::Tcp(socket) => Some(Plain::Tcp(socket)),
            Self::Unix(socket) => Some(Plain::Unix(socket)),
            Self::Tls(_) | Self::Within(_) | Self::Memory(_) => None,
        }
    }

    /// Moves at most `bytes_max` that came into `pipe`, which is empty: how many, 0 at their end.
    ///
    /// # Errors
    ///
    /// The connection's; [`ErrorKind::Unsupported`] if it is not [plain](Self::is_plain).
    pub fn poll_into(
        &self,
        cx: &mut Context<'_>,
        pipe: &Pipe,
        bytes_max: usize,
    ) -> Poll<io::Result<usize>> {
        let Some(plain) = self.plain() else { return Poll::Ready(Err(unsupported())) };
        plain.poll_io(cx, Interest::READABLE, || pipe.fill_from(plain, bytes_max))
    }

    /// Takes some of the `bytes` that are in `pipe`: how many, at least one.
    ///
    /// # Errors
    ///
    /// The connection's; [`ErrorKind::Unsupported`] if it is not [plain](Self::is_plain).
    pub fn poll_out_of(
        &self,
        cx: &mut Context<'_>,
        pipe: &Pipe,
        bytes: usize,
    ) -> Poll<io::Result<usize>> {
        let Some(plain) = self.plain() else { return Poll::Ready(Err(unsupported())) };
        plain.poll_io(cx, Interest::WRITABLE, || pipe.empty_to(plain, bytes))
    }
}

fn unsupported() -> io::Error {
    ErrorKind::Unsupported.into()
}

impl Plain<'_> {
    /// Does `work` once the socket has what it is `interest`ed in.
    fn poll_io(
        self,
        cx: &mut Context<'_>,
        interest: Interest,
        work: impl Fn() -> io::Result<usize>,
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.poll_ready(cx, interest))?;
            let done = match self {
                Self::Tcp(socket) => socket.try_io(interest, &work),
                Self::Unix(socket) => socket.try_io(interest, &work),
            };
            match done {
                Err(error) if error.kind() == ErrorKind::WouldBlock => (),
                done => return Poll::Ready(done),
            }
        }
    }

    fn poll_ready(self, cx: &mut Context<'_>, interest: Interest) -> Poll<io::Result<()>> {
        match (self, interest) {
            (Self::Tcp(socket), Interest::READABLE) => socket.poll_read_ready(cx),
            (Self::Unix(socket), Interest::READABLE) => socket.poll_read_ready(cx),
            (Self::Tcp(socket), _) => socket.poll_write_ready(cx),
            (Self::Unix(socket), _) => socket.poll_write_ready(cx),
        }
    }
}

impl AsFd for Plain<'_> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Tcp(socket) => socket.as_fd(),
            Self::Unix(socket) => socket.as_fd(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;
    use crate::stream::tests::tcp;

    fn unix() -> (Stream, Stream) {
        let (ours, theirs) = UnixStream::pair().unwrap();
        (Stream::Unix(ours), Stream::Unix(theirs))
    }

    #[tokio::test]
    async fn bytes_move_between_sockets_of_either_kind() {
        for ((mut client, near), (far, mut server)) in
            [(tcp().await, unix()), (unix(), tcp().await), (tcp().await, tcp().await)]
        {
            let pipe = Pipe::take().unwrap();
            client.write_all(b"hello").await.unwrap();
            assert_eq!(poll_fn(|cx| near.poll_into(cx, &pipe, 1 << 16)).await.unwrap(), 5);
            assert_eq!(poll_fn(|cx| far.poll_out_of(cx, &pipe, 5)).await.unwrap(), 5);
            let mut got = [0; 5];
            server.read_exact(&mut got).await.unwrap();
            assert_eq!(&got, b"hello");
            client.shutdown().await.unwrap();
            assert_eq!(poll_fn(|cx| near.poll_into(cx, &pipe, 1 << 16)).await.unwrap(), 0);
            pipe.put_back();
        }
    }

    #[tokio::test]
    async fn what_is_no_plain_socket_is_not_moved() {
        let pipe = Pipe::take().unwrap();
        let stream = Stream::Memory(duplex(8).0);
        assert!(!stream.is_plain());
        let moved = poll_fn(|cx| stream.poll_into(cx, &pipe, 8)).await.unwrap_err();
        assert_eq!(moved.kind(), ErrorKind::Unsupported);
        let moved = poll_fn(|cx| stream.poll_out_of(cx, &pipe, 8)).await.unwrap_err();
        assert_eq!(moved.kind(), ErrorKind::Unsupported);
    }
}
