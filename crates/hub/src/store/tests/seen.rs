//! What members see of rooms, whichever of the two tables has it.

use super::*;
use crate::{
    model::Said,
    protocol::Page,
    store::{More, archive, forget, leaving, restore, seen},
};

/// All but `most` entries are where they stay.
pub(super) fn settle(written: &mut Written, most: usize) {
    let store = &mut written.store;
    store.settled = seen::settle(&store.conn, store.settled, most).unwrap();
}

fn count(written: &Written, what: &str) -> usize {
    let sql = format!("SELECT count(*) FROM {what}");
    let found: i64 = written.store.conn.query_row(&sql, [], |row| row.get(0)).unwrap();
    found.try_into().unwrap()
}

/// What is in the tables is what the log says.
#[track_caller]
pub(super) fn is_whole(written: &Written) {
    let log =
        "SELECT room, seq, deed, redacted, by FROM log WHERE room IS NOT NULL AND deed <> 'read'";
    let other = |one: &str, other: &str| count(written, &format!("({one} EXCEPT {other})"));
    assert_eq!(other(log, "SELECT * FROM seen"), 0, "missing");
    assert_eq!(other("SELECT * FROM seen", log), 0, "too much");
    assert_eq!(count(written, "seen"), count(written, &format!("({log})")), "twice");
}

/// Two rooms of an account in which it said ten things each, at 4 to 23, of which the first was read.
fn two_rooms() -> (Written, AccountId, [RoomId; 2]) {
    let (mut written, ana, lab) = Written::with_room();
    let den = written.create(ana, "#den");
    for _ in 0..10 {
        written.say(ana, lab, "a");
        written.say(ana, den, "b");
    }
    written.act(ana, lab, Act::Read { last: Seq(4) });
    (written, ana, [lab, den])
}

/// All that is read of a room.
fn read(written: &Written, room: RoomId) -> impl PartialEq + std::fmt::Debug + use<> {
    let archive = written.archive();
    let nobody = AccountId(Seq(0));
    let pages = [
        (Page::Latest, 3),
        (Page::Latest, 99),
        (Page::Before(Seq(14)), 3),
        (Page::After(Seq(9)), 4),
        (Page::Around(Seq(13)), 5),
        (Page::Between(Seq(9), Seq(16)), 9),
    ];
    let pages = pages.map(|(page, limit)| archive.page(room, page, limit).unwrap());
    let since = archive.since((room, Seq(8)), Seq(20), 4).unwrap();
    let unread = [(0, 99, 9), (9, 99, 99), (0, 12, 99), (20, 99, 99)].map(|(after, upto, most)| {
        archive.unread(room, nobody, (Seq(after), Seq(upto)), most).unwrap()
    });
    let words = archive.search(&[room], "a", None, 9).unwrap();
    (pages, since, unread, words, archive.positions(room).unwrap(), written.store.reload().unwrap())
}

#[test]
fn what_is_read_is_the_same_wherever_it_is() {
    let (mut written, ana, rooms) = two_rooms();
    let before = rooms.map(|room| read(&written, room));
    for most in [20, 11, 4, 1, 0] {
        settle(&mut written, most);
        assert!(count(&written, "seen_lately") <= most);
        is_whole(&written);
        assert_eq!(rooms.map(|room| read(&written, room)), before, "{most}");
    }
    // Some of a room is in either.
    let late = rooms.map(|room| written.say(ana, room, "a"));
    let across = rooms.map(|room| read(&written, room));
    assert_eq!(count(&written, "seen_lately"), late.len());
    is_whole(&written);
    settle(&mut written, 0);
    assert_eq!(rooms.map(|room| read(&written, room)), across);
    let written = written.anew();
    assert_eq!(rooms.map(|room| read(&written, room)), across);
}

#[test]
fn rooms_have_their_turn() {
    let (mut written, ana, [lab, den]) = two_rooms();
    let last = written.create(ana, "#last");
    let lately = |written: &Written, room: RoomId| {
        count(written, &format!("seen_lately WHERE room = {}", room.0))
    };
    let all = |written: &Written| [lab, den, last].map(|room| lately(written, room));
    assert_eq!(all(&written), [11, 11, 1]);
    settle(&mut written, 22);
    assert_eq!(all(&written), [0, 11, 1], "a room with all that it has");
    written.say(ana, lab, "a");
    settle(&mut written, 12);
    assert_eq!(all(&written), [1, 0, 1], "not the one that went before");
    settle(&mut written, 0);
    assert_eq!(all(&written), [0; 3]);
}

#[test]
fn a_group_leaves_no_more_than_there_is_room_for() {
    let (mut written, ana, lab) = Written::with_room();
    written.store.begin().unwrap();
    for _ in 0..seen::LATELY_MAX {
        let act = Act::Say { kind: Kind::Text, body: "hi".to_owned(), reply: None };
        let entry = written.entry(Some(ana), Deed::In { room: lab, act });
        written.state.apply(&entry);
        written.store.write(&entry, &written.state).unwrap();
    }
    assert_eq!(count(&written, "seen_lately"), seen::LATELY_MAX + 1);
    written.store.commit().unwrap();
    assert_eq!(count(&written, "seen_before"), seen::LATELY_MAX + 1);
    is_whole(&written);
}

#[test]
fn what_is_settled_with_a_group_that_is_undone_is_where_it_was() {
    let (mut written, ana, [lab, _]) = two_rooms();
    written.store.begin().unwrap();
    let act = Act::Say { kind: Kind::Text, body: "hi".to_owned(), reply: None };
    let entry = written.entry(Some(ana), Deed::In { room: lab, act });
    written.state.apply(&entry);
    written.store.write(&entry, &written.state).unwrap();
    settle(&mut written, 5);
    written.store.roll_back();
    assert_eq!((count(&written, "seen_lately"), count(&written, "seen_before")), (22, 0));
    is_whole(&written);
}

#[test]
fn what_is_taken_out_is_counted_in_neither() {
    let (mut written, ana, [lab, den]) = two_rooms();
    written.edit(ana, lab, Seq(4), "c");
    settle(&mut written, 0);
    let late = written.say(ana, lab, "late");
    // Of one, edits are in both.
    written.edit(ana, lab, Seq(4), "d");
    let nobody = AccountId(Seq(0));
    let unread =
        |written: &Written| written.archive().unread(lab, nobody, (Seq(0), Seq(99)), 99).unwrap();
    assert_eq!(unread(&written), 11);
    written.redact(ana, den, Seq(6));
    assert_eq!(unread(&written), 11, "not from there");
    written.redact(ana, lab, Seq(4));
    written.redact(ana, lab, late);
    assert_eq!(unread(&written), 9);
    assert_eq!(count(&written, "seen_before WHERE redacted"), 2);
    assert_eq!(count(&written, "seen_lately WHERE redacted"), 2);
    is_whole(&written);
}

#[test]
fn what_is_forgotten_or_deleted_is_in_neither() {
    for most in [99, 12, 0] {
        let (mut written, ana, [lab, den]) = two_rooms();
        settle(&mut written, most);
        written.say(ana, lab, "late");
        while written.store.forget(lab, old(Millis(20)), 3).unwrap() == More::Yes {}
        assert_eq!(count(&written, &format!("seen WHERE room = {}", lab.0)), 4, "{most}");
        is_whole(&written);
        written.write(Some(ana), Deed::Delete { room: den });
        while written.store.take_out_some(3).unwrap() == More::Yes {}
        assert_eq!(count(&written, &format!("seen WHERE room = {}", den.0)), 2, "{most}");
        let bob = written.register("bob");
        written.act(bob, lab, Act::Join);
        written.say(bob, lab, "hi");
        written.act(bob, lab, Act::Part);
        written.write(Some(ana), Deed::Unregister { who: bob, said: Said::Goes });
        while written.store.take_out_some(3).unwrap() == More::Yes {}
        assert_eq!(count(&written, "seen WHERE redacted"), 1, "{most}");
        is_whole(&written);
        assert_eq!(written.store.reload().unwrap(), written.state);
    }
}

#[test]
fn nobody_goes_through_all_of_a_room_or_the_log() {
    let (written, ..) = Written::with_room();
    let prev = format!("SELECT {} FROM log WHERE seq = 1", archive::past_columns());
    let [forth, back] = ["ASC", "DESC"].map(archive::part_of);
    let statements = [
        archive::UNREAD,
        archive::POSITIONS,
        &forth,
        &back,
        &prev,
        forget::SAID,
        leaving::IN_ROOM,
        restore::ROOMS,
    ];
    for sql in statements {
        let plan = format!("EXPLAIN QUERY PLAN {sql}");
        let mut plan = written.store.conn.prepare(&plan).unwrap();
        let mut steps = plan.raw_query();
        let (mut told, mut merged) = (Vec::new(), 0);
        while let Some(row) = steps.next().unwrap() {
            let step: String = row.get(3).unwrap();
            merged += usize::from(step.starts_with("MERGE (UNION ALL)"));
            told.push(step);
        }
        // The place of what is next is known before the rest is looked at.
        let is_through = |step: &&String| {
            ["SCAN log", "SCAN seen", "SEARCH log USING INDEX"]
                .iter()
                .any(|all| step.starts_with(all))
        };
        assert!(merged > 0 && !told.iter().any(|step| is_through(&step)), "{sql}: {told:#?}");
    }
}
