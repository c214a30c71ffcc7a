//! Who tells us to stop while we wait for a disk, which may never answer, is heard on another thread.

use std::{
    process,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tracing::warn;

use super::stops::Stops;
use crate::{leaving::Leaving, stop::Stop};

/// What the main thread does that may wait for a disk, and hears nothing meanwhile.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    ForReload,
    ForCertificates,
}

/// Closes logs, within a time. Blocks.
type CloseLogs = Box<dyn FnOnce(Leaving) + Send>;

/// Whether the main thread waits for a disk, for what of it, and what closes the logs should it be cut
/// off there. A clone is the same.
#[derive(Clone, Default)]
pub(super) struct DiskWait(Arc<Mutex<Option<(Waiting, CloseLogs)>>>);

impl DiskWait {
    /// Does `work`, as what we are waiting for. What `logs` has is kept until then, and no longer: a
    /// reload may take it out.
    pub(super) fn during<T>(
        &self,
        waiting: Waiting,
        logs: impl FnOnce(Leaving) + Send + 'static,
        work: impl FnOnce() -> T,
    ) -> T {
        *self.now() = Some((waiting, Box::new(logs)));
        let done = work();
        // Dropped when nobody is kept from looking: it may be the last that has what was taken out.
        let over = self.now().take();
        drop(over);
        done
    }

    fn now(&self) -> MutexGuard<'_, Option<(Waiting, CloseLogs)>> {
        // Nothing that holds the lock can panic half-way through a change.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the program when it is told to stop for a second time while the main thread waits for a disk,
/// once the logs are closed. At any other time that thread hears it. To be run on another.
pub(super) async fn watch(disk: DiskWait) {
    let mut stops = match Stops::listen() {
        Ok(stops) => stops,
        Err(error) => return warn!("a reload that stands still will not be broken off: {error:#}"),
    };
    stops.one().await;
    let waiting = disk.now().as_ref().map(|(waiting, _)| *waiting);
    if let Some(waiting) = waiting {
        let what = match waiting {
            Waiting::ForReload => "the reload",
            Waiting::ForCertificates => "new certificates",
        };
        warn!("told to stop while {what} waits for the disk; a second signal ends at once");
    }
    stops.one().await;
    let cut_off = disk.now().take();
    if let Some((_, logs)) = cut_off {
        logs(Leaving::IN_HASTE);
        Stop::from(anyhow::anyhow!("callers were cut off: told to stop twice")).tell();
        #[expect(clippy::exit, reason = "the main thread does not return")]
        process::exit(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logs_are_kept_while_a_disk_is_waited_for_and_no_longer() {
        let (disk, kept) = (DiskWait::default(), Arc::new(Mutex::new(None)));
        for waiting in [Waiting::ForReload, Waiting::ForCertificates] {
            let theirs = Arc::clone(&kept);
            let logs = move |leaving| *theirs.lock().unwrap() = Some((waiting, leaving));
            disk.during(waiting, logs, || {
                assert_eq!(disk.now().as_ref().map(|(waiting, _)| *waiting), Some(waiting));
                assert_eq!(Arc::strong_count(&kept), 2);
            });
            assert!(disk.now().is_none());
            assert_eq!((Arc::strong_count(&kept), *kept.lock().unwrap()), (1, None));
        }
    }

    #[test]
    fn the_logs_that_are_closed_are_those_of_now() {
        let (disk, closed) = (DiskWait::default(), Arc::new(Mutex::new(Vec::new())));
        for number in 1..=2 {
            let theirs = Arc::clone(&closed);
            let logs = move |leaving| theirs.lock().unwrap().push((number, leaving));
            disk.during(Waiting::ForReload, logs, || {
                let cut_off = disk.now().take().filter(|_| number == 2);
                if let Some((_, logs)) = cut_off {
                    logs(Leaving::IN_HASTE);
                }
            });
        }
        assert_eq!(*closed.lock().unwrap(), [(2, Leaving::IN_HASTE)]);
    }
}
