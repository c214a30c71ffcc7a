//! The stream under hyper: it judges what comes in, sends files without bringing them to memory,
//! and keeps the connection's [`Pulse`].

use std::{
    cell::RefCell,
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    sync::{Arc, LazyLock},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use relais_net::Stream;
use relais_wire::http1::{Guard, Refusal, Stage, Within};
use rustix::net::SendFlags;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::TcpStream,
};

use super::pulse::{Pulse, Waits};
use crate::FileSpan;

/// How much of a file goes out in one step.
pub(super) const STEP_BYTES: usize = 4 << 20;

/// Up to how many bytes the pieces of a write are put together: a head and a body of 1 KiB were
/// measured to take less time so than in a vectored write. Longer ones were not.
const JOINED_BYTES_MAX: usize = 4096;

thread_local! {
    /// Where the pieces of a write are put together.
    static JOINED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Bytes that stand for a file's in hyper's queue. Recognised by where they lie; never read, so
/// their pages never come into being.
static PLACEHOLDER: LazyLock<Bytes> = LazyLock::new(|| Bytes::from(vec![0; STEP_BYTES]));

/// As many placeholder bytes as `len`, at most [`STEP_BYTES`].
pub(super) fn placeholder(len: usize) -> Bytes {
    PLACEHOLDER.slice(..len)
}

fn is_placeholder(slice: &[u8]) -> bool {
    let start = PLACEHOLDER.as_ptr().addr();
    (start..start + STEP_BYTES).contains(&slice.as_ptr().addr())
}

/// A stream with its judge.
#[derive(Debug)]
pub(super) struct Transport {
    stream: Stream,
    pulse: Arc<Pulse>,
    /// `None` for HTTP/2, whose framing cannot be read in two ways.
    guard: Option<Guard>,
    refused: Option<Refusal>,
    /// The same, once hyper asked for more and was told.
    told: Option<Refusal>,
    /// The last read, the last write came to nothing for now.
    read_waits: bool,
    write_waits: bool,
    /// Bytes were written after the last flush.
    unflushed: bool,
}

impl Transport {
    pub(super) fn new(stream: Stream, pulse: Arc<Pulse>, guard: Option<Guard>) -> Self {
        let (read_waits, write_waits, unflushed) = (false, false, false);
        Self { stream, pulse, guard, refused: None, told: None, read_waits, write_waits, unflushed }
    }

    /// Why nothing more is read, if hyper wanted more. What is refused behind a connection's last
    /// request is nobody's business.
    pub(super) fn told(&self) -> Option<Refusal> {
        self.told
    }

    /// Whether the request whose body is under way has its answer already.
    pub(super) fn is_answered_early(&self) -> bool {
        let guard = self.guard.as_ref();
        guard.is_some_and(|guard| {
            guard.within() == Within::Body && self.pulse.answers() >= guard.heads()
        })
    }

    /// Whether written bytes may still lie in a buffer above or below.
    pub(super) fn is_mid_write(&self) -> bool {
        self.unflushed || self.write_waits
    }

    /// Tells the pulse what the connection waits for, and whether nothing is under way.
    fn tell(&self) {
        let stage = self.guard.as_ref().map(Guard::stage);
        let waits = match stage {
            _ if self.write_waits => Waits::Room,
            Some(Stage::Head) => Waits::Head,
            Some(Stage::Body) if self.read_waits => Waits::Body,
            _ => Waits::Message,
        };
        let between = stage == Some(Stage::BetweenMessages);
        self.pulse.set(waits, between && self.read_waits && !self.is_mid_write());
    }

    /// Waits until there is something to read, or the client has gone.
    pub(super) async fn readable(&self) -> io::Result<()> {
        match &self.stream {
            Stream::Tcp(stream) => stream.readable().await,
            Stream::Tls(stream) => stream.get_ref().0.readable().await,
            Stream::Unix(stream) => stream.readable().await,
            Stream::Memory(_) => Ok(()),
        }
    }

    /// Has the socket reset when it is closed: what a client that takes nothing was sent is then
    /// forgotten, and does not stay in the kernel's memory for minutes.
    pub(super) fn reset(&self) {
        let socket = match &self.stream {
            Stream::Tcp(socket) => socket,
            Stream::Tls(stream) => stream.get_ref().0,
            Stream::Unix(_) | Stream::Memory(_) => return,
        };
        if let Err(error) = socket.set_zero_linger() {
            tracing::debug!(%error, "a connection's end cannot be a reset");
        }
    }

    /// The stream below, for a last word in its clear.
    pub(super) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Writes memory. What is little is put together first: the kernel takes one piece in less time
    /// than we take to copy two into it.
    fn poll_write_memory(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
        match slices {
            [one] => self.poll_write_one(cx, one),
            _ if bytes > JOINED_BYTES_MAX => {
                Pin::new(&mut self.stream).poll_write_vectored(cx, slices)
            }
            _ => JOINED.with_borrow_mut(|joined| {
                joined.clear();
                for slice in slices {
                    joined.extend_from_slice(slice);
                }
                self.poll_write_one(cx, joined)
            }),
        }
    }

    fn poll_write_one(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stream {
            Stream::Tcp(stream) => poll_send(stream, cx, bytes, SendFlags::NOSIGNAL),
            stream => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    /// Writes memory up to the first placeholder, or a step of the file behind that.
    fn poll_write_mixed(
        &mut self,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let Stream::Tcp(stream) = &self.stream else {
            return Poll::Ready(Err(ErrorKind::Unsupported.into()));
        };
        let mut spans = self.pulse.spans();
        let Some(span) = spans.front_mut() else {
            return Poll::Ready(Err(io::Error::other("a placeholder without a file")));
        };
        let memory = slices.iter().position(|slice| is_placeholder(slice)).unwrap_or(slices.len());
        let written = if memory > 0 {
            ready!(poll_send(stream, cx, &slices[0], head_flags(span.len)))?
        } else {
            ready!(poll_send_file(stream, cx, span, slices[0].len()))?
        };
        if memory == 0 && span.len == 0 {
            spans.pop_front();
        }
        Poll::Ready(Ok(written))
    }

    fn note_write(&mut self, written: &Poll<io::Result<usize>>) {
        self.write_waits = written.is_pending();
        if let Poll::Ready(Ok(bytes)) = written {
            self.unflushed = true;
            self.pulse.moved(*bytes);
        }
        self.tell();
    }

    fn judge(&mut self, buf: &mut ReadBuf<'_>, before: usize) {
        let Some(guard) = &mut self.guard else { return };
        let was = guard.stage();
        let fed = guard.feed(&buf.filled()[before..]);
        if let Some(refusal) = fed.refusal {
            buf.set_filled(before + fed.passed);
            self.refused = Some(refusal);
        } else if was != guard.stage() {
            self.pulse.begin();
        }
    }
}

/// How the head of a file of `len` bytes is sent.
///
/// A long file's head waits for its first bytes (MORE), and all leave in full packets: half again as
/// many bytes a second as without. A short one's leaves at once and wakes the client, which saves a
/// fifth of the work (bench, 10 MiB and 100 KiB).
fn head_flags(len: u64) -> SendFlags {
    const LONG: u64 = 1 << 20;
    if len > LONG { SendFlags::NOSIGNAL | SendFlags::MORE } else { SendFlags::NOSIGNAL }
}

/// Sends some of `bytes`.
fn poll_send(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    bytes: &[u8],
    flags: SendFlags,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(cx))?;
        let sent =
            stream.try_io(Interest::WRITABLE, || Ok(rustix::net::send(stream, bytes, flags)?));
        match sent {
            Err(error) if error.kind() == ErrorKind::WouldBlock => (),
            sent => return Poll::Ready(sent),
        }
    }
}

/// Sends at most `len` bytes of `span`, and takes them off it.
///
/// # Errors
///
/// [`ErrorKind::InvalidData`] if the file changed since it was opened: what was promised in the
/// head can no longer be sent, and the client must see the message broken.
fn poll_send_file(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    span: &mut FileSpan,
    len: usize,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(cx))?;
        if !span.file.is_unchanged() {
            return Poll::Ready(Err(io::Error::new(ErrorKind::InvalidData, "the file changed")));
        }
        let mut offset = span.offset;
        let sent = stream.try_io(Interest::WRITABLE, || {
            Ok(rustix::fs::sendfile(stream, &span.file.file, Some(&mut offset), len)?)
        });
        match sent {
            Err(error) if error.kind() == ErrorKind::WouldBlock => (),
            Ok(0) => {
                let error = io::Error::new(ErrorKind::UnexpectedEof, "the file was cut");
                return Poll::Ready(Err(error));
            }
            Ok(bytes) => {
                span.offset += bytes as u64;
                span.len -= bytes as u64;
                return Poll::Ready(Ok(bytes));
            }
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if let Some(refusal) = this.refused {
            this.told = Some(refusal);
            return Poll::Ready(Err(io::Error::new(ErrorKind::InvalidData, refusal)));
        }
        let before = buf.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(cx, buf);
        this.read_waits = read.is_pending();
        if read.is_pending() {
            this.tell();
        }
        ready!(read)?;
        let bytes = buf.filled().len() - before;
        if bytes > 0 {
            this.pulse.moved(bytes);
            this.judge(buf, before);
            this.tell();
            if buf.filled().len() == before {
                // An empty read would mean the end of the stream.
                let refusal = this.refused.expect("nothing passes only if refused");
                this.told = Some(refusal);
                return Poll::Ready(Err(io::Error::new(ErrorKind::InvalidData, refusal)));
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Transport {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = if bufs.iter().any(|slice| is_placeholder(slice)) {
            this.poll_write_mixed(cx, bufs)
        } else {
            this.poll_write_memory(cx, bufs)
        };
        this.note_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.write_waits = flushed.is_pending();
        this.unflushed &= flushed.is_pending();
        this.tell();
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
