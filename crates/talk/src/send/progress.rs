//! How far a dialogue is: how much is said, and how much is heard.

use std::cell::Cell;

use tokio::sync::Notify;

/// How far a dialogue is. Who says and who hears share it.
#[derive(Debug, Default)]
pub(super) struct Progress {
    said: Cell<u64>,
    heard: Cell<u64>,
    is_saying: Cell<bool>,
    /// Something was heard.
    stirred: Notify,
}

impl Progress {
    /// A message is about to be said.
    pub(super) fn begin(&self) {
        self.is_saying.set(true);
    }

    /// It is said.
    pub(super) fn say(&self) {
        self.is_saying.set(false);
        self.said.set(self.said.get() + 1);
    }

    /// Something was heard.
    pub(super) fn hear(&self) {
        self.heard.set(self.heard.get() + 1);
        self.stirred.notify_one();
    }

    /// How many messages are said, without one that is being said.
    pub(super) fn said(&self) -> u64 {
        self.said.get()
    }

    /// Whether a message is being said.
    pub(super) fn is_saying(&self) -> bool {
        self.is_saying.get()
    }

    /// Whether as much was heard as was said.
    pub(super) fn is_answered(&self) -> bool {
        self.heard.get() >= self.said.get()
    }

    /// Waits for something to be heard that comes from now on.
    ///
    /// Cancel safe.
    pub(super) async fn answered(&self) {
        let before = self.heard.get();
        while self.heard.get() == before {
            self.stirred.notified().await;
        }
    }
}
