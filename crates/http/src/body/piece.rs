//! What bodies are made of.

use std::{
    os::fd::BorrowedFd,
    pin::Pin,
    task::{Context, Poll},
};

use bytes::Bytes;
use http::HeaderMap;
use relais_net::Fault;

use crate::FileSpan;

/// A part of a [`Body`](crate::Body).
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

    /// Whether they are of memory alone, and so many bytes as was said.
    fn are_of_memory(&self) -> bool {
        false
    }

    /// Moves the next bytes, at most `bytes_max`, from where they come to `pipe`, which is empty and does
    /// not block, instead of bringing them to memory; says how many. `None` where that cannot be done, or
    /// is not worth it: then there may be a next piece.
    fn poll_splice(
        self: Pin<&mut Self>,
        _cx: &mut Context<'_>,
        _pipe: BorrowedFd<'_>,
        _bytes_max: usize,
    ) -> Poll<Option<usize>> {
        Poll::Ready(None)
    }

    /// The trailers that came behind the last piece. Asked once, after `None`.
    fn trailers(self: Pin<&mut Self>) -> Option<HeaderMap> {
        None
    }
}
