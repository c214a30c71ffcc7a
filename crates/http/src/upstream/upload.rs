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

use super::{exchange::Waits, head::strip_request_trailers};
use crate::Inbound;

/// A request's body, which is taken as far as the upstream takes it.
#[derive(Debug)]
pub(crate) struct Upload {
    progress: Arc<Progress>,
}

/// How far a body is.
#[derive(Debug)]
pub(crate) struct Progress {
    /// Bytes that were taken.
    taken: AtomicU64,
    /// More was asked for, and is not there.
    is_awaited: AtomicBool,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// `None` once it is another's, or nobody's.
    body: Option<Inbound>,
    /// Some of it was taken, even if it was but its end.
    is_begun: bool,
    /// Why it broke off, until that is told.
    fault: Option<Fault>,
}

impl Upload {
    /// The body, and how far it is.
    pub(crate) fn of(body: Inbound) -> (Self, Arc<Progress>) {
        let state = State { body: Some(body), is_begun: false, fault: None };
        let progress = Arc::new(Progress {
            taken: AtomicU64::new(0),
            is_awaited: AtomicBool::new(false),
            state: Mutex::new(state),
        });
        (Self { progress: Arc::clone(&progress) }, progress)
    }
}

impl Drop for Upload {
    fn drop(&mut self) {
        let mut state = self.progress.state();
        // One that is untouched may be sent to another.
        if state.is_begun {
            state.body = None;
        }
    }
}

impl Progress {
    /// Whose turn it is.
    pub(super) fn waits(&self) -> Waits {
        let taken = self.taken.load(Relaxed);
        if self.is_awaited.load(Relaxed) { Waits::Client(taken) } else { Waits::Upstream(taken) }
    }

    /// The answer has begun.
    pub(super) fn answered(&self) {
        if let Some(body) = &mut self.state().body {
            body.answered();
        }
    }

    /// Why it broke off, if it did and that was not told yet.
    pub(super) fn take_fault(&self) -> Option<Fault> {
        self.state().fault.take()
    }

    /// All of the body, if nothing was taken of it.
    pub(super) fn take_untouched(&self) -> Option<Inbound> {
        let mut state = self.state();
        if state.is_begun { None } else { state.body.take() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // It is whole whatever panicked.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Body for Upload {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let progress = &*self.progress;
        let state = &mut *progress.state();
        let Some(body) = &mut state.body else {
            return Poll::Ready(Some(Err(io::ErrorKind::ConnectionAborted.into())));
        };
        let frame = Pin::new(body).poll_frame(cx);
        progress.is_awaited.store(frame.is_pending(), Relaxed);
        state.is_begun |= frame.is_ready();
        frame
            .map_ok(|mut frame| {
                let bytes = frame.data_ref().map_or(0, |data| data.len() as u64);
                progress.taken.fetch_add(bytes, Relaxed);
                if let Some(trailers) = frame.trailers_mut() {
                    strip_request_trailers(trailers);
                }
                frame
            })
            .map_err(|fault| {
                // Kept for who waits for the answer: what HTTP/2 says of it tells nothing.
                state.fault = Some(fault);
                io::ErrorKind::ConnectionAborted.into()
            })
    }

    fn is_end_stream(&self) -> bool {
        self.progress.state().body.as_ref().is_none_or(Inbound::is_end_stream)
    }

    fn size_hint(&self) -> SizeHint {
        self.progress.state().body.as_ref().map(Inbound::size_hint).unwrap_or_default()
    }
}
