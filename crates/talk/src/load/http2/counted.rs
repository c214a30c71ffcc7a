//! A stream that counts what passes.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll},
};

use relais_net::Stream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How many bytes have passed, below HTTP and above TLS.
#[derive(Debug, Default)]
pub(super) struct Counts {
    received: AtomicU64,
    sent: AtomicU64,
    /// How many of both were told of. `told <= received`, and the same for `sent`.
    told_received: AtomicU64,
    told_sent: AtomicU64,
}

/// A stream, and what has passed on it.
#[derive(Debug)]
pub(super) struct Counted {
    stream: Stream,
    counts: Arc<Counts>,
}

impl Counts {
    /// How many bytes came.
    pub(super) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }

    /// How many came, and went out, since this was asked before. One core asks.
    pub(super) fn since_told(&self) -> (u64, u64) {
        let since = |all: &AtomicU64, told: &AtomicU64| {
            let all = all.load(Ordering::Relaxed);
            all - told.swap(all, Ordering::Relaxed)
        };
        (since(&self.received, &self.told_received), since(&self.sent, &self.told_sent))
    }
}

impl Counted {
    pub(super) fn new(stream: Stream, counts: Arc<Counts>) -> Self {
        Self { stream, counts }
    }

    fn note_sent(&self, sent: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(length)) = &sent {
            self.counts.sent.fetch_add(wide(*length), Ordering::Relaxed);
        }
        sent
    }
}

impl AsyncRead for Counted {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.stream).poll_read(cx, buffer);
        let length = buffer.filled().len() - before;
        self.counts.received.fetch_add(wide(length), Ordering::Relaxed);
        read
    }
}

impl AsyncWrite for Counted {
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
        slices: &[io::IoSlice<'_>],
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
