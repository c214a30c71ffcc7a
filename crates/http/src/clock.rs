//! A clock for what need not be precise.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};

/// Milliseconds of a clock that never goes back and is precise to a few of them. It is read several
/// times a request, so it is the one that asks no hardware.
pub(crate) fn coarse_now() -> u64 {
    let now = clock_gettime(ClockId::MonotonicCoarse);
    let millis = Duration::try_from(now).map_or(0, |since| since.as_millis());
    u64::try_from(millis).unwrap_or(u64::MAX)
}
