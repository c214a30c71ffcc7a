//! Ctrl-C while a body comes: what came is kept.

use std::io;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Hears it from when it is made on, whatever is done meanwhile.
#[derive(Debug)]
pub(super) struct Interrupt(Signal);

impl Interrupt {
    /// Has it end nothing any more but who waits for it here.
    pub(super) fn heard() -> io::Result<Self> {
        signal(SignalKind::interrupt()).map(Self)
    }

    /// Waits for it. Cancel safe.
    pub(super) async fn came(&mut self) {
        self.0.recv().await;
    }
}
