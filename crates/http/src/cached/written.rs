//! Bodies that are written down while they pass.
//!
//! A body comes at the pace of the client that asked for it, on that client's own task, for as long
//! as nobody else reads it: that costs nothing. Once somebody does, or that client leaves others
//! behind, it moves to a task of its own on the same core.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    task::{Context, Poll, Waker, ready},
    time::Duration,
};

use http::HeaderMap;
use relais_cache::{
    Abandoned, Completion, Fetch, Kept, NotStored, Outcome, Reader, Woken, Writer, Written,
};
use relais_net::{Fault, Patience, after_others};
use tokio::{
    runtime,
    time::{Instant, timeout_at},
};

use super::{disk_reads::DiskReads, joined::Reading, reply::label};
use crate::{Answer, Body, Piece, Pieces};

/// Passes `answer` on, whose body is written down by `writer`, and says so in it.
///
/// A body that is there already stays the one piece that it is; one of files is left alone.
pub(super) fn write(
    mut answer: Answer,
    mut writer: Box<Writer>,
    how: (Abandoned, &DiskReads),
) -> Answer {
    let mut status = writer.cache_status();
    if let Some(bytes) = answer.body().memory() {
        writer.add(bytes);
        if writer.finish() != Outcome::Stored {
            status.kept = Kept::Unsaid;
        }
    } else if answer.body().is_of_files() {
        writer.give_up();
        status.kept = Kept::NotStored(NotStored::NotInMemory);
    } else {
        answer.body_mut().pass_through(|body| Passing::new(body, writer, how));
    }
    label(answer, status)
}

/// The pieces of a body, written down as they pass.
struct Passing {
    way: Way,
    abandoned: Abandoned,
    reads: DiskReads,
}

/// How a client gets what it asked for.
enum Way {
    /// By itself.
    Own(Arc<Slot>),
    /// From what others have, too.
    Shared(Reading),
}

/// What passes, where the first who joins can take it from.
#[derive(Debug)]
struct Slot(Mutex<Passed>);

#[derive(Debug)]
enum Passed {
    /// Here; and who waits for more of it.
    Here(Writing, Option<Waker>),
    /// To a task of its own, and this is what its client has of it.
    Away(Reader),
    /// Nowhere.
    Gone,
}

/// A body, and who writes it down.
#[derive(Debug)]
struct Writing {
    body: Body,
    /// `None` once it is over, or given up.
    writer: Option<Box<Writer>>,
}

impl Passing {
    fn new(body: Body, writer: Box<Writer>, (abandoned, reads): (Abandoned, &DiskReads)) -> Self {
        let watch = writer.watch();
        let writing = Writing { body, writer: Some(writer) };
        let slot = Arc::new(Slot(Mutex::new(Passed::Here(writing, None))));
        // It stays on the core that asked, as its connection does.
        if let Ok(runtime) = runtime::Handle::try_current() {
            let there = Arc::downgrade(&slot);
            watch.on_join(move || take_over(&there, &runtime, abandoned));
        }
        Self { way: Way::Own(slot), abandoned, reads: reads.clone() }
    }
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Passed> {
        // What panicked half-way is dropped then, and not polled again.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has what passes in `slot` come on a task of its own.
fn take_over(slot: &Weak<Slot>, runtime: &runtime::Handle, abandoned: Abandoned) {
    let Some(slot) = slot.upgrade() else { return };
    let mut passed = slot.lock();
    let Passed::Here(Writing { writer: Some(writer), .. }, _) = &*passed else { return };
    let reader = writer.reader();
    let was = std::mem::replace(&mut *passed, Passed::Away(reader));
    drop(passed);
    if let Passed::Here(writing, client) = was {
        runtime.spawn(go_on(writing, abandoned));
        if let Some(client) = client {
            client.wake();
        }
    }
}

impl Pieces for Passing {
    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, Fault>>> {
        loop {
            let slot = match &mut self.way {
                Way::Shared(reading) => return Pin::new(reading).poll_next(cx),
                Way::Own(slot) => slot,
            };
            let mut passed = slot.lock();
            match &mut *passed {
                Passed::Here(writing, client) => {
                    let piece = writing.poll_next(cx);
                    if piece.is_pending() {
                        match client {
                            Some(client) => client.clone_from(cx.waker()),
                            None => *client = Some(cx.waker().clone()),
                        }
                    }
                    return piece;
                }
                Passed::Away(_) => (),
                Passed::Gone => return Poll::Ready(None),
            }
            let was = std::mem::replace(&mut *passed, Passed::Gone);
            drop(passed);
            if let Passed::Away(reader) = was {
                self.way = Way::Shared(Reading::of(reader, &self.reads));
            }
        }
    }

    fn are_of_memory(&self) -> bool {
        let Way::Own(slot) = &self.way else { return false };
        matches!(&*slot.lock(), Passed::Here(writing, _) if writing.body.is_coming())
    }

    fn trailers(self: Pin<&mut Self>) -> Option<HeaderMap> {
        let Way::Own(slot) = &self.way else { return None };
        match &mut *slot.lock() {
            Passed::Here(writing, _) => writing.body.trailers(),
            Passed::Away(_) | Passed::Gone => None,
        }
    }
}

/// Goes on with what others wait for, or what is to be finished without anybody.
impl Drop for Passing {
    fn drop(&mut self) {
        let Way::Own(slot) = &self.way else { return };
        let was = std::mem::replace(&mut *slot.lock(), Passed::Gone);
        let Passed::Here(writing, _) = was else { return };
        let Some(writer) = &writing.writer else { return };
        // What panicked is not polled again.
        if std::thread::panicking() {
            return;
        }
        if self.abandoned == Abandoned::Ended && writer.end_if_alone() {
            return;
        }
        if let Ok(runtime) = runtime::Handle::try_current() {
            runtime.spawn(go_on(writing, self.abandoned));
        }
    }
}

/// How long those who read a body that is not held wait for the slowest of them.
const SLOWEST_MAX: Duration = Duration::from_secs(10);

/// Who asks for what has not come on for so long does not join it.
const STALLED_MIN: Duration = Duration::from_secs(5);

/// How long a fetch goes on that nobody waits for.
const UNREAD_MAX: Duration = Duration::from_mins(1);

/// Writes down all that comes, for those who read it.
async fn go_on(mut writing: Writing, abandoned: Abandoned) {
    let mut waits = Waits::default();
    poll_fn(|cx| writing.poll_all(cx, &mut waits, abandoned)).await;
}

/// What a body is waited for.
#[derive(Debug, Default)]
struct Waits {
    /// The slowest who reads it.
    slowest: Patience<()>,
    /// More of it.
    more: Patience<()>,
    /// Its end, though nobody reads it.
    unread: Patience<()>,
}

impl Writing {
    /// Writes all of it down, unless nobody waits for it.
    fn poll_all(
        &mut self,
        cx: &mut Context<'_>,
        waits: &mut Waits,
        abandoned: Abandoned,
    ) -> Poll<()> {
        loop {
            let Some(writer) = &self.writer else { return Poll::Ready(()) };
            if writer.poll_room(cx).is_pending() {
                wake(writer, cx);
                ready!(waits.slowest.poll(cx, (), SLOWEST_MAX));
                writer.cut_slowest();
                continue;
            }
            waits.slowest.moved();
            if self.poll_next(cx).is_ready() {
                waits.more.moved();
                continue;
            }
            let Some(writer) = &self.writer else { return Poll::Ready(()) };
            // Only now: who is late finds all there is at once.
            wake(writer, cx);
            if waits.more.poll(cx, (), STALLED_MIN).is_ready() {
                writer.stall();
            }
            if writer.poll_deserted(cx).is_pending() {
                waits.unread.moved();
                return Poll::Pending;
            }
            if abandoned == Abandoned::Finished {
                ready!(waits.unread.poll(cx, (), UNREAD_MAX));
            }
            if writer.end_if_alone() {
                return Poll::Ready(());
            }
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Piece, Fault>>> {
        let piece = ready!(self.body.poll_piece(cx, u64::MAX));
        self.note(piece.as_ref());
        Poll::Ready(piece)
    }

    /// Writes down what passed.
    fn note(&mut self, passed: Option<&Result<Piece, Fault>>) {
        let Some(writer) = &mut self.writer else { return };
        let goes_on = match passed {
            Some(Ok(Piece::Bytes(bytes))) => writer.add(bytes),
            Some(Ok(Piece::File(_)) | Err(_)) => Written::GaveUp,
            None => Written::On,
        };
        if goes_on == Written::GaveUp {
            self.writer = None;
            return;
        }
        // Who knows how much there is does not ask whether there is more.
        if passed.is_none() || self.body.left() == Some(0) {
            let outcome = self.writer.take().map(|writer| writer.finish());
            tracing::trace!(?outcome, "an answer passed");
        }
    }
}

/// Wakes those who wait for what was written; if they are many, some, and `cx` behind them.
fn wake(writer: &Writer, cx: &mut Context<'_>) {
    if writer.wake() == Woken::Some {
        // Once sockets were looked at, too: the sooner all is here, the fewer read it in pieces.
        after_others(cx);
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
            Ok(Piece::Bytes(bytes)) if completion.add(&bytes) == Written::On => (),
            _ => return Err(completion.give_up()),
        }
        // Who knows how much there is does not ask whether there is more.
        if body.left() == Some(0) {
            break;
        }
    }
    Ok(completion)
}

/// Takes a body that nobody waits for, up to `bytes_max`, for as long as a MiB of it comes in `mib_max`.
///
/// # Errors
///
/// The fault that broke it off.
pub(super) async fn drain(mut body: Body, bytes_max: u64, mib_max: Duration) -> Result<(), Fault> {
    let began = Instant::now();
    let mut taken = 0_u64;
    while taken <= bytes_max {
        let mib = u32::try_from(taken >> 20).unwrap_or(u32::MAX);
        let until = began + mib_max * mib.saturating_add(1);
        match timeout_at(until, poll_fn(|cx| body.poll_piece(cx, u64::MAX))).await {
            Ok(Some(piece)) => taken = taken.saturating_add(piece?.len()),
            Ok(None) | Err(_) => break,
        }
    }
    Ok(())
}
