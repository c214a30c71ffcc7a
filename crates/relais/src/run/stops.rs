//! The signals that end the program.

use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that say stop.
pub(super) struct Stops {
    interrupt: Signal,
    terminate: Signal,
    /// When the last one came.
    last: Option<Instant>,
}

/// Signals that come sooner than this after another are the same: `timeout` and the like send them to
/// a process and to its group, and nobody has changed his mind.
const SAME_MAX: Duration = Duration::from_millis(100);

impl Stops {
    /// Listens from now on. To be called on a runtime.
    pub(super) fn listen() -> anyhow::Result<Self> {
        Ok(Self {
            interrupt: listen_for(SignalKind::interrupt())?,
            terminate: listen_for(SignalKind::terminate())?,
            last: None,
        })
    }

    /// Waits for one of them.
    pub(super) async fn one(&mut self) {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => (),
                _ = self.terminate.recv() => (),
            }
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
