//! A cache in whose place another comes, while what was asked of it is still under way.

use std::sync::Arc;

use crate::cache::Cache;

impl Cache {
    /// Has it store nothing any more: whoever asks from here on, asks `successor`, and both may have the
    /// same disk. What is still fetched for it is passed on; and what is invalidated or purged here, is
    /// so there, too. If `successor` is itself, nothing changes.
    ///
    /// To be called before anybody asks `successor`. What was being stored is when this returns.
    pub fn retire(&self, successor: Option<&Self>) {
        if successor.is_some_and(|successor| Arc::ptr_eq(&successor.store, &self.store)) {
            return;
        }
        if let Some(successor) = successor {
            // The first one stays: nobody retires twice.
            let _ = self.successor.set(successor.clone());
        }
        self.store.retire();
    }

    /// Who is asked in its place, if somebody is.
    pub(crate) fn successor(&self) -> Option<&Self> {
        self.successor.get()
    }
}
