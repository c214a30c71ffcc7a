//! Clients that join what another asked for: they wait for its head, and read its body as it comes.

use std::{
    fmt,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use relais_cache::{Abandoned, Broken, Came, Cold, Forward, Hit, Lookup, Reader, Waiter, Watch};
use relais_net::{Alarm, Fault, Side};
use tokio::runtime;

use super::{REVALIDATION_MAX, Shared, disk_reads::DiskReads, question::sent_by};
use crate::{Answer, Ask, Piece, Pieces, body::Breaking, proxy::Onward};

/// The pieces of a body that somebody asked for. It has no trailers, even if what came has: they are
/// not stored either, and a client may not count on any ("because of the potential for trailer fields to
/// be discarded in transit", [RFC 9110 §6.5.1]).
///
/// [RFC 9110 §6.5.1]: https://www.rfc-editor.org/rfc/rfc9110#section-6.5.1
pub(super) struct Reading {
    reader: Reader,
    reads: DiskReads,
    /// What is waited for of a disk.
    cold: Option<ReadingCold>,
    breaking: Breaking,
}

type ReadingCold = Pin<Box<dyn Future<Output = Result<Bytes, Broken>> + Send>>;

impl Reading {
    pub(super) fn of(reader: Reader, reads: &DiskReads) -> Self {
        Self { reader, reads: reads.clone(), cold: None, breaking: Breaking::default() }
    }

    fn poll_bytes(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        loop {
            if let Some(cold) = &mut self.cold {
                let read = ready!(cold.as_mut().poll(cx));
                self.cold = None;
                return Poll::Ready(Some(read.map(|bytes| self.reader.took(bytes))));
            }
            match ready!(self.reader.poll_next(cx)) {
                Some(Ok(Came::Cold(cold))) => {
                    self.cold = Some(Box::pin(read(cold, self.reads.clone())));
                }
                Some(Ok(Came::Bytes(bytes))) => return Poll::Ready(Some(Ok(bytes))),
                Some(Err(broken)) => return Poll::Ready(Some(Err(broken))),
                None => return Poll::Ready(None),
            }
        }
    }
}

/// Reads `cold` where a disk may be waited for.
async fn read(cold: Cold, reads: DiskReads) -> Result<Bytes, Broken> {
    let turn = reads.turn(cold.at()).await;
    // What panicked was not read.
    let read = turn.read(move || cold.read()).await.map_err(io::Error::other).flatten();
    read.map_err(|error| Broken::Unread(error.kind()))
}

impl Pieces for Reading {
    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Piece, Fault>>> {
        if let Some(fault) = self.breaking.take() {
            return Poll::Ready(Some(Err(fault)));
        }
        let broken = match ready!(self.poll_bytes(cx)) {
            Some(Err(broken)) => broken,
            came => {
                return Poll::Ready(came.and_then(Result::ok).map(|bytes| Ok(Piece::Bytes(bytes))));
            }
        };
        let side = match broken {
            Broken::Off => Side::Upstream,
            Broken::TooSlow => Side::Client,
            Broken::Unread(_) => Side::Relais,
        };
        let doing = "reading what another client asked for";
        self.breaking.hold(Fault::new(side, doing, io::Error::other(broken)), cx)
    }
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reading").field("reader", &self.reader).finish_non_exhaustive()
    }
}

/// What came of waiting.
pub(super) enum Waited {
    /// It is time to act.
    For(Lookup),
    /// It took too long.
    InVain(Forward),
}

impl<H: Onward> Shared<H> {
    /// Waits for what another asked for, and for whoever asks next if that fails or takes too long.
    pub(super) async fn wait(&self, mut waiter: Box<Waiter>, ask: &Ask) -> Waited {
        let joining = &self.cache.settings().joining;
        let (mut in_all, mut for_this) = (Alarm::default(), Alarm::default());
        in_all.set(joining.wait_max);
        loop {
            for_this.set(joining.head_wait_max);
            let is_late = poll_fn(|cx| {
                if waiter.poll_head(cx).is_ready() {
                    return Poll::Ready(false);
                }
                if in_all.poll(cx).is_ready() {
                    return Poll::Ready(true);
                }
                for_this.poll(cx).map(|()| false)
            });
            if is_late.await {
                return Waited::InVain(waiter.why());
            }
            let asked = sent_by(ask, &self.inner);
            match self.cache.resume(waiter, &asked.asked(), (self.clock)()) {
                Lookup::Join(next) => waiter = next,
                lookup => return Waited::For(lookup),
            }
        }
    }
}

/// An answer on its way, which lives for itself.
pub(super) type Asking = Pin<Box<dyn Future<Output = Result<Answer, Fault>> + Send>>;

/// A fetch whose head others wait for. It is polled by who asked for it, and by a task of its own if
/// that leaves while somebody waits.
pub(super) struct Led {
    /// `None` once it is done, or has moved.
    asking: Option<Asking>,
    watch: Watch,
    abandoned: Abandoned,
}

impl Led {
    pub(super) fn new(asking: Asking, watch: Watch, abandoned: Abandoned) -> Self {
        Self { asking: Some(asking), watch, abandoned }
    }
}

impl Future for Led {
    type Output = Result<Answer, Fault>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let asking = self.asking.as_mut().expect("polled until it is done");
        let answer = ready!(asking.as_mut().poll(cx));
        self.asking = None;
        Poll::Ready(answer)
    }
}

impl Drop for Led {
    fn drop(&mut self) {
        let Some(asking) = self.asking.take() else { return };
        // What panicked cannot be polled again.
        if std::thread::panicking() {
            return;
        }
        if self.abandoned == Abandoned::Ended && self.watch.end_if_alone() {
            return;
        }
        if let Ok(runtime) = runtime::Handle::try_current() {
            runtime.spawn(go_on(asking, self.watch.clone(), self.abandoned));
        }
    }
}

/// Waits for the head of an answer whose client has left. Its body is passed on to whom reads it.
async fn go_on(mut asking: Asking, watch: Watch, abandoned: Abandoned) {
    let answered = poll_fn(|cx| {
        let answer = asking.as_mut().poll(cx).map(Some);
        if answer.is_pending()
            && abandoned == Abandoned::Ended
            && watch.poll_deserted(cx).is_ready()
        {
            return Poll::Ready(None);
        }
        answer
    });
    // An answer is dropped: if somebody reads it, its body goes on.
    if let Ok(Some(Err(fault))) = tokio::time::timeout(REVALIDATION_MAX, answered).await {
        let error: &dyn std::error::Error = &fault;
        tracing::debug!(error, "a fetch failed whose client had left");
    }
}

/// The answer that is shared with others while its body comes.
pub(super) fn share(hit: Hit, reader: Reader, reads: &DiskReads) -> Answer {
    super::reply::streamed(hit, Reading::of(reader, reads))
}
