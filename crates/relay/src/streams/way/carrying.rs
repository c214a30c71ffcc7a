//! What comes next, copied or moved to where it goes.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use relais_net::{Pipe, Stream};
use relais_tap::Flow;
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use super::{Cut, Step, Tells, Way};
use crate::streams::{
    buffer::{Buffer, Size},
    untaken::{Piped, Untaken},
};

/// Fewer bytes than this are copied in less time than they are moved.
const MOVED_BYTES_MIN: usize = 16 << 10;

/// What is behind what was read.
enum Behind {
    /// The source's end.
    End,
    /// What broke the source off.
    Broken(io::Error),
    /// Nothing that is known yet.
    Unknown,
}

/// Reads on into `buffer` where that waits for nothing, as the end has come in: so it goes on together with
/// what was said before it.
fn read_behind(cx: &mut Context<'_>, source: &mut Stream, buffer: &mut Buffer) -> Behind {
    while !buffer.rest().is_empty() && source.is_end_in() {
        let mut room = ReadBuf::new(buffer.rest());
        match Pin::new(&mut *source).poll_read(cx, &mut room) {
            Poll::Ready(Ok(())) => match room.filled().len() {
                0 => return Behind::End,
                came => buffer.grew(came),
            },
            Poll::Ready(Err(error)) => return Behind::Broken(error),
            Poll::Pending => return Behind::Unknown,
        }
    }
    Behind::Unknown
}

impl Way {
    /// Copies what comes next.
    pub(super) fn poll_copy(
        &mut self,
        cx: &mut Context<'_>,
        (source, sink): (&mut Stream, &mut Stream),
        flow: &Flow,
    ) -> Poll<Result<(), Cut>> {
        let mut buffer = Buffer::take(self.size);
        let mut room = ReadBuf::new(buffer.room());
        ready!(Pin::new(&mut *source).poll_read(cx, &mut room)).map_err(Cut::Source)?;
        let came = room.filled().len();
        if came == 0 {
            self.step = Step::Ending;
            return Poll::Ready(Ok(()));
        }
        buffer.filled(came);
        let behind = match self.tells {
            Tells::Shutdown | Tells::Close => read_behind(cx, source, &mut buffer),
            // What comes after a reset looks like the end, and what waits for that would be lost.
            Tells::Reset => Behind::Unknown,
        };
        self.size = self.size.after(buffer.bytes().len());
        flow.bytes(self.direction, buffer.bytes());
        self.send(cx, (buffer, &behind), sink)?;
        match behind {
            Behind::Unknown => Poll::Ready(Ok(())),
            Behind::End => self.poll_end(cx, sink),
            Behind::Broken(error) => Poll::Ready(Err(Cut::Source(error))),
        }
    }

    /// Sends what came as far as the sink takes it.
    fn send(
        &mut self,
        cx: &mut Context<'_>,
        (mut buffer, behind): (Buffer, &Behind),
        sink: &mut Stream,
    ) -> Result<(), Cut> {
        let sent = match behind {
            Behind::End => sink.poll_write_last(cx, buffer.bytes()),
            Behind::Unknown | Behind::Broken(_) => Pin::new(sink).poll_write(cx, buffer.bytes()),
        };
        if let Poll::Ready(sent) = sent {
            let sent = sent.and_then(|sent| self.count(sent).map(|()| sent));
            buffer.took(sent.map_err(Cut::Sink)?);
        }
        if !buffer.bytes().is_empty() {
            self.untaken = Untaken::Bytes(buffer);
        }
        Ok(())
    }

    /// Has the system move what comes next.
    pub(super) fn poll_move(
        &mut self,
        cx: &mut Context<'_>,
        (source, sink): (&mut Stream, &mut Stream),
        pipe: Pipe,
    ) -> Poll<Result<(), Cut>> {
        let Poll::Ready(came) = source.poll_into(cx, &pipe, Pipe::BYTES) else {
            pipe.put_back();
            return Poll::Pending;
        };
        let came = came.map_err(Cut::Source)?;
        if came == 0 {
            pipe.put_back();
            self.step = Step::Ending;
            return Poll::Ready(Ok(()));
        }
        if came < MOVED_BYTES_MIN {
            self.size = Size::LEAST;
        }
        let mut piped = Piped::new(pipe, came);
        if let Poll::Ready(sent) = piped.poll_out(cx, sink) {
            let sent = sent.and_then(|sent| self.count(sent));
            sent.map_err(Cut::Sink)?;
        }
        self.untaken = piped.rest();
        Poll::Ready(Ok(()))
    }
}
