//! What follows an answer's head: bytes in memory, spans of files, or pieces that come in time.

mod breaking;
mod ended;
mod heir;
mod piece;
mod steps;
mod told;
mod tunnel;

use std::{
    collections::VecDeque,
    fmt,
    os::fd::BorrowedFd,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::{HeaderMap, StatusCode};
use relais_cache::{Pages, StoredBody};
use relais_net::{Fault, Side, core_ends};

pub(crate) use self::{breaking::Breaking, ended::Tell, steps::Step};
pub use self::{
    ended::Ended,
    heir::{GoingOn, Heir},
    piece::{Piece, Pieces},
    tunnel::Tunnel,
};
use self::{steps::Steps, told::Told};
use crate::{FileSpan, ReadyHead};

/// An answer's body. What it is made of stays visible to the connection, which sends a
/// [`Piece::File`] without bringing it to memory where it can. With it goes what is known of the
/// answer and is no field of it.
pub struct Body {
    kind: Kind,
    /// What is left of a file whose first steps were given.
    rest: Option<FileSpan>,
    /// How many bytes are still to come, if that is known.
    left: Option<u64>,
    /// Told how it ended.
    end: Option<Tell>,
    /// The same, once steps of it are on their way.
    steps: Option<Arc<Steps>>,
    sent: u64,
    provenance: Option<Told>,
    head: Option<Box<dyn ReadyHead>>,
}

enum Kind {
    /// The usual answer from memory: one piece, no allocation. Empty once it is taken.
    Full(Bytes),
    /// The same, of one answer alone.
    Own(Bytes),
    /// The same, shared with other answers and where the kernel may be lent it.
    Lent(Pages),
    Queue(VecDeque<Piece>),
    Stream(Pin<Box<dyn Pieces>>),
    /// No body: the connection is handed over.
    Over(Box<Next>),
}

/// What a connection is handed over to.
#[derive(Debug)]
pub(crate) enum Next {
    Tunnel(Tunnel),
    Heir(Box<dyn Heir>),
}

impl Body {
    /// A body without bytes.
    pub fn empty() -> Self {
        Self::full(Bytes::new())
    }

    /// A body of one piece in memory that is short, or shared with other answers.
    pub fn full(bytes: Bytes) -> Self {
        let left = Some(bytes.len() as u64);
        Self::made_of(Kind::Full(bytes), left)
    }

    /// A body of one piece in memory that was made for this answer alone.
    pub fn own(bytes: Bytes) -> Self {
        let left = Some(bytes.len() as u64);
        Self::made_of(Kind::Own(bytes), left)
    }

    /// A body that is stored, and shared with other answers.
    pub fn stored(body: StoredBody) -> Self {
        let left = Some(body.bytes().len() as u64);
        match body {
            StoredBody::Heap(bytes) => Self::made_of(Kind::Full(bytes), left),
            StoredBody::Pages(pages) => Self::made_of(Kind::Lent(pages), left),
        }
    }

    /// A body of these pieces.
    pub fn of(pieces: impl IntoIterator<Item = Piece>) -> Self {
        let pieces: VecDeque<_> = pieces.into_iter().collect();
        let left = Some(pieces.iter().map(Piece::len).sum());
        Self::made_of(Kind::Queue(pieces), left)
    }

    /// A body whose pieces come in time; `len` bytes in all, if that is known.
    pub fn stream(pieces: impl Pieces + 'static, len: Option<u64>) -> Self {
        Self::made_of(Kind::Stream(Box::pin(pieces)), len)
    }

    /// No body: behind this answer, a 101 or a 2xx to CONNECT over HTTP/1, what comes on either side
    /// is passed to the other. Its [`Ended`] counts what the client was sent.
    pub fn tunnel(tunnel: Tunnel) -> Self {
        Self::made_of(Kind::Over(Box::new(Next::Tunnel(tunnel))), Some(0))
    }

    /// No body: behind this answer, a 101 over HTTP/1, `heir` goes on with the connection. Its
    /// [`Ended`] counts nothing of that.
    pub fn left_to(heir: impl Heir) -> Self {
        Self::made_of(Kind::Over(Box::new(Next::Heir(Box::new(heir)))), Some(0))
    }

    fn made_of(kind: Kind, left: Option<u64>) -> Self {
        let (rest, end, steps, sent) = (None, None, None, 0);
        Self { kind, left, rest, end, steps, sent, provenance: None, head: None }
    }

    /// The same, behind these fields.
    #[must_use]
    pub fn with_head(mut self, head: Box<dyn ReadyHead>) -> Self {
        self.head = Some(head);
        self
    }

    /// Has `end` told once how the body ended: when it is dropped, or when the last of its bytes,
    /// if they are a file's that the kernel is to send, have left.
    ///
    /// A second one is told after the first.
    pub fn on_end(&mut self, end: impl FnOnce(Ended) + Send + 'static) {
        self.end = Some(match self.end.take() {
            None => Box::new(end),
            Some(first) => Box::new(move |ended| {
                first(ended);
                end(ended);
            }),
        });
    }

    /// The fields that are ready, if the answer has them there.
    pub fn head(&self) -> Option<&dyn ReadyHead> {
        self.head.as_deref()
    }

    /// The same, which are somewhere else from here on.
    pub(crate) fn take_head(&mut self) -> Option<Box<dyn ReadyHead>> {
        self.head.take()
    }

    /// Has what it is made of go through the pieces that `passage` makes of it. They are to give
    /// as many bytes.
    pub(crate) fn pass_through<P: Pieces + 'static>(&mut self, passage: impl FnOnce(Self) -> P) {
        let kind = std::mem::replace(&mut self.kind, Kind::Full(Bytes::new()));
        let inner = Self::made_of(kind, self.left);
        self.kind = Kind::Stream(Box::pin(passage(inner)));
    }

    /// Whether it is [`Body::full`] or stored: a client that lets it stand costs no more than its few
    /// bytes.
    pub(crate) fn is_shared(&self) -> bool {
        matches!(self.kind, Kind::Full(_) | Kind::Lent(_))
    }

    /// How many bytes are still to come, if that is known.
    pub fn left(&self) -> Option<u64> {
        self.left
    }

    /// Waits for the next piece. Never an empty one, and of a file never more than `step_max` bytes:
    /// so what is counted as sent is what was asked for.
    pub fn poll_piece(
        &mut self,
        cx: &mut Context<'_>,
        step_max: u64,
    ) -> Poll<Option<Result<Piece, Fault>>> {
        loop {
            let piece = match (self.rest.take(), &mut self.kind) {
                (Some(span), _) => Some(Ok(Piece::File(span))),
                (None, Kind::Full(bytes) | Kind::Own(bytes)) => {
                    let bytes = std::mem::take(bytes);
                    (!bytes.is_empty()).then_some(Ok(Piece::Bytes(bytes)))
                }
                (None, Kind::Lent(pages)) => {
                    let bytes = pages.take();
                    (!bytes.is_empty()).then_some(Ok(Piece::Bytes(bytes)))
                }
                (None, Kind::Over(_)) => None,
                (None, Kind::Queue(pieces)) => pieces.pop_front().map(Ok),
                (None, Kind::Stream(pieces)) => {
                    ready!(pieces.as_mut().poll_next(cx))
                }
            };
            match piece {
                Some(Ok(piece)) if piece.is_empty() => (),
                Some(Ok(piece)) => {
                    let piece = self.step(piece, step_max);
                    self.account(piece.len());
                    return Poll::Ready(Some(Ok(piece)));
                }
                Some(Err(fault)) => {
                    self.finish(Ended::Broken(self.sent, fault.side));
                    return Poll::Ready(Some(Err(fault)));
                }
                None => {
                    self.finish(Ended::Whole(self.sent));
                    return Poll::Ready(None);
                }
            }
        }
    }

    /// The first `step_max` bytes of `piece` if it is of a file; the rest is kept.
    fn step(&mut self, piece: Piece, step_max: u64) -> Piece {
        match piece {
            Piece::File(span) if span.len > step_max => {
                let (offset, len) = (span.offset + step_max, span.len - step_max);
                self.rest = Some(FileSpan { offset, len, ..span.clone() });
                Piece::File(FileSpan { len: step_max, ..span })
            }
            piece => piece,
        }
    }

    /// Whether pieces of it are of files, as is known before they come.
    pub(crate) fn is_of_files(&self) -> bool {
        let is_file = |piece: &Piece| matches!(piece, Piece::File(_));
        self.rest.is_some()
            || matches!(&self.kind, Kind::Queue(pieces) if pieces.iter().any(is_file))
    }

    /// Whether it comes in time, in pieces of memory, and how long it is, is known.
    pub(crate) fn is_coming(&self) -> bool {
        let is_of_memory = matches!(&self.kind, Kind::Stream(pieces) if pieces.are_of_memory());
        is_of_memory && self.rest.is_none() && self.left.is_some_and(|left| left > 0)
    }

    /// See [`Pieces::poll_splice`].
    pub(crate) fn poll_splice(
        &mut self,
        cx: &mut Context<'_>,
        pipe: BorrowedFd<'_>,
        bytes_max: usize,
    ) -> Poll<Option<usize>> {
        let Kind::Stream(pieces) = &mut self.kind else { return Poll::Ready(None) };
        let moved = ready!(pieces.as_mut().poll_splice(cx, pipe, bytes_max));
        if let Some(bytes) = moved {
            self.account(bytes as u64);
        }
        Poll::Ready(moved)
    }

    /// All of a body that is one piece in memory.
    pub(crate) fn memory(&self) -> Option<&Bytes> {
        match &self.kind {
            Kind::Full(bytes) | Kind::Own(bytes) => Some(bytes),
            Kind::Lent(pages) => Some(pages.bytes()),
            Kind::Queue(_) | Kind::Stream(_) | Kind::Over(_) => None,
        }
    }

    /// The same, taken as if it was sent.
    pub(crate) fn take_memory(&mut self) -> Option<Bytes> {
        let bytes = match &mut self.kind {
            Kind::Full(bytes) | Kind::Own(bytes) => std::mem::take(bytes),
            Kind::Lent(pages) => pages.take(),
            Kind::Queue(_) | Kind::Stream(_) | Kind::Over(_) => return None,
        };
        self.account(bytes.len() as u64);
        Some(bytes)
    }

    /// All of a body where the kernel may be lent it, taken as if it was sent.
    pub(crate) fn take_pages(&mut self) -> Option<Pages> {
        let Kind::Lent(pages) = &mut self.kind else { return None };
        let pages = std::mem::take(pages);
        self.account(pages.bytes().len() as u64);
        Some(pages)
    }

    /// The trailers that came behind the last piece.
    pub(crate) fn trailers(&mut self) -> Option<HeaderMap> {
        match &mut self.kind {
            Kind::Stream(pieces) => pieces.as_mut().trailers(),
            _ => None,
        }
    }

    /// What the connection is handed over to, and who is to be told of its end.
    pub(crate) fn take_next(&mut self) -> Option<(Next, Option<Tell>)> {
        if !matches!(self.kind, Kind::Over(_)) {
            return None;
        }
        let kind = std::mem::replace(&mut self.kind, Kind::Full(Bytes::new()));
        let Kind::Over(next) = kind else { return None };
        Some((*next, self.end.take()))
    }

    /// `span`, which [`Body::poll_piece`] gave last, as a step that takes its own time.
    pub(crate) fn step_of(&mut self, span: FileSpan) -> Step {
        if let Some(tell) = self.end.take() {
            self.steps = Some(Arc::new(Steps::new(tell)));
        }
        Step { span, behind: self.left.unwrap_or(0), steps: self.steps.clone() }
    }

    /// Ends it unsent: the connection answers with `status` and so many `bytes` instead.
    pub(crate) fn replace(mut self, status: StatusCode, bytes: u64) {
        self.finish(Ended::Instead { status, bytes });
    }

    fn account(&mut self, bytes: u64) {
        self.sent += bytes;
        self.left = self.left.map(|left| left.saturating_sub(bytes));
    }

    fn finish(&mut self, ended: Ended) {
        if let Some(end) = self.end.take() {
            end(ended);
        }
        if let Some(steps) = self.steps.take() {
            steps.body_ended(ended);
        }
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        let ended = match self.left {
            Some(0) => Ended::Whole(self.sent),
            _ if core_ends() => Ended::Broken(self.sent, Side::Relais),
            _ => Ended::Short(self.sent),
        };
        self.finish(ended);
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("left", &self.left).finish_non_exhaustive()
    }
}
