//! What carries a session by datagrams.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use relais_net::{Datagrams, Outgoing, Train};
use relais_tap::By;
use tokio::time::{Instant, Sleep, sleep};

use super::{heard::Heard, lines::Line};
use crate::datagram::{Held, Lines};

/// What carries a session by datagrams.
#[derive(Debug)]
pub(crate) struct Carrier {
    pub(super) held: Arc<Held>,
    /// What the client said.
    lines: Lines,
    heard: Option<Vec<u8>>,
    socket: Arc<Datagrams>,
    /// As what number the client asked to begin.
    pub(super) re: Option<u64>,
    /// After how long a silence the client is gone.
    gone_after: Duration,
    clock: Pin<Box<Sleep>>,
}

impl Carrier {
    /// Of `held`, who asked to begin as `re`, and is gone after such a silence.
    pub(crate) fn new(
        (held, lines): (Arc<Held>, Lines),
        socket: Arc<Datagrams>,
        (re, gone_after): (Option<u64>, Duration),
    ) -> Self {
        let clock = Box::pin(sleep(gone_after));
        Self { held, lines, heard: None, socket, re, gone_after, clock }
    }

    /// Waits for what the client says.
    pub(super) fn poll_hear(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Heard>> {
        if self.poll_clock(cx).is_ready() {
            return Poll::Ready(Ok(Heard::Over((By::Client, "silent for too long".into()))));
        }
        self.lines.poll_recv(cx).map(|line| match line {
            Some(line) => {
                let bytes = line.len();
                self.heard = Some(line);
                Ok(Heard::Bytes(bytes))
            }
            None => Ok(Heard::Over((By::Client, "it speaks with another key".into()))),
        })
    }

    pub(super) fn next(&mut self) -> Option<Line> {
        let line = self.heard.take().or_else(|| self.lines.try_recv().ok());
        line.map(Line::Whole)
    }

    /// Tells each of `lines`, as soon as not too much is unconfirmed.
    pub(super) fn poll_tell(
        &mut self,
        cx: &mut Context<'_>,
        lines: &mut &[u8],
    ) -> Poll<io::Result<()>> {
        while let Some(end) = lines.iter().position(|byte| *byte == b'\n') {
            if self.held.state().association.is_full() {
                if self.poll_clock(cx).is_ready() {
                    return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
                }
                if self.held.state().association.is_full() {
                    return Poll::Pending;
                }
            }
            let told = self.held.state().tell(&lines[..end], Instant::now());
            if let Some((datagram, to)) = told {
                send(&self.socket, &datagram, to);
            }
            *lines = &lines[end + 1..];
        }
        Poll::Ready(Ok(()))
    }

    /// Sends again what is due. Ready once the client was silent for too long.
    fn poll_clock(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let now = Instant::now();
            let (again, to, wakes_at) = self.due(cx, now);
            again
                .iter()
                .zip(to.into_iter().cycle())
                .for_each(|(one, to)| send(&self.socket, one, to));
            let Some(wakes_at) = wakes_at.filter(|at| *at > now) else { return Poll::Ready(()) };
            self.clock.as_mut().reset(wakes_at);
            if self.clock.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
        }
    }

    /// What is to be sent again and to where, and when to look again; `None` if the client is gone.
    fn due(
        &self,
        cx: &Context<'_>,
        now: Instant,
    ) -> (Vec<Vec<u8>>, Option<SocketAddr>, Option<Instant>) {
        let mut state = self.held.state();
        state.wait(cx.waker());
        let association = &mut state.association;
        let (again, gone_at) = (association.due(now), association.heard_at() + self.gone_after);
        let wakes_at = association.wakes_at().map_or(gone_at, |at| at.min(gone_at));
        let wakes_at = if gone_at > now { Some(wakes_at) } else { None };
        (again, association.address(), wakes_at)
    }
}

impl Drop for Carrier {
    fn drop(&mut self) {
        self.held.state().sleep();
    }
}

/// Sends a datagram, if it can go now: it is told again if it does not come.
pub(crate) fn send(socket: &Datagrams, datagram: &[u8], to: SocketAddr) {
    socket.send_batch([Outgoing { train: Train::of_one(datagram), to, from: None }]);
}
