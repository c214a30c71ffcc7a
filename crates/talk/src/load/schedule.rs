//! When requests are due, and when there are no more. No clock: times are told since the start.

use std::{num::NonZeroU64, time::Duration};

/// When requests are to be sent, and how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Schedule {
    /// How many a second are due, over all connections; each connection its next one as soon as it has
    /// the answer to the last if `None`.
    pub rate: Option<NonZeroU64>,
    /// For how long requests are sent that are not counted yet.
    pub warmup: Duration,
    /// What ends it.
    pub until: Until,
}

/// What ends a load.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// So much time after the warm-up.
    Time(Duration),
    /// So many requests after the warm-up.
    Requests(u64),
}

/// What is to be done about a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It is due at this time, and its answer is counted.
    Counted(Duration),
    /// It is due at this time, and warms up.
    WarmUp(Duration),
    /// There is none.
    Never,
}

impl Schedule {
    /// When the request `number`, from 0, is due. Only with a rate.
    pub fn due(&self, rate: NonZeroU64, number: u64) -> Due {
        let at = nth(rate, number);
        if at < self.warmup {
            return Due::WarmUp(at);
        }
        let is_one = match self.until {
            Until::Time(time) => at < self.warmup.saturating_add(time),
            Until::Requests(count) => number - warming(rate, self.warmup) < count,
        };
        if is_one { Due::Counted(at) } else { Due::Never }
    }

    /// What to do at `now` without a rate. `take` says whether one more of a number of requests may be
    /// sent, and is asked only where they are counted.
    pub fn at(&self, now: Duration, take: impl FnOnce(u64) -> bool) -> Due {
        if now < self.warmup {
            return Due::WarmUp(now);
        }
        let is_one = match self.until {
            Until::Time(time) => now < self.warmup.saturating_add(time),
            Until::Requests(count) => take(count),
        };
        if is_one { Due::Counted(now) } else { Due::Never }
    }

    /// When it ends by the clock, if it does.
    pub fn end(&self) -> Option<Duration> {
        match self.until {
            Until::Time(time) => Some(self.warmup.saturating_add(time)),
            Until::Requests(_) => None,
        }
    }

    /// How many requests are counted in all, if that is known beforehand.
    pub fn requests(&self) -> Option<u64> {
        match self.until {
            Until::Requests(count) => Some(count),
            Until::Time(_) => self.rate.map(|rate| self.due_before(rate, Duration::MAX)),
        }
    }

    /// How many requests that are counted are due before `time`.
    pub fn due_before(&self, rate: NonZeroU64, time: Duration) -> u64 {
        let time = self.end().map_or(time, |end| time.min(end));
        let due = warming(rate, time).saturating_sub(warming(rate, self.warmup));
        match self.until {
            Until::Requests(count) => due.min(count),
            Until::Time(_) => due,
        }
    }
}

/// When the request `number` is due. Of the number itself, so that nothing adds up.
fn nth(rate: NonZeroU64, number: u64) -> Duration {
    let nanos = u128::from(number) * 1_000_000_000 / u128::from(rate.get());
    u64::try_from(nanos).map_or(Duration::MAX, Duration::from_nanos)
}

/// How many requests are due before `time`.
fn warming(rate: NonZeroU64, time: Duration) -> u64 {
    let due = time.as_nanos().saturating_mul(u128::from(rate.get())).div_ceil(1_000_000_000);
    u64::try_from(due).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn rate(rate: u64) -> NonZeroU64 {
        NonZeroU64::new(rate).unwrap()
    }

    fn schedule(warmup: Duration, until: Until) -> Schedule {
        Schedule { rate: None, warmup, until }
    }

    #[test]
    fn requests_are_due_one_after_another_and_none_after_the_end() {
        let for_a_second = schedule(Duration::ZERO, Until::Time(SECOND));
        let check = |per_second, number, expect| {
            assert_eq!(for_a_second.due(rate(per_second), number), expect);
        };
        let millis = |millis| Due::Counted(Duration::from_millis(millis));
        check(1_000, 0, millis(0));
        check(1_000, 999, millis(999));
        check(1_000, 1_000, Due::Never);
        check(4, 3, millis(750));
        check(3, 1, Due::Counted(Duration::from_nanos(333_333_333)));
        check(1, u64::MAX, Due::Never);
    }

    #[test]
    fn a_third_of_a_second_does_not_add_up_to_a_drift() {
        let day = Duration::from_hours(24);
        let long = schedule(Duration::ZERO, Until::Time(day * 2));
        assert_eq!(long.due(rate(3), 3 * 86_400), Due::Counted(day));
    }

    #[test]
    fn what_warms_up_is_not_counted_and_comes_on_top() {
        let until = Until::Requests(2);
        let warmed = schedule(SECOND, until);
        let check = |number, expect| assert_eq!(warmed.due(rate(2), number), expect);
        check(0, Due::WarmUp(Duration::ZERO));
        check(1, Due::WarmUp(SECOND / 2));
        check(2, Due::Counted(SECOND));
        check(3, Due::Counted(SECOND * 3 / 2));
        check(4, Due::Never);
        let no_warmup_asks = |_| panic!("nobody is asked");
        assert_eq!(warmed.at(SECOND / 2, no_warmup_asks), Due::WarmUp(SECOND / 2));
        assert_eq!(warmed.at(SECOND, |count| count == 2), Due::Counted(SECOND));
        assert_eq!(warmed.at(SECOND, |_| false), Due::Never);
    }

    #[test]
    fn without_a_rate_the_clock_ends_it() {
        let warmed = schedule(SECOND, Until::Time(SECOND));
        let check = |now, expect| assert_eq!(warmed.at(now, |_| false), expect);
        check(SECOND * 3 / 2, Due::Counted(SECOND * 3 / 2));
        check(SECOND * 2, Due::Never);
        assert_eq!(warmed.end(), Some(SECOND * 2));
    }

    #[test]
    fn how_many_are_due_is_how_many_are_sent() {
        for (per_second, warmup, time) in [(3, 1, 2), (7, 0, 3), (1_000, 2, 1), (1, 0, 1)] {
            let until = Until::Time(SECOND * time);
            let known =
                Schedule { rate: Some(rate(per_second)), ..schedule(SECOND * warmup, until) };
            let counted = (0..10_000_u64)
                .filter(|number| matches!(known.due(rate(per_second), *number), Due::Counted(_)));
            assert_eq!(known.requests(), Some(u64::try_from(counted.count()).unwrap()));
        }
        let check = |until, millis, expect| {
            let known = Schedule { rate: Some(rate(10)), ..schedule(SECOND, until) };
            assert_eq!(known.due_before(rate(10), Duration::from_millis(millis)), expect);
        };
        for until in [Until::Time(SECOND), Until::Requests(10)] {
            check(until, 500, 0);
            check(until, 1_000, 0);
            check(until, 1_001, 1);
            check(until, 1_500, 5);
            check(until, 9_000, 10);
        }
        assert_eq!(schedule(SECOND, Until::Requests(9)).requests(), Some(9));
        assert_eq!(schedule(SECOND, Until::Time(SECOND)).requests(), None);
    }

    #[test]
    fn the_end_of_time_is_no_panic() {
        let endless = Schedule {
            rate: Some(rate(u64::MAX)),
            ..schedule(Duration::MAX, Until::Time(Duration::MAX))
        };
        assert_eq!(endless.end(), Some(Duration::MAX));
        assert_eq!(endless.requests(), Some(0));
        assert_eq!(endless.due(rate(1), u64::MAX), Due::Never);
    }
}
