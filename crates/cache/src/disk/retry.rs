//! When a disk that failed is tried again.
//!
//! One that works again and soon fails again is tried less and less often: else it would be told of
//! many times a second.

use std::{
    sync::{Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Rings once after a while, however often somebody looks meanwhile. A thread waits in it.
#[derive(Debug, Default)]
pub(super) struct Timer {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    /// After how long to ring, if it is to.
    pause: Option<Duration>,
    /// How often it was set.
    set: u64,
    has_ended: bool,
}

impl Timer {
    /// Has it ring after `pause`, and not when it was to before.
    pub(super) fn set(&self, pause: Duration) {
        let mut state = self.lock();
        (state.pause, state.set) = (Some(pause), state.set + 1);
        self.changed.notify_all();
    }

    /// Has it ring no more.
    pub(super) fn end(&self) {
        self.lock().has_ended = true;
        self.changed.notify_all();
    }

    /// Waits, and rings, until it is ended.
    pub(super) fn run(&self, ring: impl Fn()) {
        let mut state = self.lock();
        while !state.has_ended {
            let Some(pause) = state.pause else {
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let set = state.set;
            let is_same = |state: &mut State| state.set == set && !state.has_ended;
            let waited = self.changed.wait_timeout_while(state, pause, is_same);
            let (next, waited) = waited.unwrap_or_else(PoisonError::into_inner);
            state = next;
            if waited.timed_out() && state.set == set {
                state.pause = None;
                drop(state);
                ring();
                state = self.lock();
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How often a disk is tried.
#[derive(Debug)]
pub(super) struct Tries {
    usual: Duration,
    pause: Duration,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// It works.
    Calm,
    /// It works since a short while.
    Recovering,
    /// It fails.
    Failing,
}

/// What is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Do {
    Nothing,
    /// The disk is to be tried; see [`Tries::tried`].
    Try,
    /// The timer is to ring after so long.
    Wait(Duration),
}

/// A disk is not tried less often than this many times its usual pause, which is some minutes.
const PAUSES_MAX: u32 = 64;
/// What works for so many pauses, works.
const PAUSES_TO_CALM: u32 = 4;

impl Tries {
    pub(super) fn new(usual: Duration) -> Self {
        Self { usual, pause: usual, stage: Stage::Calm }
    }

    /// Whether it fails, and whether the timer rang.
    pub(super) fn look(&mut self, fails: bool, has_rung: bool) -> Do {
        match (self.stage, fails) {
            (Stage::Calm, true) => self.pause = self.usual,
            (Stage::Recovering, true) => {
                self.pause = self.pause.saturating_mul(2).min(self.usual * PAUSES_MAX);
            }
            (Stage::Failing, true) => return if has_rung { Do::Try } else { Do::Nothing },
            (Stage::Recovering, false) if has_rung => {
                self.stage = Stage::Calm;
                return Do::Nothing;
            }
            (_, false) => return Do::Nothing,
        }
        self.stage = Stage::Failing;
        Do::Wait(self.pause)
    }

    /// It was tried, and `works` or not. When the timer is to ring.
    pub(super) fn tried(&mut self, works: bool) -> Duration {
        if !works {
            return self.pause;
        }
        self.stage = Stage::Recovering;
        self.pause * PAUSES_TO_CALM
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    const SECS: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn what_fails_is_tried_every_few_seconds() {
        let mut tries = Tries::new(SECS(5));
        assert_eq!(tries.look(false, false), Do::Nothing);
        assert_eq!(tries.look(true, false), Do::Wait(SECS(5)));
        for _ in 0..100 {
            // However often somebody wants something written.
            assert_eq!(tries.look(true, false), Do::Nothing);
        }
        for _ in 0..3 {
            assert_eq!(tries.look(true, true), Do::Try);
            assert_eq!(tries.tried(false), SECS(5));
        }
        assert_eq!((tries.look(true, true), tries.tried(true)), (Do::Try, SECS(20)));
        assert_eq!(tries.look(false, true), Do::Nothing);
        assert_eq!(tries.look(true, false), Do::Wait(SECS(5)));
    }

    #[test]
    fn what_fails_again_and_again_is_tried_less_and_less_often() {
        let mut tries = Tries::new(SECS(5));
        for secs in [5, 10, 20, 40, 80, 160, 320, 320] {
            assert_eq!(tries.look(true, false), Do::Wait(SECS(secs)));
            assert_eq!(tries.look(true, true), Do::Try);
            assert_eq!(tries.tried(true), SECS(4 * secs));
            assert_eq!(tries.look(false, false), Do::Nothing);
        }
    }

    #[test]
    fn a_timer_rings_once_for_the_last_time_that_it_was_set() {
        let (timer, rung) = (Timer::default(), AtomicU32::new(0));
        std::thread::scope(|scope| {
            scope.spawn(|| timer.run(|| _ = rung.fetch_add(1, Ordering::Relaxed)));
            timer.set(SECS(3600));
            timer.set(Duration::from_millis(1));
            while rung.load(Ordering::Relaxed) == 0 {
                std::thread::yield_now();
            }
            timer.end();
        });
        assert_eq!(rung.load(Ordering::Relaxed), 1);
    }
}
