//! What follows an answer's head: bytes in memory, spans of files, or pieces that come in time.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use relais_net::Fault;

use crate::FileSpan;

/// An answer's body. What it is made of stays visible to the connection, which sends a
/// [`Piece::File`] without bringing it to memory where it can.
pub struct Body {
    kind: Kind,
    /// How many bytes are still to come, if that is known.
    left: Option<u64>,
    /// Told how it ended.
    end: Option<Box<dyn FnOnce(Ended) + Send>>,
    sent: u64,
}

enum Kind {
    /// The usual answer from memory: one piece, no allocation. Empty once it is taken.
    Full(Bytes),
    Queue(VecDeque<Piece>),
    Stream(Pin<Box<dyn Pieces>>),
}

/// A part of a [`Body`].
#[derive(Debug)]
pub enum Piece {
    /// Bytes in memory.
    Bytes(Bytes),
    /// Bytes in a file.
    File(FileSpan),
}

impl Piece {
    /// How many bytes it has.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::File(span) => span.len,
        }
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Pieces that come in time, e.g. from an upstream.
pub trait Pieces: Send {
    /// Waits for the next piece; after `None` or a fault it is not asked again.
    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, Fault>>>;
}

/// How a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// All of it was handed to the connection: so many bytes.
    Whole(u64),
    /// It was given up after so many bytes.
    Short(u64),
}

impl Body {
    /// A body without bytes.
    pub fn empty() -> Self {
        Self::full(Bytes::new())
    }

    /// A body of one piece in memory.
    pub fn full(bytes: Bytes) -> Self {
        let left = Some(bytes.len() as u64);
        Self { kind: Kind::Full(bytes), left, end: None, sent: 0 }
    }

    /// A body of these pieces.
    pub fn of(pieces: impl IntoIterator<Item = Piece>) -> Self {
        let pieces: VecDeque<_> = pieces.into_iter().collect();
        let left = Some(pieces.iter().map(Piece::len).sum());
        Self { kind: Kind::Queue(pieces), left, end: None, sent: 0 }
    }

    /// A body whose pieces come in time; `len` bytes in all, if that is known.
    pub fn stream(pieces: impl Pieces + 'static, len: Option<u64>) -> Self {
        Self { kind: Kind::Stream(Box::pin(pieces)), left: len, end: None, sent: 0 }
    }

    /// Has `end` told once how the body ended: when all of it is taken, or when it is dropped.
    ///
    /// A second one is told after the first.
    pub fn on_end(&mut self, end: impl FnOnce(Ended) + Send + 'static) {
        self.end = Some(match self.end.take() {
            None => Box::new(end),
            Some(first) => Box::new(move |ended| {
                first(ended);
                end(ended);
            }),
        });
    }

    /// Whether it is one piece in memory, which others may be sent, too.
    pub fn is_in_memory(&self) -> bool {
        matches!(self.kind, Kind::Full(_))
    }

    /// How many bytes are still to come, if that is known.
    pub fn left(&self) -> Option<u64> {
        self.left
    }

    /// Waits for the next piece. Never an empty one.
    pub fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, Fault>>> {
        loop {
            let piece = match &mut self.kind {
                Kind::Full(bytes) if bytes.is_empty() => None,
                Kind::Full(bytes) => Some(Ok(Piece::Bytes(std::mem::take(bytes)))),
                Kind::Queue(pieces) => pieces.pop_front().map(Ok),
                Kind::Stream(pieces) => std::task::ready!(pieces.as_mut().poll_next(cx)),
            };
            match piece {
                Some(Ok(piece)) if piece.is_empty() => (),
                Some(Ok(piece)) => {
                    self.account(piece.len());
                    return Poll::Ready(Some(Ok(piece)));
                }
                Some(Err(fault)) => {
                    self.finish(Ended::Short(self.sent));
                    return Poll::Ready(Some(Err(fault)));
                }
                None => {
                    self.finish(Ended::Whole(self.sent));
                    return Poll::Ready(None);
                }
            }
        }
    }

    fn account(&mut self, bytes: u64) {
        self.sent += bytes;
        self.left = self.left.map(|left| left.saturating_sub(bytes));
        if self.left == Some(0) {
            self.finish(Ended::Whole(self.sent));
        }
    }

    fn finish(&mut self, ended: Ended) {
        if let Some(end) = self.end.take() {
            end(ended);
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let ended =
            if self.left == Some(0) { Ended::Whole(self.sent) } else { Ended::Short(self.sent) };
        self.finish(ended);
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("left", &self.left).finish_non_exhaustive()
    }
}
