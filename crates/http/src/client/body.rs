//! The body of an answer, as it comes.

use std::{fmt, future::poll_fn, io::ErrorKind, pin::Pin, time::Duration};

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use relais_net::Stream;
use relais_wire::http1::response::{AtClose, BodyDecoder};
use tokio::{
    io::{AsyncReadExt as _, ReadHalf, WriteHalf},
    task::JoinHandle,
    time::timeout,
};

use super::BodyError;
use crate::upstream::Upload;

/// How much is read at a time.
pub(super) const READ_BYTES: usize = 64 * 1024;

/// The body of an answer. Its connection ends with it.
pub struct AnswerBody {
    kind: Kind,
    silence_max: Duration,
    /// Names and values of fields behind it, once it has ended.
    trailers: Vec<(String, Vec<u8>)>,
}

enum Kind {
    Http1 {
        read: ReadHalf<Stream>,
        /// Kept open: some servers take a half-close for the client's end.
        _write: WriteHalf<Stream>,
        buffer: BytesMut,
        decoder: BodyDecoder,
    },
    Http2 {
        body: Incoming,
        /// Kept: without it the connection would end behind what is under way.
        _sender: SendRequest<Upload>,
        _driven: Driven,
    },
}

/// A task that moves a connection. Ends with it.
#[derive(Debug)]
pub(super) struct Driven(pub(super) JoinHandle<()>);

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for AnswerBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnswerBody").field("trailers", &self.trailers).finish_non_exhaustive()
    }
}

impl AnswerBody {
    pub(super) fn of_http1(
        (read, write): (ReadHalf<Stream>, WriteHalf<Stream>),
        buffer: BytesMut,
        decoder: BodyDecoder,
        silence_max: Duration,
    ) -> Self {
        let kind = Kind::Http1 { read, _write: write, buffer, decoder };
        Self { kind, silence_max, trailers: Vec::new() }
    }

    pub(super) fn of_http2(
        body: Incoming,
        (sender, driven): (SendRequest<Upload>, Driven),
        silence_max: Duration,
    ) -> Self {
        let kind = Kind::Http2 { body, _sender: sender, _driven: driven };
        Self { kind, silence_max, trailers: Vec::new() }
    }

    /// The next of it; `None` at its end.
    ///
    /// Cancel safe.
    ///
    /// # Errors
    ///
    /// [`BodyError`]: what came before is sound, and there is more that did not come.
    pub async fn next(&mut self) -> Result<Option<Bytes>, BodyError> {
        let silence_max = self.silence_max;
        let next = timeout(silence_max, self.next_of_kind()).await;
        next.map_err(|_| BodyError::Late(silence_max))?
    }

    /// How many bytes are still to come, if the head has told.
    pub fn left(&self) -> Option<u64> {
        match &self.kind {
            Kind::Http1 { decoder, .. } => decoder.left(),
            Kind::Http2 { body, .. } => body.size_hint().exact(),
        }
    }

    /// Names and values of fields behind it, once it has ended.
    pub fn trailers(&self) -> &[(String, Vec<u8>)] {
        &self.trailers
    }

    async fn next_of_kind(&mut self) -> Result<Option<Bytes>, BodyError> {
        match &mut self.kind {
            Kind::Http1 { read, buffer, decoder, .. } => loop {
                if let Some(piece) = take_piece(buffer, decoder, &mut self.trailers)? {
                    return Ok(Some(piece));
                }
                if decoder.has_ended() {
                    return Ok(None);
                }
                buffer.reserve(READ_BYTES);
                match read.read_buf(buffer).await {
                    Ok(0) if decoder.at_close() == AtClose::Whole => return Ok(None),
                    Ok(0) => return Err(BodyError::Cut),
                    // Under TLS an end without the word for it is no end: anybody could make it.
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                        return Err(BodyError::Cut);
                    }
                    Err(error) => return Err(BodyError::Broken(error)),
                    Ok(_) => {}
                }
            },
            Kind::Http2 { body, .. } => loop {
                let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
                match frame {
                    None if body.is_end_stream() => return Ok(None),
                    // It was reset without an error, which is not its end.
                    None => return Err(BodyError::Cut),
                    Some(Err(error)) => return Err(BodyError::Http2(error)),
                    Some(Ok(frame)) => match frame.into_data() {
                        Ok(data) if data.is_empty() => {}
                        Ok(data) => return Ok(Some(data)),
                        Err(frame) => {
                            let trailers = frame.into_trailers().unwrap_or_default();
                            self.trailers = trailers
                                .iter()
                                .map(|(name, value)| {
                                    (name.as_str().to_owned(), value.as_bytes().to_vec())
                                })
                                .collect();
                        }
                    },
                }
            },
        }
    }
}

/// Takes the next piece of content off what was read; `None` if more has to come, or it has ended.
fn take_piece(
    buffer: &mut BytesMut,
    decoder: &mut BodyDecoder,
    trailers: &mut Vec<(String, Vec<u8>)>,
) -> Result<Option<Bytes>, BodyError> {
    while !buffer.is_empty() && !decoder.has_ended() {
        let read = decoder.decode(buffer).map_err(BodyError::Malformed)?;
        let input = buffer.split_to(read.consumed).freeze();
        if read.ended {
            let fields = decoder.trailers().iter().map(|span| {
                let name = String::from_utf8_lossy(&input[span.name()]).into_owned();
                (name, input[span.value()].to_vec())
            });
            trailers.extend(fields);
        }
        if !read.data.is_empty() {
            return Ok(Some(input.slice(read.data)));
        }
        if read.consumed == 0 {
            break;
        }
    }
    Ok(None)
}
