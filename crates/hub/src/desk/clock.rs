//! What time it is at the desk: what the system's clock says, which may be set, and be wrong for a while.

use std::{cell::Cell, time::Duration};

use tokio::time::Instant;

use crate::{
    model::Millis,
    store::{Broken, Store},
};

/// What is made of what the system's clock says.
///
/// Where it is set back by little, time goes on, at half its pace, until the clock is there, too; where by
/// more, the clock is believed: else all that was ahead of it would wait for as long as it was wrong. Where
/// it jumps ahead, it is believed, but not for what cannot be undone: see [`is_calm`](Self::is_calm). What was
/// to end by it while it was ahead ends after as long from when it was [set back](Self::set_back_to).
#[derive(Debug, Default)]
pub(super) struct Clock {
    /// What time it was when it was asked last, and when that was.
    known: Cell<Option<(Millis, Instant)>>,
    /// When it jumped ahead last.
    jumped: Cell<Option<Instant>>,
    /// By how much, if nobody asked yet.
    jump: Cell<Option<Duration>>,
    /// What time it was set back to, and when, if nothing was done about that yet.
    back: Cell<Option<(Millis, Instant)>>,
    /// The latest time that an earlier process wrote down, until it is held against what the clock says.
    written: Cell<Option<Millis>>,
}

/// What is known of the clock when a process starts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Before {
    /// What it said when it was [calm](Clock::is_calm) last, if that was noted.
    pub(crate) believed: Option<Millis>,
    /// When the last entry was written, if any is in the log.
    pub(crate) written: Option<Millis>,
    /// The latest time from which on something was to last: later entries may have been written by a clock that
    /// was right again.
    pub(crate) timed: Millis,
}

impl Before {
    /// What `store` knows.
    ///
    /// # Errors
    ///
    /// [`Broken`]
    pub(crate) fn of(store: &Store) -> Result<Self, Broken> {
        let (believed, written) = (store.believed_at()?, store.last_at()?);
        Ok(Self { believed, written, timed: store.timed_last()? })
    }
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
    /// One of which an earlier process knew this. Where the date was set meanwhile, or is wrong since, that is
    /// a jump as any other; what was written while it was not believed is no reason to believe it.
    pub(super) fn after(before: Before, seen: Instant) -> Self {
        let Before { believed, written, timed } = before;
        let known = believed.or(written).map(|last| (last, seen));
        Self {
            known: Cell::new(known),
            written: Cell::new(written.max(Some(timed))),
            ..Self::default()
        }
    }

    /// What time it is, where the system's clock says `told`, when it is `seen`.
    pub(super) fn now(&self, told: Millis, seen: Instant) -> Millis {
        let Some((at, before)) = self.known.get() else {
            self.known.set(Some((told, seen)));
            return told;
        };
        let passed = seen.saturating_duration_since(before);
        let expected = at.later(passed);
        if told > expected.later(AHEAD_MAX) {
            self.jumped.set(Some(seen));
            self.jump.set(told.since(expected));
            self.back.set(None);
        }
        let going = at.later(passed / 2);
        let latest = self.written.take().map_or(going, |written| written.max(going));
        if latest > told.later(SET_BACK_MAX) {
            self.back.set(Some((told, seen)));
        }
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

    /// By how much the clock jumped ahead, once for each time.
    pub(super) fn take_jump(&self) -> Option<Duration> {
        self.jump.take()
    }

    /// What time the clock was set back to, if it went on from there for long enough to be believed, and that
    /// is not [mended](Self::mended).
    pub(super) fn set_back_to(&self, seen: Instant) -> Option<Millis> {
        let (to, when) = self.back.get()?;
        (seen.saturating_duration_since(when) >= CALM_AFTER).then_some(to)
    }

    /// Nothing is to be done any more about that it was set back.
    pub(super) fn mended(&self) {
        self.back.set(None);
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
        let (believed, written) = (None, Some(Millis(START)));
        let clock = || Clock::after(Before { believed, written, ..Before::default() }, now);
        check(&clock(), &[(1, hour, hour, true)]);
        check(&clock(), &[(1, hour + 2000, hour + 2000, false)]);
        // It was wrong then, and is not now.
        check(&clock(), &[(1, -60_001, -60_001, true)]);
    }

    #[test]
    fn what_was_written_while_the_clock_was_not_believed_is_no_reason_to_believe_it() {
        let (now, year, hour) = (Instant::now(), YEAR.cast_signed(), HOUR.cast_signed());
        let (believed, written) = (Some(Millis(START)), Some(Millis(START + YEAR)));
        let clock = || Clock::after(Before { believed, written, ..Before::default() }, now);
        check(&clock(), &[(1, year, year, false)]);
        check(&clock(), &[(1, hour, hour, true)]);
    }

    #[test]
    fn what_ended_by_a_clock_that_was_ahead_is_to_be_mended_an_hour_after_it_was_set_back() {
        let (start, written) = (Instant::now(), Some(Millis(START + YEAR)));
        let after = |ms| start + Duration::from_millis(ms);
        // By an earlier process, or this one.
        let earlier = Clock::after(Before { written, ..Before::default() }, start);
        let this = Clock::default();
        this.now(Millis(START + YEAR), start);
        for clock in [earlier, this] {
            clock.now(Millis(START), after(5));
            assert_eq!(clock.set_back_to(after(HOUR + 4)), None);
            clock.now(Millis(START + HOUR), after(HOUR + 4));
            assert_eq!(clock.set_back_to(after(HOUR + 5)), Some(Millis(START)));
            clock.mended();
            assert_eq!(clock.set_back_to(after(2 * HOUR)), None);
        }
        // It was wrong then, and jumps to where it was.
        let glitch = Clock::after(Before { written, ..Before::default() }, start);
        glitch.now(Millis(START), after(5));
        glitch.now(Millis(START + YEAR), after(10));
        assert_eq!(glitch.set_back_to(after(2 * HOUR)), None);
        assert_eq!(glitch.take_jump(), Some(Duration::from_millis(YEAR - 5)));
        assert_eq!(glitch.take_jump(), None);
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
