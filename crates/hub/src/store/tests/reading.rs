//! Pages, what was missed, and what is unread.

use super::*;
use crate::{
    protocol::Page,
    store::{More, Past},
};

/// Ten messages at 3 to 12 in a room that was made at 2, with what members do not see between them.
fn ten() -> (Written, AccountId, RoomId) {
    let (mut written, ana, lab) = Written::with_room();
    for number in 3..=12 {
        written.say(ana, lab, &number.to_string());
    }
    written.act(ana, lab, Act::Read { last: Seq(12) });
    (written, ana, lab)
}

fn seqs(past: &[Past]) -> Vec<u64> {
    past.iter().map(|past| past.entry.seq.0).collect()
}

#[test]
fn pages_are_in_order_and_say_whether_there_is_more() {
    let (written, _, lab) = ten();
    let archive = written.archive();
    let check = |page, limit, expect: &[u64], expect_more| {
        let (past, more) = archive.page(lab, page, limit).unwrap();
        assert_eq!((seqs(&past).as_slice(), more), (expect, expect_more), "{page:?} {limit}");
    };
    let (yes, no) = (More::Yes, More::No);
    let all: Vec<_> = (2..=12).collect();
    check(Page::Latest, 3, &[10, 11, 12], yes);
    check(Page::Latest, 11, &all, no);
    check(Page::Latest, usize::MAX, &all, no);
    check(Page::Latest, 0, &[], yes);
    check(Page::Before(Seq(5)), 2, &[3, 4], yes);
    check(Page::Before(Seq(4)), 2, &[2, 3], no);
    check(Page::Before(Seq(0)), 2, &[], no);
    check(Page::Before(Seq(u64::MAX)), 1, &[12], yes);
    check(Page::After(Seq(9)), 2, &[10, 11], yes);
    check(Page::After(Seq(10)), 2, &[11, 12], no);
    check(Page::After(Seq(u64::MAX)), 2, &[], no);
    check(Page::Around(Seq(7)), 4, &[5, 6, 7, 8], yes);
    check(Page::Around(Seq(7)), 5, &[5, 6, 7, 8, 9], yes);
    check(Page::Around(Seq(2)), 40, &all, no);
    check(Page::Between(Seq(4), Seq(6)), 9, &[4, 5, 6], no);
    check(Page::Between(Seq(4), Seq(6)), 2, &[4, 5], yes);
    check(Page::Between(Seq(6), Seq(4)), 2, &[], no);
}

#[test]
fn each_says_what_was_seen_of_its_room_before_it() {
    let (mut written, ana, lab) = ten();
    let other = written.create(ana, "#other");
    let (one, two) = (written.say(ana, lab, "a"), written.say(ana, other, "b"));
    let prev = |room| written.archive().page(room, Page::Latest, 1).unwrap().0[0].prev;
    assert_eq!((prev(lab), prev(other)), (Seq(12), other.0));
    let (past, _) = written.archive().page(other, Page::Latest, 9).unwrap();
    assert_eq!(past[0].prev, Seq(0));
    assert!(one < two);
}

#[test]
fn what_is_edited_reads_as_it_does_now_and_the_edit_is_told_too() {
    let (mut written, ana, lab) = Written::with_room();
    let seq = written.say(ana, lab, "helo");
    written.edit(ana, lab, seq, "hullo");
    written.edit(ana, lab, seq, "hello");
    let read = |written: &Written| {
        let (past, _) = written.archive().page(lab, Page::After(lab.0), 9).unwrap();
        let told = past.iter().map(|past| (body(&past.entry).to_owned(), past.edited));
        (told.collect::<Vec<_>>(), past.iter().map(|past| past.redacted).collect::<Vec<_>>())
    };
    let told = |told: [(&str, bool); 3]| told.map(|(text, edited)| (text.to_owned(), edited));
    let (texts, redacted) = read(&written);
    assert_eq!(texts, told([("hello", true), ("hullo", false), ("hello", false)]));
    assert_eq!(redacted, [false; 3]);
    // What its client asked for is what it was.
    assert_eq!(body(&written.store.entry(seq).unwrap().unwrap()), "helo");
    written.redact(ana, lab, seq);
    let (texts, redacted) = read(&written);
    assert_eq!(texts[..3], told([("", true), ("", false), ("", false)]));
    assert_eq!(redacted, [true, true, true, false]);
}

#[test]
fn an_edit_of_another_room_s_message_changes_nothing() {
    let (mut written, ana, lab) = Written::with_room();
    let other = written.create(ana, "#other");
    let seq = written.say(ana, lab, "mine");
    written.edit(ana, other, seq, "yours");
    written.redact(ana, other, seq);
    let (past, _) = written.archive().page(lab, Page::After(lab.0), 9).unwrap();
    assert_eq!((body(&past[0].entry), past[0].edited, past[0].redacted), ("mine", false, false));
}

#[test]
fn what_was_missed_of_a_room_is_given_and_whether_there_was_more() {
    let (mut written, ana, lab) = ten();
    let other = written.create(ana, "#other");
    let late = written.say(ana, lab, "late");
    let archive = written.archive();
    let upto = Seq(late.0 - 1);
    let since = |room, after| archive.since((room, after), upto, 3).unwrap();
    let (past, more) = since(lab, Seq(9));
    assert_eq!((seqs(&past), more), (vec![10, 11, 12], More::No));
    assert_eq!(since(other, other.0), (vec![], More::No));
    let (past, more) = since(lab, Seq(8));
    assert_eq!((seqs(&past), more), (vec![10, 11, 12], More::Yes));
    assert_eq!(past[0].prev, Seq(9));
    let (beyond, _) = archive.since((lab, Seq(u64::MAX)), Seq(u64::MAX), 3).unwrap();
    assert_eq!(beyond, []);
}

#[test]
fn what_is_unread_is_what_was_said_up_to_a_count() {
    let (mut written, ana, lab) = ten();
    written.act(ana, lab, Act::Topic { text: "t".to_owned() });
    written.redact(ana, lab, Seq(12));
    let archive = written.archive();
    let nobody = AccountId(Seq(0));
    let unread =
        |after, max| archive.unread(lab, nobody, (Seq(after), Seq(u64::MAX)), max).unwrap();
    assert_eq!((unread(0, 99), unread(10, 99), unread(0, 4)), (9, 1, 4));
    assert_eq!((unread(u64::MAX, 99), unread(0, u64::MAX)), (0, 9));
    // What somebody said is no news to them.
    assert_eq!(archive.unread(lab, ana, (Seq(0), Seq(99)), 99).unwrap(), 0);
}

#[test]
fn the_first_and_the_last_are_what_is_left() {
    let (mut written, _, lab) = ten();
    let archive = written.archive();
    assert_eq!(archive.positions(lab).unwrap(), Some((Seq(2), Seq(12))));
    written.store.forget(lab, old(Millis(12)), 99).unwrap();
    assert_eq!(archive.positions(lab).unwrap(), Some((Seq(2), Seq(12))));
    assert_eq!(archive.page(lab, Page::Latest, 1).unwrap().0[0].prev, Seq(2));
    assert_eq!(archive.positions(RoomId(Seq(99))).unwrap(), None);
}

#[test]
fn an_archive_is_for_a_thread_of_its_own() {
    let (written, _, lab) = ten();
    let archive = written.archive();
    let count = std::thread::spawn(move || {
        archive.unread(lab, AccountId(Seq(0)), (Seq(0), Seq(99)), 99).unwrap()
    });
    assert_eq!(count.join().unwrap(), 10);
}
