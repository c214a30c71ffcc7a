//! What time it is at the desk: what the system's clock says, which may be set, and be wrong for a while.

use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

use crate::model::Millis;

/// What is made of what the system's clock says.
///
/// Where it is set back by little, time goes on, at half its pace, until the clock is there, too; where by
/// more, the clock is believed: else all that was ahead of it would wait for as long as it was wrong. Where
/// it jumps ahead, it is believed, but not for what cannot be undone: see [`is_calm`](Self::is_calm).
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// What time it was when it was asked last, and when that was.
    known: Cell<Option<(Millis, Instant)>>,
    /// When it jumped ahead last.
    jumped: Cell<Option<Instant>>,
}

/// The most that the clock is set back for time to go on.
const SET_BACK_MAX: Duration = Duration::from_mins(1);

/// How far it goes ahead by itself, or where it is slow: more is a jump.
const AHEAD_MAX: Duration = Duration::from_hours(1);

/// How long the clock is to go on after a jump, to be believed in all.
const CALM_AFTER: Duration = Duration::from_hours(1);

/// The most that anything is put off: what is due later than that was put off by a clock that was ahead.
pub(super) const PUT_OFF: Duration = Duration::from_secs(1);

/// Whether what was done last at `at` is to be done again: also where that is later than now, and than
/// anything was put off, by a clock that was ahead.
pub(super) fn is_due((at, now): (Millis, Millis), every: Duration) -> bool {
    match now.since(at) {
        Some(passed) => passed >= every,
        None => now.later(PUT_OFF) < at,
    }
}

impl Clock {
    /// One that was `last` known to say this, by an earlier process. Where the date was set meanwhile, or
    /// is wrong since, that is a jump as any other.
    pub(super) fn after(last: Millis, seen: Instant) -> Self {
        Self { known: Cell::new(Some((last, seen))), jumped: Cell::new(None) }
    }

    /// What time it is, where the system's clock says `told`, when it is `seen`.
    pub(super) fn now(&self, told: Millis, seen: Instant) -> Millis {
        let Some((at, before)) = self.known.get() else {
            self.known.set(Some((told, seen)));
            return told;
        };
        let passed = seen.saturating_duration_since(before);
        if told > at.later(passed).later(AHEAD_MAX) {
            self.jumped.set(Some(seen));
        }
        let going = at.later(passed / 2);
        let now = if going > told.later(SET_BACK_MAX) { told } else { told.max(going) };
        // What is less than it can tell is not lost.
        if now != at {
            self.known.set(Some((now, seen)));
        }
        now
    }

    /// Whether what is old may be deleted for that, when it is `seen`: the clock has not jumped ahead just
    /// now.
    pub(super) fn is_calm(&self, seen: Instant) -> bool {
        let jumped = self.jumped.get();
        jumped.is_none_or(|jumped| seen.saturating_duration_since(jumped) >= CALM_AFTER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3600 * 1000;
    const YEAR: u64 = 365 * 24 * HOUR;
    const START: u64 = 56 * YEAR;

    /// Asks a clock that says these, each so many milliseconds after the first. Gives what time it is then,
    /// from the first on, and whether the clock is calm.
    #[track_caller]
    fn check(clock: &Clock, asked: &[(u64, i64, i64, bool)]) {
        let start = Instant::now();
        for (passed, told, expect, is_calm) in asked {
            let seen = start + Duration::from_millis(*passed);
            let now = clock.now(Millis(START.saturating_add_signed(*told)), seen);
            let now = i64::try_from(i128::from(now.0) - i128::from(START)).unwrap();
            assert_eq!((now, clock.is_calm(seen)), (*expect, *is_calm), "after {passed} ms");
        }
    }

    #[test]
    fn time_is_what_the_clock_says() {
        check(&Clock::default(), &[(0, 0, 0, true), (10, 10, 10, true), (2000, 2001, 2001, true)]);
    }

    #[test]
    fn where_the_clock_is_set_back_by_little_time_goes_on_at_half_its_pace_until_it_is_there() {
        check(
            &Clock::default(),
            &[
                (0, 0, 0, true),
                (0, -60_000, 0, true),
                (1, -59_999, 0, true),
                (2, -59_998, 1, true),
                (60_000, 0, 30_000, true),
                (120_000, 60_000, 60_000, true),
                (121_000, 61_000, 61_000, true),
            ],
        );
    }

    #[test]
    fn where_it_is_set_back_by_more_it_is_believed() {
        let year = YEAR.cast_signed();
        check(&Clock::default(), &[(0, 0, 0, true), (0, -60_001, -60_001, true)]);
        check(&Clock::default(), &[(0, 0, 0, true), (5, -year, -year, true)]);
    }

    #[test]
    fn where_it_is_far_ahead_of_what_an_earlier_process_knew_nothing_is_deleted_for_its_age_either()
    {
        let (now, hour) = (Instant::now(), HOUR.cast_signed());
        let clock = || Clock::after(Millis(START), now);
        check(&clock(), &[(1, hour, hour, true)]);
        check(&clock(), &[(1, hour + 2000, hour + 2000, false)]);
        // It was wrong then, and is not now.
        check(&clock(), &[(1, -60_001, -60_001, true)]);
    }

    #[test]
    fn what_is_done_now_and_then_is_due_in_time_and_after_a_clock_was_ahead() {
        let is_due = |at, now| is_due((Millis(at), Millis(now)), Duration::from_millis(200));
        assert_eq!([200, 199, 0].map(|now| is_due(0, now)), [true, false, false]);
        // Put off for a second, or done in a year that never was.
        assert_eq!([6000, 6001].map(|at| is_due(at, 5000)), [false, true]);
        assert!(is_due(u64::MAX, 5000));
    }

    #[test]
    fn where_it_jumps_ahead_and_back_nothing_is_late_and_nothing_deleted_for_its_age() {
        let (year, hour) = (YEAR.cast_signed(), HOUR.cast_signed());
        check(
            &Clock::default(),
            &[
                (0, 0, 0, true),
                // A machine that slept for an hour.
                (0, hour, hour, true),
                (1000, year, year, false),
                (2000, year + 1000, year + 1000, false),
                (3000, hour, hour, false),
                (HOUR + 999, 2 * hour, 2 * hour, false),
                (HOUR + 1000, 2 * hour + 1, 2 * hour + 1, true),
            ],
        );
    }
}
