//! One direction of a relayed connection: what comes from a source is passed to a sink, and so is
//! its end.

use std::{
    cell::Cell,
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, ready},
};

use relais_net::{Pipe, Stream, after_others};
use relais_tap::{Direction, Flow};
use tokio::io::{AsyncRead as _, AsyncWrite as _, ReadBuf};

use super::{
    buffer::{Buffer, Size},
    shape::Shaping,
    shaped::{End, Failed, Shaped, Went},
};

/// How often and how much one direction passes before others have their turn.
const TURNS_MAX: usize = 16;
const TURN_BYTES_MAX: u64 = 1 << 20;

/// Fewer bytes than this are copied in less time than they are moved.
const MOVED_BYTES_MIN: usize = 16 << 10;

/// How many pipes with bytes in them may wait for sinks of one core: each is two descriptors, and the
/// system has only so much memory for all.
const PIPES_WAITING_MAX: usize = 32;

thread_local! {
    static PIPES_WAITING: Cell<usize> = const { Cell::new(0) };
}

/// One direction. Holds no memory while nothing waits in it.
#[derive(Debug)]
pub(super) struct Way {
    direction: Direction,
    held: Held,
    step: Step,
    size: Size,
    passed: u64,
    tells: Tells,
    /// What waits for its time, where bytes are not just passed on.
    shaped: Option<Box<Shaped>>,
}

/// What came, and was not taken yet.
#[derive(Debug)]
enum Held {
    Nothing,
    Bytes(Buffer),
    Piped(Piped),
}

/// A pipe and how many bytes are in it, at least one. Counted while it waits.
#[derive(Debug)]
struct Piped {
    pipe: Option<Pipe>,
    bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Passing,
    /// Its source has ended; the sink is to be told once it has taken all.
    Ending,
    Over,
}

/// How a sink is told that its source has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Tells {
    /// Of this direction alone.
    Shutdown,
    /// By what follows anyway, as the other direction is over: its socket is closed.
    Close,
}

/// Which end of a way broke.
#[derive(Debug)]
pub(super) enum Cut {
    Source(io::Error),
    Sink,
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
    /// A way on which `early` came already.
    pub(super) fn new(direction: Direction, early: Vec<u8>) -> Self {
        let held = if early.is_empty() { Held::Nothing } else { Held::Bytes(Buffer::of(early)) };
        Self {
            direction,
            held,
            step: Step::Passing,
            size: Size::LEAST,
            passed: 0,
            tells: Tells::Shutdown,
            shaped: None,
        }
    }

    /// Whether its source has ended, and its sink was told; or it was given up.
    pub(super) fn is_over(&self) -> bool {
        self.step == Step::Over
    }

    /// Bytes that were taken by the sink.
    pub(super) fn passed(&self) -> u64 {
        self.passed
    }

    /// The other direction is over: with this one the connection is.
    pub(super) fn is_last(&mut self) {
        self.tells = Tells::Close;
    }

    /// Passes nothing any more.
    pub(super) fn give_up(&mut self) {
        self.held = Held::Nothing;
        self.step = Step::Over;
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
                Step::Ending => {
                    ready!(self.poll_held(cx, sink)).map_err(|_| Cut::Sink)?;
                    if self.tells == Tells::Shutdown || !sink.is_plain() {
                        ready!(Pin::new(&mut *sink).poll_shutdown(cx)).map_err(|_| Cut::Sink)?;
                    }
                    self.step = Step::Over;
                    return Poll::Ready(Ok(()));
                }
                Step::Passing => {
                    ready!(self.poll_held(cx, sink)).map_err(|_| Cut::Sink)?;
                    ready!(self.poll_pass(cx, (source, sink), along))?;
                }
            }
            if self.passed - before >= TURN_BYTES_MAX {
                break;
            }
        }
        after_others(cx);
        Poll::Pending
    }

    /// Has the sink take all that is held.
    fn poll_held(&mut self, cx: &mut Context<'_>, sink: &mut Stream) -> Poll<io::Result<()>> {
        loop {
            let (sent, left) = match &mut self.held {
                // TLS keeps what the socket did not take.
                Held::Nothing => return Pin::new(sink).poll_flush(cx),
                Held::Bytes(buffer) => {
                    let sent = ready!(Pin::new(&mut *sink).poll_write(cx, buffer.bytes()))?;
                    buffer.took(sent);
                    (sent, buffer.bytes().len())
                }
                Held::Piped(piped) => {
                    let sent = ready!(piped.poll_out(cx, sink))?;
                    (sent, piped.bytes)
                }
            };
            self.count(sent)?;
            if left == 0 {
                self.let_go();
            }
        }
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
            let shaped = || Box::new(Shaped::new(self.direction, along.number, seed));
            let shaped = self.shaped.get_or_insert_with(shaped);
            let see = &mut |bytes: &[u8]| along.flow.bytes(self.direction, bytes);
            let went = ready!(shaped.poll(cx, ends, (shape.as_ref(), see)));
            return Poll::Ready(self.went(went));
        }
        let flow = along.flow;
        let is_moved = self.size.is_most() && ends.0.is_plain() && ends.1.is_plain();
        if is_moved && !flow.wants_bytes() && PIPES_WAITING.get() < PIPES_WAITING_MAX {
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
            Err(Failed::Sink) => return Err(Cut::Sink),
        }
        Ok(())
    }

    fn poll_copy(
        &mut self,
        cx: &mut Context<'_>,
        (source, sink): (&mut Stream, &mut Stream),
        flow: &Flow,
    ) -> Poll<Result<(), Cut>> {
        let mut buffer = Buffer::take(self.size);
        let mut room = ReadBuf::new(buffer.room());
        ready!(Pin::new(source).poll_read(cx, &mut room)).map_err(Cut::Source)?;
        let came = room.filled().len();
        if came == 0 {
            self.step = Step::Ending;
            return Poll::Ready(Ok(()));
        }
        buffer.filled(came);
        self.size = self.size.after(came);
        flow.bytes(self.direction, buffer.bytes());
        if let Poll::Ready(sent) = Pin::new(sink).poll_write(cx, buffer.bytes()) {
            let sent = sent.and_then(|sent| self.count(sent).map(|()| sent));
            buffer.took(sent.map_err(|_| Cut::Sink)?);
        }
        if !buffer.bytes().is_empty() {
            self.held = Held::Bytes(buffer);
        }
        Poll::Ready(Ok(()))
    }

    fn poll_move(
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
            sent.map_err(|_| Cut::Sink)?;
        }
        self.held = Held::Piped(piped);
        if matches!(&self.held, Held::Piped(piped) if piped.bytes == 0) {
            self.let_go();
        }
        Poll::Ready(Ok(()))
    }

    fn let_go(&mut self) {
        if let Held::Piped(mut piped) = std::mem::replace(&mut self.held, Held::Nothing)
            && let Some(pipe) = piped.pipe.take()
        {
            pipe.put_back();
        }
    }

    fn count(&mut self, sent: usize) -> io::Result<()> {
        if sent == 0 {
            return Err(ErrorKind::WriteZero.into());
        }
        self.passed += sent as u64;
        Ok(())
    }
}

impl Piped {
    fn new(pipe: Pipe, bytes: usize) -> Self {
        PIPES_WAITING.set(PIPES_WAITING.get() + 1);
        Self { pipe: Some(pipe), bytes }
    }

    fn poll_out(&mut self, cx: &mut Context<'_>, sink: &Stream) -> Poll<io::Result<usize>> {
        let Some(pipe) = &self.pipe else { return Poll::Ready(Ok(0)) };
        let sent = ready!(sink.poll_out_of(cx, pipe, self.bytes))?;
        self.bytes -= sent;
        Poll::Ready(Ok(sent))
    }
}

impl Drop for Piped {
    fn drop(&mut self) {
        PIPES_WAITING.set(PIPES_WAITING.get().saturating_sub(1));
    }
}
