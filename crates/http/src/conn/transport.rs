//! The stream under hyper: it judges what comes in, sends files without bringing them to memory,
//! and keeps the connection's [`Pulse`].

mod moving;

use std::{
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use relais_net::Stream;
use relais_wire::http1::{Guard, Refusal, Stage};
use rustix::{
    fd::{AsFd, BorrowedFd},
    net::RecvFlags,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    intake::{Course, Intake},
    placeholder::is_placeholder,
    pulse::{Pulse, Waits},
    send::poll_send_joined,
    send_file::Reader,
};
use crate::inbound::UNWANTED_BYTES_MAX;

/// A stream with its judge.
#[derive(Debug)]
pub(super) struct Transport {
    stream: Stream,
    pulse: Arc<Pulse>,
    intake: Intake,
    /// The last read, the last write came to nothing for now.
    read_waits: bool,
    write_waits: bool,
    /// Bytes were written after the last flush.
    unflushed: bool,
    /// What a file's end was not sent for.
    broken: Option<ErrorKind>,
    /// What is left of interim answers.
    interims: Vec<u8>,
    /// Who reads, once a file was to be sent to him.
    reader: Option<Reader>,
}

impl Transport {
    pub(super) fn new(stream: Stream, pulse: Arc<Pulse>, guard: Option<Guard>) -> Self {
        Self {
            stream,
            pulse,
            intake: Intake::new(guard),
            read_waits: false,
            write_waits: false,
            unflushed: false,
            broken: None,
            interims: Vec::new(),
            reader: None,
        }
    }

    /// Reads without judging: what came is to be [passed](Self::pass) or [put back](Self::put_back).
    pub(super) fn poll_read_unjudged(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let read = Pin::new(&mut self.stream).poll_read(cx, buf);
        self.read_waits = read.is_pending();
        if read.is_pending() {
            self.set_pulse();
        } else if !buf.filled().is_empty() {
            self.pulse.moved(buf.filled().len());
        }
        read
    }

    /// See [`Intake::guard_after`].
    pub(super) fn guard_after(&self, bytes: &[u8]) -> Option<Guard> {
        self.intake.guard_after(bytes)
    }

    /// See [`Intake::pass`].
    pub(super) fn pass(&mut self, guard: Guard) {
        self.intake.pass(guard);
    }

    /// See [`Intake::put_back`].
    pub(super) fn put_back(&mut self, bytes: &[u8]) {
        self.intake.put_back(bytes);
    }

    /// See [`Intake::refused`].
    pub(super) fn refused(&self) -> Option<Refusal> {
        self.intake.refused()
    }

    /// See [`Intake::hit`].
    pub(super) fn hit(&self) -> Option<Refusal> {
        self.intake.hit()
    }

    /// Whether an answer breaks off that looks whole, perhaps, to who gets what is queued.
    pub(super) fn is_broken(&self) -> bool {
        self.broken.is_some() || self.pulse.is_broken()
    }

    /// Whether the request whose body is under way has its answer already.
    pub(super) fn is_answered_early(&self) -> bool {
        self.intake.is_body_of(self.pulse.answers())
    }

    /// Whether written bytes may still lie in a buffer above or below.
    pub(super) fn is_mid_write(&self) -> bool {
        self.unflushed || self.write_waits
    }

    /// Sets in the pulse what the connection waits for, and whether nothing is under way.
    fn set_pulse(&self) {
        let stage = self.intake.stage();
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
            Stream::Within(_) | Stream::Memory(_) => Ok(()),
        }
    }

    /// Whether something came that was not read yet.
    pub(super) fn has_unread(&self) -> bool {
        let peek = |socket: BorrowedFd<'_>| {
            let flags = RecvFlags::PEEK | RecvFlags::DONTWAIT;
            rustix::net::recv(socket, &mut [0_u8; 1], flags).is_ok_and(|(bytes, _)| bytes > 0)
        };
        match &self.stream {
            Stream::Tcp(socket) => peek(socket.as_fd()),
            Stream::Tls(stream) => peek(stream.get_ref().0.as_fd()),
            Stream::Unix(socket) => peek(socket.as_fd()),
            Stream::Within(_) | Stream::Memory(_) => false,
        }
    }

    /// Whether the client's end of the connection is no more, which is seen without reading.
    pub(super) fn is_reset(&self) -> bool {
        let Some(socket) = self.stream.socket() else { return false };
        !matches!(rustix::net::sockopt::socket_error(socket), Ok(Ok(())))
    }

    /// Has the socket reset when it is closed: what a client that takes nothing was sent is then
    /// forgotten, and does not stay in the kernel's memory for minutes.
    pub(super) fn reset(&self) {
        let Some(socket) = self.stream.socket() else { return };
        if let Err(error) = socket.set_zero_linger() {
            tracing::debug!(%error, "a connection's end cannot be a reset");
        }
    }

    /// The stream below, which is to speak something else from here on, and what was read of that.
    pub(super) fn into_stream(self) -> (Stream, Vec<u8>) {
        (self.stream, self.intake.into_unread())
    }

    /// The stream below, for a last word in its clear.
    pub(super) fn stream(&mut self) -> &mut Stream {
        &mut self.stream
    }

    /// Writes what is left of interim answers that were begun: nothing else may come between.
    fn poll_interims(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.interims.is_empty() {
            let slices = [IoSlice::new(&self.interims)];
            let written = poll_send_joined(&mut self.stream, cx, &slices);
            self.note_write(&written);
            match ready!(written)? {
                0 => return Poll::Ready(Err(ErrorKind::WriteZero.into())),
                written => drop(self.interims.drain(..written)),
            }
        }
        Poll::Ready(Ok(()))
    }

    /// Writes the interim answers that are there. For who has all of its own written, and is about to
    /// flush.
    fn poll_due_interims(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pulse.interims().take(&mut self.interims);
        ready!(self.poll_interims(cx))?;
        self.interims = Vec::new();
        self.pulse.interims().sent();
        Poll::Ready(Ok(()))
    }

    fn note_write(&mut self, written: &Poll<io::Result<usize>>) {
        self.write_waits = written.is_pending();
        if let Poll::Ready(Ok(bytes)) = written {
            self.unflushed = true;
            self.pulse.moved(*bytes);
        }
        self.set_pulse();
    }
}

impl AsyncRead for Transport {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buf.filled().len();
        loop {
            let passes = this.intake.pass_on(buf);
            if passes.map_err(|refusal| io::Error::new(ErrorKind::InvalidData, refusal))? {
                return Poll::Ready(Ok(()));
            }
            let read = this.intake.poll_read(&mut this.stream, cx, buf);
            this.read_waits = read.is_pending();
            if read.is_pending() {
                this.set_pulse();
            }
            ready!(read)?;
            let bytes = buf.filled().len() - before;
            if bytes == 0 {
                return Poll::Ready(Ok(()));
            }
            this.pulse.moved(bytes);
            this.pulse.hear();
            if this.intake.judge(buf, before) == Course::Turned {
                this.pulse.begin();
            }
            this.pulse.set_long_body(this.intake.long_body(UNWANTED_BYTES_MAX));
            this.set_pulse();
            // An empty read would mean the end of the stream.
            if buf.filled().len() > before {
                return Poll::Ready(Ok(()));
            }
        }
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
        ready!(this.poll_interims(cx))?;
        let written = if bufs.iter().any(|slice| is_placeholder(slice)) {
            this.poll_write_mixed(cx, bufs)
        } else {
            poll_send_joined(&mut this.stream, cx, bufs)
        };
        this.note_write(&written);
        written
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        // hyper flushes when there is nothing left that it has to write, and after each poll.
        if this.pulse.interims().are_due() {
            ready!(this.poll_due_interims(cx))?;
        }
        let flushed = Pin::new(&mut this.stream).poll_flush(cx);
        this.write_waits = flushed.is_pending();
        this.unflushed &= flushed.is_pending();
        this.set_pulse();
        flushed
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(cx)
    }
}
