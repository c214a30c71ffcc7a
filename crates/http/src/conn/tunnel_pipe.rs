//! One direction of a tunnel: what comes from a source is passed to a sink, and so is its end.

use std::{
    cell::RefCell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use relais_net::after_others;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// How much is passed at a time, at most; what one side does not take of it is kept.
pub(super) const PASS_BYTES: usize = 64 * 1024;

thread_local! {
    /// Where bytes are read that are passed at once: an idle tunnel holds no memory for them.
    static PASSED: RefCell<Vec<u8>> = RefCell::new(vec![0; PASS_BYTES]);
}

/// One direction.
pub(super) struct Pipe {
    /// Came, and was not taken yet.
    unsent: Vec<u8>,
    step: Step,
    /// Its sink has not taken what came before, so its source is not heard.
    is_held_up: bool,
    /// Bytes at once, at most [`PASS_BYTES`].
    piece: usize,
    /// Bytes that were taken.
    pub(super) passed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Passing,
    /// Its source has ended; the sink is to be told once it has taken all.
    Ending,
    Over,
    /// Its sink takes no more. What still comes is thrown away: a socket that is closed with bytes unread is
    /// reset, and what its other side was sent last is lost.
    Discarding,
}

/// Which end of a pipe failed.
pub(super) enum Broken {
    /// Nothing that it said before is left here.
    Source(io::Error),
    Sink(io::Error),
}

impl Pipe {
    /// Begins with what came early.
    pub(super) fn new(early: &[u8], piece: usize) -> Self {
        let piece = piece.min(PASS_BYTES);
        Self { unsent: early.to_vec(), step: Step::Passing, is_held_up: false, piece, passed: 0 }
    }

    /// Whether its source was heard to the end.
    pub(super) fn has_ended(&self) -> bool {
        matches!(self.step, Step::Ending | Step::Over)
    }

    /// Whether it passes nothing any more.
    pub(super) fn is_done(&self) -> bool {
        matches!(self.step, Step::Over | Step::Discarding)
    }

    /// Whether it does not hear its source, as its sink has not taken what came before.
    pub(super) fn is_held_up(&self) -> bool {
        self.step == Step::Passing && self.is_held_up
    }

    /// Its source has gone.
    pub(super) fn end(&mut self) {
        self.step = Step::Over;
    }

    /// Passes nothing any more, but hears its source to the end.
    pub(super) fn discard(&mut self) {
        self.step = if self.has_ended() { Step::Over } else { Step::Discarding };
        self.unsent = Vec::new();
    }

    /// Passes what can be passed now.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut (impl AsyncRead + Unpin),
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<Result<(), Broken>> {
        // So many times, and others have their turn.
        for _ in 0..16 {
            match self.step {
                Step::Over => return Poll::Ready(Ok(())),
                Step::Passing => {
                    let taken = self.poll_unsent(cx, sink);
                    self.is_held_up = taken.is_pending();
                    ready!(taken).map_err(Broken::Sink)?;
                    ready!(self.poll_pass(cx, source, sink))?;
                }
                Step::Ending => {
                    ready!(self.poll_unsent(cx, sink)).map_err(Broken::Sink)?;
                    ready!(Pin::new(&mut *sink).poll_shutdown(cx)).map_err(Broken::Sink)?;
                    self.step = Step::Over;
                }
                Step::Discarding => {
                    ready!(self.poll_discard(cx, source)).map_err(Broken::Source)?;
                }
            }
        }
        after_others(cx);
        Poll::Pending
    }

    fn poll_unsent(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let next = &self.unsent[..self.unsent.len().min(self.piece)];
            let sent = ready!(Pin::new(&mut *sink).poll_write(cx, next))?;
            self.count(sent)?;
            self.unsent.drain(..sent);
        }
        if self.unsent.capacity() > 0 {
            self.unsent = Vec::new();
        }
        // TLS keeps what the socket did not take.
        Pin::new(sink).poll_flush(cx)
    }

    fn poll_pass(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut (impl AsyncRead + Unpin),
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<Result<(), Broken>> {
        PASSED.with_borrow_mut(|room| {
            let mut room = ReadBuf::new(&mut room[..self.piece]);
            ready!(Pin::new(source).poll_read(cx, &mut room)).map_err(Broken::Source)?;
            let came = room.filled();
            if came.is_empty() {
                self.step = Step::Ending;
                return Poll::Ready(Ok(()));
            }
            let sent = match Pin::new(sink).poll_write(cx, came) {
                Poll::Ready(sent) => sent.and_then(|sent| self.count(sent).map(|()| sent)),
                Poll::Pending => Ok(0),
            };
            self.unsent.extend_from_slice(&came[sent.map_err(Broken::Sink)?..]);
            Poll::Ready(Ok(()))
        })
    }

    fn poll_discard(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut (impl AsyncRead + Unpin),
    ) -> Poll<io::Result<()>> {
        PASSED.with_borrow_mut(|room| {
            let mut room = ReadBuf::new(&mut room[..self.piece]);
            ready!(Pin::new(source).poll_read(cx, &mut room))?;
            if room.filled().is_empty() {
                self.step = Step::Over;
            }
            Poll::Ready(Ok(()))
        })
    }

    fn count(&mut self, sent: usize) -> io::Result<()> {
        if sent == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.passed += sent as u64;
        Ok(())
    }
}
