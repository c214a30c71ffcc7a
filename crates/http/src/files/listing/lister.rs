//! How many folders are listed at once, and how much memory their pages take.
//!
//! A listing asks the file system about each of its entries, and its page may be megabytes that
//! belong to one caller alone.

use bytes::Bytes;

use crate::{
    files::{options::Limits, refusal::Refusal, room::Room},
    places::{Place, Places},
};

/// Who lists, and what was listed.
#[derive(Debug)]
pub(in crate::files) struct Lister {
    /// A place each for those being listed and those waiting for it.
    places: Places,
    /// A turn each for those being listed.
    turns: Places,
    /// For pages that are being sent.
    room: Room,
}

/// A turn to list a folder, until it is dropped.
#[derive(Debug)]
pub(in crate::files) struct Turn {
    _places: [Place; 2],
}

impl Lister {
    pub(in crate::files) fn new(limits: &Limits) -> Self {
        let places = limits.listings_max.saturating_add(limits.listings_waiting_max);
        Self {
            places: Places::at_most(places),
            turns: Places::at_most(limits.listings_max),
            room: Room::of(limits.listings_bytes_max),
        }
    }

    /// Waits for a turn.
    ///
    /// # Errors
    ///
    /// [`Refusal::Busy`] if too many wait already.
    pub(in crate::files) async fn turn(&self) -> Result<Turn, Refusal> {
        let place = self.places.take().ok_or(Refusal::Busy)?;
        Ok(Turn { _places: [place, self.turns.wait().await] })
    }

    /// Keeps the page `text` in memory until it is sent.
    ///
    /// # Errors
    ///
    /// [`Refusal::Busy`] if there is no room left for it.
    pub(in crate::files) fn keep(&self, text: String) -> Result<Bytes, Refusal> {
        // What it was given to grow is more than half of it at times.
        let text = text.into_boxed_str();
        let room = self.room.take(text.len() as u64).ok_or(Refusal::Busy)?;
        Ok(room.hold(text.into_string().into_bytes()).bytes().clone())
    }
}
