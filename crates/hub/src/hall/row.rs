//! The seats of one room, side by side: what all of it is told goes along them once, and the memory of the
//! next is there when it is its turn.

use std::sync::Arc;

use super::Key;
use crate::{
    model::{AccountId, Seq},
    outbox::Outbox,
};

/// A client in a room.
#[derive(Debug)]
pub(super) struct Seat {
    pub(super) key: Key,
    pub(super) outbox: Arc<Outbox>,
    pub(super) account: AccountId,
    /// The last that it was told.
    pub(super) told: Seq,
}

/// The seats of a room, in the order of their keys.
#[derive(Debug, Default)]
pub(super) struct Row(Vec<Seat>);

impl Row {
    /// Has somebody sit down who may sit there already.
    ///
    /// *Cost*: who came in last sits at the end; else all behind it move.
    pub(super) fn sit(&mut self, seat: Seat) {
        if let Err(place) = self.place(seat.key) {
            self.0.insert(place, seat);
        }
    }

    /// Has somebody get up, if it sits there.
    ///
    /// *Cost*: all behind it move.
    pub(super) fn get_up(&mut self, key: Key) -> Option<Seat> {
        let place = self.place(key).ok()?;
        Some(self.0.remove(place))
    }

    pub(super) fn seats(&mut self) -> impl Iterator<Item = &mut Seat> {
        self.0.iter_mut()
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn place(&self, key: Key) -> Result<usize, usize> {
        self.0.binary_search_by_key(&key, |seat| seat.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(keys: &[u64]) -> Row {
        let mut row = Row::default();
        for key in keys {
            let (outbox, account) = (Outbox::new(1), AccountId(Seq(1)));
            row.sit(Seat { key: Key(*key), outbox, account, told: Seq(*key) });
        }
        row
    }

    fn keys(row: &mut Row) -> Vec<u64> {
        row.seats().map(|seat| seat.key.0).collect()
    }

    #[test]
    fn whoever_sits_down_sits_once_and_in_the_order_of_keys() {
        let mut row = row(&[3, 1, 2, 3]);
        assert_eq!(keys(&mut row), [1, 2, 3]);
        assert_eq!(row.len(), 3);
    }

    #[test]
    fn who_gets_up_leaves_the_others_where_they_are() {
        let mut row = row(&[1, 2, 3]);
        assert_eq!(row.get_up(Key(2)).map(|seat| seat.told), Some(Seq(2)));
        assert!(row.get_up(Key(2)).is_none());
        assert_eq!(keys(&mut row), [1, 3]);
        row.get_up(Key(1));
        row.get_up(Key(3));
        assert!(row.is_empty());
    }
}
