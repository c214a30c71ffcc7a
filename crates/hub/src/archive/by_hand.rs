//! Reading where it is told to, without threads: for tests.

use std::sync::Arc;

use super::{Bounds, Reader, Table, shelf::Shelf, turns::Takes};
use crate::{names::Names, store::Archive};

/// One who reads where it is told to.
#[derive(Debug)]
pub(crate) struct ByHand {
    shelf: Shelf,
    table: Arc<Table>,
}

impl Reader {
    /// Has `archive` be read when that is [asked for](ByHand::work_off).
    pub(crate) fn by_hand(archive: Archive, names: &Arc<Names>, bounds: Bounds) -> (Self, ByHand) {
        let table = Arc::<Table>::default();
        let shelf = Shelf { archive, names: Arc::clone(names), bounds };
        (Self { table: Arc::clone(&table) }, ByHand { shelf, table })
    }
}

impl ByHand {
    /// Reads all that waits.
    pub(crate) fn work_off(&self) {
        loop {
            let next = self.table.turns().0.next(Takes::All);
            let Some(job) = next else { return };
            self.shelf.do_next(&job);
            self.table.done(job.by);
        }
    }
}
