//! Requests over HTTP/2 ([RFC 9113]): many at once on one connection, by h2.
//!
//! A [`Conn`] is had by all streams of a connection, a clone each, and is driven by a task of its
//! own on their core.
//!
//! [RFC 9113]: https://www.rfc-editor.org/rfc/rfc9113

mod counts;
mod fault;
mod request;

use std::{
    fmt,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Waker},
};

use bytes::Bytes;
use h2::{
    Ping,
    client::{Builder, Connection, ResponseFuture, SendRequest},
};
use relais_net::{
    CountedStream, Dialed, Dialer, Endpoint,
    tls::{Protocol, Protocols},
};
use tokio::{sync::Mutex, task::AbortHandle};

use super::{
    failure::{Failure, Kind},
    ledger::{Answered, Then},
};
use counts::Counts;
pub use request::Http2Request;

/// The connection that some streams have in common, if they have one.
pub(super) type Slot = Arc<Mutex<Option<Conn>>>;

/// One stream's hold on a connection. Closed once nobody has it any more.
#[derive(Clone)]
pub(super) struct Conn {
    sender: SendRequest<Bytes>,
    carrier: Arc<Carrier>,
}

/// What the streams of a connection share.
struct Carrier {
    request: Http2Request,
    counts: Counts,
    /// Nothing more is to be asked on it.
    is_over: AtomicBool,
    driver: AbortHandle,
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl fmt::Debug for Conn {
    /// Without what goes out: fields may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conn").field("counts", &self.carrier.counts).finish_non_exhaustive()
    }
}

/// How much of one answer may come before somebody takes it.
const STREAM_WINDOW: u32 = 1 << 20;

/// The same for all answers of a connection, which bounds what it holds.
const CONN_WINDOW: u32 = 16 << 20;

/// How long the fields of an answer may be, as RFC 9113 counts them (section 6.5.2).
const FIELD_BYTES_MAX: u32 = 64 << 10;

impl Conn {
    /// Calls `endpoint`, and hears that HTTP/2 is spoken there: under TLS by ALPN, in the clear without
    /// asking; its settings have come.
    ///
    /// Cancel safe: a call given up is hung up.
    ///
    /// # Errors
    ///
    /// [`Failure`]
    pub(super) async fn open(
        endpoint: &Endpoint,
        request: &Http2Request,
        dialer: &Dialer,
    ) -> Result<Self, Failure> {
        let Dialed { stream, session, .. } = dialer.dial(endpoint, Protocols::Http).await?;
        if session.is_some_and(|session| session.protocol != Protocol::Http2) {
            return Err(Failure::new(
                Kind::Malformed,
                "HTTP/2 is not agreed on: expected h2 by ALPN",
            ));
        }
        let counts = Counts::default();
        let stream = CountedStream::new(stream, Arc::clone(&counts.passed));
        let begun = builder().handshake(stream).await;
        let (sender, mut conn) = begun.map_err(|error| fault::unspoken(&error))?;
        await_settings(&mut conn).await?;
        let driver = tokio::spawn(async move { _ = conn.await }).abort_handle();
        let (request, is_over) = (request.clone(), AtomicBool::new(false));
        Ok(Self { sender, carrier: Arc::new(Carrier { request, counts, is_over, driver }) })
    }

    /// The connection, if another request may be sent: not once the server has said that it goes away.
    pub(super) fn still_open(mut self) -> Option<Self> {
        self.is_open().then_some(self)
    }

    /// Whether another request may be sent.
    pub(super) fn is_open(&mut self) -> bool {
        ended(&mut self.sender).is_none() && !self.carrier.is_over.load(Ordering::Relaxed)
    }

    /// How many streams the server lets be open at once; `usize::MAX` if it has not said.
    pub(super) fn streams_max(&self) -> usize {
        self.sender.current_max_send_streams()
    }

    /// Sends the request, and waits for the whole answer. Dropped, it resets its stream and none other.
    ///
    /// Bytes are those that passed on the connection since one of its streams was answered before: they
    /// add up, whichever answer had them.
    ///
    /// # Errors
    ///
    /// [`Failure`]. The connection is to be asked whether it is [still open](Self::still_open).
    pub(super) async fn ask(&mut self) -> Result<Answered, Failure> {
        let Self { sender, carrier } = self;
        let Carrier { request, counts, .. } = &**carrier;
        let _listening = Listening::on(carrier);
        let asked = async {
            poll_fn(|cx| sender.poll_ready(cx)).await?;
            let is_whole = request.body.is_empty();
            let (answer, mut body) = sender.send_request((*request.head).clone(), is_whole)?;
            if !is_whole {
                body.send_data(request.body.clone(), true)?;
            }
            hear(answer).await
        };
        let status = asked.await.map_err(|error| fault::failure(&said_before(sender, error)))?;
        let (bytes, sent) = counts.since_told();
        Ok(Answered { bytes, sent: Some(sent), status: Some(status), then: Then::Goes })
    }
}

fn builder() -> Builder {
    let mut builder = Builder::new();
    builder
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONN_WINDOW)
        .max_header_list_size(FIELD_BYTES_MAX);
    builder
}

/// Waits until the server has answered a ping: its settings come before all else (RFC 9113, section 3.4).
async fn await_settings(conn: &mut Connection<CountedStream, Bytes>) -> Result<(), Failure> {
    let mut pings = conn.ping_pong().expect("the first to ask for it");
    let answered = tokio::select! {
        biased;
        ended = conn => match ended {
            Ok(()) => return Err(Failure::new(Kind::Closed, "closed before HTTP/2 was spoken")),
            Err(error) => Err(error),
        },
        answered = pings.ping(Ping::opaque()) => answered.map(drop),
    };
    answered.map_err(|error| fault::unspoken(&error))
}

/// Why no more may be asked, if so.
fn ended(sender: &mut SendRequest<Bytes>) -> Option<h2::Error> {
    match sender.poll_ready(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(Err(error)) => Some(error),
        _ => None,
    }
}

/// Why a request has no answer: where its connection ended, what the server said before that.
fn said_before(sender: &mut SendRequest<Bytes>, error: h2::Error) -> h2::Error {
    let said = ended(sender).filter(|said| error.is_io() && said.is_remote());
    said.unwrap_or(error)
}

/// Waits for an answer, and takes all of it; its status. h2 passes over those that come before it.
async fn hear(answer: ResponseFuture) -> Result<u16, h2::Error> {
    let (head, mut body) = answer.await?.into_parts();
    while let Some(piece) = body.data().await {
        let length = piece?.len();
        body.flow_control().release_capacity(length)?;
    }
    body.trailers().await?;
    Ok(head.status.as_u16())
}

/// Hears whether anything comes while a request is under way. A connection on which nothing did, until
/// it was given up, is of no use: who answers is heard.
struct Listening<'a> {
    carrier: &'a Carrier,
    heard: u64,
}

impl<'a> Listening<'a> {
    fn on(carrier: &'a Carrier) -> Self {
        Self { carrier, heard: carrier.counts.passed.received() }
    }
}

impl Drop for Listening<'_> {
    fn drop(&mut self) {
        if self.carrier.counts.passed.received() == self.heard {
            self.carrier.is_over.store(true, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
