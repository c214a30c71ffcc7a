//! What is written that is not in our memory: files, memory that is lent, bodies on their way.

use std::{
    io::{self, ErrorKind, IoSlice},
    task::{Context, Poll, ready},
};

use relais_cache::Pages;
use relais_net::Stream;

use super::Transport;
use crate::{
    Body,
    conn::{
        lend::poll_lend,
        placeholder::is_placeholder,
        send::{head_flags, poll_send},
        send_file::{Portion, Reader, poll_send_file},
        splice::{Moved, poll_splice},
    },
};

impl Transport {
    /// Writes the first of `slices`: memory, or some of the file behind a placeholder.
    pub(super) fn poll_write_mixed(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Stream::Tcp(stream) = &self.stream else {
            return Poll::Ready(Err(ErrorKind::Unsupported.into()));
        };
        let mut steps = self.pulse.steps();
        let Some(step) = steps.front_mut() else {
            return Poll::Ready(Err(io::Error::other("a placeholder without a file")));
        };
        if !is_placeholder(&slices[0]) {
            return poll_send(stream, cx, &slices[0], head_flags(step.span.len));
        }
        let reader = *self.reader.get_or_insert_with(|| Reader::of(stream));
        let portion = Portion::of_step(slices[0].len(), step, reader);
        let written = ready!(poll_send_file(stream, cx, step, portion));
        self.broken = written.as_ref().err().map(io::Error::kind);
        let written = written?;
        if step.span.len == 0 {
            let done = steps.pop_front();
            // Who is told of its end is not told under the lock.
            drop(steps);
            drop(done);
        }
        Poll::Ready(Ok(written))
    }

    /// Whether what is sent may be lent to the kernel.
    pub(in crate::conn) fn may_lend(&self) -> bool {
        matches!(self.stream, Stream::Tcp(_))
    }

    /// Sends some of `pages`, without a copy.
    pub(in crate::conn) fn poll_lend(
        &mut self,
        cx: &mut Context<'_>,
        pages: &Pages,
    ) -> Poll<io::Result<usize>> {
        let Stream::Tcp(stream) = &self.stream else {
            return Poll::Ready(Err(ErrorKind::Unsupported.into()));
        };
        let lent = poll_lend(stream, cx, pages);
        self.note_write(&lent);
        lent
    }

    /// Moves some of `body` without bringing it to memory; `None` if it has to be asked for pieces.
    pub(in crate::conn) fn poll_splice(
        &mut self,
        cx: &mut Context<'_>,
        body: &mut Body,
    ) -> Poll<io::Result<Option<Moved>>> {
        let Stream::Tcp(stream) = &self.stream else { return Poll::Ready(Ok(None)) };
        let Poll::Ready(is_free) = stream.poll_write_ready(cx) else {
            self.note_write(&Poll::Pending);
            return Poll::Pending;
        };
        is_free?;
        let moved = poll_splice(stream, cx, body);
        match &moved {
            Poll::Ready(Ok(Some(Moved { sent, .. }))) => self.note_write(&Poll::Ready(Ok(*sent))),
            Poll::Pending => self.waits_for_body(),
            Poll::Ready(_) => (),
        }
        moved
    }

    /// The client has taken all that there is: the next is not its turn.
    pub(in crate::conn) fn waits_for_body(&mut self) {
        self.write_waits = false;
        self.set_pulse();
    }
}
