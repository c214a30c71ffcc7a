//! The body of an answer over HTTP/1.

use std::{
    io,
    os::fd::BorrowedFd,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use relais_net::{Fault, Side, Stream};
use relais_wire::http1::response::{AtClose, BodyDecoder, Head, Persistence};
use rustix::pipe::{SpliceFlags, splice};
use tokio::io::Interest;

use super::{
    exchange::{Exchange, Whose, Why},
    head,
    link::READ_BYTES,
    pool,
    server::Taken,
};
use crate::{Body, Piece, Pieces, body::Breaking};

/// Less than this is copied in less time than it is moved.
const SPLICED_BYTES_MIN: u64 = 8 * 1024;

/// The body of an answer, as it comes.
#[derive(Debug)]
pub(super) struct Reading {
    /// `None` once it is over.
    exchange: Option<Exchange>,
    decoder: BodyDecoder,
    /// Whether the connection may be used again.
    persists: bool,
    taken: Taken,
    trailers: Option<HeaderMap>,
    breaking: Breaking,
}

impl Reading {
    /// The body of the answer with this head.
    pub(super) fn new(mut exchange: Exchange, head: &Head, taken: Taken) -> Self {
        exchange.moved();
        exchange.sending.answered();
        let persists =
            head.persistence == Persistence::Persists && exchange.whose == Whose::Anyones;
        Self {
            exchange: Some(exchange),
            decoder: BodyDecoder::new(head.framing, taken.limits().head),
            persists,
            taken,
            trailers: None,
            breaking: Breaking::default(),
        }
    }

    /// Itself, for who reads it; what came with the head, if that is all.
    ///
    /// # Errors
    ///
    /// What is wrong with that.
    pub(super) fn into_body(mut self) -> Result<Body, Why> {
        let len = self.decoder.left();
        Ok(match self.whole()? {
            Some(whole) => Body::own(whole),
            None => Body::stream(self, len),
        })
    }

    /// All of the body, if it came with the head and is of one piece.
    fn whole(&mut self) -> Result<Option<Bytes>, Why> {
        if self.decoder.has_ended() {
            self.finish();
            return Ok(Some(Bytes::new()));
        }
        let Some(Exchange { link, .. }) = &mut self.exchange else { return Ok(None) };
        // Chunks may be many; what is told by a length is one.
        match self.decoder.left() {
            Some(left) if left <= link.unread.len() as u64 => {
                let piece = self.take_piece()?;
                Ok(piece)
            }
            _ => Ok(None),
        }
    }

    /// Takes the next piece off what was read; `None` if more has to come, or there is no more.
    fn take_piece(&mut self) -> Result<Option<Bytes>, Why> {
        let Some(Exchange { link, .. }) = &mut self.exchange else { return Ok(None) };
        while !link.unread.is_empty() {
            let decoded = self.decoder.decode(&link.unread).map_err(Why::Body)?;
            let input = link.unread.split_to(decoded.consumed);
            if decoded.ended {
                if !self.decoder.trailers().is_empty() {
                    self.trailers = head::fields(&input, self.decoder.trailers());
                }
                self.finish();
                return Ok((!decoded.data.is_empty()).then(|| input.slice(decoded.data)));
            }
            if !decoded.data.is_empty() {
                return Ok(Some(input.slice(decoded.data)));
            }
            if decoded.consumed == 0 {
                break;
            }
        }
        Ok(None)
    }

    /// Lets the connection be used again, if it can be.
    fn finish(&mut self) {
        let Some(Exchange { link, sending, deaf, .. }) = self.exchange.take() else { return };
        // Whatever follows the answer was not asked for.
        if self.persists && sending.done && !deaf && link.unread.is_empty() {
            pool::put(self.taken.id(), link, self.taken.limits());
        }
        self.taken.end();
    }

    fn poll_piece(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Bytes>, Why>> {
        loop {
            if let Some(piece) = self.take_piece()? {
                return Poll::Ready(Ok(Some(piece)));
            }
            let Some(exchange) = &mut self.exchange else { return Poll::Ready(Ok(None)) };
            if self.taken.is_late() {
                return Poll::Ready(Err(exchange.waits().late()));
            }
            exchange.send(cx)?;
            match exchange.link.poll_read(cx, READ_BYTES) {
                Poll::Ready(Ok(0)) => match self.decoder.at_close() {
                    AtClose::Whole => {
                        self.persists = false;
                        self.finish();
                        return Poll::Ready(Ok(None));
                    }
                    AtClose::Cut => return Poll::Ready(Err(Why::Closed)),
                },
                // Time counts from when somebody waits, not from the last byte: whoever reads slowly
                // comes back late.
                Poll::Ready(Ok(_)) => exchange.moved(),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(Why::Io(error))),
                Poll::Pending => {
                    let late =
                        exchange.poll_late(cx, (self.taken.limits().stall_max, self.taken.left()));
                    return late.map(Err);
                }
            }
        }
    }
}

impl Reading {
    /// Moves some of the body to `pipe`, if much is left of it, and nothing of it came to memory.
    fn poll_moved(
        &mut self,
        cx: &mut Context<'_>,
        pipe: BorrowedFd<'_>,
        bytes_max: usize,
    ) -> Poll<Result<Option<usize>, Why>> {
        let left = self.decoder.left().unwrap_or(0);
        let Some(exchange) = &mut self.exchange else { return Poll::Ready(Ok(None)) };
        if self.taken.is_late() {
            return Poll::Ready(Err(exchange.waits().late()));
        }
        let Exchange { link, sending, .. } = exchange;
        let Stream::Tcp(stream) = &link.stream else { return Poll::Ready(Ok(None)) };
        if left < SPLICED_BYTES_MIN || !link.unread.is_empty() || !sending.done {
            return Poll::Ready(Ok(None));
        }
        let bytes_max = usize::try_from(left).map_or(bytes_max, |left| left.min(bytes_max));
        let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
        let moved = loop {
            let Poll::Ready(is_ready) = stream.poll_read_ready(cx) else {
                return exchange
                    .poll_late(cx, (self.taken.limits().stall_max, self.taken.left()))
                    .map(Err);
            };
            is_ready.map_err(Why::Io)?;
            let moved = stream.try_io(Interest::READABLE, || {
                Ok(splice(stream, None, pipe, None, bytes_max, flags)?)
            });
            match moved {
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => (),
                moved => break moved.map_err(Why::Io)?,
            }
        };
        if moved == 0 {
            return Poll::Ready(Err(Why::Closed));
        }
        exchange.moved();
        self.decoder.pass_over(moved as u64);
        if self.decoder.has_ended() {
            self.finish();
        }
        Poll::Ready(Ok(Some(moved)))
    }

    fn break_off<T>(&mut self, why: Why, cx: &Context<'_>) -> Poll<T> {
        tracing::debug!(error = &why as &dyn std::error::Error, "an answer breaks off");
        self.exchange = None;
        let fault = match why {
            Why::Request(fault) => fault,
            why => Fault::new(Side::Upstream, "reading an answer's body", io::Error::other(why)),
        };
        self.breaking.hold(fault, cx)
    }
}

impl Pieces for Reading {
    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, Fault>>> {
        if let Some(fault) = self.breaking.take() {
            return Poll::Ready(Some(Err(fault)));
        }
        match ready!(self.poll_piece(cx)) {
            Ok(piece) => Poll::Ready(piece.map(|bytes| Ok(Piece::Bytes(bytes)))),
            Err(why) => self.break_off(why, cx),
        }
    }

    fn are_of_memory(&self) -> bool {
        true
    }

    fn poll_splice(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        pipe: BorrowedFd<'_>,
        bytes_max: usize,
    ) -> Poll<Option<usize>> {
        match ready!(self.poll_moved(cx, pipe, bytes_max)) {
            Ok(moved) => Poll::Ready(moved),
            Err(why) => self.break_off(why, cx),
        }
    }

    fn trailers(mut self: Pin<&mut Self>) -> Option<HeaderMap> {
        let mut trailers = self.trailers.take()?;
        head::strip_trailers(&mut trailers);
        Some(trailers)
    }
}
