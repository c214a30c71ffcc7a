//! Interim answers (1xx) on their way to a client of HTTP/1.1 (RFC 9110 §15.2).
//!
//! hyper sends none but 100. So they are printed here, and the connection writes them where nothing
//! else is under way: behind the answer before, and before the first byte of the one that is waited
//! for. All of that is done by the connection's task, which is the one that polls the upstream: it
//! looks here after each poll, and nobody has to be woken to put something in.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};

use http::{
    Response,
    header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING},
};

/// How much waits for a client that takes nothing. What finds no room is dropped: interim answers
/// are hints, and a client that gets none of them is told nothing wrong.
const QUEUED_BYTES_MAX: usize = 16 * 1024;

/// Interim answers of one connection that are not sent yet.
///
/// *Cost*: of a request that has none, two counts and a look at a flag.
#[derive(Debug, Default)]
pub(crate) struct Interims {
    /// Changes when a request is asked, and when it has its answer.
    turn: AtomicU64,
    /// Whether some were put in that are not sent.
    are_due: AtomicBool,
    queued: Mutex<Queued>,
}

#[derive(Debug, Default)]
struct Queued {
    /// Whose they are.
    turn: u64,
    /// Whole heads, printed.
    heads: Vec<u8>,
    /// Who has the answer, and waits until they are sent.
    answer: Option<Waker>,
}

impl Interims {
    /// Those of the request that is asked now, until it has its answer.
    pub(crate) fn open(self: &Arc<Self>) -> Interim {
        Interim { interims: Arc::clone(self), turn: self.next_turn() }
    }

    /// The request has its answer, or will have none: what is still put in is dropped.
    pub(crate) fn close(&self) {
        self.next_turn();
    }

    /// Only the connection's task changes it.
    fn next_turn(&self) -> u64 {
        let turn = self.turn.load(Relaxed).wrapping_add(1);
        self.turn.store(turn, Relaxed);
        turn
    }

    /// Whether there are some that are not sent.
    pub(crate) fn are_due(&self) -> bool {
        self.are_due.load(Relaxed)
    }

    /// Whether there are some that were not [taken](Self::take).
    pub(crate) fn are_queued(&self) -> bool {
        self.are_due() && !self.queued().heads.is_empty()
    }

    /// Moves those that are queued behind `unsent`, which is to be written then.
    pub(crate) fn take(&self, unsent: &mut Vec<u8>) {
        let mut queued = self.queued();
        // Who was asked for an earlier request may still speak, on another thread.
        if queued.turn == self.turn.load(Relaxed) {
            unsent.append(&mut queued.heads);
        }
        queued.heads = Vec::new();
    }

    /// All that were taken are sent.
    pub(crate) fn sent(&self) {
        let mut queued = self.queued();
        self.are_due.store(!queued.heads.is_empty(), Relaxed);
        if let Some(answer) = queued.answer.take() {
            answer.wake();
        }
    }

    /// Waits until all are sent.
    pub(crate) fn poll_sent(&self, cx: &Context<'_>) -> Poll<()> {
        if !self.are_due() {
            return Poll::Ready(());
        }
        self.queued().answer = Some(cx.waker().clone());
        Poll::Pending
    }

    fn queued(&self) -> MutexGuard<'_, Queued> {
        // Nothing that holds the lock can panic half-way through a change.
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where interim answers to one request are put.
#[derive(Clone, Debug)]
pub(crate) struct Interim {
    interims: Arc<Interims>,
    turn: u64,
}

impl Interim {
    /// Has the connection send `interim`, if the answer is still waited for and there is room.
    ///
    /// It has no body: what would frame one is left out (RFC 9110 §8.6, RFC 9112 §6.1).
    pub(crate) fn send(&self, interim: &Response<()>) {
        let mut queued = self.interims.queued();
        if self.turn != self.interims.turn.load(Relaxed) {
            return;
        }
        if queued.turn != self.turn {
            queued.turn = self.turn;
            queued.heads.clear();
        }
        let before = queued.heads.len();
        print(interim, &mut queued.heads);
        if queued.heads.len() > QUEUED_BYTES_MAX {
            queued.heads.truncate(before);
        }
        let are_due = self.interims.are_due() || !queued.heads.is_empty();
        self.interims.are_due.store(are_due, Relaxed);
    }
}

/// Appends a head. No value of a field has line ends in it: none were parsed.
fn print(interim: &Response<()>, out: &mut Vec<u8>) {
    let status = interim.status();
    out.extend_from_slice(b"HTTP/1.1 ");
    out.extend_from_slice(status.as_str().as_bytes());
    out.push(b' ');
    out.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    out.extend_from_slice(b"\r\n");
    for (name, value) in interim.headers() {
        if matches!(*name, CONNECTION | CONTENT_LENGTH | TRANSFER_ENCODING) {
            continue;
        }
        out.extend_from_slice(name.as_str().as_bytes());
        out.extend_from_slice(b": ");
        out.extend_from_slice(value.as_bytes());
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b"\r\n");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hint(field: &str) -> Response<()> {
        let hint = Response::builder().status(103).header("link", field);
        hint.header("content-length", "5").header("transfer-encoding", "chunked").body(()).unwrap()
    }

    #[track_caller]
    fn check_taken(interims: &Interims, expect: &str) {
        let mut taken = Vec::new();
        interims.take(&mut taken);
        assert_eq!(String::from_utf8(taken).unwrap(), expect);
    }

    #[test]
    fn what_is_put_in_is_taken_once_and_frames_nothing() {
        let interims = Arc::new(Interims::default());
        let interim = interims.open();
        assert!(!interims.are_due());
        interim.send(&hint("a"));
        let unknown = Response::builder().status(199).body(()).unwrap();
        interim.send(&unknown);
        assert!(interims.are_queued());
        let both = "HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\nHTTP/1.1 199 \r\n\r\n";
        check_taken(&interims, both);
        assert!(interims.are_due() && !interims.are_queued());
        interims.sent();
        assert!(!interims.are_due());
        check_taken(&interims, "");
    }

    #[test]
    fn what_comes_too_late_is_dropped() {
        let interims = Arc::new(Interims::default());
        let first = interims.open();
        interims.close();
        first.send(&hint("closed"));
        assert!(!interims.are_due());
        let second = interims.open();
        first.send(&hint("first"));
        second.send(&hint("second"));
        check_taken(&interims, "HTTP/1.1 103 Early Hints\r\nlink: second\r\n\r\n");
    }

    #[test]
    fn what_was_not_taken_in_time_is_not_the_next_requests() {
        let interims = Arc::new(Interims::default());
        interims.open().send(&hint("first"));
        let second = interims.open();
        check_taken(&interims, "");
        interims.open().send(&hint("third"));
        second.send(&hint("second"));
        check_taken(&interims, "HTTP/1.1 103 Early Hints\r\nlink: third\r\n\r\n");
    }

    #[test]
    fn what_finds_no_room_is_dropped_whole() {
        let interims = Arc::new(Interims::default());
        let interim = interims.open();
        interim.send(&hint(&"x".repeat(QUEUED_BYTES_MAX)));
        assert!(!interims.are_due());
        for _ in 0..100 {
            interim.send(&hint(&"x".repeat(1000)));
        }
        let mut taken = Vec::new();
        interims.take(&mut taken);
        assert!(taken.len() <= QUEUED_BYTES_MAX && taken.ends_with(b"x\r\n\r\n"));
        assert!(taken.len() > QUEUED_BYTES_MAX - 2000);
    }
}
