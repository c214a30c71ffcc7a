//! What is found by its words, whether the index has it or not.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use proptest::prelude::*;

use super::*;
use crate::store::{More, Sought, TAIL_MAX, WORDS_CHARS_MAX, search::ANYWHERE_MAX};

/// What is found in `rooms`, without and with the index.
#[track_caller]
fn check(written: &mut Written, (rooms, words): (&[RoomId], &str), expect: &[Seq]) {
    for indexed in ["not indexed", "half indexed", "indexed"] {
        let found = written.archive().search(rooms, words, None, 99).unwrap();
        let found: Vec<_> = found.iter().map(|past| past.entry.seq).collect();
        assert_eq!(found, expect, "{words:?} {indexed}");
        written.store.index_some(if indexed == "not indexed" { 4 } else { 99 }).unwrap();
    }
    // And back, for the next.
    let sql = "INSERT INTO said (said) VALUES ('delete-all'); UPDATE progress SET indexed = 0";
    written.store.conn.execute_batch(sql).unwrap();
}

#[test]
fn all_words_are_found_in_any_case_and_without_their_accents() {
    let (mut written, ana, lab) = Written::with_room();
    let one = written.say(ana, lab, "Le compte rendu de l'été");
    let two = written.say(ana, lab, "RENDU de compte-courant");
    let three = written.say(ana, lab, "été\u{301} Straße 漢字 42");
    for (words, expect) in [
        ("compte rendu", &[two, one][..]),
        ("ete", &[three, one]),
        ("ÉTÉ", &[three, one]),
        ("e\u{301}te\u{301}", &[three, one]),
        ("compte-courant", &[two]),
        ("l'été", &[one]),
        ("42", &[three]),
        ("漢字", &[three]),
        ("com", &[]),
        ("compte absent", &[]),
        ("", &[]),
        ("!! ?", &[]),
        ("!! rendu", &[two, one]),
    ] {
        check(&mut written, (&[lab], words), expect);
    }
}

#[test]
fn a_search_goes_on_for_as_long_as_it_may() {
    let (mut written, ana, lab) = Written::with_room();
    // Words that are never together: the index is looked through to its end.
    for number in 0..SAID {
        written.say(ana, lab, if number % 2 == 0 { "salut hier" } else { "bonjour demain" });
    }
    let last = written.say(ana, lab, "salut");
    while written.store.index_some(999).unwrap() == More::Yes {}
    let archive = written.archive();
    let found = |words, limit, times: usize| {
        let (asked, left) = (Arc::new(AtomicUsize::new(0)), times);
        let counted = Arc::clone(&asked);
        let go_on = move || counted.fetch_add(1, Relaxed) < left;
        let sought = Sought { rooms: &[lab], words, from: None, limit, upto: last };
        let (found, more) = archive.search_while(&sought, go_on).unwrap();
        (found.len(), more, asked.load(Relaxed))
    };
    let (none, more, asked) = found("salut bonjour", 9, usize::MAX);
    assert_eq!((none, more), (0, More::No));
    assert!(asked > 5, "{asked}");
    for times in 0..5 {
        assert_eq!(found("salut bonjour", 9, times), (0, More::Yes, times + 1));
    }
    // What was found by then is told, and the next one has as long as it wants.
    let (all, more, asked) = found("salut", usize::MAX, usize::MAX);
    assert_eq!((all, more), (SAID / 2 + 1, More::No));
    let (some, more, _) = found("salut", usize::MAX, asked / 2);
    assert!((1..all).contains(&some), "{some}");
    assert_eq!(more, More::Yes);
    assert_eq!(found("salut", 1, usize::MAX).0, 1);
}

/// Enough for some dozens of pages of the index.
const SAID: usize = 6000;

#[test]
fn what_was_said_elsewhere_however_often_hides_nothing() {
    let (mut written, ana, lab) = Written::with_room();
    let other = written.create(ana, "#other");
    let mut here = Vec::new();
    for number in 0..ANYWHERE_MAX + 20 {
        let is_here = [0, 5, 10, ANYWHERE_MAX + 5].contains(&number);
        let seq = written.say(ana, if is_here { lab } else { other }, "salut");
        here.extend(is_here.then_some(seq));
    }
    here.reverse();
    while written.store.index_some(999).unwrap() == More::Yes {}
    let archive = written.archive();
    for limit in 1..=5 {
        let found = archive.search(&[lab], "salut", None, limit).unwrap();
        let found: Vec<_> = found.iter().map(|past| past.entry.seq).collect();
        assert_eq!(found, here[..limit.min(here.len())]);
    }
}

#[test]
fn what_is_typed_is_no_syntax() {
    let (mut written, ana, lab) = Written::with_room();
    let seq = written.say(ana, lab, "salut NEAR room OR the \"end\" * of 2");
    let private = written.create(ana, "#private");
    written.say(ana, private, "secret");
    for (words, expect) in [
        ("salut OR absent", &[][..]),
        ("salut OR the", &[seq]),
        ("NEAR(salut room)", &[]),
        ("room:2", &[]),
        ("\" OR room : \"3", &[]),
        ("\"end\"", &[seq]),
        ("sal*", &[]),
        ("-salut", &[seq]),
        ("salut) OR (secret", &[]),
        ("salut\0the", &[seq]),
        ("{text} : salut", &[]),
        ("^salut", &[seq]),
    ] {
        check(&mut written, (&[lab], words), expect);
    }
}

#[test]
fn only_what_was_asked_for_is_found_newest_first() {
    let (mut written, ana, lab) = Written::with_room();
    let bob = written.register("bob");
    let other = written.create(bob, "#other");
    let [one, two, three] =
        [(ana, lab), (bob, other), (bob, lab)].map(|(who, room)| written.say(who, room, "salut"));
    check(&mut written, (&[lab], "salut"), &[three, one]);
    check(&mut written, (&[lab, other], "salut"), &[three, two, one]);
    check(&mut written, (&[], "salut"), &[]);
    written.store.index_some(two.0.try_into().unwrap()).unwrap();
    let archive = written.archive();
    let found = |from, limit| {
        let found = archive.search(&[lab, other], "salut", from, limit).unwrap();
        found.iter().map(|past| past.entry.seq).collect::<Vec<_>>()
    };
    assert_eq!(found(Some(bob), 9), [three, two]);
    assert_eq!(found(Some(ana), 9), [one]);
    assert_eq!((found(None, 2), found(None, 1)), (vec![three, two], vec![three]));
    assert_eq!(found(None, 0), []);
}

#[test]
fn what_reads_otherwise_is_found_as_it_reads_and_what_was_taken_out_is_not() {
    for index_after in [0, 3, 4, 5] {
        let (mut written, ana, lab) = Written::with_room();
        let mut step = 2;
        let mut index = |written: &mut Written| {
            step += 1;
            if step == index_after {
                written.store.index_some(99).unwrap();
            }
        };
        let found = |written: &Written, words| {
            !written.archive().search(&[lab], words, None, 9).unwrap().is_empty()
        };
        let seq = written.say(ana, lab, "first");
        index(&mut written);
        written.edit(ana, lab, seq, "second");
        index(&mut written);
        assert!(found(&written, "second") && !found(&written, "first"));
        written.edit(ana, lab, seq, "third");
        index(&mut written);
        assert!(found(&written, "third") && !found(&written, "second"));
        written.redact(ana, lab, seq);
        written.store.index_some(99).unwrap();
        for words in ["first", "second", "third"] {
            assert!(!found(&written, words), "{words} after {index_after}");
        }
        let check = "INSERT INTO said (said, rank) VALUES ('integrity-check', 0)";
        written.store.conn.execute_batch(check).unwrap();
    }
}

#[test]
fn of_what_lags_the_last_is_looked_through() {
    let (mut written, ana, lab) = Written::with_room();
    let old = written.say(ana, lab, "old");
    written.store.begin().unwrap();
    for _ in 1..TAIL_MAX {
        let act = Act::Say { kind: Kind::Text, body: "new".to_owned(), reply: None };
        let entry = written.entry(Some(ana), Deed::In { room: lab, act });
        written.state.apply(&entry);
        written.store.write(&entry, &written.state).unwrap();
    }
    written.store.commit().unwrap();
    let finds_old = |written: &Written| {
        written
            .archive()
            .search(&[lab], "old", None, 9)
            .unwrap()
            .iter()
            .any(|past| past.entry.seq == old)
    };
    assert!(finds_old(&written));
    written.say(ana, lab, "one too many");
    assert!(!finds_old(&written));
    written.store.index_some(usize::MAX).unwrap();
    assert!(finds_old(&written));
}

#[test]
fn many_rooms_and_many_words_are_no_trouble() {
    let (mut written, ana, lab) = Written::with_room();
    let seq = written.say(ana, lab, "salut");
    written.store.index_some(99).unwrap();
    let rooms: Vec<_> = (1..5000).map(|seq| RoomId(Seq(seq))).collect();
    let found = written.archive().search(&rooms, "salut", None, 9).unwrap();
    assert_eq!(found[0].entry.seq, seq);
    let finds = |words: &str| !written.archive().search(&rooms, words, None, 9).unwrap().is_empty();
    let fits = WORDS_CHARS_MAX / "salut".len();
    assert!(finds(&"salut ".repeat(10 * fits)));
    assert!(finds(&format!("{} absent", "salut ".repeat(fits))));
    assert!(!finds(&format!("{} absent", "salut ".repeat(fits - 1))));
    assert!(!finds(&"a-".repeat(WORDS_CHARS_MAX)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]
    #[test]
    fn nothing_that_is_typed_breaks_a_search(
        typed in proptest::collection::vec("\\PC{0,40}|[\"*():^+{}a-z -]{0,20}|(?s).{0,30}", 20)
    ) {
        let (mut written, ana, lab) = Written::with_room();
        written.say(ana, lab, "salut");
        written.store.index_some(99).unwrap();
        written.say(ana, lab, "salut");
        let archive = written.archive();
        for words in typed {
            archive.search(&[lab], &words, Some(ana), 9).unwrap();
        }
    }
}
