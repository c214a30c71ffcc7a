//! What was written, committed: and counted, once it is.

use std::mem;

use tokio::time::Instant;

use super::Desk;
use crate::{
    counts::Turnout,
    model::{Act, Deed, Entry},
    store::Broken,
};

impl Desk {
    /// Notes what is written, to be counted once it is committed.
    pub(super) fn note(&mut self, entry: &Entry) {
        self.fresh.entries += 1;
        if matches!(entry.deed, Deed::In { act: Act::Say { .. }, .. }) {
            self.fresh.messages += 1;
        }
    }

    /// Commits what was written.
    ///
    /// # Errors
    ///
    /// [`Broken`]: then nothing of it is counted.
    pub(super) fn commit(&mut self) -> Result<(), Broken> {
        let (fresh, began) = (mem::take(&mut self.fresh), Instant::now());
        self.store.commit()?;
        self.counts.commit(fresh, began.elapsed());
        Ok(())
    }

    /// Has be known what it has come to.
    pub(super) fn publish(&self) {
        let (clients, present) = (self.clients.len(), self.online.len());
        self.counts.settle(Turnout { done: self.done, clients, present });
    }
}
