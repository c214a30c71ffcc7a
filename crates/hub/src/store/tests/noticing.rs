//! How much of what was not read is for whom.

use super::*;
use crate::{
    model::{Level, Wish, Words},
    store::Archive,
};

/// Ana's room, in which Bob is, too, who looks out for tea.
fn written() -> (Written, [AccountId; 2], RoomId) {
    let (mut written, ana, lab) = Written::with_room();
    let bob = written.register("bob");
    written.act(bob, lab, Act::Join);
    written.write(Some(bob), Deed::Wish(Wish::Words(Words::read("tea"))));
    (written, [ana, bob], lab)
}

/// How much of what was said after an entry is for `who`.
fn marked(written: &Written, lab: RoomId, who: AccountId, after: u64) -> u64 {
    let archive: Archive = written.archive();
    archive.marked(lab, who, (Seq(after), Seq(u64::MAX)), 200).unwrap()
}

#[test]
fn what_is_for_somebody_is_counted_until_it_is_read_also_by_who_opens_the_store_again() {
    let (mut written, [ana, bob], lab) = written();
    for body in ["hi", "@bob", "tea for two", "@bob: tea"] {
        written.say(ana, lab, body);
    }
    written.say(bob, lab, "@bob @ana tea");
    let mut written = written.anew();
    assert_eq!(marked(&written, lab, bob, 0), 3);
    assert_eq!(marked(&written, lab, ana, 0), 1);
    assert_eq!(
        written.archive().marked(lab, bob, (Seq(0), Seq(u64::MAX)), 2).unwrap(),
        2,
        "as many as asked"
    );
    let last = written.state.last;
    let said = written.say(ana, lab, "@bob again");
    assert_eq!(marked(&written, lab, bob, last.0), 1);
    written.act(bob, lab, Act::Read { last });
    assert_eq!(marked(&written, lab, bob, 0), 1);
    written.act(bob, lab, Act::Read { last: said });
    assert_eq!(marked(&written, lab, bob, 0), 0);
    assert_eq!(marked(&written, lab, ana, 0), 1);
}

#[test]
fn what_was_taken_out_or_forgotten_is_for_nobody() {
    let (mut written, [ana, bob], lab) = written();
    let (one, two) = (written.say(ana, lab, "@bob"), written.say(ana, lab, "tea"));
    written.redact(ana, lab, one);
    assert_eq!(marked(&written, lab, bob, 0), 1);
    written.store.forget(lab, old(Millis(two.0 + 1)), 9).unwrap();
    assert_eq!(marked(&written, lab, bob, 0), 0);
    let count = |row: &rusqlite::Row<'_>| row.get::<_, i64>(0);
    let rows = written.store.conn.query_row("SELECT count(*) FROM marked", [], count);
    assert_eq!(rows.unwrap(), 0, "no row is left of it");
}

#[test]
fn of_a_room_that_somebody_left_or_wants_to_notice_nothing_of_nothing_is_counted() {
    let (mut written, [ana, bob], lab) = written();
    written.say(ana, lab, "@bob");
    written.act(bob, lab, Act::Part);
    assert_eq!(marked(&written, lab, bob, 0), 0);
    written.act(bob, lab, Act::Join);
    written.write(Some(bob), Deed::Wish(Wish::Level { room: lab, level: Level::Nothing }));
    written.say(ana, lab, "@bob");
    assert_eq!(marked(&written, lab, bob, 0), 0);
}
