//! A stream that two write to: the session that has it, and who tells a room something while that session
//! waits. It is never both at once: see [`Outbox`](crate::outbox::Outbox). What goes in part is kept here until
//! the rest of it went: nothing is written before that, whoever writes it.

use std::{
    io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use relais_net::Stream;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

/// A stream, until its session [takes](Self::take) it to end it.
#[derive(Debug)]
pub(crate) struct Wire {
    ends: Mutex<Ends>,
}

#[derive(Debug)]
struct Ends {
    stream: Option<Stream>,
    /// What is left of a frame that went in part.
    begun: Bytes,
}

/// What became of a frame that was to go at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Tried {
    /// It went.
    Whole,
    /// A part of it did; the rest goes before what is told next.
    InPart,
    /// Nothing did.
    Nothing,
}

impl Wire {
    pub(crate) fn new(stream: Stream) -> Arc<Self> {
        Arc::new(Self { ends: Mutex::new(Ends { stream: Some(stream), begun: Bytes::new() }) })
    }

    /// Gives what the system takes of `frame` at once, if it is a socket in the clear, and no other frame went
    /// in part. An error is told who writes next.
    pub(crate) fn try_tell(&self, frame: &Bytes) -> Tried {
        let mut ends = self.ends();
        if !ends.begun.is_empty() {
            return Tried::Nothing;
        }
        let told = match &ends.stream {
            Some(Stream::Tcp(socket)) => socket.try_write(frame),
            Some(Stream::Unix(socket)) => socket.try_write(frame),
            Some(Stream::Tls(_) | Stream::Within(_) | Stream::Memory(_)) | None => Ok(0),
        };
        match told {
            Ok(told) if told == frame.len() => Tried::Whole,
            Ok(0) | Err(_) => Tried::Nothing,
            Ok(told) => {
                ends.begun = frame.slice(told..);
                Tried::InPart
            }
        }
    }

    /// Whether the rest of a frame is yet to go.
    pub(crate) fn has_begun(&self) -> bool {
        !self.ends().begun.is_empty()
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
        match &mut self.ends().stream {
            Some(stream) => Pin::new(stream).poll_read(cx, room),
            None => Poll::Ready(Ok(())),
        }
    }

    /// Gives what is left of a frame that went in part, then all of `bytes`, and takes off their front what was
    /// given.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(crate) fn poll_tell(
        &self,
        cx: &mut Context<'_>,
        bytes: &mut &[u8],
    ) -> Poll<io::Result<()>> {
        let mut ends = self.ends();
        let Ends { stream: Some(stream), begun } = &mut *ends else {
            return Poll::Ready(Err(io::ErrorKind::NotConnected.into()));
        };
        while !begun.is_empty() {
            let told = ready!(poll_write(stream, cx, begun))?;
            begun.advance(told);
            if begun.is_empty() {
                // Of what is empty the memory is held, too.
                *begun = Bytes::new();
            }
        }
        while !bytes.is_empty() {
            let told = ready!(poll_write(stream, cx, bytes))?;
            *bytes = &bytes[told..];
        }
        Pin::new(stream).poll_flush(cx)
    }

    /// Does something with the stream, if it was not taken.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&Stream) -> T) -> Option<T> {
        self.ends().stream.as_ref().map(work)
    }

    /// Has it for oneself.
    pub(crate) fn take(&self) -> Option<Stream> {
        self.ends().stream.take()
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        // A stream in which something panicked says itself what it is worth.
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Gives some of `bytes`: how many, and at least one.
fn poll_write(stream: &mut Stream, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
    let told = ready!(Pin::new(stream).poll_write(cx, bytes))?;
    Poll::Ready(if told == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(told) })
}
