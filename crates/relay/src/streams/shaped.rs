//! One direction whose bytes are not just passed on: they wait here until their time has come.

use std::{
    cell::Cell,
    collections::VecDeque,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use relais_net::Stream;
use relais_tap::Direction;
use tokio::{
    io::{AsyncRead as _, AsyncWrite as _, ReadBuf},
    time::{Instant, Sleep, sleep_until},
};

use super::{
    buffer::{Buffer, Size},
    shape::{Bucket, Cuts, Shape},
};
use crate::shape::{Corruption, Random};

/// How many bytes that come later wait at most before no more are read: of one direction, and of all
/// that a core has. Who has nothing waiting may always read once, or it would never go on.
const WAITING_BYTES_MAX: usize = 1 << 20;
const WAITING_BYTES_A_CORE_MAX: usize = 64 << 20;

thread_local! {
    static WAITING_BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Bytes on their way, and what is done to them.
#[derive(Debug)]
pub(super) struct Shaped {
    direction: Direction,
    /// In the order in which they came, which is that of their times.
    waiting: VecDeque<Piece>,
    /// All of theirs. Counted in `WAITING_BYTES`, too.
    bytes: usize,
    /// Bytes that came in all.
    came: u64,
    /// When the end is due, and what it is.
    end: Option<(Instant, End)>,
    /// No piece is due before the one before it.
    last_due: Instant,
    bucket: Bucket,
    corruption: Corruption,
    random: Random,
    timer: Pin<Box<Sleep>>,
}

#[derive(Debug)]
struct Piece {
    due: Instant,
    bytes: Vec<u8>,
    /// How many of them went.
    sent: usize,
}

/// How a direction ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Its source has ended.
    Source,
    /// It was to be reset here.
    Reset,
    /// It was to be closed here.
    Close,
}

/// What came of trying to go on.
#[derive(Debug)]
pub(super) enum Went {
    /// So many bytes were sent.
    Sent(usize),
    /// All there was is sent, and this is how it ends.
    Over(End),
    /// There is nothing of it here any more, and nothing to be done to what comes.
    Idle,
}

/// Is shown what came.
type See<'s> = &'s mut dyn FnMut(&[u8]);

/// Which end failed.
#[derive(Debug)]
pub(super) enum Failed {
    Source(io::Error),
    Sink(io::Error),
}

impl Shaped {
    /// For one direction of the connection of this `number`.
    pub(super) fn new(direction: Direction, number: u64, seed: u64) -> Self {
        let now = Instant::now();
        Self {
            direction,
            waiting: VecDeque::new(),
            bytes: 0,
            came: 0,
            end: None,
            last_due: now,
            bucket: Bucket::new(now),
            corruption: Corruption::default(),
            random: Random::of(seed, number, direction),
            timer: Box::pin(sleep_until(now)),
        }
    }

    /// Whether its source was heard to the end.
    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some_and(|(_, end)| end == End::Source)
    }

    /// Takes what came, and sends what is due. `see` is shown what came.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        (source, sink): (&mut Stream, &mut Stream),
        (shape, see): (Option<&Shape>, See<'_>),
    ) -> Poll<Result<Went, Failed>> {
        let plain = Shape::default();
        if shape.is_none() && self.waiting.is_empty() && self.end.is_none() {
            return Poll::Ready(Ok(Went::Idle));
        }
        let shape = shape.unwrap_or(&plain);
        if let Poll::Ready(Err(error)) = self.poll_take(cx, source, (shape, see)) {
            return Poll::Ready(Err(Failed::Source(error)));
        }
        loop {
            let later = match self.poll_send(cx, sink, shape) {
                Poll::Ready(Ok(Ok(went))) => return Poll::Ready(Ok(went)),
                Poll::Ready(Ok(Err(later))) => later,
                Poll::Ready(Err(failed)) => return Poll::Ready(Err(failed)),
                Poll::Pending => return Poll::Pending,
            };
            let Some(later) = later else { return Poll::Pending };
            self.timer.as_mut().reset(later);
            if self.timer.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// Reads until nothing comes, or enough waits.
    fn poll_take(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut Stream,
        (shape, see): (&Shape, See<'_>),
    ) -> Poll<io::Result<()>> {
        while self.end.is_none() && self.may_read(shape) {
            let mut buffer = Buffer::take(Size::LEAST);
            let mut room = ReadBuf::new(buffer.room());
            ready!(Pin::new(&mut *source).poll_read(cx, &mut room))?;
            let came = room.filled();
            see(came);
            // No longer than what came: many may wait.
            self.add(came.to_vec(), shape, Instant::now());
        }
        Poll::Ready(Ok(()))
    }

    /// Whether more may wait. Where nothing is to come later, that only keeps it from the sender what
    /// its rate is.
    fn may_read(&self, shape: &Shape) -> bool {
        let is_late = !shape.noise.delay.is_zero() || !shape.noise.jitter.is_zero();
        self.bytes == 0
            || is_late
                && self.bytes < WAITING_BYTES_MAX
                && WAITING_BYTES.get() < WAITING_BYTES_A_CORE_MAX
    }

    /// Has `bytes` that came at `now` wait; none of them is the end.
    pub(super) fn add(&mut self, mut bytes: Vec<u8>, shape: &Shape, now: Instant) {
        let Shape { noise, own: Cuts { reset_after, close_after, .. }, .. } = shape;
        let due = (now + self.random.delay(noise)).max(self.last_due);
        self.last_due = due;
        if bytes.is_empty() {
            self.end = Some((due, End::Source));
            return;
        }
        let limits = [(*reset_after, End::Reset), (*close_after, End::Close)];
        let first = limits.into_iter().filter_map(|(after, end)| Some((after?, end)));
        if let Some((after, end)) = first.min_by_key(|(after, _)| *after) {
            let left = usize::try_from(after.saturating_sub(self.came)).unwrap_or(usize::MAX);
            if bytes.len() >= left {
                bytes.truncate(left);
                self.end = Some((due, end));
            }
        }
        self.came += bytes.len() as u64;
        self.corruption.apply(&mut bytes, noise.corrupt, &mut self.random);
        if !bytes.is_empty() {
            self.bytes += bytes.len();
            WAITING_BYTES.set(WAITING_BYTES.get() + bytes.len());
            self.waiting.push_back(Piece { due, bytes, sent: 0 });
        }
    }

    /// Sends some of the first piece if it is due; else tells when something is, if ever.
    fn poll_send(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut Stream,
        shape: &Shape,
    ) -> Poll<Result<Result<Went, Option<Instant>>, Failed>> {
        let now = Instant::now();
        let Some(piece) = self.waiting.front_mut() else {
            return Poll::Ready(Ok(match self.end {
                Some((due, end)) if due <= now => Ok(Went::Over(end)),
                end => Err(end.map(|(due, _)| due)),
            }));
        };
        if piece.due > now {
            return Poll::Ready(Ok(Err(Some(piece.due))));
        }
        let unsent = &piece.bytes[piece.sent..];
        let unsent = &unsent[..unsent.len().min(shape.own.slice.unwrap_or(usize::MAX).max(1))];
        let rate = shape.rates.of(self.direction);
        let allowed = match rate.map(|rate| self.bucket.allows(unsent.len(), rate, now)) {
            None => unsent.len(),
            Some(Ok(allowed)) => allowed,
            Some(Err(later)) => return Poll::Ready(Ok(Err(Some(later)))),
        };
        let sent = match ready!(Pin::new(sink).poll_write(cx, &unsent[..allowed])) {
            Ok(sent @ 1..) => sent,
            Ok(0) => return Poll::Ready(Err(Failed::Sink(io::ErrorKind::WriteZero.into()))),
            Err(error) => return Poll::Ready(Err(Failed::Sink(error))),
        };
        if rate.is_some() {
            self.bucket.took(sent);
        }
        piece.sent += sent;
        self.bytes -= sent;
        WAITING_BYTES.set(WAITING_BYTES.get().saturating_sub(sent));
        if piece.sent == piece.bytes.len() {
            self.waiting.pop_front();
        }
        Poll::Ready(Ok(Ok(Went::Sent(sent))))
    }
}

impl Drop for Shaped {
    fn drop(&mut self) {
        WAITING_BYTES.set(WAITING_BYTES.get().saturating_sub(self.bytes));
    }
}
