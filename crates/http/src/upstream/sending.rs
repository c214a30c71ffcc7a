//! A request on its way to an upstream.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, Bytes};
use http_body::Body as _;
use relais_net::{Fault, Side, Stream};
use tokio::io::AsyncWrite;

use super::head::{Framing, line, strip_request_trailers};
use crate::Inbound;

/// What is to be sent of a request.
#[derive(Debug)]
pub(super) struct Sending {
    /// Framing, and before that a head.
    front: Vec<u8>,
    /// How much of it was sent.
    front_sent: usize,
    /// Content behind it.
    content: Bytes,
    /// What is still to come.
    body: Option<Inbound>,
    framing: Framing,
    /// Whether the body may be asked for: not before the upstream wants it, if it was asked.
    pub(super) may_ask: bool,
    /// Whether it was.
    pub(super) asked: bool,
    /// How much of it was sent, framing included.
    pub(super) sent: u64,
    /// Whether all was sent and flushed.
    pub(super) done: bool,
}

/// Why a request could not be sent.
#[derive(Debug)]
pub(super) enum Unsent {
    /// The upstream does not take it. Why is told by what it answers, if it answers.
    Upstream,
    /// Its body broke off, or is not as long as was said.
    Body(Fault),
}

impl Sending {
    /// A request with this `head`, and a `body` that is framed so.
    pub(super) fn new(head: Vec<u8>, body: Inbound, framing: Framing) -> Self {
        Self {
            front: head,
            front_sent: 0,
            content: Bytes::new(),
            // Of what is empty nothing is asked, so that it may be sent again.
            body: (!matches!(framing, Framing::Nothing | Framing::Length(0))).then_some(body),
            framing,
            may_ask: true,
            asked: false,
            sent: 0,
            done: false,
        }
    }

    /// Whether it is the client's turn: what it sent is sent.
    pub(super) fn waits_for_body(&self) -> bool {
        let is_sent = self.front_sent == self.front.len() && self.content.is_empty();
        is_sent && self.asked && self.body.is_some()
    }

    /// The answer has begun.
    pub(super) fn answered(&mut self) {
        if let Some(body) = &mut self.body {
            body.answered();
        }
    }

    /// The body, if none of it was asked for. There is none if the request has none.
    pub(super) fn into_untouched_body(self) -> Option<Inbound> {
        if self.asked { None } else { Some(self.body.unwrap_or(Inbound::Full(Bytes::new()))) }
    }

    /// Sends what can be sent now. Ready once all was.
    pub(super) fn poll(
        &mut self,
        cx: &mut Context<'_>,
        stream: &mut Stream,
    ) -> Poll<Result<(), Unsent>> {
        if self.done {
            return Poll::Ready(Ok(()));
        }
        loop {
            ready!(self.poll_write(cx, stream)).map_err(|_| Unsent::Upstream)?;
            let Some(body) = self.body.as_mut() else { break };
            if !self.may_ask {
                return Poll::Pending;
            }
            self.asked = true;
            let Poll::Ready(frame) = Pin::new(body).poll_frame(cx) else {
                // What was written so far is not held back for what may take long to come.
                if let Poll::Ready(flushed) = Pin::new(stream).poll_flush(cx) {
                    flushed.map_err(|_| Unsent::Upstream)?;
                }
                return Poll::Pending;
            };
            self.take(frame.transpose().map_err(Unsent::Body)?).map_err(Unsent::Body)?;
        }
        ready!(Pin::new(stream).poll_flush(cx)).map_err(|_| Unsent::Upstream)?;
        self.done = true;
        self.front = Vec::new();
        Poll::Ready(Ok(()))
    }

    /// Takes what the body gave; nothing is its end.
    fn take(&mut self, frame: Option<http_body::Frame<Bytes>>) -> Result<(), Fault> {
        self.front.clear();
        self.front_sent = 0;
        match frame.map(http_body::Frame::into_data) {
            Some(Ok(content)) => self.take_content(content),
            Some(Err(frame)) => {
                // Trailers, which only chunks can have.
                if let (Ok(mut trailers), Framing::Chunked) = (frame.into_trailers(), self.framing)
                {
                    strip_request_trailers(&mut trailers);
                    self.front.extend_from_slice(b"0\r\n");
                    trailers.iter().for_each(|(name, value)| line(name, value, &mut self.front));
                    self.front.extend_from_slice(b"\r\n");
                    self.body = None;
                }
                Ok(())
            }
            None => {
                self.body = None;
                match self.framing {
                    Framing::Chunked => self.front.extend_from_slice(b"0\r\n\r\n"),
                    Framing::Length(left) if left > 0 => return Err(other_length()),
                    Framing::Length(_) | Framing::Nothing => (),
                }
                Ok(())
            }
        }
    }

    fn take_content(&mut self, content: Bytes) -> Result<(), Fault> {
        match &mut self.framing {
            _ if content.is_empty() => return Ok(()),
            Framing::Length(left) => {
                *left = left.checked_sub(content.len() as u64).ok_or_else(other_length)?;
                if *left == 0 {
                    self.body = None;
                }
            }
            Framing::Chunked => {
                self.front.extend_from_slice(format!("{:x}\r\n", content.len()).as_bytes());
            }
            Framing::Nothing => return Err(other_length()),
        }
        self.content = content;
        Ok(())
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, stream: &mut Stream) -> Poll<io::Result<()>> {
        loop {
            let front = &self.front[self.front_sent..];
            let sent = match (front, &*self.content) {
                ([], []) => return Poll::Ready(Ok(())),
                (front, []) => ready!(Pin::new(&mut *stream).poll_write(cx, front))?,
                ([], content) => ready!(Pin::new(&mut *stream).poll_write(cx, content))?,
                (front, content) => {
                    let both = [IoSlice::new(front), IoSlice::new(content)];
                    ready!(Pin::new(&mut *stream).poll_write_vectored(cx, &both))?
                }
            };
            if sent == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            if self.asked {
                self.sent += sent as u64;
            }
            let of_front = sent.min(self.front.len() - self.front_sent);
            self.front_sent += of_front;
            self.content.advance(sent - of_front);
            // A chunk ends with a line end of its own.
            let is_chunk_over = self.content.is_empty() && sent > of_front;
            if is_chunk_over && self.framing == Framing::Chunked {
                self.front.clear();
                self.front.extend_from_slice(b"\r\n");
                self.front_sent = 0;
            }
        }
    }
}

fn other_length() -> Fault {
    let error = io::Error::new(io::ErrorKind::InvalidData, "it is not as long as was said");
    Fault::new(Side::Client, "reading a request's body", error)
}
