//! Who tells us to stop while we wait for a disk, which may never answer, is heard on another thread.

use std::{
    process,
    sync::{
        Arc,
        atomic::{AtomicU8, Ordering::Relaxed},
    },
    time::Duration,
};

use tracing::warn;

use super::{LOGS_MAX_IN_HASTE, stops::Stops};
use crate::stop::Stop;

/// What the main thread does that may wait for a disk, and hears nothing meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    ForReload = 1,
    ForCertificates,
}

/// Whether the main thread waits for a disk, and for what of it.
#[derive(Clone, Debug, Default)]
pub(super) struct Disk {
    /// A [`Waiting`], or 0.
    waiting: Arc<AtomicU8>,
}

impl Disk {
    /// Does `work`, as what we are waiting for.
    pub(super) fn wait_for<T>(&self, waiting: Waiting, work: impl FnOnce() -> T) -> T {
        self.waiting.store(waiting as u8, Relaxed);
        let done = work();
        self.waiting.store(0, Relaxed);
        done
    }

    fn waiting(&self) -> Option<Waiting> {
        let waiting = self.waiting.load(Relaxed);
        [Waiting::ForReload, Waiting::ForCertificates].into_iter().find(|it| *it as u8 == waiting)
    }
}

/// Ends the program when it is told to stop for a second time while the main thread waits for `disk`.
/// At any other time that thread hears it. To be run on another, whose `logs` are closed first.
pub(super) async fn watch(disk: Disk, logs: impl FnOnce(Duration)) {
    let mut stops = match Stops::listen() {
        Ok(stops) => stops,
        Err(error) => return warn!("a reload that stands still will not be broken off: {error:#}"),
    };
    stops.one().await;
    if let Some(waiting) = disk.waiting() {
        let what = match waiting {
            Waiting::ForReload => "the reload",
            Waiting::ForCertificates => "new certificates",
        };
        warn!("told to stop while {what} waits for the disk; a second signal ends at once");
    }
    stops.one().await;
    if disk.waiting().is_some() {
        logs(LOGS_MAX_IN_HASTE);
        Stop::from(anyhow::anyhow!("callers were cut off: told to stop twice")).tell();
        #[expect(clippy::exit, reason = "the main thread does not return")]
        process::exit(1);
    }
}
