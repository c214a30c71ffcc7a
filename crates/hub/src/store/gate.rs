//! Where those who read the store wait for a moment, now and then: SQLite begins its log anew only while nobody
//! reads what is in it, and of who searches without pause somebody always does.

use std::{
    sync::{
        Condvar, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};

/// Where all pass who read something.
#[derive(Debug, Default)]
pub(super) struct Gate {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    phase: Phase,
    /// How many read something that is quickly read.
    quick: usize,
    /// How many read what takes long.
    long: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Open,
    /// What takes long is not begun: once all that was is read, nothing else takes long, either.
    Closing,
    /// Nothing is begun.
    Closed,
    /// Nor is anything read, and it is for others to open.
    Shut,
}

/// How long something takes to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reads {
    /// Some milliseconds.
    Quick,
    /// Up to a second.
    Long,
}

/// Somebody reads while this is there.
#[derive(Debug)]
pub struct Reading<'g> {
    gate: &'g Gate,
    what: Reads,
}

/// Nobody reads while this is there, unless somebody opened the gate.
#[derive(Debug)]
pub(super) struct Shut<'g>(&'g Gate);

/// Whether what waits at a gate is to be given up.
pub(super) type GivenUp = AtomicBool;

impl State {
    fn of(&mut self, what: Reads) -> &mut usize {
        match what {
            Reads::Quick => &mut self.quick,
            Reads::Long => &mut self.long,
        }
    }

    fn is_barred(&self, what: Reads) -> bool {
        match self.phase {
            Phase::Open => false,
            Phase::Closing => what == Reads::Long,
            Phase::Closed | Phase::Shut => true,
        }
    }
}

impl Gate {
    /// Has somebody read `what` it is, once it may.
    pub(super) fn enter(&self, what: Reads) -> Reading<'_> {
        let mut state = self.wait_while(self.state(), |state| state.is_barred(what));
        *state.of(what) += 1;
        Reading { gate: self, what }
    }

    /// Has nobody read. Waits for those who do, first for what takes long; `None`, if that is given up, or another
    /// is about it.
    pub(super) fn shut(&self, given_up: &GivenUp) -> Option<Shut<'_>> {
        let mut state = self.state();
        if state.phase != Phase::Open {
            return None;
        }
        state.phase = Phase::Closing;
        self.changed.notify_all();
        state = self.wait_while(state, |state| state.long > 0 && !given_up.load(Relaxed));
        state.phase = Phase::Closed;
        self.changed.notify_all();
        state = self.wait_while(state, |state| state.quick > 0 && !given_up.load(Relaxed));
        let is_used = state.quick + state.long > 0;
        drop(state);
        let shut = Shut(self);
        // Opened again by that, if it is not given.
        (!is_used).then_some(shut)
    }

    /// Whether somebody reads.
    pub(super) fn is_used(&self) -> bool {
        let state = self.state();
        state.quick + state.long > 0
    }

    /// Whether nobody reads, and who shut it waits for others to open it.
    pub(super) fn is_shut(&self) -> bool {
        self.state().phase == Phase::Shut
    }

    pub(super) fn open(&self) {
        self.state().phase = Phase::Open;
        self.changed.notify_all();
    }

    /// Has those who wait be given up, who look at `given_up`.
    pub(super) fn give_up(&self, given_up: &GivenUp) {
        let state = self.state();
        given_up.store(true, Relaxed);
        drop(state);
        self.changed.notify_all();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that holds the lock can panic half-way through a change.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'g>(
        &self,
        state: MutexGuard<'g, State>,
        is_so: impl Fn(&State) -> bool,
    ) -> MutexGuard<'g, State> {
        let waited = self.changed.wait_while(state, |state| is_so(state));
        waited.unwrap_or_else(PoisonError::into_inner)
    }
}

impl Shut<'_> {
    /// Whether somebody opens the gate in that time, or has it given up. If nobody does, nobody may any more.
    pub(super) fn is_opened_within(&self, time: Duration, given_up: &GivenUp) -> bool {
        let Gate { changed, .. } = self.0;
        let mut state = self.0.state();
        state.phase = Phase::Shut;
        changed.notify_all();
        let is_shut = |state: &mut State| state.phase == Phase::Shut && !given_up.load(Relaxed);
        let waited = changed.wait_timeout_while(state, time, is_shut);
        let (mut state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            state.phase = Phase::Closed;
        }
        !waited.timed_out()
    }
}

impl Drop for Shut<'_> {
    fn drop(&mut self) {
        self.0.open();
    }
}

impl Drop for Reading<'_> {
    fn drop(&mut self) {
        *self.gate.state().of(self.what) -= 1;
        self.gate.changed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::Arc, thread};

    use super::*;

    #[test]
    fn who_shuts_it_waits_for_what_takes_long_and_then_for_the_rest() {
        let gate = Arc::new(Gate::default());
        let long = gate.enter(Reads::Long);
        let shutting = thread::spawn({
            let gate = Arc::clone(&gate);
            move || {
                let given_up = GivenUp::new(false);
                let shut = gate.shut(&given_up).unwrap();
                assert!(shut.is_opened_within(Duration::from_hours(1), &given_up));
            }
        });
        drop(gate.wait_while(gate.state(), |state| state.phase != Phase::Closing));
        let quick = gate.enter(Reads::Quick);
        assert!(gate.shut(&GivenUp::new(false)).is_none(), "another is about it");
        drop(long);
        drop(gate.wait_while(gate.state(), |state| state.phase != Phase::Closed));
        assert!(gate.is_used() && !gate.is_shut());
        drop(quick);
        drop(gate.wait_while(gate.state(), |state| state.phase != Phase::Shut));
        assert!(!gate.is_used() && gate.is_shut());
        gate.open();
        shutting.join().unwrap();
        drop((gate.enter(Reads::Long), gate.enter(Reads::Quick)));
    }

    #[test]
    fn who_gives_that_up_has_all_read_on() {
        let gate = Arc::new(Gate::default());
        for what in [Reads::Long, Reads::Quick] {
            let given_up = Arc::new(GivenUp::new(false));
            let reading = gate.enter(what);
            let shutting = thread::spawn({
                let (gate, given_up) = (Arc::clone(&gate), Arc::clone(&given_up));
                move || gate.shut(&given_up).is_none()
            });
            drop(gate.wait_while(gate.state(), |state| state.phase == Phase::Open));
            gate.give_up(&given_up);
            assert!(shutting.join().unwrap());
            drop((gate.enter(Reads::Long), gate.enter(Reads::Quick), reading));
        }
        let given_up = GivenUp::new(false);
        let shut = gate.shut(&given_up).expect("nobody reads");
        assert!(!gate.is_shut(), "it is not for others to open yet");
        assert!(!shut.is_opened_within(Duration::ZERO, &given_up));
        assert!(!gate.is_shut(), "nor any more");
        drop(shut);
        drop(gate.enter(Reads::Long));
    }
}
