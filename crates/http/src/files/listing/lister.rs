//! How many folders are listed at once, and how much memory their pages take.
//!
//! A listing asks the file system about each of its entries, and its page may be megabytes that
//! belong to one caller alone.

use std::sync::Arc;

use bytes::Bytes;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::files::{options::Limits, refusal::Refusal};

/// What a permit of [`Lister::room`] stands for, in bytes.
const UNIT_BYTES: usize = 1024;

/// Who lists, and what was listed.
#[derive(Debug)]
pub(in crate::files) struct Lister {
    /// A place each for those being listed and those waiting for it.
    places: Arc<Semaphore>,
    /// A turn each for those being listed.
    turns: Arc<Semaphore>,
    /// For pages that are being sent.
    room: Arc<Semaphore>,
}

/// A turn to list a folder, until it is dropped.
#[derive(Debug)]
pub(in crate::files) struct Turn {
    _permits: [OwnedSemaphorePermit; 2],
}

/// A page, and the room it takes for as long as it is in memory.
struct Kept {
    text: String,
    _room: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for Kept {
    fn as_ref(&self) -> &[u8] {
        self.text.as_bytes()
    }
}

impl Lister {
    pub(in crate::files) fn new(limits: &Limits) -> Self {
        let permits = |count: usize| Arc::new(Semaphore::new(count.min(Semaphore::MAX_PERMITS)));
        Self {
            places: permits(limits.listings_max.saturating_add(limits.listings_waiting_max)),
            turns: permits(limits.listings_max),
            room: permits(limits.listings_bytes_max / UNIT_BYTES),
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
        let units = u32::try_from(text.len().div_ceil(UNIT_BYTES)).map_err(|_| Refusal::Busy)?;
        let room = Arc::clone(&self.room).try_acquire_many_owned(units);
        let room = room.map_err(|_| Refusal::Busy)?;
        Ok(Bytes::from_owner(Kept { text, _room: room }))
    }
}
