//! A clock for what need not be precise.

use std::time::{Duration, SystemTime};

use rustix::time::{ClockId, clock_gettime};

/// Milliseconds of a clock that never goes back and is precise to a few of them. It is read several
/// times a request, so it is the one that asks no hardware.
pub(crate) fn coarse_now() -> u64 {
    let now = clock_gettime(ClockId::MonotonicCoarse);
    let millis = Duration::try_from(now).map_or(0, |since| since.as_millis());
    u64::try_from(millis).unwrap_or(u64::MAX)
}

/// The time of day, as precise as [`coarse_now`] and as cheap. For the `Date` of answers.
pub(crate) fn coarse_time() -> SystemTime {
    let now = clock_gettime(ClockId::RealtimeCoarse);
    let since = Duration::try_from(now).unwrap_or(Duration::ZERO);
    SystemTime::UNIX_EPOCH + since
}
