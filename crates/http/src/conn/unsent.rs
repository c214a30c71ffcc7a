//! A plain answer on its way, without hyper.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use relais_cache::Pages;
use tokio::io::AsyncWrite;

use super::{lend::LENT_BYTES_MIN, splice::Moved, transport::Transport};
use crate::{Answer, Body, Piece};

/// What is left of an answer.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    head: Bytes,
    body: Payload,
    /// What comes behind that.
    coming: Option<Box<Body>>,
    /// Why there comes no more.
    broken: Option<Box<io::Error>>,
}

/// A body that is there, or comes in time in pieces of memory.
#[derive(Debug)]
pub(super) enum Payload {
    Copied(Bytes),
    /// The kernel may be lent it.
    Lent(Pages),
    Coming(Box<Body>),
}

/// Why an answer is not sent whole.
#[derive(Debug)]
pub(super) enum Cut {
    /// The connection broke.
    Connection(io::Error),
    /// Its body did.
    Body(io::Error),
}

impl Payload {
    /// Takes the body of `answer`, if it is one piece in memory, or so many bytes that come in time.
    pub(super) fn take(answer: &mut Answer) -> Option<Self> {
        let body = answer.body_mut();
        if body.is_coming() {
            let empty = match body.take_head() {
                Some(head) => Body::empty().with_head(head),
                None => Body::empty(),
            };
            let coming = std::mem::replace(body, empty);
            return Some(Self::Coming(Box::new(coming)));
        }
        body.take_pages().map(Self::Lent).or_else(|| body.take_memory().map(Self::Copied))
    }

    /// How many bytes it has in all.
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Coming(body) => body.left().unwrap_or(0),
            there => there.bytes().len() as u64,
        }
    }

    /// What is there of it.
    fn bytes(&self) -> &[u8] {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Lent(pages) => pages.bytes(),
            Self::Coming(_) => &[],
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Self::Copied(bytes) => bytes.advance(count),
            Self::Lent(pages) => pages.advance(count),
            Self::Coming(_) => (),
        }
    }

    /// What of it is to be lent over `transport`.
    fn to_lend(&self, transport: &Transport) -> Option<&Pages> {
        match self {
            Self::Lent(pages) if pages.bytes().len() >= LENT_BYTES_MIN => {
                transport.may_lend().then_some(pages)
            }
            _ => None,
        }
    }
}

impl Default for Payload {
    fn default() -> Self {
        Self::Copied(Bytes::new())
    }
}

impl Unsent {
    /// Sends some of `head` and `body` at once, and holds the rest.
    ///
    /// # Errors
    ///
    /// The connection's.
    pub(super) fn begin(
        transport: &mut Transport,
        cx: &mut Context<'_>,
        head: &[u8],
        body: Payload,
    ) -> io::Result<Self> {
        let mut unsent = match body {
            Payload::Coming(body) => Self { coming: Some(body), ..Self::default() },
            body => Self { body, ..Self::default() },
        };
        // What came with its head goes with ours.
        _ = unsent.poll_come(cx);
        let sent = match write(transport, cx, (head, &unsent.body)) {
            Poll::Ready(sent) => sent?,
            Poll::Pending => 0,
        };
        let of_head = sent.min(head.len());
        unsent.body.advance(sent - of_head);
        if of_head < head.len() {
            unsent.head = Bytes::copy_from_slice(&head[of_head..]);
        }
        if unsent.is_sent() { Ok(Self::default()) } else { Ok(unsent) }
    }

    /// Whether nothing is left.
    fn is_sent(&self) -> bool {
        let is_coming = self.coming.as_ref().is_some_and(|body| body.left() != Some(0));
        self.is_there_sent() && !is_coming && self.broken.is_none()
    }

    /// Whether nothing is left of what is there.
    fn is_there_sent(&self) -> bool {
        self.head.is_empty() && self.body.bytes().is_empty()
    }

    /// Whether what is left is memory to be lent.
    pub(super) fn is_lent(&self) -> bool {
        matches!(self.body, Payload::Lent(_))
    }

    /// Whether more of it has to come.
    pub(super) fn is_coming(&self) -> bool {
        self.coming.is_some()
    }

    /// Sends all that is left.
    pub(super) fn poll_send(
        &mut self,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Cut>> {
        loop {
            ready!(self.poll_send_there(transport, cx)).map_err(Cut::Connection)?;
            if self.is_sent() {
                // What was sent is not held for as long as nothing else is.
                *self = Self::default();
                return Poll::Ready(Ok(()));
            }
            if let Some(coming) = &mut self.coming
                && let Some(Moved { sent: _, left }) =
                    ready!(transport.poll_splice(cx, coming)).map_err(Cut::Connection)?
            {
                self.body = Payload::Copied(left);
                continue;
            }
            if self.poll_come(cx).is_pending() {
                transport.waits_for_body();
                // Nothing is held back for what may take long to come.
                if let Poll::Ready(flushed) = Pin::new(&mut *transport).poll_flush(cx) {
                    flushed.map_err(Cut::Connection)?;
                }
                return Poll::Pending;
            }
            if let Some(broken) = self.broken.take() {
                return Poll::Ready(Err(Cut::Body(*broken)));
            }
        }
    }

    /// Waits for what comes next, or for why nothing does.
    fn poll_come(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(coming) = &mut self.coming else { return Poll::Ready(()) };
        let left = coming.left().unwrap_or(0);
        let broken = match ready!(coming.poll_piece(cx, u64::MAX)) {
            Some(Ok(Piece::Bytes(bytes))) if bytes.len() as u64 <= left => {
                self.body = Payload::Copied(bytes);
                return Poll::Ready(());
            }
            Some(Ok(_)) => io::Error::new(io::ErrorKind::InvalidData, "more than was said"),
            Some(Err(fault)) => io::Error::other(fault),
            None => io::Error::new(io::ErrorKind::UnexpectedEof, "less than was said"),
        };
        self.broken = Some(Box::new(broken));
        // It is not asked again.
        self.coming = None;
        Poll::Ready(())
    }

    /// Sends all that is left of what is there.
    fn poll_send_there(
        &mut self,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !self.is_there_sent() {
            let sent = ready!(write(transport, cx, (&self.head, &self.body)))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let of_head = sent.min(self.head.len());
            self.head.advance(of_head);
            self.body.advance(sent - of_head);
        }
        Poll::Ready(Ok(()))
    }
}

/// Writes some of a head and the body behind it.
///
/// What is lent has its head go ahead, which wakes the client: less work than to put both in one.
fn write(
    transport: &mut Transport,
    cx: &mut Context<'_>,
    (head, body): (&[u8], &Payload),
) -> Poll<io::Result<usize>> {
    let pages = body.to_lend(transport);
    if let (Some(pages), []) = (pages, head) {
        return transport.poll_lend(cx, pages);
    }
    let slices = [head, if pages.is_some() { &[] } else { body.bytes() }].map(IoSlice::new);
    let slices = match (&*slices[0], &*slices[1]) {
        ([], _) => &slices[1..],
        (_, []) => &slices[..1],
        _ => &slices,
    };
    Pin::new(transport).poll_write_vectored(cx, slices)
}
