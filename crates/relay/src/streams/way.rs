//! One direction of a relayed connection: what comes from a source is passed to a sink, and so is
//! its end.

mod carrying;

use std::{
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use relais_net::{Pipe, Stream, after_others};
use relais_tap::{Direction, Flow};
use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, ReadBuf},
    time::Instant,
};

use super::{
    buffer::{Buffer, Size},
    shape::Shaping,
    shaped::{End, Failed, Shaped, Went},
    untaken::{Piped, Untaken},
};

/// How often and how much one direction passes before others have their turn.
const TURNS_MAX: usize = 16;
const TURN_BYTES_MAX: u64 = 1 << 20;

/// One direction. Holds no memory while nothing waits in it.
#[derive(Debug)]
pub(super) struct Way {
    direction: Direction,
    untaken: Untaken,
    step: Step,
    size: Size,
    passed: u64,
    tells: Tells,
    /// What waits for its time, where bytes are not just passed on.
    shaped: Option<Box<Shaped>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Passing,
    /// Its source has ended; the sink is to be told once it has taken all.
    Ending,
    Over,
    /// Its sink takes no more, and had its own say to the end: what still comes is thrown away, so
    /// that the source may hear that out.
    Discarding,
}

/// How a sink is told that its source has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    /// Of this direction alone.
    Shutdown,
    /// By what follows anyway, as the other direction is over: its socket is closed.
    Close,
    /// Not at all, as it was none: its socket is reset.
    Reset,
}

/// Which end of a way broke.
#[derive(Debug)]
pub(super) enum Cut {
    Source(io::Error),
    Sink(io::Error),
    /// Neither: it was to be reset here.
    Reset,
    /// Neither: it was to be closed here.
    Close,
}

/// What a connection has besides its ends.
#[derive(Clone, Copy, Debug)]
pub(super) struct Along<'a> {
    pub(super) flow: &'a Flow,
    pub(super) shaping: &'a Shaping,
    /// The how manyeth connection it is.
    pub(super) number: u64,
}

impl Way {
    /// A way on which `early` came already, and was shown.
    pub(super) fn new(direction: Direction, early: Vec<u8>, along: Along<'_>) -> Self {
        let mut way = Self {
            direction,
            untaken: Untaken::Nothing,
            step: Step::Passing,
            size: Size::LEAST,
            passed: 0,
            tells: Tells::Shutdown,
            shaped: None,
        };
        match along.shaping.now() {
            _ if early.is_empty() => (),
            Some(shape) => {
                way.shaped(along.number, shape.noise.seed).add(early, &shape, Instant::now());
            }
            None => way.untaken = Untaken::Bytes(Buffer::of(early)),
        }
        way
    }

    /// Whether its source has ended, and its sink was told; or it was given up.
    pub(super) fn is_over(&self) -> bool {
        self.step == Step::Over
    }

    /// Whether what comes is thrown away.
    pub(super) fn is_discarding(&self) -> bool {
        self.step == Step::Discarding
    }

    /// Whether its source was heard to the end.
    pub(super) fn has_ended(&self) -> bool {
        match self.step {
            Step::Ending | Step::Over => true,
            Step::Passing => self.shaped.as_ref().is_some_and(|shaped| shaped.has_ended()),
            Step::Discarding => false,
        }
    }

    /// Bytes that were taken by the sink.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// The other direction is over: with this one the connection is.
    pub(super) fn end_by_closing(&mut self) {
        if self.tells == Tells::Shutdown {
            self.tells = Tells::Close;
        }
    }

    /// Its source was reset, which is no more told by reading: what was read before goes on, and then
    /// comes no end.
    pub(super) fn end_by_reset(&mut self) {
        self.tells = Tells::Reset;
    }

    /// Passes nothing any more.
    pub(super) fn give_up(&mut self) {
        (self.untaken, self.shaped, self.step) = (Untaken::Nothing, None, Step::Over);
    }

    /// Passes nothing any more, but goes on to hear its source.
    pub(super) fn discard(&mut self) {
        self.give_up();
        self.step = Step::Discarding;
    }

    /// Passes what can be passed now; ready once it [is over](Self::is_over).
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        ends: (&mut Stream, &mut Stream),
        along: Along<'_>,
    ) -> Poll<Result<(), Cut>> {
        let (source, sink) = ends;
        let before = self.passed;
        for _ in 0..TURNS_MAX {
            match self.step {
                Step::Over => return Poll::Ready(Ok(())),
                Step::Passing => {
                    ready!(self.poll_untaken(cx, sink)).map_err(Cut::Sink)?;
                    ready!(self.poll_pass(cx, (source, sink), along))?;
                }
                Step::Ending => return self.poll_end(cx, sink),
                Step::Discarding => ready!(self.poll_discard(cx, source)).map_err(Cut::Source)?,
            }
            if self.passed - before >= TURN_BYTES_MAX {
                break;
            }
        }
        after_others(cx);
        Poll::Pending
    }

    /// Has the sink take all that waits for it.
    fn poll_untaken(&mut self, cx: &mut Context<'_>, sink: &mut Stream) -> Poll<io::Result<()>> {
        while let Some(sent) = ready!(self.untaken.poll_out(cx, sink))? {
            self.count(sent)?;
        }
        Poll::Ready(Ok(()))
    }

    /// Has the sink take all that waits for it, and tells it that its source has ended.
    fn poll_end(&mut self, cx: &mut Context<'_>, sink: &mut Stream) -> Poll<Result<(), Cut>> {
        self.step = Step::Ending;
        ready!(self.poll_untaken(cx, sink)).map_err(Cut::Sink)?;
        ready!(self.poll_tell(cx, sink)).map_err(Cut::Sink)?;
        self.step = Step::Over;
        Poll::Ready(Ok(()))
    }

    /// Tells the sink that its source has ended.
    fn poll_tell(&self, cx: &mut Context<'_>, sink: &mut Stream) -> Poll<io::Result<()>> {
        match self.tells {
            Tells::Reset => Poll::Ready(Ok(())),
            Tells::Close if sink.is_plain() => Poll::Ready(Ok(())),
            Tells::Close | Tells::Shutdown => Pin::new(sink).poll_shutdown(cx),
        }
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>, source: &mut Stream) -> Poll<io::Result<()>> {
        let mut buffer = Buffer::take(Size::LEAST);
        let mut room = ReadBuf::new(buffer.room());
        ready!(Pin::new(source).poll_read(cx, &mut room))?;
        if room.filled().is_empty() {
            self.step = Step::Over;
        }
        Poll::Ready(Ok(()))
    }

    fn shaped(&mut self, number: u64, seed: u64) -> &mut Shaped {
        let direction = self.direction;
        self.shaped.get_or_insert_with(|| Box::new(Shaped::new(direction, number, seed)))
    }

    /// Passes on what comes next.
    fn poll_pass(
        &mut self,
        cx: &mut Context<'_>,
        ends: (&mut Stream, &mut Stream),
        along: Along<'_>,
    ) -> Poll<Result<(), Cut>> {
        let shape = along.shaping.now();
        if self.shaped.is_some() || shape.is_some() {
            let seed = shape.map_or(0, |shape| shape.noise.seed);
            let direction = self.direction;
            let see = &mut |bytes: &[u8]| along.flow.bytes(direction, bytes);
            let shaped = self.shaped(along.number, seed);
            let went = ready!(shaped.poll(cx, ends, (shape.as_ref(), see)));
            return Poll::Ready(self.went(went));
        }
        let flow = along.flow;
        let is_moved = self.size.is_most() && ends.0.is_plain() && ends.1.is_plain();
        if is_moved && !flow.wants_bytes() && Piped::may_wait() {
            // Where no more files may be open, it is copied.
            if let Ok(pipe) = Pipe::take() {
                return self.poll_move(cx, ends, pipe);
            }
        }
        self.poll_copy(cx, ends, flow)
    }

    fn went(&mut self, went: Result<Went, Failed>) -> Result<(), Cut> {
        match went {
            Ok(Went::Sent(bytes)) => self.passed += bytes as u64,
            Ok(Went::Over(End::Source)) => self.step = Step::Ending,
            Ok(Went::Over(End::Reset)) => return Err(Cut::Reset),
            Ok(Went::Over(End::Close)) => return Err(Cut::Close),
            Ok(Went::Idle) => self.shaped = None,
            Err(Failed::Source(error)) => return Err(Cut::Source(error)),
            Err(Failed::Sink(error)) => return Err(Cut::Sink(error)),
        }
        Ok(())
    }

    fn count(&mut self, sent: usize) -> io::Result<()> {
        if sent == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        self.passed += sent as u64;
        Ok(())
    }
}
