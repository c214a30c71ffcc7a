//! An HTTP/2 connection. h2 keeps the limits on frames, resets and windows; ours are the times.

use std::{
    future::poll_fn,
    io, mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

use hyper::server::conn::http2;
use hyper_util::rt::TokioIo;
use relais_net::{Drain, Fault, Gate, Side, Stream};

use super::{
    Limits,
    asking::Asking,
    batch::Batched,
    limits::SWEEP,
    pulse::{Judged, Pulse},
    refusal,
    streams::{Patience, Streams},
    sweep::{Stop, Sweep},
    transport::Transport,
};

/// How much of an answer is kept for a stream whose client does not take it; with what its body
/// gave last, a stream that stands still keeps twice as much.
const STREAM_BYTES_MAX: usize = 32 * 1024;

/// How much of a request's body, or of a tunnel, may come before somebody takes it.
const STREAM_WINDOW: u32 = 256 * 1024;

/// The same of all on a connection: where one less than so many stand still, as nobody takes what they
/// bring, the others go on.
const CONN_WINDOW: u32 = 16 * STREAM_WINDOW;

/// How many bodies of requests may be under way, on all connections of a listener.
const UPLOADS_MAX: usize = 2048;

/// The places of a listener's requests that have a body.
pub(super) fn uploads() -> Gate {
    Gate::shared_by_clients(UPLOADS_MAX)
}

/// Serves `stream` until either side has enough.
///
/// # Errors
///
/// What ended it other than well.
pub(super) async fn serve(
    stream: Stream,
    asking: Asking,
    limits: &Limits,
    drain: &Drain,
) -> Result<(), Fault> {
    let pulse = Arc::clone(&asking.pulse);
    let patience = Patience::new(asking.shared.clone(), limits);
    let streams = Streams::of(&pulse, patience.clone());
    let crowded = Limits { stall_max: patience.crowded, ..*limits };
    let batched = Batched::new(Transport::new(stream, Arc::clone(&pulse), None));
    let mut hyper = pin!(
        http2::Builder::new(streams)
            .max_concurrent_streams(limits.streams_max)
            .max_header_list_size(limits.head.head_bytes_max)
            .max_send_buf_size(STREAM_BYTES_MAX)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONN_WINDOW)
            .serve_connection(TokioIo::new(batched.clone()), asking)
    );
    let mut framed = Framed {
        hyper: hyper.as_mut(),
        batched,
        pulse,
        limits,
        crowded,
        patience,
        closing: false,
        told: None,
    };
    let (mut timer, mut word) = (pin!(tokio::time::sleep(SWEEP)), pin!(drain.requested()));
    let mut sweep = Sweep::new(timer.as_mut());
    let mut stop = Stop::new(drain, word.as_mut());
    let ended = poll_fn(|cx| {
        if stop.is_requested(cx) && framed.told.is_none() {
            framed.told = Some(framed.pulse.heard());
            framed.close();
            sweep.restart();
        }
        framed.poll(cx, &mut sweep)
    })
    .await;
    if ended.is_ok() {
        refusal::part(&mut framed.batched).await;
    }
    ended
}

type Hyper = http2::Connection<TokioIo<Batched>, Asking, Streams>;

/// A connection with hyper.
struct Framed<'a> {
    hyper: Pin<&'a mut Hyper>,
    batched: Batched,
    pulse: Arc<Pulse>,
    limits: &'a Limits,
    /// Those while most places for bodies are taken.
    crowded: Limits,
    patience: Patience,
    /// Told to close after the answers under way.
    closing: bool,
    /// Once we are told to stop: how often bytes had come in by then, or by the last sweep since.
    told: Option<u64>,
}

impl Framed<'_> {
    fn close(&mut self) {
        if !self.closing {
            self.closing = true;
            self.hyper.as_mut().graceful_shutdown();
        }
    }

    /// Whether we are told to stop, and the client has had a sweep's time to say something, but did not.
    fn is_left(&mut self) -> bool {
        let Some(told) = &mut self.told else { return false };
        let before = mem::replace(told, self.pulse.heard());
        self.pulse.is_left_since(before)
    }

    fn poll(&mut self, cx: &mut Context<'_>, sweep: &mut Sweep<'_>) -> Poll<Result<(), Fault>> {
        if let Poll::Ready(ended) = self.hyper.as_mut().poll(cx) {
            return Poll::Ready(ended.map_err(|error| {
                Fault::new(Side::Client, "talking HTTP/2", io::Error::other(error))
            }));
        }
        if let Poll::Ready(Err(error)) = self.batched.poll_leave(cx) {
            return Poll::Ready(Err(Fault::new(Side::Client, "writing HTTP/2", error)));
        }
        ready!(sweep.poll_due(cx));
        // hyper waits for the answer to a PING before it takes what was asked for to be all.
        if self.is_left() {
            return Poll::Ready(Ok(()));
        }
        let limits = if self.patience.is_crowded() { &self.crowded } else { self.limits };
        match self.pulse.judge(limits) {
            Judged::Well => Poll::Pending,
            Judged::Idle if !self.closing => {
                self.close();
                // What that has hyper say is said in its next poll.
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            // It had a sweep's time to say goodbye.
            Judged::Idle => Poll::Ready(Ok(())),
            Judged::Slow | Judged::Deaf => {
                self.batched.reset();
                let error = io::ErrorKind::TimedOut.into();
                Poll::Ready(Err(Fault::new(Side::Client, "waiting for the client", error)))
            }
        }
    }
}
