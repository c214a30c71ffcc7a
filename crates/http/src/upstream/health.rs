//! Whether an upstream is well: told by how it answers, or by asking it now and then.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

use crate::clock::coarse_now;

/// How often in a row an upstream may fail before it is passed over.
const FAILURES_MAX: u32 = 3;

/// How long it is passed over first; twice as long after each failure from then on.
const REST_MIN: Duration = Duration::from_secs(2);

/// And at most.
const REST_MAX: Duration = Duration::from_mins(1);

/// How often it is asked, and how it has to answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    /// What is asked for; a path.
    pub path: http::uri::PathAndQuery,
    /// How often.
    pub every: Duration,
    /// How long the answer may take, whose status has to be 2xx or 3xx.
    pub answer_max: Duration,
}

/// How an upstream does.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// Failures since the last answer.
    failures: AtomicU32,
    /// On the coarse clock, in milliseconds: before then it is passed over.
    rests_until: AtomicU64,
    /// What the last check said.
    is_down: AtomicBool,
}

impl Health {
    pub(super) fn is_well(&self) -> bool {
        !self.is_down.load(Relaxed) && self.rests_until.load(Relaxed) <= coarse_now()
    }

    /// It could not be reached, or did not answer as it should.
    pub(super) fn failed(&self) {
        let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
        let Some(beyond) = failures.checked_sub(FAILURES_MAX) else { return };
        let rest = REST_MIN.saturating_mul(1 << beyond.min(10)).min(REST_MAX);
        let rest = u64::try_from(rest.as_millis()).unwrap_or(u64::MAX);
        self.rests_until.store(coarse_now().saturating_add(rest), Relaxed);
    }

    /// It answered.
    pub(super) fn answered(&self) {
        // Read first: many cores write this line otherwise, for nothing.
        if self.failures.load(Relaxed) > 0 {
            self.failures.store(0, Relaxed);
            self.rests_until.store(0, Relaxed);
        }
    }

    /// What a check said. Gives whether that is news.
    pub(super) fn checked(&self, is_well: bool) -> bool {
        if is_well {
            self.answered();
        }
        self.is_down.swap(!is_well, Relaxed) == is_well
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_three_times_in_a_row_is_passed_over_until_it_answers() {
        let health = Health::default();
        for _ in 0..2 {
            health.failed();
        }
        assert!(health.is_well());
        health.answered();
        for _ in 0..3 {
            assert!(health.is_well());
            health.failed();
        }
        assert!(!health.is_well());
        health.answered();
        assert!(health.is_well());
    }

    #[test]
    fn a_check_decides_until_the_next() {
        let health = Health::default();
        assert!(!health.checked(true));
        assert!(health.checked(false));
        assert!(!health.is_well());
        assert!(!health.checked(false));
        health.answered();
        assert!(!health.is_well());
        assert!(health.checked(true));
        assert!(health.is_well());
    }
}
