//! The bodies of requests, as they come in.

mod uploading;

use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use http_body::{Body as _, Frame, SizeHint};
use hyper::body::Incoming;
use relais_net::{Fault, Side};
use tokio::time::timeout;

pub(crate) use self::uploading::Uploading;

/// The body of a request, as it comes in.
#[derive(Debug)]
pub enum Inbound {
    /// From the connection.
    Conn(ConnBody),
    /// From this process; for tests, and for requests we make up.
    Full(Bytes),
    /// Another, whose bytes are counted as they are taken.
    Counted(Box<Counted>),
}

/// A body whose bytes are counted.
#[derive(Debug)]
pub struct Counted {
    body: Inbound,
    taken: Arc<AtomicU64>,
}

impl Inbound {
    /// All of it, if it has no more than so many bytes. In memory, which grows as it comes.
    ///
    /// # Errors
    ///
    /// The client's, if it breaks off.
    pub async fn whole(mut self, bytes_max: usize) -> Result<Option<Bytes>, Fault> {
        let mut whole = Vec::new();
        while let Some(frame) = poll_fn(|cx| Pin::new(&mut self).poll_frame(cx)).await {
            let Ok(bytes) = frame?.into_data() else { continue };
            if whole.len() + bytes.len() > bytes_max {
                return Ok(None);
            }
            whole.extend_from_slice(&bytes);
        }
        Ok(Some(whole.into()))
    }

    /// What it asks for is being answered: nothing here keeps its time any more, who passes both on does.
    pub(crate) fn answered(&mut self) {
        match self {
            Self::Conn(ConnBody { uploading: Some(uploading), .. }) => uploading.answered(),
            Self::Counted(counted) => counted.body.answered(),
            Self::Conn(_) | Self::Full(_) => (),
        }
    }

    /// `body`, whose bytes are added to `taken` as they are taken.
    pub(crate) fn counted(body: Self, taken: Arc<AtomicU64>) -> Self {
        Self::Counted(Box::new(Counted { body, taken }))
    }
}

/// A body that comes from the connection. If it is dropped before its end, some of the rest is
/// taken all the same, so that its sender comes to read the answer instead of meeting a reset.
#[derive(Debug)]
pub struct ConnBody {
    /// `None` once dropped.
    body: Option<Incoming>,
    /// Over HTTP/2, until all of it is taken. Boxed: most have none.
    uploading: Option<Box<Uploading>>,
}

/// How many bytes of a body that nobody wants may still be on their way for it to be taken to its end.
/// Over HTTP/1, where more are, its answer says that the connection ends.
pub(crate) const UNWANTED_BYTES_MAX: u64 = 1 << 20;

/// How many of it may have come, and lie in hyper's buffer: twice what hyper may keep where heads may be as
/// large as they ever may, as that buffer grows by doubling.
///
/// A constant, as every request that waits for its answer would hold a number of its own.
pub(crate) const BUFFERED_BYTES_MAX: u64 = 4 << 20;

/// How long the rest may take.
const UNWANTED_MAX: Duration = Duration::from_mins(1);

/// How long it may be silent.
const UNWANTED_SILENCE_MAX: Duration = Duration::from_secs(5);

impl ConnBody {
    /// One that comes over HTTP/2 has a place, and keeps its time itself.
    pub(crate) fn new(body: Incoming, uploading: Option<Uploading>) -> Self {
        Self { body: Some(body), uploading: uploading.map(Box::new) }
    }

    fn poll_frame(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let body = self.body.as_mut().expect("a body until it is dropped");
        let frame = Pin::new(&mut *body).poll_frame(cx);
        if body.is_end_stream() {
            self.uploading = None;
        }
        if let Some(uploading) = &mut self.uploading {
            match &frame {
                Poll::Ready(Some(Ok(frame))) => uploading.came(data_len(frame)),
                // A stream that is reset without an error reads as if it had ended.
                Poll::Ready(None) => return broken(ErrorKind::UnexpectedEof),
                Poll::Ready(Some(Err(_))) => (),
                Poll::Pending => {
                    ready!(uploading.poll_late(cx));
                    return broken(ErrorKind::TimedOut);
                }
            }
        }
        frame.map(|frame| frame.map(|frame| frame.map_err(io::Error::other)))
    }
}

fn broken<T>(kind: ErrorKind) -> Poll<Option<io::Result<T>>> {
    Poll::Ready(Some(Err(kind.into())))
}

fn data_len(frame: &Frame<Bytes>) -> u64 {
    frame.data_ref().map_or(0, |data| data.len() as u64)
}

impl Drop for ConnBody {
    fn drop(&mut self) {
        let Some(body) = self.body.take().filter(|body| !body.is_end_stream()) else { return };
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(timeout(UNWANTED_MAX, take_unwanted(body)));
        }
    }
}

/// Takes `body` to its end, unless too much of it came already and too much is left.
async fn take_unwanted(mut body: Incoming) {
    let mut taken = 0;
    loop {
        // Not only what was taken counts: an answer that came meanwhile, and did not say that the connection
        // ends, went by what was left.
        let left = body.size_hint().upper().unwrap_or(u64::MAX);
        if taken.min(left) > UNWANTED_BYTES_MAX + BUFFERED_BYTES_MAX {
            return;
        }
        let frame = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx));
        let Ok(Some(Ok(frame))) = timeout(UNWANTED_SILENCE_MAX, frame).await else { return };
        taken += data_len(&frame);
    }
}

impl http_body::Body for Inbound {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        match self.get_mut() {
            Self::Conn(body) => body
                .poll_frame(cx)
                .map_err(|error| Fault::new(Side::Client, "reading a request's body", error)),
            Self::Full(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then_some(Ok(Frame::data(bytes))))
            }
            Self::Counted(counted) => {
                let frame = Pin::new(&mut counted.body).poll_frame(cx);
                if let Poll::Ready(Some(Ok(frame))) = &frame {
                    counted.taken.fetch_add(data_len(frame), Relaxed);
                }
                frame
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Conn(body) => body.body.as_ref().is_none_or(Incoming::is_end_stream),
            Self::Full(bytes) => bytes.is_empty(),
            Self::Counted(counted) => counted.body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Conn(body) => body.body.as_ref().map(Incoming::size_hint).unwrap_or_default(),
            Self::Full(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Self::Counted(counted) => counted.body.size_hint(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_body_is_had_whole_or_not_at_all() {
        let full = || Inbound::Full(Bytes::from_static(b"12345"));
        assert_eq!(full().whole(5).await.unwrap().as_deref(), Some(&b"12345"[..]));
        assert_eq!(full().whole(4).await.unwrap(), None);
        let empty = Inbound::Full(Bytes::new());
        assert_eq!(empty.whole(0).await.unwrap(), Some(Bytes::new()));
    }
}
