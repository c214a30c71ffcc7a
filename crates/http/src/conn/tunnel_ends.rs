//! The two ends of a tunnel, and how they end: as one that broke, unless all was passed both ways. What
//! ends with its connection would else pass for the whole ([RFC 9113 §8.5]).
//!
//! [RFC 9113 §8.5]: https://www.rfc-editor.org/rfc/rfc9113#section-8.5

use relais_net::Stream;
use tokio::io::{AsyncRead, AsyncWrite};

/// An end that can be told from one that said all.
pub(super) trait End: AsyncRead + AsyncWrite + Unpin {
    /// Has it end as one that broke, once it is dropped.
    fn break_off(&mut self);
}

impl End for Stream {
    fn break_off(&mut self) {
        Self::break_off(self);
    }
}

/// Both ends. Broken off when this is dropped, unless [`Ends::are_done`].
pub(super) struct Ends<N: End> {
    pub(super) near: N,
    pub(super) far: Stream,
    done: bool,
}

impl<N: End> Ends<N> {
    pub(super) fn new(near: N, far: Stream) -> Self {
        Self { near, far, done: false }
    }

    /// All was passed both ways, and either knows.
    pub(super) fn are_done(&mut self) {
        self.done = true;
    }
}

impl<N: End> Drop for Ends<N> {
    fn drop(&mut self) {
        if !self.done {
            self.near.break_off();
            self.far.break_off();
        }
    }
}
