//! Reading where it is told to, without threads: for tests.

use std::sync::Arc;

use super::{Bounds, Job, Reader, Table, shelf::Shelf, turns::Takes};
use crate::{hall::Group, names::Names, store::Archive};

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
    /// Reads all that waits, and tells it.
    pub(crate) fn work_off(&self) {
        while let Some(read) = self.read_next() {
            self.tell(read);
        }
    }

    /// Reads what waits longest.
    pub(crate) fn read_next(&self) -> Option<(Job, Group)> {
        let job = self.table.turns().0.next(Takes::All)?;
        let posts = self.shelf.do_next(&job);
        Some((job, posts))
    }

    /// Tells what was read.
    pub(crate) fn tell(&self, (job, posts): (Job, Group)) {
        self.table.tell(&job, posts);
    }
}
