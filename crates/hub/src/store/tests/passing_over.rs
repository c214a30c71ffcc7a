//! Rooms where much happens and little is said.

use super::*;
use crate::store::{More, archive::UNREAD_AMONG};

#[test]
fn what_is_unread_is_counted_among_so_much_that_happened_and_no_more() {
    let (written, ana, lab) = Written::with_room();
    let conn = &written.store.conn;
    let happened = |from: usize, upto: usize, deed: &str| {
        let sql = format!(
            "WITH RECURSIVE n (i) AS (SELECT {from} UNION ALL SELECT i + 1 FROM n WHERE i < {upto})
            INSERT INTO seen_before SELECT {}, i, '{deed}', 0, {} FROM n",
            lab.0, ana.0
        );
        conn.execute_batch(&sql).unwrap();
    };
    let unread = || {
        let nobody = AccountId(Seq(0));
        written.archive().unread(lab, nobody, (lab.0, Seq(u64::MAX)), 99).unwrap()
    };
    let first = usize::try_from(lab.0.0).unwrap() + 1;
    let said = first + UNREAD_AMONG;
    happened(first + 1, said - 1, "react");
    happened(said, said, "say");
    assert_eq!(unread(), 1);
    happened(first, first, "react");
    assert_eq!(unread(), 0);
}

#[test]
fn what_stays_in_a_room_is_looked_through_once_for_what_is_old() {
    let (mut written, ana, lab) = Written::with_room();
    let bob = written.register("bob");
    for _ in 0..3 {
        written.act(bob, lab, Act::Join);
        written.act(bob, lab, Act::Part);
    }
    let came = written.state.last;
    let upto = |written: &Written| written.store.nothing_said.get(&lab).copied();
    assert_eq!(written.store.forget(lab, old(Millis(0)), 9).unwrap(), More::No);
    assert_eq!(upto(&written), Some(came));
    let [_, two, three] = ["one", "two", "three"].map(|body| written.say(ana, lab, body));
    assert_eq!(written.store.forget(lab, old(Millis(three.0)), 1).unwrap(), More::Yes);
    assert_eq!(upto(&written), Some(Seq(two.0 - 1)));
    assert_eq!(written.store.forget(lab, old(Millis(three.0)), 9).unwrap(), More::No);
    assert_eq!(upto(&written), Some(Seq(three.0 - 1)));
    // What is undone may have been that.
    written.store.begin().unwrap();
    written.store.forget(lab, old(Millis(three.0 + 1)), 9).unwrap();
    written.store.roll_back();
    assert_eq!(upto(&written), None);
    assert_eq!(written.store.forget(lab, old(Millis(three.0 + 1)), 9).unwrap(), More::No);
    assert_eq!(written.store.entry(three).unwrap(), None);
}
