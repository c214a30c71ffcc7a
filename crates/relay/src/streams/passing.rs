//! Both directions of a relayed connection, from its first byte to its end.

use std::{
    borrow::Cow,
    future::poll_fn,
    io::{self, ErrorKind},
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
    /// How long it may be open in all, in whole seconds.
    pub total_max: Option<Duration>,
}

/// Both ends of a relayed connection.
#[derive(Debug)]
pub(super) struct Ends {
    pub(super) client: Stream,
    pub(super) server: Stream,
}

/// What came before the two ends were joined, and is to go first.
#[derive(Debug, Default)]
pub(super) struct Early {
    pub(super) to_server: Vec<u8>,
    pub(super) to_client: Vec<u8>,
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
/// reached. An end is passed on as an end, of that direction alone; a reset as a reset.
pub(super) async fn pass(ends: Ends, early: Early, lasts: Lasts, along: Along<'_>) -> Passed {
    let mut passing = Passing::new(ends, early, lasts);
    let (by, why) = poll_fn(|cx| passing.poll(cx, along)).await;
    let (to_server, to_client) = (passing.up.passed(), passing.down.passed());
    Passed { by, why, to_server, to_client }
}

/// What is to become of the ends once all is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Broken {
    Neither,
    Client,
    Server,
}

#[derive(Debug)]
struct Passing {
    /// `None` once it is over.
    ends: Option<Ends>,
    up: Way,
    down: Way,
    lasts: Lasts,
    idle: Alarm,
    total: Alarm,
    /// Who took no more, while something may still come from it.
    broken: Broken,
    /// Who ended its direction first.
    first: Option<By>,
}

impl Passing {
    fn new(ends: Ends, early: Early, lasts: Lasts) -> Self {
        let (mut idle, mut total) = (Alarm::default(), Alarm::default());
        idle.set(lasts.idle_max);
        if let Some(total_max) = lasts.total_max {
            total.set(total_max);
        }
        Self {
            ends: Some(ends),
            up: Way::new(Direction::ToServer, early.to_server),
            down: Way::new(Direction::ToClient, early.to_client),
            lasts,
            idle,
            total,
            broken: Broken::Neither,
            first: None,
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>, along: Along<'_>) -> Poll<(By, Cow<'static, str>)> {
        let before = (self.up.passed(), self.down.passed());
        if let Some(end) = self.poll_ways(cx, along) {
            return Poll::Ready(end);
        }
        if before != (self.up.passed(), self.down.passed()) {
            self.idle.set(self.lasts.idle_max);
        }
        if self.idle.poll(cx).is_ready() {
            let why = format!("idle for {:?}", self.lasts.idle_max);
            return Poll::Ready((By::Relais, why.into()));
        }
        if self.total.poll(cx).is_ready() {
            let why = format!("open for {:?}", self.lasts.total_max.unwrap_or_default());
            return Poll::Ready((By::Relais, why.into()));
        }
        Poll::Pending
    }

    /// Passes what can be passed; gives how it ended, if it did.
    fn poll_ways(
        &mut self,
        cx: &mut Context<'_>,
        along: Along<'_>,
    ) -> Option<(By, Cow<'static, str>)> {
        let Ends { client, server } = self.ends.as_mut()?;
        let up = self.up.poll(cx, (&mut *client, &mut *server), along);
        if self.up.is_over() {
            self.first.get_or_insert(By::Client);
            self.down.is_last();
        }
        let down = self.down.poll(cx, (server, client), along);
        if self.down.is_over() {
            self.first.get_or_insert(By::Server);
            self.up.is_last();
        }
        for (cut, source, sink) in [(up, By::Client, By::Server), (down, By::Server, By::Client)] {
            match cut {
                Poll::Ready(Err(Cut::Source(error))) => return Some(self.cut(source, &error)),
                Poll::Ready(Err(Cut::Sink)) => self.is_deaf(sink),
                Poll::Ready(Err(Cut::Reset)) => {
                    return Some((By::Relais, "reset on purpose".into()));
                }
                Poll::Ready(Err(Cut::Close)) => {
                    // Dropped, they are closed.
                    self.ends = None;
                    return Some((By::Relais, "closed on purpose".into()));
                }
                Poll::Ready(Ok(())) | Poll::Pending => (),
            }
        }
        (self.up.is_over() && self.down.is_over()).then(|| self.over())
    }

    /// One side takes no more. What it said before may still be on its way, and is passed on.
    fn is_deaf(&mut self, by: By) {
        (match by {
            By::Client => &mut self.down,
            By::Server | By::Relais => &mut self.up,
        })
        .give_up();
        self.broken = if by == By::Client { Broken::Client } else { Broken::Server };
    }

    /// One side broke off: the other is told so at once.
    fn cut(&mut self, by: By, error: &io::Error) -> (By, Cow<'static, str>) {
        let Some(Ends { client, server }) = self.ends.take() else { return (by, "reset".into()) };
        match by {
            By::Client => server.reset(),
            By::Server | By::Relais => client.reset(),
        }
        (by, why_cut(error))
    }

    /// Both directions have ended.
    fn over(&mut self) -> (By, Cow<'static, str>) {
        let Some(Ends { client, server }) = self.ends.take() else {
            return (By::Relais, "closed".into());
        };
        let by = match self.broken {
            Broken::Neither => return (self.first.unwrap_or(By::Relais), "closed".into()),
            Broken::Client => {
                server.reset();
                By::Client
            }
            Broken::Server => {
                client.reset();
                By::Server
            }
        };
        (by, "reset".into())
    }
}

impl Drop for Passing {
    /// Who is cut off by a limit, or at the end of our own, is not to take what came for all.
    fn drop(&mut self) {
        if let Some(Ends { client, server }) = self.ends.take() {
            client.reset();
            server.reset();
        }
    }
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
