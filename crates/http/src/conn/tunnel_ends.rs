//! The two ends of a tunnel, and how they end: as one that broke, unless all was passed both ways. What
//! ends with its connection would else pass for the whole ([RFC 9113 §8.5]).
//!
//! [RFC 9113 §8.5]: https://www.rfc-editor.org/rfc/rfc9113#section-8.5

use std::{
    io::{self, ErrorKind},
    task::Context,
};

use relais_net::Stream;
use rustix::{io::Errno, net::sockopt::socket_error};
use tokio::io::{AsyncRead, AsyncWrite};

/// An end that can be told from one that said all.
pub(super) trait End: AsyncRead + AsyncWrite + Unpin {
    /// Has it end as one that broke, once it is dropped.
    fn break_off(&mut self);

    /// Whether `error`, of a write, says no more than that it takes nothing more: it may not have been
    /// heard to its end. `has_ended` says whether it was.
    fn is_deaf_after(&self, error: &io::Error, has_ended: bool) -> bool;

    /// Whether it has not taken all that was written, as far as can be told.
    fn has_unsent(&self) -> bool;

    /// Whether it is gone, which is asked where it is not read.
    fn is_gone(&mut self, cx: &mut Context<'_>) -> bool;
}

impl End for Stream {
    fn break_off(&mut self) {
        Self::break_off(self);
    }

    /// Whose end came before it was reset says so (EPIPE). Else a socket tells once that it was reset, and
    /// was just heard: reading on, that would look like its end. TLS' own end is not to be mistaken.
    fn is_deaf_after(&self, error: &io::Error, has_ended: bool) -> bool {
        let is_after_its_end = matches!(
            error.kind(),
            ErrorKind::BrokenPipe | ErrorKind::NotConnected | ErrorKind::WriteZero
        );
        has_ended || is_after_its_end || !self.is_plain()
    }

    fn has_unsent(&self) -> bool {
        Self::has_unsent(self)
    }

    /// It was reset, or is not heard of for too long. Not one whose end came before that: what it said is all
    /// there. What else a socket says, of the way to it, it gets over.
    fn is_gone(&mut self, _cx: &mut Context<'_>) -> bool {
        let Some(socket) = self.socket() else { return false };
        matches!(socket_error(socket), Ok(Err(Errno::CONNRESET | Errno::TIMEDOUT)))
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

    /// Neither is to be told that the other broke.
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
