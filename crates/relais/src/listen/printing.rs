//! The thread that prints what callers say.

use std::{
    sync::{
        Mutex, Once, PoisonError,
        mpsc::{Receiver, sync_channel},
    },
    thread,
    time::Duration,
};

use relais_talk::Showcase;
use tracing::error;

use super::Style;
use crate::output::print;

/// How long the end may take to be printed: a terminal that stands still does not hold us.
const LAST_WORDS_MAX: Duration = Duration::from_secs(1);

/// Prints messages, from when it begins until it is dropped.
#[derive(Debug)]
pub(super) struct Printing {
    showcase: Showcase,
    style: Style,
    once: Once,
    /// Says when all is printed.
    done: Mutex<Option<Receiver<()>>>,
}

impl Printing {
    pub(super) fn new(showcase: Showcase, style: Style) -> Self {
        Self { showcase, style, once: Once::new(), done: Mutex::default() }
    }

    /// Begins to print, once.
    pub(super) fn begin(&self) {
        self.once.call_once(|| {
            let (showcase, style) = (self.showcase.clone(), self.style);
            let (done, waited) = sync_channel(1);
            let work = move || {
                print_all(&showcase, style);
                _ = done.send(());
            };
            match thread::Builder::new().name("printing".to_owned()).spawn(work) {
                Ok(_) => *self.done() = Some(waited),
                Err(error) => error!(%error, "cannot start a thread: nothing will be printed"),
            }
        });
    }

    /// Prints what is left, and no more, once. Blocks.
    pub(super) fn end(&self) {
        self.showcase.close();
        if let Some(done) = self.done().take() {
            _ = done.recv_timeout(LAST_WORDS_MAX);
        }
    }

    fn done(&self) -> std::sync::MutexGuard<'_, Option<Receiver<()>>> {
        self.done.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Printing {
    fn drop(&mut self) {
        self.end();
    }
}

/// What cannot be printed is dropped: who read it is gone, and callers are none the wiser.
fn print_all(showcase: &Showcase, style: Style) {
    _ = print(style.begin().as_bytes());
    while let Some(next) = showcase.next() {
        _ = print(style.show(&next).as_bytes());
    }
    _ = print(style.end().as_bytes());
}
