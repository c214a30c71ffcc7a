//! What bodies are made of.

use std::{
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

    /// The trailers that came behind the last piece. Asked once, after `None`.
    fn trailers(self: Pin<&mut Self>) -> Option<HeaderMap> {
        None
    }
}
