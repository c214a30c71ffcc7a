//! Ctrl-C while an answer comes: what came is kept.

use std::io;

use tokio::{
    select,
    signal::unix::{Signal, SignalKind, signal},
    task::spawn_blocking,
};

use crate::output::{Reader, print_on};

/// Hears it from when it is made on, whatever is done meanwhile.
#[derive(Debug)]
pub(super) struct Interrupt(Signal);

/// Somebody did not want to wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted")]
pub(super) struct Interrupted;

impl Interrupt {
    /// Has it end nothing any more but who waits for it here.
    pub(super) fn heard() -> io::Result<Self> {
        signal(SignalKind::interrupt()).map(Self)
    }

    /// Waits for it. Cancel safe.
    pub(super) async fn came(&mut self) {
        self.0.recv().await;
    }

    /// What comes of `work`, unless this comes before.
    pub(super) async fn or<T>(&mut self, work: impl Future<Output = T>) -> Result<T, Interrupted> {
        select! {
            biased;
            () = self.came() => Err(Interrupted),
            done = work => Ok(done),
        }
    }

    /// The same of `work` that waits for somebody who reads, or opens a pipe. If this comes before, it is
    /// left where it is, until the process ends: what it has is not to be touched any more.
    pub(super) async fn or_blocking<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, Interrupted> {
        let done = self.or(spawn_blocking(work)).await?;
        Ok(done.expect("work that neither panics nor is aborted"))
    }

    /// Prints `text` as it is, unless this comes before: then nothing may be printed any more.
    pub(super) async fn or_printing(
        &mut self,
        text: impl AsRef<[u8]> + Send + 'static,
    ) -> Result<io::Result<Reader>, Interrupted> {
        self.or_blocking(move || print_on(text.as_ref())).await
    }
}
