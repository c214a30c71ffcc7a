//! A stream that two write to: the session that has it, and who tells a room something while that session
//! waits. It is never both at once: see [`Outbox`](crate::outbox::Outbox).

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use relais_net::Stream;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

/// A stream, until its session [takes](Self::take) it to end it.
#[derive(Debug)]
pub(crate) struct Wire {
    stream: Mutex<Option<Stream>>,
}

impl Wire {
    pub(crate) fn new(stream: Stream) -> Arc<Self> {
        Arc::new(Self { stream: Mutex::new(Some(stream)) })
    }

    /// Gives what the system takes of `bytes` at once, if it is a socket in the clear: how many. An error
    /// is told who writes next.
    pub(crate) fn try_tell(&self, bytes: &[u8]) -> usize {
        let told = match &*self.stream() {
            Some(Stream::Tcp(socket)) => socket.try_write(bytes),
            Some(Stream::Unix(socket)) => socket.try_write(bytes),
            Some(Stream::Tls(_) | Stream::Within(_) | Stream::Memory(_)) | None => Ok(0),
        };
        told.unwrap_or(0)
    }

    /// Reads what is there.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn poll_read(
        &self,
        cx: &mut Context<'_>,
        room: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match &mut *self.stream() {
            Some(stream) => Pin::new(stream).poll_read(cx, room),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Gives all of `bytes`, and takes off their front what was given.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn poll_tell(
        &self,
        cx: &mut Context<'_>,
        bytes: &mut &[u8],
    ) -> Poll<io::Result<()>> {
        let mut stream = self.stream();
        let Some(stream) = &mut *stream else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        while !bytes.is_empty() {
            let told = ready!(Pin::new(&mut *stream).poll_write(cx, bytes))?;
            if told == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            *bytes = &bytes[told..];
        }
        Pin::new(stream).poll_flush(cx)
    }

    /// Does something with the stream, if it was not taken.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Stream) -> T) -> Option<T> {
        self.stream().as_ref().map(work)
    }

    /// Has it for oneself.
    pub(crate) fn take(&self) -> Option<Stream> {
        self.stream().take()
    }

    fn stream(&self) -> MutexGuard<'_, Option<Stream>> {
        // A stream in which something panicked says itself what it is worth.
        self.stream.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
