//! What the hub's sessions and its door for datagrams share.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU16, AtomicU64, Ordering},
};

use super::{channel::Form, table::Table};
use crate::limits::Limits;

/// Who speaks by datagrams, and what they are like.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) form: Form,
    table: Mutex<Table>,
    /// Where they are heard; 0 while they are not.
    port: AtomicU16,
    /// How many were dropped.
    dropped: AtomicU64,
}

impl Post {
    pub(crate) fn new(form: Form, limits: &Limits) -> Self {
        let table = Table::new(limits.associations_max, limits.sessions_an_account_max);
        let (port, dropped) = (AtomicU16::new(0), AtomicU64::new(0));
        Self { form, table: Mutex::new(table), port, dropped }
    }

    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing that holds the lock can panic half-way through a change.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where datagrams are heard, if anywhere.
    pub(crate) fn port(&self) -> Option<u16> {
        Some(self.port.load(Ordering::Relaxed)).filter(|port| *port != 0)
    }

    /// They are heard at `port`.
    pub(crate) fn open(&self, port: u16) {
        self.port.store(port, Ordering::Relaxed);
    }

    /// Counts one that is dropped. Gives how many were.
    pub(crate) fn count(&self) -> u64 {
        self.dropped.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// How many were dropped.
    #[cfg(test)]
    pub(crate) fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}
