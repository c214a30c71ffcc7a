//! An answer's body on its way to hyper.

use std::{
    io::ErrorKind,
    os::unix::fs::FileExt,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use http_body::{Frame, SizeHint};
use relais_net::{Fault, Permit, Side};

use super::{
    placeholder::{STEP_BYTES, placeholder},
    pulse::Pulse,
};
use crate::{Body, FileSpan, Piece};

/// How much of a file is brought to memory at a time for a connection's only answer: enough that
/// the system calls do not show, little enough to stay in the processor's cache.
const READ_BYTES: u64 = 128 * 1024;

/// The same for one of many answers of an HTTP/2 connection, each of which may stand still with as
/// much in memory. What does not get rid of so much in time is deaf.
pub(super) const SHARED_READ_BYTES: u64 = 16 * 1024;

/// How files reach the socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Files {
    /// From the page cache to the socket: [`Transport`](super::transport::Transport) does it.
    Sent,
    /// Through our memory, to be encrypted.
    Read,
    /// Through our memory, beside other answers.
    ReadShared,
}

impl Files {
    /// How much of a file is sent, or brought to memory, at a time.
    fn step_bytes(self) -> u64 {
        match self {
            Self::Sent => STEP_BYTES as u64,
            Self::Read => READ_BYTES,
            Self::ReadShared => SHARED_READ_BYTES,
        }
    }
}

/// A [`Body`] as hyper takes it.
#[derive(Debug)]
pub(super) struct Outgoing {
    body: Body,
    files: Files,
    pulse: Arc<Pulse>,
    owes: bool,
    /// Of the places for bodies that are brought to memory beside others.
    _place: Option<Permit>,
}

impl Outgoing {
    pub(super) fn new(body: Body, files: Files, pulse: Arc<Pulse>, place: Option<Permit>) -> Self {
        pulse.answering();
        Self { body, files, pulse, owes: false, _place: place }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Fault>>> {
        let piece = ready!(self.body.poll_piece(cx, self.files.step_bytes()));
        Poll::Ready(piece.map(|piece| match piece? {
            Piece::Bytes(bytes) => Ok(bytes),
            Piece::File(span) => self.bring(span),
        }))
    }

    fn bring(&mut self, step: FileSpan) -> Result<Bytes, Fault> {
        match self.files {
            Files::Sent => {
                let len = usize::try_from(step.len).expect("at most a step");
                self.pulse.push_step(self.body.step_of(step));
                Ok(placeholder(len))
            }
            Files::Read | Files::ReadShared => read(&step),
        }
    }

    fn settle(&mut self) {
        if self.owes {
            self.pulse.taken();
        }
        self.owes = false;
    }
}

/// Brings a step of a file to memory.
///
/// # Errors
///
/// If it cannot be read, or changed since it was opened: then no more of it may be sent.
fn read(step: &FileSpan) -> Result<Bytes, Fault> {
    let fault = |error| Fault::new(Side::Relais, "reading a file that is being sent", error);
    let len = usize::try_from(step.len).expect("at most a step");
    let mut bytes = BytesMut::zeroed(len);
    step.file.file.read_exact_at(&mut bytes, step.offset).map_err(fault)?;
    if !step.file.is_unchanged() {
        return Err(fault(std::io::Error::new(ErrorKind::InvalidData, "the file changed")));
    }
    Ok(bytes.freeze())
}

impl http_body::Body for Outgoing {
    type Data = Bytes;
    type Error = Fault;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Fault>>> {
        let this = self.get_mut();
        this.settle();
        let bytes = ready!(this.poll_bytes(cx));
        if matches!(bytes, Some(Ok(_))) {
            this.pulse.owe();
            this.owes = true;
        }
        if matches!(bytes, Some(Err(_))) {
            this.pulse.break_off();
        }
        if bytes.is_none() {
            return Poll::Ready(this.body.trailers().map(|trailers| Ok(Frame::trailers(trailers))));
        }
        Poll::Ready(bytes.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        self.body.left() == Some(0)
    }

    fn size_hint(&self) -> SizeHint {
        self.body.left().map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

impl Drop for Outgoing {
    fn drop(&mut self) {
        self.settle();
        self.pulse.answered();
    }
}
