//! How many folders are listed at once, and how much memory their pages take.
//!
//! A listing asks the file system about each of its entries, and its page may be megabytes that
//! belong to one caller alone.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::files::{options::Limits, refusal::Refusal, room::Room};

/// Who lists, and what was listed.
#[derive(Debug)]
pub(in crate::files) struct Lister {
    /// A place each for those being listed and those waiting for it.
    places: Arc<Semaphore>,
    /// A turn each for those being listed.
    turns: Arc<Semaphore>,
    /// For pages that are being sent.
    room: Room,
}

/// A turn to list a folder, until it is dropped.
#[derive(Debug)]
pub(in crate::files) struct Turn {
    _permits: [OwnedSemaphorePermit; 2],
}

impl Lister {
    pub(in crate::files) fn new(limits: &Limits) -> Self {
        let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            places: permits(limits.listings_max.saturating_add(limits.listings_waiting_max)),
            turns: permits(limits.listings_max),
            room: Room::of(limits.listings_bytes_max),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    ///
    /// [`Refusal::Busy`] if too many wait already.
    pub(in crate::files) async fn turn(&self) -> Result<Turn, Refusal> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Refusal::Busy)?;
        let turn = Arc::clone(&self.turns).acquire_owned().await.expect("an open semaphore");
        Ok(Turn { _permits: [place, turn] })
    }

    /// Keeps the page `text` in memory until it is sent.
    ///
    /// # Errors
    ///
    /// [`Refusal::Busy`] if there is no room left for it.
    pub(in crate::files) fn keep(&self, text: String) -> Result<Bytes, Refusal> {
        let room = self.room.take(text.len() as u64).ok_or(Refusal::Busy)?;
        Ok(room.hold(text))
    }
}
