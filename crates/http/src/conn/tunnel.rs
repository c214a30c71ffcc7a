//! A connection that no longer speaks HTTP: after a 101, or a 2xx to CONNECT. What comes on either
//! side is passed to the other as it is, until both have ended. Where one breaks, or we cut it off, both
//! break (`tunnel_ends`).

use std::{
    cell::RefCell,
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use relais_net::{Alarm, Fault, Side, after_others};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::{
    Limits,
    tunnel_ends::{End, Ends},
};
use crate::{
    Ended,
    body::{Tell, Tunnel},
};

/// How much is passed at a time, at most; what one side does not take of it is kept.
pub(super) const PASS_BYTES: usize = 64 * 1024;

thread_local! {
    /// Where bytes are read that are passed at once: an idle tunnel holds no memory for them.
    static PASSED: RefCell<Vec<u8>> = RefCell::new(vec![0; PASS_BYTES]);
}

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
    let mut ends = Ends::new(near, far);
    let (mut up, mut down) = (Pipe::new(&early, piece), Pipe::new(&from_far, piece));
    drop((early, from_far));
    let mut alarm = Alarm::default();
    alarm.set(limits.tunnel_idle_max);
    let ended = poll_fn(|cx| {
        let before = (up.passed, down.passed);
        let Ends { near, far, .. } = &mut ends;
        let above = up.poll(cx, near, far);
        let below = down.poll(cx, far, near);
        told.passed = down.passed;
        if let Poll::Ready(Err(error)) =
            above.map_err(|broken| broken.of(Side::Client, Side::Upstream))
        {
            return Poll::Ready(Err(error));
        }
        if let Poll::Ready(Err(error)) =
            below.map_err(|broken| broken.of(Side::Upstream, Side::Client))
        {
            return Poll::Ready(Err(error));
        }
        if up.is_over() && down.is_over() {
            return Poll::Ready(Ok(()));
        }
        if before != (up.passed, down.passed) {
            alarm.set(limits.tunnel_idle_max);
        }
        ready!(alarm.poll(cx));
        let error = io::ErrorKind::TimedOut.into();
        Poll::Ready(Err(Fault::new(Side::Client, "waiting in a tunnel", error)))
    })
    .await;
    if ended.is_ok() {
        ends.are_done();
    }
    told.end(&ended);
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
        self.tell(if ended.is_ok() { Ended::Whole } else { Ended::Short });
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

/// One direction.
struct Pipe {
    /// Came, and was not taken yet.
    unsent: Vec<u8>,
    step: Step,
    /// Bytes at once, at most [`PASS_BYTES`].
    piece: usize,
    /// Bytes that were taken.
    passed: u64,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Passing,
    /// Its source has ended; the sink is to be told once it has taken all.
    Ending,
    Over,
}

/// Which end of a pipe failed.
enum Broken {
    Source(io::Error),
    Sink(io::Error),
}

impl Broken {
    fn of(self, source: Side, sink: Side) -> Fault {
        match self {
            Self::Source(error) => Fault::new(source, "reading in a tunnel", error),
            Self::Sink(error) => Fault::new(sink, "writing in a tunnel", error),
        }
    }
}

impl Pipe {
    /// Begins with what came early.
    fn new(early: &[u8], piece: usize) -> Self {
        let piece = piece.min(PASS_BYTES);
        Self { unsent: early.to_vec(), step: Step::Passing, piece, passed: 0 }
    }

    fn is_over(&self) -> bool {
        self.step == Step::Over
    }

    /// Passes what can be passed now.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut (impl AsyncRead + Unpin),
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<Result<(), Broken>> {
        // So many times, and others have their turn.
        for _ in 0..16 {
            ready!(self.poll_unsent(cx, sink)).map_err(Broken::Sink)?;
            match self.step {
                Step::Over => return Poll::Ready(Ok(())),
                Step::Ending => {
                    ready!(Pin::new(&mut *sink).poll_shutdown(cx)).map_err(Broken::Sink)?;
                    self.step = Step::Over;
                    return Poll::Ready(Ok(()));
                }
                Step::Passing => ready!(self.poll_pass(cx, source, sink))?,
            }
        }
        after_others(cx);
        Poll::Pending
    }

    fn poll_unsent(
        &mut self,
        cx: &mut Context<'_>,
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<io::Result<()>> {
        while !self.unsent.is_empty() {
            let next = &self.unsent[..self.unsent.len().min(self.piece)];
            let sent = ready!(Pin::new(&mut *sink).poll_write(cx, next))?;
            self.count(sent)?;
            self.unsent.drain(..sent);
        }
        if self.unsent.capacity() > 0 {
            self.unsent = Vec::new();
        }
        // TLS keeps what the socket did not take.
        Pin::new(sink).poll_flush(cx)
    }

    fn poll_pass(
        &mut self,
        cx: &mut Context<'_>,
        source: &mut (impl AsyncRead + Unpin),
        sink: &mut (impl AsyncWrite + Unpin),
    ) -> Poll<Result<(), Broken>> {
        PASSED.with_borrow_mut(|room| {
            let mut room = ReadBuf::new(&mut room[..self.piece]);
            ready!(Pin::new(source).poll_read(cx, &mut room)).map_err(Broken::Source)?;
            let came = room.filled();
            if came.is_empty() {
                self.step = Step::Ending;
                return Poll::Ready(Ok(()));
            }
            let sent = match Pin::new(sink).poll_write(cx, came) {
                Poll::Ready(sent) => sent.and_then(|sent| self.count(sent).map(|()| sent)),
                Poll::Pending => Ok(0),
            };
            self.unsent.extend_from_slice(&came[sent.map_err(Broken::Sink)?..]);
            Poll::Ready(Ok(()))
        })
    }

    fn count(&mut self, sent: usize) -> io::Result<()> {
        if sent == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.passed += sent as u64;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use relais_net::Stream;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};

    use super::*;

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
        assert_eq!(running.await.unwrap().unwrap_err().source.kind(), io::ErrorKind::TimedOut);
    }
}
