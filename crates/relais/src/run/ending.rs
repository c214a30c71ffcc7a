//! The last of an end: what is written when everybody is gone, and what is not waited for.

use std::time::Duration;

use anyhow::anyhow;
use tokio::{task::spawn_blocking, time::timeout};

use super::stops::Stops;
use crate::{leaving::Leaving, stop::Stop};

/// How long what was asked for may take to be broken off: a disk that stands still is not waited for.
pub(super) const BREAK_OFF_MAX: Duration = Duration::from_millis(500);

/// Has `logs` write what is left, now that nobody is inside, for as long as that may take in peace; not
/// for much longer once `stops` says stop again.
///
/// # Errors
///
/// If it does.
pub(super) async fn write_out(
    logs: impl FnOnce(Leaving) + Send + 'static,
    mut stops: Stops,
) -> Result<(), Stop> {
    let mut writing = spawn_blocking(move || logs(Leaving::IN_PEACE));
    tokio::select! {
        // Should it panic, there is no more to be done.
        _ = &mut writing => return Ok(()),
        () = stops.one() => {}
    }
    let Leaving { logs, disks } = Leaving::IN_HASTE;
    _ = timeout(logs.max(disks), writing).await;
    Err(anyhow!("what a disk did not take in time is lost: told to stop twice").into())
}
