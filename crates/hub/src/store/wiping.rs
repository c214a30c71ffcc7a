//! What was taken out, wiped off SQLite's log although there is always somebody who reads: those pause for that,
//! and another thread does it, as who writes cannot wait for them.

use std::{
    path::Path,
    sync::Arc,
    thread::{self, JoinHandle},
    time::Duration,
};

use super::{
    emptying::{empty, empty_alone},
    gate::{Gate, GivenUp},
    place::Place,
};

/// Who wipes it off.
#[derive(Debug)]
pub(super) struct Wiping {
    gate: Arc<Gate>,
    given_up: Arc<GivenUp>,
    going: Option<JoinHandle<bool>>,
}

/// How far that is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wiped {
    /// It was not begun, or could not be done.
    Nothing,
    /// It is being done.
    Some,
    /// What was there when it was begun is in no file any more.
    All,
}

impl Wiping {
    pub(super) fn at(gate: &Arc<Gate>) -> Self {
        Self { gate: Arc::clone(gate), given_up: Arc::default(), going: None }
    }

    /// Begins with the log beside `file`. Where that fails, it is tried again by who asks again.
    pub(super) fn begin(&mut self, file: &Path, place: &Place) {
        let (file, mut place) = (file.to_owned(), place.clone());
        let (gate, given_up) = (Arc::clone(&self.gate), Arc::clone(&self.given_up));
        let wipe = move || {
            let most = empty(&file, &mut place);
            let all = most.and_then(|conn| empty_alone(&conn, (&gate, &given_up), Duration::ZERO));
            all.unwrap_or_default()
        };
        self.going = thread::Builder::new().name("hub-store".to_owned()).spawn(wipe).ok();
    }

    /// How far it is. That all is wiped off is said once.
    pub(super) fn state(&mut self) -> Wiped {
        let done = self.going.take_if(|going| going.is_finished());
        let is_all = done.is_some_and(|done| done.join().unwrap_or_default());
        match &self.going {
            Some(_) => Wiped::Some,
            None if is_all => Wiped::All,
            None => Wiped::Nothing,
        }
    }
}

/// Whoever has the file after this has it alone.
impl Drop for Wiping {
    fn drop(&mut self) {
        if let Some(going) = self.going.take() {
            self.gate.give_up(&self.given_up);
            _ = going.join();
        }
    }
}
