//! A stream that counts what passes.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::Stream;

/// How many bytes have passed on a stream, above TLS.
#[derive(Debug, Default)]
pub struct ByteCounts {
    received: AtomicU64,
    sent: AtomicU64,
}

impl ByteCounts {
    /// How many bytes came.
    pub fn received(&self) -> u64 {
        self.received.load(Relaxed)
    }

    /// How many went out.
    pub fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }
}

/// A stream, and what has passed on it.
#[derive(Debug)]
pub struct CountedStream {
    stream: Stream,
    passed: Arc<ByteCounts>,
}

impl CountedStream {
    /// Adds what passes on `stream` to `passed`.
    pub fn new(stream: Stream, passed: Arc<ByteCounts>) -> Self {
        Self { stream, passed }
    }

    fn note_sent(&self, sent: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(length)) = &sent {
            self.passed.sent.fetch_add(wide(*length), Relaxed);
        }
        sent
    }
}

impl AsyncRead for CountedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let length = buffer.filled().len() - before;
        self.passed.received.fetch_add(wide(length), Relaxed);
        read
    }
}

impl AsyncWrite for CountedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write(cx, bytes);
        self.note_sent(sent)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let sent = Pin::new(&mut self.stream).poll_write_vectored(cx, slices);
        self.note_sent(sent)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

fn wide(length: usize) -> u64 {
    u64::try_from(length).expect("a length in memory")
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    #[tokio::test]
    async fn what_passes_is_counted_each_way() {
        let (near, mut far) = duplex(16);
        let passed = Arc::<ByteCounts>::default();
        let mut near = CountedStream::new(Stream::Memory(near), Arc::clone(&passed));
        far.write_all(b"hello").await.unwrap();
        near.read_exact(&mut [0; 3]).await.unwrap();
        near.read_exact(&mut [0; 2]).await.unwrap();
        near.write_all(b"you").await.unwrap();
        drop(far);
        assert_eq!(near.read(&mut [0; 8]).await.unwrap(), 0, "an end is no byte");
        assert_eq!((passed.received(), passed.sent()), (5, 3));
    }
}
