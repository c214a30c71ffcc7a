//! How much there is in a store.

use super::{Deed, Written};
use crate::{model::Said, store::Size};

fn size(written: &Written) -> Size {
    let size = written.store.ledger().unwrap().size(&written.file()).unwrap();
    assert!(size.bytes > 0 && size.wal_bytes > 0, "{size:?}");
    Size { bytes: 0, wal_bytes: 0, ..size }
}

#[test]
fn what_there_is_is_counted_and_what_was_deleted_is_not() {
    let (mut written, ana, lab) = Written::with_room();
    let bob = written.register("bob");
    written.write(Some(ana), Deed::Talk { with: bob });
    written.say(ana, lab, "hello");
    let expect = Size { entries: 5, unindexed: 5, accounts: 2, rooms: 1, ..Size::default() };
    assert_eq!(size(&written), expect, "two who talk are no room");
    written.store.index_some(100).unwrap();
    written.write(Some(ana), Deed::Unregister { who: bob, said: Said::Stays });
    let expect = Size { entries: 6, unindexed: 1, accounts: 1, rooms: 1, ..Size::default() };
    assert_eq!(size(&written), expect);
    written.write(Some(ana), Deed::Delete { room: lab });
    assert_eq!((size(&written).entries, size(&written).rooms), (7, 0));
}
