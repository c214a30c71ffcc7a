//! An HTTP/1 connection: awake with hyper while something is under way, at rest without it.

use std::{
    future::poll_fn,
    io,
    pin::{Pin, pin},
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use relais_net::{Drain, Fault, Side, Stream};
use relais_wire::http1::{Guard, HeadLimits};

use super::{
    Limits,
    asking::Asking,
    ending::{LastWord, cut, dismiss, last, leave, part},
    limits::SWEEP,
    pulse::{Judged, Pulse, Waits},
    straight::{self, Left},
    sweep::{Stop, Sweep},
    switch::Switch,
    transport::Transport,
};
use crate::inbound::BUFFERED_BYTES_MAX;

/// How much hyper may keep of what it reads and writes, if heads may not be larger than this.
const BUFFER_BYTES_MAX: usize = 64 * 1024;

/// As many fields as hyper has room for without being told, on the stack.
const FIELDS_USUAL: u32 = 100;

/// hyper for one connection. The guard has judged a head's size and number of fields before hyper
/// sees it: what passed there must find room here.
fn builder(limits: &Limits) -> http1::Builder {
    let HeadLimits { head_bytes_max, fields_max, .. } = limits.head;
    let whole = |number: u32| usize::try_from(number).expect("a number of bytes in memory");
    let buffer_bytes_max = BUFFER_BYTES_MAX.max(whole(head_bytes_max).saturating_mul(2));
    debug_assert!(buffer_bytes_max as u64 <= BUFFERED_BYTES_MAX / 2, "{head_bytes_max}");
    let mut builder = http1::Builder::new();
    builder.half_close(true).max_buf_size(buffer_bytes_max).writev(true);
    if fields_max > FIELDS_USUAL {
        builder.max_headers(whole(fields_max));
    }
    builder
}

/// What the connections of a service share.
#[derive(Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) limits: &'a Limits,
    /// How many connections are awake.
    pub(super) awake: &'a AtomicU32,
}

/// Why a connection stops being awake.
enum Ending {
    /// Nothing is under way: it may rest.
    AtRest,
    /// It is over, or the client broke the rules (the transport knows how).
    Over(Result<(), hyper::Error>),
    /// It took too long.
    Judged(Judged),
}

/// What is left of a connection that is no longer awake.
struct Slept {
    transport: Transport,
    /// What hyper read and did not need.
    early: Bytes,
    ending: Ending,
    word: LastWord,
}

/// Serves `stream` until either side has enough.
///
/// # Errors
///
/// What ended it other than well.
pub(super) async fn serve(
    stream: Stream,
    asking: Asking,
    shared: Shared<'_>,
    drain: &Drain,
) -> Result<(), Fault> {
    let guard = Guard::new(shared.limits.head);
    let mut transport = Transport::new(stream, Arc::clone(&asking.pulse), Some(guard));
    loop {
        match straight::walk(&mut transport, &asking, shared.limits, drain).await {
            Left::Long => (),
            Left::AtRest => match rest(&transport, shared.limits, drain).await {
                Rested::Woken => continue,
                Rested::Enough => return Box::pin(leave(transport, Ok(()))).await,
            },
            Left::Last => return Box::pin(last(transport)).await,
            Left::Over(ended) => return Box::pin(leave(transport, ended)).await,
            Left::Cut(error) => return Box::pin(cut(transport, error)).await,
            Left::Judged(judged) => {
                return Box::pin(dismiss(transport, judged, LastWord::CutsIn, &asking)).await;
            }
        }
        let awake = Awake::new(transport, asking.clone(), shared);
        let Slept { transport: slept, early, ending, word } = awake.run(drain).await;
        match ending {
            Ending::AtRest => transport = slept,
            // Boxed: a connection at rest keeps no room for its end.
            Ending::Over(Ok(())) if let Some(switch) = asking.pulse.switch() => {
                let ends = (shared.limits, drain);
                return Box::pin(switch_over(slept, early, *switch, ends)).await;
            }
            Ending::Over(ended) => return Box::pin(part(slept, ended, word, &asking)).await,
            Ending::Judged(judged) => {
                return Box::pin(dismiss(slept, judged, word, &asking)).await;
            }
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rested {
    /// The client sends something, or leaves.
    Woken,
    /// Nobody asks any more, or we are to stop.
    Enough,
}

/// Waits for the next request, without buffers.
async fn rest(transport: &Transport, limits: &Limits, drain: &Drain) -> Rested {
    tokio::select! {
        biased;
        _ = transport.readable() => Rested::Woken,
        () = drain.requested() => Rested::Enough,
        () = tokio::time::sleep(limits.idle_max) => Rested::Enough,
    }
}

/// Hands a connection over to what it was switched to; not if what the client said already was
/// refused, and would be missing.
async fn switch_over(
    transport: Transport,
    early: Bytes,
    switch: Switch,
    ends: (&Limits, &Drain),
) -> Result<(), Fault> {
    if let Some(refused) = transport.refused() {
        transport.reset();
        switch.give_up();
        let error = io::Error::new(io::ErrorKind::InvalidData, refused);
        return Err(Fault::new(Side::Client, "reading before a tunnel", error));
    }
    let (stream, unread) = transport.into_stream();
    let early = if unread.is_empty() { early } else { [&early[..], &unread].concat().into() };
    switch.make(stream, early, ends).await
}

type Hyper = http1::Connection<TokioIo<Transport>, Asking>;

/// A connection with hyper.
struct Awake<'a> {
    // Boxed: at rest only the place for a pointer is kept.
    hyper: Box<Hyper>,
    pulse: Arc<Pulse>,
    limits: &'a Limits,
    counted: Counted<'a>,
    /// Told to close after the answer under way.
    closing: bool,
    /// We are to stop, and had a sweep begin then.
    told: bool,
}

/// One of the connections awake, until it is dropped.
struct Counted<'a> {
    shared: Shared<'a>,
}

impl<'a> Counted<'a> {
    fn new(shared: Shared<'a>) -> Self {
        shared.awake.fetch_add(1, Relaxed);
        Self { shared }
    }

    fn is_crowded(&self) -> bool {
        self.shared.awake.load(Relaxed) > self.shared.limits.awake_max
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.shared.awake.fetch_sub(1, Relaxed);
    }
}

impl<'a> Awake<'a> {
    fn new(transport: Transport, asking: Asking, shared: Shared<'a>) -> Self {
        let pulse = Arc::clone(&asking.pulse);
        let hyper = builder(shared.limits).serve_connection(TokioIo::new(transport), asking);
        Self {
            hyper: Box::new(hyper),
            pulse,
            limits: shared.limits,
            counted: Counted::new(shared),
            closing: false,
            told: false,
        }
    }

    async fn run(mut self, drain: &Drain) -> Slept {
        let (mut timer, mut word) = (pin!(tokio::time::sleep(SWEEP)), pin!(drain.requested()));
        let mut sweep = Sweep::new(timer.as_mut());
        let mut stop = Stop::new(drain, word.as_mut());
        let ending = poll_fn(|cx| {
            let is_told = stop.is_requested(cx);
            if is_told && !self.told {
                self.told = true;
                self.pulse.stop();
                sweep.restart();
            }
            let polled = self.poll(cx, &mut sweep);
            // Not before hyper has read what it was called in for: of a head it is shown whole lines.
            let may_close = is_told && self.pulse.waits() != Waits::Head;
            if polled.is_pending() && !self.closing && may_close {
                self.closing = true;
                Pin::new(&mut *self.hyper).graceful_shutdown();
                return self.poll(cx, &mut sweep);
            }
            polled
        })
        .await;
        // Asked before hyper goes, and with it what it has of an answer.
        let is_answering = self.pulse.is_answering();
        // One that hyper was not asked for is nobody's.
        drop(self.pulse.prepared());
        let parts = self.hyper.into_parts();
        let (transport, early) = (parts.io.into_inner(), parts.read_buf);
        let word = if is_answering || transport.is_mid_write() {
            LastWord::CutsIn
        } else if transport.is_answered_early() {
            LastWord::Said
        } else {
            LastWord::Fits
        };
        Slept { transport, early, ending, word }
    }

    fn poll(&mut self, cx: &mut Context<'_>, sweep: &mut Sweep<'_>) -> Poll<Ending> {
        let mut polled = self.hyper.poll_without_shutdown(cx);
        // It does not always flush after it asked for the answer.
        if polled.is_pending() && self.pulse.interims().are_queued() {
            polled = self.hyper.poll_without_shutdown(cx);
        }
        if let Poll::Ready(ended) = polled
            // For hyper it is over, too, when nothing more can be read and all of the last answer is
            // in its queue. It goes on with that when it is polled again.
            && (ended.is_err() || self.pulse.waits() != Waits::Room)
        {
            return Poll::Ready(Ending::Over(ended));
        }
        let rests = self.pulse.rests() && !self.closing;
        if rests && self.counted.is_crowded() {
            return Poll::Ready(Ending::AtRest);
        }
        ready!(sweep.poll_due(cx));
        // Whose head does not come to its end in a sweep has asked for nothing.
        if self.told && self.pulse.is_within_head() {
            return Poll::Ready(Ending::Judged(Judged::Idle));
        }
        match self.pulse.judge(self.limits) {
            Judged::Well if rests => Poll::Ready(Ending::AtRest),
            Judged::Well => Poll::Pending,
            judged => Poll::Ready(Ending::Judged(judged)),
        }
    }
}
