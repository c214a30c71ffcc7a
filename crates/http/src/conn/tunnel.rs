//! A connection that no longer speaks HTTP: after a 101, or a 2xx to CONNECT. What comes on either
//! side is passed to the other as it is, until both have ended. Where one breaks, or we cut it off, both
//! break (`tunnel_ends`). One that only takes no more has had its say passed on first.

use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use relais_net::{Alarm, Fault, Side};

use super::{
    Limits,
    limits::SWEEP,
    tunnel_ends::{End, Ends},
    tunnel_pipe::{Broken, Pipe},
};
use crate::{
    Ended,
    body::{Tell, Tunnel},
};

/// Passes on what comes from `near`, of which `early` came already, and from the far end of `tunnel`.
///
/// No more than `piece` bytes are read or written at once. `told` learns how it ended, and how many bytes
/// went to the near end.
///
/// # Errors
///
/// The fault of the side that broke off, or where nothing came for too long.
pub(super) async fn run<N: End>(
    near: N,
    early: Bytes,
    (tunnel, mut told): (Tunnel, Told),
    (limits, piece): (&Limits, usize),
) -> Result<(), Fault> {
    let Tunnel { far, early: from_far, held: _held } = tunnel;
    let (up, down) = (Pipe::new(&early, piece), Pipe::new(&from_far, piece));
    drop((early, from_far));
    let mut passing = Passing::new(Ends::new(near, far), (up, down), limits.tunnel_idle_max);
    let ended = poll_fn(|cx| {
        let ended = passing.poll(cx);
        told.passed = passing.down.passed;
        ended
    })
    .await;
    // Of what was idle it is told that we cut it off.
    if !passing.is_idle {
        told.end(&ended);
    }
    ended
}

/// Who is told of the end of what goes on with a connection: once, and where this is dropped before, that
/// we cut it off.
pub(super) struct Told {
    /// `None` once it was told, or if nobody is to be.
    tell: Option<Tell>,
    /// How many bytes went to the client.
    pub(super) passed: u64,
}

impl Told {
    /// Of what has not begun.
    pub(super) fn new(tell: Option<Tell>) -> Self {
        Self { tell, passed: 0 }
    }

    /// It ended so.
    pub(super) fn end<T>(mut self, ended: &Result<T, Fault>) {
        self.tell(|passed| match ended {
            Ok(_) => Ended::Whole(passed),
            Err(fault) => Ended::Broken(passed, fault.side),
        });
    }

    fn tell(&mut self, ended: impl FnOnce(u64) -> Ended) {
        if let Some(tell) = self.tell.take() {
            tell(ended(self.passed));
        }
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.tell(|passed| Ended::Broken(passed, Side::Relais));
    }
}

/// Both directions, until they are over.
struct Passing<N: End> {
    ends: Ends<N>,
    /// To the far end.
    up: Pipe,
    /// To the near end.
    down: Pipe,
    /// Set once one end has gone.
    gone: Option<Gone>,
    /// How long nothing may be passed.
    idle_max: Duration,
    idle: Alarm,
    /// Nothing was for so long.
    is_idle: bool,
    /// When to look again for who goes on.
    linger: Alarm,
    /// When to look again for who is not heard.
    look: Alarm,
}

/// One end has gone, before the other was done.
struct Gone {
    /// The other one, which is still to take what was passed.
    goes_on: Side,
    how: How,
    fault: Fault,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum How {
    /// It takes no more. What it said is passed on to its end.
    Deaf,
    /// What it said ends without an end.
    Cut,
}

/// How long who is sent nothing more may go on to say what nobody hears. Longer while it has not taken all
/// that it was sent.
const LINGER_MAX: Duration = Duration::from_secs(1);

impl<N: End> Passing<N> {
    fn new(ends: Ends<N>, (up, down): (Pipe, Pipe), idle_max: Duration) -> Self {
        let mut idle = Alarm::default();
        idle.set(idle_max);
        let (linger, look) = (Alarm::default(), Alarm::default());
        Self { ends, up, down, gone: None, idle_max, idle, is_idle: false, linger, look }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Fault>> {
        let before = (self.up.passed, self.down.passed);
        for source in [Side::Client, Side::Upstream] {
            self.pass(cx, source)?;
        }
        if self.up.is_done() && self.down.is_done() && self.poll_taken(cx).is_ready() {
            return Poll::Ready(self.over());
        }
        if before != (self.up.passed, self.down.passed) {
            self.idle.set(self.idle_max);
        }
        if self.idle.poll(cx).is_ready() {
            self.is_idle = true;
            let error = ErrorKind::TimedOut.into();
            return Poll::Ready(Err(Fault::new(Side::Client, "waiting in a tunnel", error)));
        }
        self.poll_gone(cx).map(Err)
    }

    /// Passes what can be passed of what comes from `source`, and judges how that went before the other
    /// way is looked at: what broke here may look like an end there.
    fn pass(&mut self, cx: &mut Context<'_>, source: Side) -> Result<(), Fault> {
        let Ends { near, far, .. } = &mut self.ends;
        let polled = match source {
            Side::Client => self.up.poll(cx, near, far),
            Side::Upstream | Side::Relais => self.down.poll(cx, far, near),
        };
        match polled {
            Poll::Ready(Err(Broken::Source(error))) => self.lost(source, error),
            Poll::Ready(Err(Broken::Sink(error))) => self.stop(source, error),
            Poll::Ready(Ok(())) | Poll::Pending => Ok(()),
        }
    }

    /// `source` says no more, and has not said that this was all.
    fn lost(&mut self, source: Side, error: io::Error) -> Result<(), Fault> {
        let (pipe, other, goes_on) = self.ways(source);
        let is_cut = error.kind() == ErrorKind::UnexpectedEof;
        if other.is_done() && pipe.is_done() {
            // All was passed before.
            pipe.end();
            return Ok(());
        }
        let fault = Fault::new(source, "reading in a tunnel", error);
        if !is_cut {
            return Err(fault);
        }
        // TLS without its own end: the rest may be missing, and nothing of what came is.
        pipe.end();
        other.discard();
        self.go_on_with(Gone { goes_on, how: How::Cut, fault })
    }

    /// What `source` says has nobody any more who takes it.
    fn stop(&mut self, source: Side, error: io::Error) -> Result<(), Fault> {
        let Ends { near, far, .. } = &self.ends;
        let is_deaf = match source {
            Side::Client => far.is_deaf_after(&error, self.down.has_ended()),
            Side::Upstream | Side::Relais => near.is_deaf_after(&error, self.up.has_ended()),
        };
        let (pipe, _, sink) = self.ways(source);
        let fault = Fault::new(sink, "writing in a tunnel", error);
        if !is_deaf {
            return Err(fault);
        }
        pipe.discard();
        self.go_on_with(Gone { goes_on: source, how: How::Deaf, fault })
    }

    /// What comes from `source`, what goes to it, and who is at the other end.
    fn ways(&mut self, source: Side) -> (&mut Pipe, &mut Pipe, Side) {
        match source {
            Side::Client => (&mut self.up, &mut self.down, Side::Upstream),
            Side::Upstream | Side::Relais => (&mut self.down, &mut self.up, Side::Client),
        }
    }

    /// Goes on with the one end that is left.
    fn go_on_with(&mut self, gone: Gone) -> Result<(), Fault> {
        if self.gone.as_ref().is_some_and(|before| before.goes_on != gone.goes_on) {
            return Err(gone.fault);
        }
        self.gone = Some(gone);
        Ok(())
    }

    /// Waits until who goes on has taken what was passed last, if one end has gone.
    fn poll_taken(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let Some(gone) = &self.gone else { return Poll::Ready(()) };
        let Ends { near, far, .. } = &self.ends;
        let has_unsent = || match gone.goes_on {
            Side::Client => near.has_unsent(),
            Side::Upstream | Side::Relais => far.has_unsent(),
        };
        let may_go = match gone.how {
            // It is to be reset, or closed with nothing unread.
            How::Cut => !has_unsent(),
            How::Deaf => self.up.has_ended() && self.down.has_ended(),
        };
        if may_go {
            return Poll::Ready(());
        }
        if !self.linger.is_set() {
            self.linger.set(LINGER_MAX);
        }
        while self.linger.poll(cx).is_ready() {
            if !has_unsent() {
                return Poll::Ready(());
            }
            self.linger.set(LINGER_MAX);
        }
        Poll::Pending
    }

    /// Nothing is left to be passed.
    fn over(&mut self) -> Result<(), Fault> {
        match self.gone.take() {
            Some(Gone { how: How::Cut, fault, .. }) => Err(fault),
            gone => {
                self.ends.are_done();
                match gone {
                    // Its client has not got all.
                    Some(Gone { goes_on: Side::Upstream, fault, .. }) => Err(fault),
                    _ => Ok(()),
                }
            }
        }
    }

    /// Looks now and then for a near end that is not heard, as the far end takes nothing: whoever waits
    /// there alone is not told when it is gone.
    fn poll_gone(&mut self, cx: &mut Context<'_>) -> Poll<Fault> {
        if !self.up.is_held_up() {
            return Poll::Pending;
        }
        if !self.look.is_set() {
            self.look.set(SWEEP);
        }
        ready!(self.look.poll(cx));
        while self.look.poll(cx).is_ready() {
            self.look.set(SWEEP);
        }
        if !self.ends.near.is_gone(cx) {
            return Poll::Pending;
        }
        let error = ErrorKind::ConnectionReset.into();
        Poll::Ready(Fault::new(Side::Client, "waiting in a tunnel", error))
    }
}

#[cfg(test)]
mod tests {
    use std::pin::Pin;

    use relais_net::Stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::{super::tunnel_pipe::PASS_BYTES, *};

    /// Both ends of a tunnel, and the tunnel.
    fn dig(
        early: (&'static str, &'static str),
    ) -> (DuplexStream, DuplexStream, tokio::task::JoinHandle<Result<(), Fault>>) {
        let ((client, near), (far, server)) = (duplex(1 << 10), duplex(1 << 10));
        let tunnel = Tunnel::new(Stream::Memory(far), early.1.into());
        let limits = Limits { tunnel_idle_max: Duration::from_secs(5), ..Limits::default() };
        let running = tokio::spawn(async move {
            let both = (tunnel, Told::new(None));
            run(Stream::Memory(near), early.0.into(), both, (&limits, PASS_BYTES)).await
        });
        (client, server, running)
    }

    #[tokio::test]
    async fn what_came_early_goes_first_and_an_end_is_passed_on() {
        let (mut client, mut server, running) = dig(("a", "x"));
        client.write_all(b"b").await.unwrap();
        client.shutdown().await.unwrap();
        let mut heard = String::new();
        server.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "ab");
        server.write_all(b"y").await.unwrap();
        drop(server);
        heard.clear();
        client.read_to_string(&mut heard).await.unwrap();
        assert_eq!(heard, "xy");
        running.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn much_passes_both_ways_though_neither_side_is_quick() {
        let (client, server, running) = dig(("", ""));
        let talk = |stream: DuplexStream| async move {
            let (mut read, mut write) = tokio::io::split(stream);
            let bytes: Vec<u8> = (0..1_000_003_u32).map(|number| number.to_le_bytes()[1]).collect();
            let mut heard = Vec::new();
            let saying = async {
                write.write_all(&bytes).await.unwrap();
                write.shutdown().await.unwrap();
            };
            tokio::join!(saying, async { read.read_to_end(&mut heard).await.unwrap() });
            assert!(heard == bytes);
        };
        tokio::join!(talk(client), talk(server));
        running.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_tunnel_that_is_cut_off_tells_what_passed() {
        let ((client, near), (far, mut server)) = (duplex(1 << 10), duplex(1 << 10));
        let (tell, told) = std::sync::mpsc::channel();
        let told_of = Told::new(Some(Box::new(move |ended| tell.send(ended).unwrap())));
        let both = (Tunnel::new(Stream::Memory(far), "early".into()), told_of);
        let limits = Limits::default();
        server.write_all(b" and late").await.unwrap();
        let mut running =
            Box::pin(run(Stream::Memory(near), Bytes::new(), both, (&limits, PASS_BYTES)));
        assert!(polled(running.as_mut()).await.is_pending());
        drop(running);
        assert_eq!(told.try_recv(), Ok(Ended::Broken(14, Side::Relais)));
        assert!(told.recv().is_err(), "told once");
        drop(client);
    }

    /// Polls `future` once.
    async fn polled<F: Future>(mut future: Pin<&mut F>) -> Poll<F::Output> {
        poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_tunnel_in_which_nothing_moves_is_closed() {
        let (mut client, mut server, running) = dig(("", ""));
        for _ in 0..3 {
            tokio::time::sleep(Duration::from_secs(4)).await;
            client.write_all(b"a").await.unwrap();
            server.read_exact(&mut [0]).await.unwrap();
        }
        assert_eq!(running.await.unwrap().unwrap_err().source.kind(), ErrorKind::TimedOut);
    }
}
