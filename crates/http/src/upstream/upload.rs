//! The body of a request on its way over HTTP/2, where others take it, and what became of it.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use relais_net::Fault;

use super::exchange::Waits;
use crate::Inbound;

/// A request's body, which is taken as far as the upstream takes it.
#[derive(Debug)]
pub(super) struct Upload {
    pub(super) body: Inbound,
    progress: Arc<Progress>,
}

/// How far a body is.
#[derive(Debug, Default)]
pub(super) struct Progress {
    /// Bytes that were taken.
    taken: AtomicU64,
    /// More was asked for, and is not there.
    is_awaited: AtomicBool,
    /// Why it broke off, until that is told.
    fault: Mutex<Option<Fault>>,
}

impl Upload {
    /// The body, and how far it is.
    pub(super) fn of(body: Inbound) -> (Self, Arc<Progress>) {
        let progress = Arc::default();
        (Self { body, progress: Arc::clone(&progress) }, progress)
    }
}

impl Progress {
    /// Whose turn it is.
    pub(super) fn waits(&self) -> Waits {
        let taken = self.taken.load(Relaxed);
        if self.is_awaited.load(Relaxed) { Waits::Client(taken) } else { Waits::Upstream(taken) }
    }

    /// Why it broke off, if it did and that was not told yet.
    pub(super) fn take_fault(&self) -> Option<Fault> {
        self.fault().take()
    }

    fn fault(&self) -> MutexGuard<'_, Option<Fault>> {
        // It is whole whatever panicked.
        self.fault.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let frame = Pin::new(&mut self.body).poll_frame(cx);
        let progress = &self.progress;
        progress.is_awaited.store(frame.is_pending(), Relaxed);
        frame
            .map_ok(|frame| {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                progress.taken.fetch_add(bytes, Relaxed);
                frame
            })
            .map_err(|fault| {
                // Kept for who waits for the answer: what HTTP/2 says of it tells nothing.
                *progress.fault() = Some(fault);
                io::ErrorKind::ConnectionAborted.into()
            })
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
