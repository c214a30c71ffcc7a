//! What the times in a file's [`Stamp`] tell.

use std::time::{Duration, SystemTime};

use crate::Stamp;

/// Whether a later write to a file would have changed `stamp`, which was taken before `now`.
///
/// Where the kernel takes times from its timer's ticks (4 to 10 ms), a write right after another
/// one leaves the same stamp. Such a file is not kept.
pub(super) fn is_settled(stamp: &Stamp, now: SystemTime) -> bool {
    const TICK_MAX: Duration = Duration::from_millis(20);
    let (changed, modified) = (time_of(stamp.changed), time_of(stamp.modified));
    let settled = |time: SystemTime| now.duration_since(time).is_ok_and(|age| age >= TICK_MAX);
    // A file whose times were set to the future is as settled as its inode.
    settled(changed) && (settled(modified) || modified > now)
}

/// `seconds` and nanoseconds since 1970 as a time. What cannot be told is 1970.
pub(super) fn time_of((seconds, nanos): (i64, i64)) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let whole = if seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
    let nanos = Duration::from_nanos(nanos.unsigned_abs());
    whole.and_then(|whole| whole.checked_add(nanos)).unwrap_or(epoch)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_settles_after_a_few_ticks() {
        check((100, 0), (100, 0), (100, 19), false);
        check((100, 0), (100, 0), (100, 20), true);
        check((90, 0), (100, 0), (100, 19), false);
        check((100, 0), (90, 0), (100, 19), false);
        check((100, 0), (200, 0), (100, 19), false);
        check((200, 0), (100, 0), (100, 20), true);
    }

    /// With times as seconds and milliseconds.
    #[track_caller]
    fn check(modified: (i64, i64), changed: (i64, i64), now: (i64, i64), expect: bool) {
        let nanos = |(seconds, millis): (i64, i64)| (seconds, millis * 1_000_000);
        let stamp =
            Stamp { identity: (1, 1), len: 0, modified: nanos(modified), changed: nanos(changed) };
        let now = time_of(nanos(now));
        assert_eq!(is_settled(&stamp, now), expect, "{modified:?} {changed:?}");
    }
}
