//! What is kept, what is found by what, and what is taken out.

use std::{fs::File, os::unix::fs::FileExt as _};

use super::*;
use crate::{
    model::Said,
    store::{More, Session, Size, Stays, file},
};

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

#[test]
fn an_entry_comes_back_as_it_was_and_by_what_it_is_called() {
    let (mut written, ana, lab) = Written::with_room();
    let seq = written.say(ana, lab, "é\n\u{1f600}");
    let mut written = written.anew();
    let entry = written.store.entry(seq).unwrap().unwrap();
    assert_eq!(body(&entry), "é\n\u{1f600}");
    assert_eq!((entry.seq, entry.at, entry.by), (seq, Millis(seq.0), ana));
    let cid = Cid::new("c3").unwrap();
    assert_eq!(written.store.with_cid(ana, &cid).unwrap(), Some(entry));
    let bob = written.register("bob");
    assert_eq!(written.store.with_cid(bob, &cid).unwrap(), None);
    assert_eq!(written.store.entry(Seq(99)).unwrap(), None);
    assert_eq!(written.store.entry(Seq(u64::MAX)).unwrap(), None);
}

#[test]
fn a_place_and_a_name_are_one_entry_s() {
    let (mut written, ana, lab) = Written::with_room();
    let seq = written.say(ana, lab, "first");
    let first = written.store.entry(seq).unwrap().unwrap();
    let next = written.entry(Some(ana), first.deed.clone());
    for twice in [Entry { seq, ..next.clone() }, Entry { cid: first.cid.clone(), ..next }] {
        written.store.begin().unwrap();
        let refused = written.store.write(&twice, &written.state).unwrap_err();
        assert!(matches!(refused, Broken::Twice { .. }), "{refused:?}");
        written.store.roll_back();
    }
    assert_eq!(written.store.entry(seq).unwrap(), Some(first));
}

#[test]
fn a_group_is_seen_by_who_writes_it_and_by_others_once_it_is_committed() {
    let (mut written, ana, lab) = Written::with_room();
    let archive = written.archive();
    let act = Act::Say { kind: Kind::Text, body: "soon".to_owned(), reply: None };
    let entry = written.entry(Some(ana), Deed::In { room: lab, act });
    for is_kept in [false, true] {
        written.store.begin().unwrap();
        written.store.write(&entry, &written.state).unwrap();
        assert_eq!(written.store.entry(entry.seq).unwrap().as_ref(), Some(&entry));
        let cid = entry.cid.as_ref().unwrap();
        assert_eq!(written.store.with_cid(ana, cid).unwrap().as_ref(), Some(&entry));
        assert_eq!(archive.unread(lab, AccountId(Seq(0)), (Seq(0), Seq(99)), 9).unwrap(), 0);
        if is_kept {
            written.store.commit().unwrap();
        } else {
            written.store.roll_back();
        }
        assert_eq!(
            archive.unread(lab, AccountId(Seq(0)), (Seq(0), Seq(99)), 9).unwrap(),
            u64::from(is_kept)
        );
        assert_eq!(written.store.entry(entry.seq).unwrap().is_some(), is_kept);
    }
    // Nothing has begun: nothing is rolled back.
    written.store.roll_back();
    assert!(written.store.entry(entry.seq).unwrap().is_some());
}

#[test]
fn what_is_taken_out_is_on_no_disk() {
    for is_indexed in [false, true] {
        let (mut written, ana, lab) = Written::with_room();
        let seq = written.say(ana, lab, "zanzibar");
        let edit = written.edit(ana, lab, seq, "quagmire");
        if is_indexed {
            written.store.index_some(100).unwrap();
        }
        assert!(written.has_on_disk("zanzibar") && written.has_on_disk("quagmire"));
        written.redact(ana, lab, seq);
        written.store.checkpoint().unwrap();
        for word in ["zanzibar", "quagmire", "zanz", "quag"] {
            assert!(!written.has_on_disk(word), "{word}, {is_indexed}");
        }
        for seq in [seq, edit] {
            assert_eq!(body(&written.store.entry(seq).unwrap().unwrap()), "");
        }
    }
}

#[test]
fn what_was_taken_out_is_wiped_off_once_nobody_reads_and_nothing_else_is() {
    let (mut written, ana, lab) = Written::with_room();
    assert_eq!(written.store.wipe().unwrap(), More::No, "of an earlier process");
    let seq = written.say(ana, lab, "zanzibar");
    assert_eq!(written.store.wipe().unwrap(), More::No);
    assert!(size_beside(&written) > 0, "nothing was taken out: nobody waits for the disk");
    written.redact(ana, lab, seq);
    let reader = rusqlite::Connection::open(written.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM accounts").unwrap();
    assert_eq!(written.store.wipe().unwrap(), More::Yes);
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(written.store.wipe().unwrap(), More::No);
    assert!(!written.has_on_disk("zanzibar"));
    assert_eq!(size_beside(&written), 0);
    let second = written.say(ana, lab, "quagmire");
    written.store.forget(lab, old(Millis(second.0 + 1)), 9).unwrap();
    assert_eq!(written.store.wipe().unwrap(), More::No);
    assert!(!written.has_on_disk("quagmire"));
}

fn size_beside(written: &Written) -> u64 {
    std::fs::metadata(written.folder.path().join("hub.db-wal")).unwrap().len()
}

#[test]
fn what_was_forgotten_is_on_no_disk_and_its_places_are_not_given_again() {
    let (mut written, ana, lab) = Written::with_room();
    let bob = written.register("bob");
    written.act(bob, lab, Act::Join);
    let (one, two) = (written.say(ana, lab, "zanzibar"), written.say(ana, lab, "quagmire"));
    written.store.index_some(100).unwrap();
    let end = Millis(two.0 + 1);
    assert_eq!(written.store.forget(lab, old(Millis(one.0)), 9).unwrap(), More::No);
    assert!(written.store.entry(one).unwrap().is_some());
    assert_eq!(written.store.forget(lab, old(end), 1).unwrap(), More::Yes);
    assert!(written.store.entry(one).unwrap().is_none());
    assert!(written.store.entry(two).unwrap().is_some());
    assert_eq!(written.store.forget(lab, old(end), 9).unwrap(), More::No);
    written.store.checkpoint().unwrap();
    assert!(!written.has_on_disk("zanz") && !written.has_on_disk("quag"));
    let before = written.state.clone();
    let written = written.anew();
    assert_eq!(written.state, before);
    assert_eq!(written.state.last, two);
    let (past, _) = written.archive().page(lab, crate::protocol::Page::Latest, 9).unwrap();
    assert_eq!(past.len(), 2, "the room's making and bob's coming: {past:?}");
}

#[test]
fn what_was_forgotten_is_known_by_its_name_for_as_long_as_that_is_kept() {
    let (mut written, ana, lab) = Written::with_room();
    let one = written.say(ana, lab, "zanzibar");
    let two = written.edit(ana, lab, one, "quagmire");
    let sign = Act::React { of: one, sign: "zanzibar".to_owned(), on: true };
    let three = written.act(ana, lab, sign);
    let named = |written: &Written, seq| {
        written.store.with_cid(ana, &Cid::new(&format!("c{seq}")).unwrap()).unwrap()
    };
    let (now, written_before) = (Millis(99), Millis(three.0 + 1));
    let old = Old { now, written_before, named_before: Millis(two.0) };
    assert_eq!(written.store.forget(lab, old, 9).unwrap(), More::No);
    written.store.checkpoint().unwrap();
    assert!(!written.has_on_disk("zanz") && !written.has_on_disk("quag"));
    let mut written = written.anew();
    assert_eq!(named(&written, one), None, "it was too old for that, too");
    let entry = named(&written, two).unwrap();
    let edit = Deed::In { room: lab, act: Act::Edit { of: one, body: String::new() } };
    assert_eq!((entry.seq, entry.at, entry.deed), (two, Millis(two.0), edit));
    assert_eq!(named(&written, three).map(|entry| entry.seq), Some(three));
    assert_eq!(written.store.forget_names(Millis(99), 1).unwrap(), More::Yes);
    assert_eq!([two, three].map(|seq| named(&written, seq).is_some()), [false, true]);
    assert_eq!(written.store.forget_names(Millis(three.0), 9).unwrap(), More::No);
    assert!(named(&written, three).is_some());
    assert_eq!(written.store.forget_names(Millis(99), 9).unwrap(), More::No);
    assert_eq!(named(&written, three), None);
}

#[test]
fn what_was_said_by_a_clock_that_was_ahead_goes_with_what_is_old_behind_it() {
    let (mut written, ana, lab) = Written::with_room();
    let said = [900, 10, 901, 902, 11, 903, 50, 12].map(|at| written.say_at(ana, lab, Millis(at)));
    let (now, written_before, named_before) = (Millis(60), Millis(20), Millis(0));
    let mut forget = |most| {
        let old = Old { now, written_before, named_before };
        let more = written.store.forget(lab, old, most).unwrap();
        let is_there = said.map(|seq| written.store.entry(seq).unwrap().is_some());
        (more, is_there.into_iter().filter(|is_there| *is_there).count())
    };
    assert_eq!([1, 2, 9].map(&mut forget), [(More::Yes, 7), (More::Yes, 5), (More::No, 3)]);
    assert_eq!(forget(9), (More::No, 3), "what is behind what is young is younger, and stays");
}

/// What tells one beginning of the log beside the file from the next.
fn salt(written: &Written) -> [u8; 8] {
    let (log, mut salt) = (File::open(written.folder.path().join("hub.db-wal")).unwrap(), [0; 8]);
    log.read_exact_at(&mut salt, 16).map(|()| salt).unwrap()
}

#[test]
fn the_log_beside_the_file_is_emptied_while_entries_are_written_and_begun_anew() {
    let (mut written, ana, lab) = Written::with_room();
    let (first, body) = (salt(&written), "x".repeat(16 << 10));
    let begun = |written: &Written| salt(written) != first;
    // Some 200 MB at most, where the other thread has to wait for long.
    let said = (0..12_000).take_while(|_| {
        written.say(ana, lab, &body);
        !begun(&written)
    });
    assert!(said.count() > 100, "it is not emptied all the time");
    assert!(begun(&written), "it is emptied at all");
    let last = written.state.last;
    assert_eq!(written.anew().state.last, last);
}

#[test]
fn all_is_in_the_file_also_where_another_thread_was_about_it_or_that_is_said() {
    let (mut written, ana, lab) = Written::with_room();
    let body = "x".repeat(16 << 10);
    for _ in 0..4 {
        // As much as that other thread begins with.
        (0..600).for_each(|_| _ = written.say(ana, lab, &body));
        written.store.checkpoint().unwrap();
        let beside = written.folder.path().join("hub.db-wal");
        assert_eq!(std::fs::metadata(beside).unwrap().len(), 0);
    }
    let reader = rusqlite::Connection::open(written.file()).unwrap();
    reader.execute_batch("BEGIN; SELECT count(*) FROM accounts").unwrap();
    written.say(ana, lab, "hi");
    let Store { conn, file, gate, .. } = &mut written.store;
    let emptied = file::empty(conn, (file, gate), std::time::Duration::ZERO);
    says(&emptied.unwrap_err(), "another program holds the store");
}

#[test]
fn of_what_somebody_read_the_last_is_kept() {
    let (mut written, ana, lab) = Written::with_room();
    let bob = written.register("bob");
    written.act(bob, lab, Act::Join);
    let said = written.say(ana, lab, "a");
    let first = written.act(ana, lab, Act::Read { last: Seq(2) });
    let bobs = written.act(bob, lab, Act::Read { last: Seq(2) });
    let last = written.act(ana, lab, Act::Read { last: said });
    let is_there = |seq| written.store.entry(seq).unwrap().is_some();
    assert_eq!([first, bobs, last].map(is_there), [false, true, true]);
    let written = written.anew();
    assert_eq!(written.state.room(lab).members[&ana].read, said);
    assert_eq!(written.state.last, last);
}

#[test]
fn passwords_are_kept_for_accounts_that_there_are() {
    let (mut written, ana, _) = Written::with_room();
    assert_eq!(written.store.password(ana).unwrap(), None);
    written.store.set_password(ana, "$argon2id$1").unwrap();
    written.store.set_password(ana, "$argon2id$2").unwrap();
    let nobody = AccountId(Seq(77));
    says(&written.store.set_password(nobody, "x").unwrap_err(), "has nothing at 77");
    let written = written.anew();
    assert_eq!(written.store.password(ana).unwrap().as_deref(), Some("$argon2id$2"));
    assert_eq!(written.store.password(nobody).unwrap(), None);
}

/// A session that came, and was seen, at its number.
fn session(number: u8, account: AccountId, stays: Stays) -> Session {
    Session {
        hash: [number; 32],
        name: format!("s_{number}"),
        account,
        device: "portable".to_owned(),
        since: Millis(number.into()),
        seen: Millis(number.into()),
        room: None,
        stays,
    }
}

#[test]
fn sessions_come_and_end_one_by_one_or_together() {
    let (mut written, ana, _) = Written::with_room();
    let bob = written.register("bob");
    let session = |number, account| session(number, account, Stays::UntilEnded);
    let [one, two, three] = [session(1, ana), session(2, ana), session(3, bob)];
    for session in [&three, &two, &one] {
        written.store.add_session(session).unwrap();
    }
    assert!(written.store.add_session(&one).is_err());
    written.store.seen(&one.hash, Millis(50)).unwrap();
    let mut written = written.anew();
    let one = Session { seen: Millis(50), ..one };
    assert_eq!(written.store.session(&one.hash).unwrap().as_ref(), Some(&one));
    assert_eq!(written.store.sessions(ana).unwrap(), [one.clone(), two]);
    assert_eq!(written.store.end_session(bob, "s_1").unwrap(), None);
    assert_eq!(written.store.end_session(ana, "s_1").unwrap(), Some(one.clone()));
    assert_eq!(written.store.session(&one.hash).unwrap(), None);
    assert_eq!(written.store.end_all(ana).unwrap(), 1);
    assert_eq!(written.store.sessions(bob).unwrap(), [three]);
}

#[test]
fn an_account_is_seen_by_its_devices_and_by_those_that_lasted_while_they_were_connected() {
    let (mut written, ana, _) = Written::with_room();
    let bob = written.register("bob");
    let session = |number, account| session(number, account, Stays::WhileConnected);
    let kept = Session { stays: Stays::UntilEnded, ..session(3, ana) };
    for session in [&session(7, ana), &kept, &session(5, bob)] {
        written.store.add_session(session).unwrap();
    }
    let seen = |written: &Written| {
        let ledger = written.store.ledger().unwrap();
        [ana, bob]
            .map(|who| ledger.user(who).unwrap().unwrap())
            .map(|user| (user.devices, user.seen))
    };
    assert_eq!(seen(&written), [(2, Some(Millis(7))), (1, Some(Millis(5)))]);
    let passing = written.store.passing().unwrap();
    assert_eq!(passing, [(ana, "s_7".to_owned()), (bob, "s_5".to_owned())]);
    for (who, name) in passing {
        written.store.end_session(who, &name).unwrap();
    }
    let mut written = written.anew();
    assert_eq!(written.store.passing().unwrap(), []);
    assert_eq!(seen(&written), [(1, Some(Millis(7))), (0, Some(Millis(5)))]);
    // Nothing is known any more of who has no account: also if that is written late.
    written.store.add_session(&session(9, bob)).unwrap();
    written.write(Some(bob), Deed::Unregister { who: bob, said: Said::Stays });
    written.store.add_session(&session(9, bob)).unwrap();
    written.store.end_session(bob, "s_9").unwrap();
    assert_eq!(seen(&written)[1], (0, None));
}

#[test]
fn the_index_goes_on_where_it_was() {
    let (mut written, ana, lab) = Written::with_room();
    for _ in 0..5 {
        written.say(ana, lab, "salut");
    }
    assert_eq!(written.store.index_some(3).unwrap(), More::Yes);
    let mut written = written.anew();
    assert_eq!(written.store.index_some(3).unwrap(), More::Yes);
    assert_eq!(written.store.index_some(3).unwrap(), More::No);
    assert_eq!(written.store.index_some(3).unwrap(), More::No);
    assert_eq!(written.archive().search(&[lab], "salut", None, 9).unwrap().len(), 5);
}
