//! Puts the little writes of one turn of an HTTP/2 connection together.
//!
//! h2 flushes after every frame of data. Sixteen answers that are ready at once would be sixteen
//! TLS records and sixteen system calls; here they are one or two. Nothing waits for it: what was
//! written while the connection was polled leaves when that poll ends.

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::transport::Transport;

/// From how many bytes on a write is not worth copying: it fills half a TLS record by itself.
const LITTLE_BYTES_MAX: usize = 8 * 1024;

/// How many bytes are put together at most: two TLS records.
const BATCH_BYTES_MAX: usize = 32 * 1024;

/// A transport that keeps little writes until [`Batched::poll_leave`].
///
/// Two handles, one for hyper and one for who polls it. Both are used in one task, so the lock
/// never waits.
#[derive(Clone, Debug)]
pub(super) struct Batched {
    shared: Arc<Mutex<Batch>>,
}

#[derive(Debug)]
struct Batch {
    transport: Transport,
    /// `left <= kept.len()`: the bytes from `left` on have not left yet.
    kept: Vec<u8>,
    left: usize,
}

impl Batched {
    pub(super) fn new(transport: Transport) -> Self {
        let batch = Batch { transport, kept: Vec::new(), left: 0 };
        Self { shared: Arc::new(Mutex::new(batch)) }
    }

    /// Sends what is kept.
    pub(super) fn poll_leave(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut batch = self.lock();
        ready!(batch.poll_leave(cx))?;
        Pin::new(&mut batch.transport).poll_flush(cx)
    }

    /// See [`Transport::reset`].
    pub(super) fn reset(&self) {
        self.lock().transport.reset();
    }

    fn lock(&self) -> MutexGuard<'_, Batch> {
        // A panic in another of the connection's polls ends the connection, not this handle.
        self.shared.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    fn poll_leave(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while self.left < self.kept.len() {
            let rest = &self.kept[self.left..];
            match ready!(Pin::new(&mut self.transport).poll_write(cx, rest))? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                bytes => self.left += bytes,
            }
        }
        self.left = 0;
        // An idle connection holds no memory for what it may write one day.
        self.kept = Vec::new();
        Poll::Ready(Ok(()))
    }
}

impl AsyncRead for Batched {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.lock().transport).poll_read(cx, buf)
    }
}

impl AsyncWrite for Batched {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let mut batch = self.lock();
        let bytes: usize = bufs.iter().map(|slice| slice.len()).sum();
        let is_little = bytes <= LITTLE_BYTES_MAX;
        if !is_little || batch.kept.len() + bytes > BATCH_BYTES_MAX {
            ready!(batch.poll_leave(cx))?;
        }
        if !is_little {
            return Pin::new(&mut batch.transport).poll_write_vectored(cx, bufs);
        }
        for slice in bufs {
            batch.kept.extend_from_slice(slice);
        }
        Poll::Ready(Ok(bytes))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    /// Does nothing: what is kept leaves at the end of the poll.
    fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut batch = self.lock();
        ready!(batch.poll_leave(cx))?;
        Pin::new(&mut batch.transport).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use relais_net::Stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    use super::{super::pulse::Pulse, *};

    fn batched(room: usize) -> (Batched, tokio::io::DuplexStream) {
        let (far, near) = tokio::io::duplex(room);
        let transport = Transport::new(Stream::Memory(near), Arc::new(Pulse::new()), None);
        (Batched::new(transport), far)
    }

    #[tokio::test]
    async fn little_writes_leave_together_and_in_order() {
        let (batched, mut far) = batched(1 << 20);
        let mut hyper = batched.clone();
        hyper.write_all(b"one ").await.unwrap();
        hyper.flush().await.unwrap();
        hyper.write_all(b"two").await.unwrap();
        let mut got = [0; 64];
        assert!(at_once(far.read(&mut got)).await.is_none(), "nothing leaves by itself");
        poll_fn(|cx| batched.poll_leave(cx)).await.unwrap();
        let bytes = far.read(&mut got).await.unwrap();
        assert_eq!(&got[..bytes], b"one two");
    }

    #[tokio::test]
    async fn a_big_write_pushes_the_little_ones_before_it() {
        let (batched, mut far) = batched(1 << 20);
        let mut hyper = batched.clone();
        hyper.write_all(b"little").await.unwrap();
        hyper.write_all(&[b'b'; LITTLE_BYTES_MAX + 1]).await.unwrap();
        drop((hyper, batched));
        let mut got = Vec::new();
        far.read_to_end(&mut got).await.unwrap();
        assert!(got.starts_with(b"littleb") && got.len() == 6 + LITTLE_BYTES_MAX + 1);
    }

    #[tokio::test]
    async fn who_does_not_read_holds_up_the_writer_at_the_limit() {
        let (batched, _far) = batched(1);
        let mut hyper = batched.clone();
        let mut kept = 0;
        while let Some(wrote) = at_once(hyper.write(&[0; 1024])).await {
            kept += wrote.unwrap();
            assert!(kept <= BATCH_BYTES_MAX + 1024);
        }
    }

    /// What `future` gives without waiting.
    async fn at_once<F: Future>(future: F) -> Option<F::Output> {
        let mut future = std::pin::pin!(future);
        poll_fn(|cx| match future.as_mut().poll(cx) {
            Poll::Ready(output) => Poll::Ready(Some(output)),
            Poll::Pending => Poll::Ready(None),
        })
        .await
    }
}
