//! A word that ends the program: said by a dialogue, heard by what runs it.

use std::sync::Arc;

use tokio::sync::Notify;

/// The word. Every clone is the same one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Quit(Arc<Notify>);

impl Quit {
    /// Says it. Who waits for it later has heard it, too.
    pub(crate) fn say(&self) {
        self.0.notify_one();
    }

    /// Waits for it. Cancel safe.
    pub(crate) async fn said(&self) {
        self.0.notified().await;
    }
}
