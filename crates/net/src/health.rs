//! Whether an upstream is well: told by how it answers, or by asking it now and then.
//!
//! Times are milliseconds of whatever clock the caller has that never goes back.

use std::{
    sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering::Relaxed},
    time::Duration,
};

/// How often in a row an upstream may fail before it is passed over.
const FAILURES_MAX: u32 = 3;

/// How long it is passed over first; twice as long after each failure that follows a rest.
const REST_MIN: Duration = Duration::from_secs(2);

/// And at most.
const REST_MAX: Duration = Duration::from_mins(1);

/// How long nothing is told of who fell ill and recovered right before: who does both by turns would
/// fill the log.
const QUIET: Duration = Duration::from_mins(1);

/// What changed with an upstream, and is worth telling who runs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// It answered before, and did not now.
    Fails,
    /// It failed so often that others are asked.
    Rests,
    /// It answers again.
    Answers,
}

/// What a check says of an upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Checked {
    /// It does as it should.
    Well,
    /// It is to be passed over.
    Ill,
}

/// How an upstream does.
#[derive(Debug, Default)]
pub struct Health {
    /// How often it failed since its last answer, without what failed while it rested.
    failures: AtomicU32,
    /// Before then it is passed over.
    rests_until: AtomicU64,
    /// What the last check said.
    is_down: AtomicBool,
    /// What was told of its failing: nothing, one of these two.
    told: AtomicU8,
    /// Before then nothing new is told of it.
    quiet_until: AtomicU64,
}

const FAILS: u8 = 1;
const RESTS: u8 = 2;

impl Health {
    /// Whether it is to be asked at `now`.
    pub fn is_well(&self, now: u64) -> bool {
        !self.is_down.load(Relaxed) && self.rests_until.load(Relaxed) <= now
    }

    /// It could not be reached, or did not answer as it should.
    ///
    /// While it rests this changes nothing, however many calls were under way: it rests for as long as was
    /// said.
    pub fn failed(&self, now: u64) -> Option<News> {
        if now < self.rests_until.load(Relaxed) {
            return self.tell(RESTS, now);
        }
        let failures = self.failures.fetch_add(1, Relaxed).saturating_add(1);
        let Some(beyond) = failures.checked_sub(FAILURES_MAX) else {
            return self.tell(FAILS, now);
        };
        let rest = REST_MIN.saturating_mul(1 << beyond.min(10)).min(REST_MAX);
        self.rests_until.store(now.saturating_add(millis(rest)), Relaxed);
        self.tell(RESTS, now)
    }

    /// Gives what is to be told, if it was not; and if it is no news to who reads of the checks.
    fn tell(&self, state: u8, now: u64) -> Option<News> {
        let told = self.told.load(Relaxed);
        let is_quiet = told == 0 && now < self.quiet_until.load(Relaxed);
        if told >= state || is_quiet || self.is_down.load(Relaxed) {
            return None;
        }
        // Of those who see it at once, one tells.
        self.told.compare_exchange(told, state, Relaxed, Relaxed).ok()?;
        self.quiet_until.store(now.saturating_add(millis(QUIET)), Relaxed);
        Some(if state == FAILS { News::Fails } else { News::Rests })
    }

    /// It answered.
    pub fn answered(&self) -> Option<News> {
        // Read first: many cores write this line otherwise, for nothing.
        let is_as_new = self.failures.load(Relaxed) == 0
            // Who fails at the same time on another core counts first, then rests and tells.
            && self.rests_until.load(Relaxed) == 0
            && self.told.load(Relaxed) == 0;
        if is_as_new {
            return None;
        }
        self.failures.store(0, Relaxed);
        self.rests_until.store(0, Relaxed);
        (self.told.swap(0, Relaxed) > 0).then_some(News::Answers)
    }

    /// What a check said, which has counted as an answer if it was one. Gives it if that is news.
    pub fn checked(&self, checked: Checked) -> Option<Checked> {
        let is_down = checked == Checked::Ill;
        (self.is_down.swap(is_down, Relaxed) != is_down).then_some(checked)
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_fails_three_times_in_a_row_is_passed_over_until_it_answers() {
        let health = Health::default();
        for _ in 0..2 {
            health.failed(0);
        }
        assert!(health.is_well(0));
        health.answered();
        for _ in 0..3 {
            assert!(health.is_well(0));
            health.failed(0);
        }
        assert!(!health.is_well(0));
        health.answered();
        assert!(health.is_well(0));
    }

    #[test]
    fn what_fails_at_the_same_time_makes_no_rest_longer() {
        let health = Health::default();
        for _ in 0..50 {
            health.failed(0);
        }
        assert!(!health.is_well(1_999) && health.is_well(2_000));
    }

    #[test]
    fn a_rest_is_as_long_as_was_said_and_the_next_is_longer() {
        let health = Health::default();
        let mut now = 0;
        for _ in 0..2 {
            health.failed(now);
        }
        for rest in [2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000] {
            // Where nobody else is well, it is called though it rests.
            for _ in 0..9 {
                health.failed(now);
            }
            now += rest;
            assert!(!health.is_well(now - 1) && health.is_well(now), "{rest}");
        }
    }

    #[test]
    fn an_answer_between_the_count_of_a_failure_and_its_rest_is_made_up_for_by_the_next() {
        let health = Health::default();
        for now in [1, 2, 3] {
            health.failed(now);
        }
        // As another core leaves it that was answered meanwhile.
        health.failures.store(0, Relaxed);
        assert!(!health.is_well(4));
        assert_eq!(health.answered(), Some(News::Answers));
        assert!(health.is_well(4));
        assert_eq!(health.answered(), None);
    }

    #[test]
    fn a_check_decides_until_the_next() {
        let health = Health::default();
        assert_eq!(health.checked(Checked::Well), None);
        assert_eq!(health.checked(Checked::Ill), Some(Checked::Ill));
        assert!(!health.is_well(0));
        assert_eq!(health.checked(Checked::Ill), None);
        health.answered();
        assert!(!health.is_well(0));
        assert_eq!(health.checked(Checked::Well), Some(Checked::Well));
        assert!(health.is_well(0));
    }

    #[test]
    fn what_changes_is_told_once_and_not_by_turns() {
        let health = Health::default();
        let (fails, rests) = (Some(News::Fails), Some(News::Rests));
        assert_eq!(health.answered(), None);
        assert_eq!([1, 2, 3, 4].map(|now| health.failed(now)), [fails, None, rests, None]);
        assert_eq!(health.answered(), Some(News::Answers));
        assert_eq!(health.answered(), None);
        // Too soon; but if it stays so it is told.
        assert_eq!([5, 6].map(|now| health.failed(now)), [None; 2]);
        assert_eq!(health.answered(), None);
        assert_eq!(
            [7, 8, 9, 60_003, 60_004].map(|now| health.failed(now))[2..],
            [None, rests, None]
        );
        assert_eq!(health.answered(), Some(News::Answers));
        assert_eq!(health.failed(180_000), fails);
    }

    #[test]
    fn what_a_check_told_is_not_told_again() {
        let health = Health::default();
        health.checked(Checked::Ill);
        assert_eq!([1, 2, 3].map(|now| health.failed(now)), [None; 3]);
        assert_eq!(health.answered(), None);
    }
}
