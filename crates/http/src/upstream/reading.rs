//! The body of an answer over HTTP/1.

use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http::HeaderMap;
use relais_net::{Fault, Side};
use relais_wire::http1::response::{AtClose, BodyDecoder, Head, Persistence};

use super::{
    exchange::{Exchange, Whose, Why},
    head, pool,
    server::Taken,
};
use crate::{Body, Piece, Pieces};

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
    /// Why it breaks off, before that is told.
    fault: Option<Fault>,
}

impl Reading {
    /// The body of the answer with this head.
    pub(super) fn new(mut exchange: Exchange, head: &Head, taken: Taken) -> Self {
        exchange.moved();
        let persists =
            head.persistence == Persistence::Persists && exchange.whose == Whose::Anyones;
        Self {
            exchange: Some(exchange),
            decoder: BodyDecoder::new(head.framing, taken.limits().head),
            persists,
            taken,
            trailers: None,
            fault: None,
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
            exchange.send(cx)?;
            match exchange.link.poll_read(cx) {
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
                    let late = exchange.poll_late(cx, self.taken.limits().stall_max);
                    return late.map(Err);
                }
            }
        }
    }
}

impl Pieces for Reading {
    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, Fault>>> {
        if let Some(fault) = self.fault.take() {
            return Poll::Ready(Some(Err(fault)));
        }
        let why = match ready!(self.poll_piece(cx)) {
            Ok(piece) => return Poll::Ready(piece.map(|bytes| Ok(Piece::Bytes(bytes)))),
            Err(why) => why,
        };
        tracing::debug!(error = &why as &dyn std::error::Error, "an answer breaks off");
        self.exchange = None;
        self.fault = Some(match why {
            Why::Request(fault) => fault,
            why => Fault::new(Side::Upstream, "reading an answer's body", io::Error::other(why)),
        });
        // Told the next time, so that what came before leaves first. A client that got nothing at
        // all would take its connection for one that was dead before, and ask again.
        cx.waker().wake_by_ref();
        Poll::Pending
    }

    fn trailers(mut self: Pin<&mut Self>) -> Option<HeaderMap> {
        let mut trailers = self.trailers.take()?;
        head::strip_trailers(&mut trailers);
        Some(trailers)
    }
}
