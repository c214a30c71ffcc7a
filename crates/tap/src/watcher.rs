//! Who listens in.

use std::sync::{Weak, atomic::Ordering};

use tokio::sync::broadcast;

use crate::{
    event::Event,
    shared::{Detail, Shared},
};

/// A listener's end of a [`Tap`](crate::Tap).
#[derive(Debug)]
pub struct Watcher {
    pub(crate) events: broadcast::Receiver<Event>,
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
        match self.events.recv().await {
            Ok(event) => Some(event),
            Err(broadcast::error::RecvError::Lagged(events)) => Some(Event::Missed { events }),
            Err(broadcast::error::RecvError::Closed) => None,
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.watchers_of(self.detail).fetch_sub(1, Ordering::Relaxed);
        }
    }
}
