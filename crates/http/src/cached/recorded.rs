//! Bodies that are written down while they pass.

use std::{
    future::poll_fn,
    pin::Pin,
    task::{Context, Poll, ready},
};

use http::HeaderMap;
use relais_cache::{Completion, Fetch, Kept, NotStored, Outcome, Recorded, Recording};
use relais_net::Fault;

use super::reply::label;
use crate::{Answer, Body, Piece, Pieces};

/// Passes `answer` on, whose body is written to `recording`, and says so in it.
///
/// A body that is there already stays the one piece that it is; one of files is left alone.
pub(super) fn record(mut answer: Answer, mut recording: Box<Recording>) -> Answer {
    let mut status = recording.cache_status();
    if let Some(bytes) = answer.body().memory() {
        recording.add(bytes);
        if recording.finish() != Outcome::Stored {
            status.kept = Kept::Unsaid;
        }
    } else if answer.body().is_of_files() {
        status.kept = Kept::NotStored(NotStored::NotInMemory);
    } else {
        answer.body_mut().pass_through(|body| Passing { body, recording: Some(recording) });
    }
    label(answer, status)
}

/// The pieces of a body, written down as they pass.
struct Passing {
    body: Body,
    /// `None` once it is over, or given up.
    recording: Option<Box<Recording>>,
}

impl Passing {
    /// Writes down what is passed on.
    fn note(&mut self, passed: Option<&Result<Piece, Fault>>) {
        let Some(recording) = &mut self.recording else { return };
        let goes_on = match passed {
            Some(Ok(Piece::Bytes(bytes))) => recording.add(bytes),
            Some(Ok(Piece::File(_)) | Err(_)) => Recorded::GaveUp,
            None => Recorded::On,
        };
        if goes_on == Recorded::GaveUp {
            self.recording = None;
            return;
        }
        // Who knows how much there is does not ask whether there is more.
        if passed.is_none() || self.body.left() == Some(0) {
            let outcome = self.recording.take().map(|recording| recording.finish());
            tracing::trace!(?outcome, "an answer passed");
        }
    }
}

impl Pieces for Passing {
    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, Fault>>> {
        let piece = ready!(self.body.poll_piece(cx, u64::MAX));
        self.note(piece.as_ref());
        Poll::Ready(piece)
    }

    fn trailers(mut self: Pin<&mut Self>) -> Option<HeaderMap> {
        self.body.trailers()
    }
}

/// Takes a body that is missing to what is stored.
///
/// # Errors
///
/// What to ask instead: it broke off, or there is no room for it.
pub(super) async fn complete(
    mut body: Body,
    mut completion: Box<Completion>,
) -> Result<Box<Completion>, Box<Fetch>> {
    while let Some(piece) = poll_fn(|cx| body.poll_piece(cx, u64::MAX)).await {
        match piece {
            Ok(Piece::Bytes(bytes)) if completion.add(&bytes) == Recorded::On => (),
            _ => return Err(completion.give_up()),
        }
        // Who knows how much there is does not ask whether there is more.
        if body.left() == Some(0) {
            break;
        }
    }
    Ok(completion)
}

/// Takes a body that nobody waits for, up to `bytes_max`.
///
/// # Errors
///
/// The fault that broke it off.
pub(super) async fn drain(mut body: Body, bytes_max: u64) -> Result<(), Fault> {
    let mut taken = 0_u64;
    while taken <= bytes_max {
        match poll_fn(|cx| body.poll_piece(cx, u64::MAX)).await {
            Some(piece) => taken = taken.saturating_add(piece?.len()),
            None => break,
        }
    }
    Ok(())
}
