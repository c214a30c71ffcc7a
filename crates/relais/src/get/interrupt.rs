//! Ctrl-C while an answer comes: what came is kept.

use std::io;

use tokio::{
    select,
    signal::unix::{Signal, SignalKind, signal},
};

use super::INTERRUPTED;
use crate::stop::Stop;

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

    /// What comes of `asking`, unless this comes before.
    pub(super) async fn or<T>(
        &mut self,
        asking: impl Future<Output = Result<T, Stop>>,
    ) -> Result<T, Stop> {
        select! {
            biased;
            () = self.came() => Err(anyhow::anyhow!(INTERRUPTED).into()),
            asked = asking => asked,
        }
    }
}
