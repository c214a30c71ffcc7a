//! Who listens in.

use std::sync::{Arc, Weak, atomic::Ordering};

use crate::{
    event::Event,
    ring::{Reader, Ring},
    shared::{Detail, Shared},
};

/// A listener's end of a [`Tap`](crate::Tap).
#[derive(Debug)]
pub struct Watcher {
    pub(crate) events: Arc<Ring>,
    pub(crate) reader: Reader,
    pub(crate) detail: Detail,
    /// Weak: a watcher must not keep the tap alive that it waits to see gone.
    pub(crate) shared: Weak<Shared>,
}

impl Watcher {
    /// Waits for the next event; `None` once every [`Tap`](crate::Tap) and [`Flow`](crate::Flow) is
    /// gone.
    ///
    /// Cancel safe: dropping the future loses no event.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.next(self.reader).await
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.events.leave(self.reader);
        if let Some(shared) = self.shared.upgrade() {
            shared.watchers_of(self.detail).fetch_sub(1, Ordering::Relaxed);
        }
    }
}
