//! The streams of an HTTP/2 connection. Each is a task, and ends when its client lets it stand.
//!
//! A connection on which nothing moves is judged as a whole (`pulse`). This is about a stream whose
//! client takes other streams, but not this one, by giving it no window: it would keep its file and
//! its share of memory for as long as the others live.

use std::{
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use relais_net::Gate;
use tokio::{
    sync::oneshot,
    time::{Instant, Sleep},
};

use super::{Limits, outgoing::SHARED_READ_BYTES, pulse::Pulse};

/// Runs the streams of a connection.
#[derive(Clone, Debug)]
pub(super) struct Streams {
    pulse: Arc<Pulse>,
    patience: Patience,
}

impl Streams {
    pub(super) fn of(pulse: &Arc<Pulse>, patience: Patience) -> Self {
        Self { pulse: Arc::clone(pulse), patience }
    }
}

impl<F: Future<Output = ()> + Send + 'static> hyper::rt::Executor<F> for Streams {
    /// Of a stream that becomes a tunnel hyper has what is sent attended to anew, while it is answered.
    fn execute(&self, stream: F) {
        let when_cut = self.pulse.when_cut();
        tokio::spawn(attend((stream, when_cut), Arc::clone(&self.pulse), self.patience.clone()));
    }
}

/// How long a client may leave what it asked for.
#[derive(Clone, Debug)]
pub(super) struct Patience {
    /// Places of bodies that are brought to memory, of all connections.
    places: Gate,
    /// While there are places enough: as long as a step takes at the least rate that a body may
    /// have, after the time that it may stand still.
    usual: Duration,
    /// While more than half of the places are taken; of the connection, too.
    pub(super) crowded: Duration,
}

impl Patience {
    pub(super) fn new(places: Gate, limits: &Limits) -> Self {
        let step = Duration::from_secs(SHARED_READ_BYTES / u64::from(limits.rate_min.max(1)));
        Self {
            places,
            usual: limits.stall_max.saturating_add(step),
            crowded: limits.stall_max / 10,
        }
    }

    /// Whether more than half of the places are taken.
    pub(super) fn is_crowded(&self) -> bool {
        self.places.is_crowded()
    }

    fn lasts(&self) -> Duration {
        if self.is_crowded() { self.crowded } else { self.usual }
    }
}

/// Runs `stream` to its end, or until its body has given bytes that nobody takes, or until that is told
/// which is to be told when it is cut off. Dropped before its end, it is reset, and what is left of it in
/// h2's queue is dropped.
async fn attend<F: Future<Output = ()>>(
    (stream, mut when_cut): (F, Option<oneshot::Receiver<()>>),
    pulse: Arc<Pulse>,
    patience: Patience,
) {
    let mut stream = pin!(stream);
    let mut standing: Option<Standing> = None;
    std::future::poll_fn(|cx| {
        match when_cut.as_mut().map(|told| Pin::new(told).poll(cx)) {
            Some(Poll::Ready(Ok(()))) => return Poll::Ready(()),
            // Whoever could tell is gone.
            Some(Poll::Ready(Err(_))) => when_cut = None,
            Some(Poll::Pending) | None => (),
        }
        // All streams of a connection are on one thread: what changes is this one's doing.
        let (given, owed) = (pulse.given(), pulse.owed());
        let polled = stream.as_mut().poll(cx);
        // Of a tunnel that came to nothing: it is for no other stream.
        drop(pulse.when_cut());
        if polled.is_ready() {
            return Poll::Ready(());
        }
        if pulse.given() != given {
            standing.get_or_insert_with(|| Standing::new(&patience)).since = Instant::now();
        } else if pulse.owed() < owed {
            standing = None;
        }
        match &mut standing {
            Some(standing) => standing.poll_too_long(cx, &patience),
            None => Poll::Pending,
        }
    })
    .await;
}

/// A stream that waits for its client to take what its body gave.
#[derive(Debug)]
struct Standing {
    since: Instant,
    /// When to look again.
    alarm: Pin<Box<Sleep>>,
}

impl Standing {
    fn new(patience: &Patience) -> Self {
        let alarm = Box::pin(tokio::time::sleep(patience.crowded));
        Self { since: Instant::now(), alarm }
    }

    fn poll_too_long(&mut self, cx: &mut Context<'_>, patience: &Patience) -> Poll<()> {
        while self.alarm.as_mut().poll(cx).is_ready() {
            let now = Instant::now();
            if now.duration_since(self.since) >= patience.lasts() {
                return Poll::Ready(());
            }
            self.alarm.as_mut().reset(now + patience.crowded.max(Duration::from_millis(1)));
        }
        Poll::Pending
    }
}
