//! The signals that end the program.

use std::{
    future::poll_fn,
    task::Poll,
    time::{Duration, Instant},
};

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that say stop.
pub(crate) struct Stops {
    signals: Vec<Signal>,
    /// When the last one came.
    last: Option<Instant>,
}

/// Signals that come sooner than this after another are the same: `timeout` and the like send them to
/// a process and to its group, and nobody has changed his mind.
const SAME_MAX: Duration = Duration::from_millis(100);

impl Stops {
    /// Listens from now on. To be called on a runtime.
    pub(super) fn listen() -> anyhow::Result<Self> {
        Self::of(&[SignalKind::interrupt(), SignalKind::terminate()])
    }

    /// Listens for signals of these `kinds` from now on. To be called on a runtime.
    pub(crate) fn of(kinds: &[SignalKind]) -> anyhow::Result<Self> {
        let signals = kinds.iter().copied().map(listen_for).collect::<anyhow::Result<_>>()?;
        Ok(Self { signals, last: None })
    }

    /// Waits for one of them. Cancel safe.
    pub(crate) async fn one(&mut self) {
        loop {
            poll_fn(|cx| {
                let mut signals = self.signals.iter_mut();
                let came = signals.any(|signal| signal.poll_recv(cx).is_ready());
                if came { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
            let now = Instant::now();
            if self.last.is_none_or(|last| now.duration_since(last) > SAME_MAX) {
                self.last = Some(now);
                return;
            }
        }
    }
}

pub(super) fn listen_for(kind: SignalKind) -> anyhow::Result<Signal> {
    signal(kind).context("listening for signals")
}
