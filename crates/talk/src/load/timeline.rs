//! What happened when, in a bounded number of steps. No clock: times are passed in.

use std::time::Duration;

/// How a load went, step by step. It starts with short steps, and joins them two by two once there are
/// [`STEPS_MAX`].
#[derive(Clone, Debug)]
pub struct Timeline {
    step: Duration,
    steps: Vec<Step>,
}

/// What happened in one step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// How many requests were answered.
    pub answered: u64,
    /// How many came to nothing.
    pub failed: u64,
    /// The longest latency of those that were answered.
    pub most: Duration,
}

/// How many steps there are at most.
pub const STEPS_MAX: usize = 240;

/// How long a step is at first.
const STEP: Duration = Duration::from_millis(100);

impl Default for Timeline {
    fn default() -> Self {
        Self { step: STEP, steps: Vec::new() }
    }
}

impl Timeline {
    /// Notes that a request was answered `at` this time, after `latency`.
    pub fn answered(&mut self, at: Duration, latency: Duration) {
        let step = self.step_at(at);
        step.answered += 1;
        step.most = step.most.max(latency);
    }

    /// Notes that a request came to nothing `at` this time.
    pub fn failed(&mut self, at: Duration) {
        self.step_at(at).failed += 1;
    }

    /// Adds what `other` has noted of the same time.
    pub fn add(&mut self, other: &Self) {
        let mut other = other.clone();
        while self.step < other.step {
            self.join();
        }
        while other.step < self.step {
            other.join();
        }
        let length = self.steps.len().max(other.steps.len());
        self.steps.resize(length, Step::default());
        for (step, more) in self.steps.iter_mut().zip(&other.steps) {
            step.add(more);
        }
    }

    /// How long a step is.
    pub fn step(&self) -> Duration {
        self.step
    }

    /// The steps, from the start on.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Those that began before this `time`: what is answered after the end has one of its own.
    pub fn steps_before(&self, time: Duration) -> &[Step] {
        let begun = time.as_nanos().div_ceil(self.step.as_nanos());
        let begun = usize::try_from(begun).unwrap_or(usize::MAX);
        &self.steps[..begun.min(self.steps.len())]
    }

    fn step_at(&mut self, at: Duration) -> &mut Step {
        let index = loop {
            let index = at.as_nanos() / self.step.as_nanos();
            match usize::try_from(index) {
                Ok(index) if index < STEPS_MAX => break index,
                _ => self.join(),
            }
        };
        if index >= self.steps.len() {
            self.steps.resize(index + 1, Step::default());
        }
        &mut self.steps[index]
    }

    /// Makes one step of each two.
    fn join(&mut self) {
        self.step = self.step.saturating_mul(2);
        let joined = self.steps.chunks(2).map(|two| {
            let mut joined = Step::default();
            for step in two {
                joined.add(step);
            }
            joined
        });
        self.steps = joined.collect();
    }
}

impl Step {
    fn add(&mut self, other: &Self) {
        self.answered += other.answered;
        self.failed += other.failed;
        self.most = self.most.max(other.most);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn counts(timeline: &Timeline) -> Vec<u64> {
        timeline.steps().iter().map(|step| step.answered).collect()
    }

    #[test]
    fn answers_are_in_the_step_they_came_in() {
        let mut timeline = Timeline::default();
        for millis in [0, 99, 100, 350] {
            timeline.answered(MS * millis, MS * 2);
        }
        timeline.failed(MS * 120);
        assert_eq!(counts(&timeline), [2, 1, 0, 1]);
        for (millis, steps) in [(0, 0), (1, 1), (300, 3), (301, 4), (9_000, 4)] {
            assert_eq!(timeline.steps_before(MS * millis).len(), steps, "{millis} ms");
        }
        assert_eq!(timeline.steps()[1], Step { answered: 1, failed: 1, most: MS * 2 });
    }

    #[test]
    fn a_long_load_has_longer_steps_and_no_more_of_them() {
        let mut timeline = Timeline::default();
        for tenth in 0..10_000 {
            timeline.answered(MS * 100 * tenth, MS);
        }
        assert!(timeline.steps().len() <= STEPS_MAX, "{} steps", timeline.steps().len());
        assert_eq!(timeline.step(), MS * 6_400);
        assert_eq!(counts(&timeline).iter().sum::<u64>(), 10_000);
        assert_eq!(counts(&timeline)[0], 64);
        timeline.answered(Duration::MAX, MS);
        assert!(timeline.steps().len() <= STEPS_MAX);
    }

    #[test]
    fn two_with_other_steps_are_added_by_the_longer() {
        let (mut one, mut other) = (Timeline::default(), Timeline::default());
        one.answered(MS * 50, MS);
        one.answered(MS * 250, MS);
        other.answered(MS * 30_000, MS * 7);
        one.add(&other);
        assert_eq!(one.step(), MS * 200);
        assert_eq!((counts(&one)[0], counts(&one)[1], counts(&one)[150]), (1, 1, 1));
        let mut coarse = other.clone();
        coarse.add(&Timeline::default());
        assert_eq!(counts(&coarse), counts(&other));
    }
}
