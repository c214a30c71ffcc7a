//! A plain answer on its way, without hyper.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf, Bytes};
use relais_cache::Pages;
use tokio::io::AsyncWrite;

use super::{lend::LENT_BYTES_MIN, transport::Transport};
use crate::Answer;

/// What is left of an answer.
#[derive(Debug, Default)]
pub(super) struct Unsent {
    head: Bytes,
    body: Payload,
}

/// A body in memory.
#[derive(Debug)]
pub(super) enum Payload {
    Copied(Bytes),
    /// The kernel may be lent it.
    Lent(Pages),
}

impl Payload {
    /// Takes the body of `answer`, if it is one piece in memory.
    pub(super) fn take(answer: &mut Answer) -> Option<Self> {
        let body = answer.body_mut();
        body.take_pages().map(Self::Lent).or_else(|| body.take_memory().map(Self::Copied))
    }

    pub(super) fn bytes(&self) -> &Bytes {
        match self {
            Self::Copied(bytes) => bytes,
            Self::Lent(pages) => pages.bytes(),
        }
    }

    fn advance(&mut self, count: usize) {
        match self {
            Self::Copied(bytes) => bytes.advance(count),
            Self::Lent(pages) => pages.advance(count),
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
        mut body: Payload,
    ) -> io::Result<Self> {
        let sent = match write(transport, cx, (head, &body)) {
            Poll::Ready(sent) => sent?,
            Poll::Pending => 0,
        };
        if sent == head.len() + body.bytes().len() {
            return Ok(Self::default());
        }
        let of_head = sent.min(head.len());
        body.advance(sent - of_head);
        Ok(Self { head: Bytes::copy_from_slice(&head[of_head..]), body })
    }

    /// Whether what is left is memory to be lent.
    pub(super) fn is_lent(&self) -> bool {
        matches!(self.body, Payload::Lent(_))
    }

    /// Sends all that is left.
    ///
    /// # Errors
    ///
    /// The connection's.
    pub(super) fn poll_send(
        &mut self,
        transport: &mut Transport,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<()>> {
        while !(self.head.is_empty() && self.body.bytes().is_empty()) {
            let sent = ready!(write(transport, cx, (&self.head, &self.body)))?;
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            let of_head = sent.min(self.head.len());
            self.head.advance(of_head);
            self.body.advance(sent - of_head);
        }
        // What was sent is not held for as long as nothing else is.
        *self = Self::default();
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
