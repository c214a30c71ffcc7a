//! A tunnel in a stream of an HTTP/2 connection, beside others ([RFC 9113 §8.5]).
//!
//! It ends with its stream, and so with its connection; or, as over HTTP/1, once nothing moved in it
//! for too long. Of what its client does not take little is kept.
//!
//! Where its far end breaks, or we cut it off, the stream is reset: with `CANCEL`, as hyper has no way to
//! `CONNECT_ERROR`. Where the client resets it, the far end is; but if the far end had said all before
//! that, hyper has it that the client had, too.
//!
//! [RFC 9113 §8.5]: https://www.rfc-editor.org/rfc/rfc9113#section-8.5

use std::{
    future::poll_fn,
    io, mem,
    pin::{Pin, pin},
    sync::Arc,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use relais_net::{Alarm, Client, Fault, Gate, Permit};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    sync::oneshot,
};
use tracing::debug;

use super::{Limits, limits::SWEEP, pulse::Pulse, switch::Switch, tunnel, tunnel_ends::End};
use crate::body::Next;

/// How many there may be, on all connections of a listener: each is a socket to somebody.
pub(super) const MAX: usize = 1024;

/// How many of them are for any one client.
pub(super) const A_CLIENT_MAX: usize = Client::share_of(MAX);

/// How much is passed at a time. hyper has room for a few of them where the client takes none.
const PIECE_BYTES: usize = 16 * 1024;

/// The places of a listener's tunnels.
pub(super) fn gate() -> Gate {
    Gate::new(MAX, A_CLIENT_MAX)
}

/// A stream that is to be a tunnel.
#[derive(Debug)]
pub(super) struct Dig {
    upgrade: OnUpgrade,
    /// `None` until it has a place.
    open: Option<Open>,
}

/// A tunnel's place, and that its connection is in use.
#[derive(Debug)]
struct Open {
    pulse: Arc<Pulse>,
    _permit: Permit,
}

impl Dig {
    /// In the stream that `upgrade` stands for, once its request is answered.
    pub(super) fn new(upgrade: OnUpgrade) -> Self {
        Self { upgrade, open: None }
    }

    /// Takes a place for a tunnel of this client, whose connection, that of `pulse`, may have
    /// `streams_max` of them. Gives whether there is one.
    ///
    /// They are counted beside its streams: one that is reset is no stream any more, and a tunnel
    /// until that is noticed.
    pub(super) fn take_place(
        &mut self,
        pulse: &Arc<Pulse>,
        (gate, client): (&Gate, Client),
        streams_max: u32,
    ) -> bool {
        if pulse.tunnels() < streams_max {
            let permit = gate.enter(client, 1).ok();
            self.open = permit.map(|permit| Open::new(pulse, permit));
        }
        self.open.is_some()
    }

    /// Has what `switch` leads to passed on in the stream, once its answer is sent; by a task of its
    /// own, which ends with the stream. Gives it up if it has no place.
    pub(super) fn begin(self, switch: Switch, limits: &Arc<Limits>) {
        let Self { upgrade, open } = self;
        let Some(open) = open else { return switch.give_up() };
        let limits = Arc::clone(limits);
        let (cut, when_cut) = oneshot::channel();
        open.pulse.cut_when(when_cut);
        tokio::spawn(async move {
            let _open = open;
            if let Err(fault) = pass((upgrade, cut), switch, &limits).await {
                let error: &dyn std::error::Error = &fault;
                debug!(error, "a tunnel over HTTP/2 ended");
            }
        });
    }
}

impl Open {
    fn new(pulse: &Arc<Pulse>, permit: Permit) -> Self {
        pulse.tunnel_began();
        Self { pulse: Arc::clone(pulse), _permit: permit }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.pulse.tunnel_ended();
    }
}

/// The near end: a stream.
struct Near {
    io: TokioIo<Upgraded>,
    /// Whoever sends on the stream, who else has it end well. `None` once it was told.
    cut: Option<oneshot::Sender<()>>,
    /// Its end was read, and is looked at once more.
    is_at_end: bool,
}

impl Near {
    fn new(near: Upgraded, cut: oneshot::Sender<()>) -> Self {
        Self { io: TokioIo::new(near), cut: Some(cut), is_at_end: false }
    }
}

impl End for Near {
    fn break_off(&mut self) {
        if let Some(cut) = self.cut.take() {
            // Who is gone has the stream at its end already.
            _ = cut.send(());
        }
    }

    /// Never: it is reset then, whatever it said before.
    fn is_deaf_after(&self, _error: &io::Error, _has_ended: bool) -> bool {
        false
    }

    /// Whoever sends on the stream has all, and goes on without us.
    fn has_unsent(&self) -> bool {
        false
    }

    /// Whoever sends on it knows.
    fn is_gone(&mut self, cx: &mut Context<'_>) -> bool {
        matches!(Pin::new(&mut self.io).poll_flush(cx), Poll::Ready(Err(_)))
    }
}

impl AsyncRead for Near {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(Pin::new(&mut self.io).poll_read(cx, buf))?;
        if buf.filled().len() > before {
            return Poll::Ready(Ok(()));
        }
        // A stream that is reset without an error, or cancelled, reads as if it had ended. Whoever sends on
        // it knows, once he had his turn.
        if !mem::replace(&mut self.is_at_end, true) {
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        match Pin::new(&mut self.io).poll_flush(cx) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) | Poll::Pending => Poll::Ready(Ok(())),
        }
    }
}

impl AsyncWrite for Near {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.io).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(cx)
    }
}

async fn pass(
    (upgrade, cut): (OnUpgrade, oneshot::Sender<()>),
    switch: Switch,
    limits: &Limits,
) -> Result<(), Fault> {
    let near = match upgrade.await {
        Ok(near) if matches!(switch.next, Next::Tunnel(_)) => Near::new(near, cut),
        // A client that left before it was answered. What goes on with a connection of HTTP/1 whole,
        // as a WebSocket does, is never asked for over HTTP/2.
        _ => {
            switch.give_up();
            return Ok(());
        }
    };
    let Switch { next: Next::Tunnel(tunnel), tell } = switch else { return Ok(()) };
    let told = tunnel::Told::new(tell);
    looked_at(tunnel::run(near, Bytes::new(), (tunnel, told), (limits, PIECE_BYTES))).await
}

/// Runs `tunnel`, and polls it once a [`SWEEP`], too: once the client has said its last, nobody is
/// woken when the stream is reset, or its connection gone, but who asks is told.
async fn looked_at<F: Future>(tunnel: F) -> F::Output {
    let (mut tunnel, mut alarm) = (pin!(tunnel), Alarm::default());
    alarm.set(SWEEP);
    poll_fn(|cx| {
        let ended = tunnel.as_mut().poll(cx);
        while ended.is_pending() && alarm.poll(cx).is_ready() {
            alarm.set(SWEEP);
        }
        ended
    })
    .await
}
