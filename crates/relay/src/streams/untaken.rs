//! What came from a source and was not taken by its sink yet: in memory, or in a pipe.

use std::{
    cell::Cell,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use relais_net::{Pipe, Stream};
use tokio::io::AsyncWrite as _;

use super::buffer::Buffer;

/// How many pipes with bytes in them may wait for sinks of one core: each is two descriptors, and the
/// system has only so much memory for all.
const PIPES_WAITING_MAX: usize = 32;

thread_local! {
    static PIPES_WAITING: Cell<usize> = const { Cell::new(0) };
}

/// What came, and was not taken yet.
#[derive(Debug)]
pub(super) enum Untaken {
    Nothing,
    Bytes(Buffer),
    Piped(Piped),
}

/// A pipe and how many bytes are in it. Counted while it waits.
#[derive(Debug)]
pub(super) struct Piped {
    /// `None` only while it is put back.
    pipe: Option<Pipe>,
    bytes: usize,
}

impl Untaken {
    /// Has `sink` take some: how many, and how many are left. Where there is nothing, what the sink
    /// itself holds back is sent, and `None` given.
    pub(super) fn poll_out(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut Stream,
    ) -> Poll<io::Result<Option<usize>>> {
        let (sent, left) = match self {
            // TLS keeps what the socket did not take.
            Self::Nothing => return Pin::new(sink).poll_flush(cx).map_ok(|()| None),
            Self::Bytes(buffer) => {
                let sent = ready!(Pin::new(sink).poll_write(cx, buffer.bytes()))?;
                buffer.took(sent);
                (sent, buffer.bytes().len())
            }
            Self::Piped(piped) => {
                let sent = ready!(piped.poll_out(cx, sink))?;
                (sent, piped.bytes)
            }
        };
        if left == 0 {
            self.let_go();
        }
        Poll::Ready(Ok(Some(sent)))
    }

    /// Gives back what held it.
    fn let_go(&mut self) {
        if let Self::Piped(mut piped) = std::mem::replace(self, Self::Nothing)
            && let Some(pipe) = piped.pipe.take()
        {
            pipe.put_back();
        }
    }
}

impl Piped {
    /// Whether one more pipe may wait.
    pub(super) fn may_wait() -> bool {
        PIPES_WAITING.get() < PIPES_WAITING_MAX
    }

    pub(super) fn new(pipe: Pipe, bytes: usize) -> Self {
        PIPES_WAITING.set(PIPES_WAITING.get() + 1);
        Self { pipe: Some(pipe), bytes }
    }

    /// Has `sink` take some of what is in it: how many.
    pub(super) fn poll_out(
        &mut self,
        cx: &mut Context<'_>,
        sink: &Stream,
    ) -> Poll<io::Result<usize>> {
        let Some(pipe) = &self.pipe else { return Poll::Ready(Ok(0)) };
        let sent = ready!(sink.poll_out_of(cx, pipe, self.bytes))?;
        self.bytes -= sent;
        Poll::Ready(Ok(sent))
    }

    /// What is to wait of it: nothing if it is empty.
    pub(super) fn rest(self) -> Untaken {
        let is_empty = self.bytes == 0;
        let mut untaken = Untaken::Piped(self);
        if is_empty {
            untaken.let_go();
        }
        untaken
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        PIPES_WAITING.set(PIPES_WAITING.get().saturating_sub(1));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_pipes_wait_and_no_more() {
        let mut waiting = Vec::new();
        while Piped::may_wait() {
            waiting.push(Piped::new(Pipe::take().unwrap(), 1).rest());
        }
        assert_eq!(waiting.len(), PIPES_WAITING_MAX);
        // Nothing waits in an empty one.
        drop(waiting.pop());
        assert!(matches!(Piped::new(Pipe::take().unwrap(), 0).rest(), Untaken::Nothing));
        assert!(Piped::may_wait());
    }
}
