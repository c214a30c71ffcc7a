//! The body of an answer, as it comes.

use std::{
    fmt,
    future::poll_fn,
    io::{self, ErrorKind},
    pin::Pin,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use hyper::{body::Incoming, client::conn::http2::SendRequest};
use relais_net::Stream;
use relais_wire::http1::response::{AtClose, BodyDecoder};
use tokio::{
    io::{AsyncReadExt as _, ReadHalf},
    select,
    task::JoinHandle,
    time::{Instant, sleep_until, timeout},
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
    Http1(Http1),
    Http2 {
        body: Incoming,
        /// Kept: without it the connection would end behind what is under way.
        _sender: SendRequest<Upload>,
        _driven: Driven,
    },
}

/// A connection that is being read. Nobody half-closes it: some servers take that for the client's
/// end.
struct Http1 {
    read: ReadHalf<Stream>,
    /// `None` once all of the request is sent, or no more of it is wanted.
    upload: Option<Uploading>,
    buffer: BytesMut,
    decoder: BodyDecoder,
}

/// A request on its way over HTTP/1. It goes on beside its answer, which may be made of it.
pub(super) struct Uploading {
    /// Cancel safe to be polled: what it has sent it knows.
    pub(super) sending: Pin<Box<dyn Future<Output = io::Result<()>> + Send>>,
    /// How long it is waited for.
    pub(super) until: Instant,
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
        (read, upload): (ReadHalf<Stream>, Option<Uploading>),
        buffer: BytesMut,
        decoder: BodyDecoder,
        silence_max: Duration,
    ) -> Self {
        let kind = Kind::Http1(Http1 { read, upload, buffer, decoder });
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
        match &mut self.kind {
            Kind::Http1(conn) => conn.next(&mut self.trailers, silence_max).await,
            Kind::Http2 { body, .. } => {
                let next = timeout(silence_max, next_of_http2(body, &mut self.trailers)).await;
                next.map_err(|_| BodyError::Late(silence_max))?
            }
        }
    }

    /// How many bytes are still to come, if the head has told.
    pub fn left(&self) -> Option<u64> {
        match &self.kind {
            Kind::Http1(conn) => conn.decoder.left(),
            Kind::Http2 { body, .. } => body.size_hint().exact(),
        }
    }

    /// Names and values of fields behind it, once it has ended.
    pub fn trailers(&self) -> &[(String, Vec<u8>)] {
        &self.trailers
    }
}

impl Http1 {
    async fn next(
        &mut self,
        trailers: &mut Vec<(String, Vec<u8>)>,
        silence_max: Duration,
    ) -> Result<Option<Bytes>, BodyError> {
        let mut until = Instant::now() + silence_max;
        if let Some(upload) = &self.upload {
            // A server that first takes all of the request is not silent.
            until = until.max(upload.until);
        }
        loop {
            if let Some(piece) = take_piece(&mut self.buffer, &mut self.decoder, trailers)? {
                return Ok(Some(piece));
            }
            if self.decoder.has_ended() {
                return Ok(None);
            }
            self.buffer.reserve(READ_BYTES);
            select! {
                read = self.read.read_buf(&mut self.buffer) => match read {
                    Ok(0) if self.decoder.at_close() == AtClose::Whole => return Ok(None),
                    Ok(0) => return Err(BodyError::Cut),
                    // Under TLS an end without the word for it is no end: anybody could make it.
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => {
                        return Err(BodyError::Cut);
                    }
                    Err(error) => return Err(BodyError::Broken(error)),
                    Ok(_) => {}
                },
                // Who takes no more of it may still say all of the answer.
                _sent = sent(&mut self.upload), if self.upload.is_some() => {
                    self.upload = None;
                    until = Instant::now() + silence_max;
                }
                () = sleep_until(until) => return Err(BodyError::Late(silence_max)),
            }
        }
    }
}

/// Waits until all of it is sent. Cancel safe.
async fn sent(upload: &mut Option<Uploading>) -> io::Result<()> {
    match upload {
        Some(upload) => upload.sending.as_mut().await,
        None => Ok(()),
    }
}

async fn next_of_http2(
    body: &mut Incoming,
    trailers: &mut Vec<(String, Vec<u8>)>,
) -> Result<Option<Bytes>, BodyError> {
    loop {
        let frame = poll_fn(|cx| Pin::new(&mut *body).poll_frame(cx)).await;
        match frame {
            None if body.is_end_stream() => return Ok(None),
            // It was reset without an error, which is not its end.
            None => return Err(BodyError::Cut),
            Some(Err(error)) => return Err(BodyError::of_http2(error)),
            Some(Ok(frame)) => match frame.into_data() {
                Ok(data) if data.is_empty() => {}
                Ok(data) => return Ok(Some(data)),
                Err(frame) => {
                    let fields = frame.into_trailers().unwrap_or_default();
                    let text = |name: &http::HeaderName| name.as_str().to_owned();
                    let fields = fields.iter();
                    *trailers = fields
                        .map(|(name, value)| (text(name), value.as_bytes().to_vec()))
                        .collect();
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
