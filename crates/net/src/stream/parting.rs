//! What is said last, and the end behind it: one packet, where both are there at once.

use std::{
    future::Future as _,
    io::{self, ErrorKind},
    pin::{Pin, pin},
    task::{Context, Poll, Waker, ready},
};

use rustix::net::{SendFlags, send};
use tokio::{
    io::{AsyncWrite as _, Interest},
    net::TcpStream,
};

use super::Stream;

impl Stream {
    /// Whether it is known that the other side has ended, or was reset, behind what is unread: to read on
    /// waits for nothing then. Of a TCP socket alone; of all else it is not known before it is read.
    ///
    /// *Cost*: no system call.
    pub fn is_end_in(&self) -> bool {
        let Self::Tcp(socket) = self else { return false };
        let ready = pin!(socket.ready(Interest::READABLE));
        let polled = ready.poll(&mut Context::from_waker(Waker::noop()));
        matches!(polled, Poll::Ready(Ok(ready)) if ready.is_read_closed())
    }

    /// Writes some of the last `bytes`, and has the system wait for the end, to be told right after: it goes
    /// in the same packet. What takes no such wish is written to as ever.
    ///
    /// # Errors
    ///
    /// The connection's.
    pub fn poll_write_last(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Tcp(socket) => poll_send_more(socket, cx, bytes),
            _ => Pin::new(self).poll_write(cx, bytes),
        }
    }
}

fn poll_send_more(
    socket: &TcpStream,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    let flags = SendFlags::MORE | SendFlags::NOSIGNAL;
    loop {
        ready!(socket.poll_write_ready(cx))?;
        match socket.try_io(Interest::WRITABLE, || Ok(send(socket, bytes, flags)?)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => (),
            sent => return Poll::Ready(sent),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{future::poll_fn, time::Duration};

    use rustix::{
        io::Errno,
        net::{RecvFlags, recv},
    };
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt, duplex},
        net::UnixStream,
        time::timeout,
    };

    use super::*;
    use crate::stream::tests::tcp;

    #[tokio::test]
    async fn an_end_is_known_while_what_was_said_before_it_is_unread() {
        let (mut ours, mut theirs) = tcp().await;
        theirs.write_all(b"last").await.unwrap();
        ours.socket().unwrap().peek(&mut [0]).await.unwrap();
        assert!(!ours.is_end_in());
        theirs.shutdown().await.unwrap();
        let is_known = async {
            while !ours.is_end_in() {
                tokio::task::yield_now().await;
            }
        };
        timeout(Duration::from_secs(5), is_known).await.unwrap();
        let mut heard = String::new();
        ours.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "last");
        assert!(ours.is_end_in());
    }

    #[tokio::test]
    async fn of_what_is_no_tcp_socket_no_end_is_known() {
        let (ours, theirs) = UnixStream::pair().unwrap();
        drop(theirs);
        assert!(!Stream::Unix(ours).is_end_in());
        assert!(!Stream::Memory(duplex(8).0).is_end_in());
    }

    #[tokio::test]
    async fn what_is_said_last_comes_with_the_end() {
        let (mut ours, mut theirs) = tcp().await;
        assert_eq!(poll_fn(|cx| ours.poll_write_last(cx, b"last")).await.unwrap(), 4);
        let peek =
            recv(theirs.socket().unwrap(), &mut [0; 8][..], RecvFlags::PEEK | RecvFlags::DONTWAIT);
        assert_eq!(peek, Err(Errno::AGAIN), "it waits for the end");
        ours.shutdown().await.unwrap();
        let mut heard = String::new();
        theirs.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "last");
        let (near, mut far) = duplex(8);
        let mut near = Stream::Memory(near);
        assert_eq!(poll_fn(|cx| near.poll_write_last(cx, b"last")).await.unwrap(), 4);
        drop(near);
        far.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "lastlast");
    }
}
