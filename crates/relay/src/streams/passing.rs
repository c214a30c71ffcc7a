//! Both directions of a relayed connection, from its first byte to its end.

use std::{
    borrow::Cow,
    future::poll_fn,
    io::{self, ErrorKind},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    task::{Context, Poll},
    time::Duration,
};

use relais_net::{Alarm, Stream};
use relais_tap::{By, Direction};

use super::way::{Along, Cut, Way};

/// How long a relayed connection may last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lasts {
    /// How long nothing may pass, in whole seconds.
    pub idle_max: Duration,
    /// The same once one side has ended, and the other was told: it may have forgotten the connection.
    pub half_closed_max: Duration,
    /// How long it may be open in all, in whole seconds.
    pub total_max: Option<Duration>,
}

/// Both ends of a relayed connection.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) client: Stream,
    pub(super) server: Stream,
}

/// How it ended, and what had passed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Passed {
    pub(super) by: By,
    pub(super) why: Cow<'static, str>,
    pub(super) to_server: u64,
    pub(super) to_client: u64,
}

/// Passes what comes from either end to the other, until both have ended, one broke, or a limit is
/// reached. An end is passed on as an end, of that direction alone; a reset as a reset. What of the
/// client came `early`, and was shown, goes first.
///
/// `record` is told of all that passes: it knows that even if this is cut off.
pub(super) async fn pass(
    pair: Pair,
    early: Vec<u8>,
    lasts: Lasts,
    (along, record): (Along<'_>, &Record),
) -> Passed {
    let mut passing = Passing::new(pair, early, lasts, along);
    let (by, why) = poll_fn(|cx| {
        let ended = passing.poll(cx, along);
        record.passed(passing.up.passed(), passing.down.passed());
        ended
    })
    .await;
    if let Some(closing) = passing.closing.take() {
        // Boxed for the size of every connection's task.
        Box::pin(close(closing)).await;
    }
    let (to_server, to_client) = (passing.up.passed(), passing.down.passed());
    Passed { by, why, to_server, to_client }
}

/// Tells both sides that this was the end, and hears neither any more; who goes on does so for a while.
async fn close(Pair { mut client, mut server }: Pair) {
    tokio::join!(client.linger_over(CLOSE_BYTES_MAX), server.linger_over(CLOSE_BYTES_MAX));
}

/// How much either side may still say of what nobody hears: more than is on its way.
const CLOSE_BYTES_MAX: u64 = 16 << 20;

/// How much passed, for who is to know it even if nobody comes to tell.
#[derive(Debug, Default)]
pub(super) struct Record {
    to_server: AtomicU64,
    to_client: AtomicU64,
}

impl Record {
    fn passed(&self, to_server: u64, to_client: u64) {
        self.to_server.store(to_server, Relaxed);
        self.to_client.store(to_client, Relaxed);
    }

    /// Bytes that went to the server, and back.
    pub(super) fn bytes(&self) -> (u64, u64) {
        (self.to_server.load(Relaxed), self.to_client.load(Relaxed))
    }
}

/// How an end came to a connection.
type End = (By, Cow<'static, str>);

/// How long who is told that this is the end may go on sending. Longer while it has not taken all that
/// it was sent.
const LINGER_MAX: Duration = Duration::from_secs(1);

#[derive(Debug)]
struct Passing {
    /// `None` once it is over.
    pair: Option<Pair>,
    /// What was it, if both sides are to be told that this is the end.
    closing: Option<Pair>,
    up: Way,
    down: Way,
    lasts: Lasts,
    idle: Alarm,
    total: Alarm,
    /// Set once nothing is left to be passed.
    linger: Alarm,
    /// Who was reset, while something that it said before is still on its way.
    was_reset: Option<By>,
    /// Who ended its direction first.
    first: Option<By>,
}

impl Passing {
    fn new(pair: Pair, early: Vec<u8>, lasts: Lasts, along: Along<'_>) -> Self {
        let (mut idle, mut total) = (Alarm::default(), Alarm::default());
        idle.set(lasts.idle_max);
        if let Some(total_max) = lasts.total_max {
            total.set(total_max);
        }
        Self {
            pair: Some(pair),
            closing: None,
            up: Way::new(Direction::ToServer, early, along),
            down: Way::new(Direction::ToClient, Vec::new(), along),
            lasts,
            idle,
            total,
            linger: Alarm::default(),
            was_reset: None,
            first: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, along: Along<'_>) -> Poll<End> {
        let before = (self.up.passed(), self.down.passed(), self.is_half());
        for direction in [Direction::ToServer, Direction::ToClient] {
            if let Some(end) = self.poll_way(cx, direction, along) {
                return Poll::Ready(end);
            }
        }
        if let Some(end) = self.poll_end(cx) {
            return Poll::Ready(end);
        }
        if before != (self.up.passed(), self.down.passed(), self.is_half()) {
            self.idle.set(self.idle_max());
        }
        if self.idle.poll(cx).is_ready() {
            let how = if self.is_half() { "half closed and " } else { "" };
            let why = format!("{how}idle for {:?}", self.idle_max());
            return Poll::Ready((By::Relais, why.into()));
        }
        if self.total.poll(cx).is_ready() {
            let why = format!("open for {:?}", self.lasts.total_max.unwrap_or_default());
            return Poll::Ready((By::Relais, why.into()));
        }
        Poll::Pending
    }

    /// Whether one direction is over.
    fn is_half(&self) -> bool {
        self.up.is_over() || self.down.is_over()
    }

    /// How long nothing may pass now.
    fn idle_max(&self) -> Duration {
        let Lasts { idle_max, half_closed_max, .. } = self.lasts;
        if self.is_half() { half_closed_max.min(idle_max) } else { idle_max }
    }

    /// Passes what can be passed one way, and judges how that went before the other way is looked at:
    /// what broke here may look like an end there. Gives how the connection ended, if it did.
    fn poll_way(
        &mut self,
        cx: &mut Context<'_>,
        direction: Direction,
        along: Along<'_>,
    ) -> Option<End> {
        let Pair { client, server } = self.pair.as_mut()?;
        let (way, other, ends, source) = match direction {
            Direction::ToServer => (&mut self.up, &mut self.down, (client, server), By::Client),
            Direction::ToClient => (&mut self.down, &mut self.up, (server, client), By::Server),
        };
        let went = way.poll(cx, ends, along);
        if way.is_over() {
            self.first.get_or_insert(source);
            other.end_by_closing();
        }
        let cut = match went {
            Poll::Ready(Err(cut)) => cut,
            Poll::Ready(Ok(())) | Poll::Pending => return None,
        };
        match cut {
            // All was passed before.
            Cut::Source(_) if self.is_done() => Some(self.over()),
            Cut::Source(error) => Some(self.cut(source, &error)),
            Cut::Sink(error) => {
                self.stop(direction, &error);
                None
            }
            Cut::Reset => Some((By::Relais, "reset on purpose".into())),
            Cut::Close => {
                self.closing = self.pair.take();
                Some((By::Relais, "closed on purpose".into()))
            }
        }
    }

    /// Nothing more goes in this direction: its sink takes no more. What that said before may still be
    /// on its way, and is passed on.
    fn stop(&mut self, direction: Direction, error: &io::Error) {
        let Some(Pair { client, server }) = &self.pair else { return };
        let (way, other, sink, by) = match direction {
            Direction::ToServer => (&mut self.up, &mut self.down, server, By::Server),
            Direction::ToClient => (&mut self.down, &mut self.up, client, By::Client),
        };
        // A socket tells once that it was reset, and was just heard: reading on, that looks like its end.
        // Whose end came before says so (EPIPE); TLS' own end is not to be mistaken.
        let is_after_its_end = is_after_its_end(error) || other.has_ended() || !sink.is_plain();
        if is_after_its_end {
            way.discard();
        } else {
            way.give_up();
            other.end_by_reset();
            self.was_reset = Some(by);
        }
    }

    /// Whether nothing is left to be passed.
    fn is_done(&self) -> bool {
        [&self.up, &self.down].iter().all(|way| way.is_over() || way.is_discarding())
    }

    /// Whether all is over, and both sides may know it.
    fn poll_end(&mut self, cx: &mut Context<'_>) -> Option<End> {
        if !self.is_done() {
            return None;
        }
        let Pair { client, server } = self.pair.as_ref()?;
        let goes_on = match (self.up.is_discarding(), self.down.is_discarding()) {
            (true, false) => client,
            (false, true) => server,
            (false, false) | (true, true) => return Some(self.over()),
        };
        // Closed with bytes unread it would be reset, and what it was sent last be lost.
        if !self.linger.is_set() {
            self.linger.set(LINGER_MAX);
        }
        while self.linger.poll(cx).is_ready() {
            if !goes_on.has_unsent() {
                return Some(self.over());
            }
            self.linger.set(LINGER_MAX);
        }
        None
    }

    /// One side broke off: the other is told so at once.
    fn cut(&mut self, by: By, error: &io::Error) -> End {
        let Some(Pair { client, server }) = self.pair.take() else { return (by, "reset".into()) };
        match by {
            By::Client => server.reset(),
            By::Server | By::Relais => client.reset(),
        }
        (by, why_cut(error))
    }

    /// Both directions have ended.
    fn over(&mut self) -> End {
        let pair = self.pair.take();
        let (Some(by), Some(Pair { client, server })) = (self.was_reset, pair) else {
            return (self.first.unwrap_or(By::Relais), "closed".into());
        };
        match by {
            By::Client => server.reset(),
            By::Server | By::Relais => client.reset(),
        }
        (by, "reset".into())
    }
}

impl Drop for Passing {
    /// Who is cut off by a limit, or at the end of our own, is not to take what came for all.
    fn drop(&mut self) {
        if let Some(Pair { client, server }) = self.pair.take() {
            client.reset();
            server.reset();
        }
    }
}

/// Whether `error` says of a socket that is written to no more than that nobody reads there any more:
/// either its end was heard before it was reset, or whether it was reset is still to be heard.
fn is_after_its_end(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::BrokenPipe | ErrorKind::NotConnected | ErrorKind::WriteZero)
}

/// What is said of a side that broke off.
fn why_cut(error: &io::Error) -> Cow<'static, str> {
    match error.kind() {
        ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted | ErrorKind::BrokenPipe => {
            "reset".into()
        }
        ErrorKind::TimedOut => "gone without a word".into(),
        // TLS: without its own end, nobody knows whether all has come (RFC 8446, section 6.1).
        ErrorKind::UnexpectedEof => "cut off".into(),
        _ => error.to_string().into(),
    }
}

#[cfg(test)]
mod tests;
