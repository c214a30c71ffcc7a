//! What the hub's sessions and its door for datagrams share.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use super::{channel::Form, table::Table};
use crate::limits::Limits;

/// Who speaks by datagrams, and what they are like.
#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) form: Form,
    table: Mutex<Table>,
    /// Where they are heard, if anywhere.
    ports: Mutex<Vec<u16>>,
    /// How many were dropped.
    dropped: AtomicU64,
}

impl Post {
    pub(crate) fn new(form: Form, limits: &Limits) -> Self {
        let table = Table::new(limits.associations_max, limits.sessions_an_account_max);
        let (ports, dropped) = (Mutex::default(), AtomicU64::new(0));
        Self { form, table: Mutex::new(table), ports, dropped }
    }

    pub(crate) fn table(&self) -> MutexGuard<'_, Table> {
        // Nothing that holds the lock can panic half-way through a change.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where datagrams are heard, if anywhere.
    pub(crate) fn port(&self) -> Option<u16> {
        self.ports().last().copied()
    }

    /// They are heard at `port`, until what is given is dropped.
    pub(crate) fn open(&self, port: u16) -> Heard<'_> {
        self.ports().push(port);
        Heard { post: self, port }
    }

    fn ports(&self) -> MutexGuard<'_, Vec<u16>> {
        // The same holds here.
        self.ports.lock().unwrap_or_else(PoisonError::into_inner)
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

/// Datagrams are heard at a port while this is there.
#[derive(Debug)]
pub(crate) struct Heard<'p> {
    post: &'p Post,
    port: u16,
}

impl Drop for Heard<'_> {
    fn drop(&mut self) {
        let mut ports = self.post.ports();
        if let Some(at) = ports.iter().position(|port| *port == self.port) {
            ports.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_are_heard_where_somebody_hears_them_yet() {
        let post = Post::new(Form::Sealed, &Limits::default());
        assert_eq!(post.port(), None);
        let (one, other) = (post.open(7), post.open(9));
        assert_eq!(post.port(), Some(9));
        drop(other);
        assert_eq!(post.port(), Some(7));
        drop(one);
        assert_eq!(post.port(), None);
    }
}
