//! The file: whose it is, whose it was, and its copies.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    process,
    sync::Mutex,
    time::{Duration, Instant},
};

use super::*;
use crate::{
    protocol::Page,
    store::{More, lives, lock::beside},
};

#[test]
fn a_store_is_for_one_process_which_is_named() {
    let written = Written::new();
    let refused = Store::open(&written.file(), Sync::Normal).unwrap_err();
    says(&refused, &format!("is used by process {};", process::id()));
    assert!(matches!(refused, Broken::InUse { .. }) && is_in_use(&written.file()));
    assert!(!is_in_use(&written.folder.path().join("other.db")));
    written.anew();
}

#[test]
fn what_is_in_use_is_not_looked_into() {
    let written = Written::new();
    fs::rename(written.file(), written.folder.path().join("away.db")).unwrap();
    fs::write(written.file(), "of another program").unwrap();
    let refused = Store::open(&written.file(), Sync::Normal).unwrap_err();
    assert!(matches!(refused, Broken::InUse { .. }), "{refused:?}");
}

#[test]
fn nobody_else_reads_its_files() {
    let (written, ..) = Written::with_room();
    written.store.backup(&written.folder.path().join("copy.db")).unwrap();
    let names = fs::read_dir(written.folder.path()).unwrap().map(|file| file.unwrap());
    let mut found = 0;
    for file in names {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{file:?}");
        found += 1;
    }
    assert_eq!(found, 5, "database, lock, log, its index, copy");
}

#[test]
fn what_a_later_version_wrote_is_left_as_it_is() {
    let written = Written::new();
    written.store.conn.pragma_update(None, "user_version", 14).unwrap();
    let (file, Written { store, folder: _folder, .. }) = (written.file(), written);
    drop(store);
    let before = fs::read(&file).unwrap();
    let refused = Store::open(&file, Sync::Normal).unwrap_err();
    says(&refused, "has format 14, and this version knows formats up to 13");
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn what_is_no_database_is_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hub.db");
    fs::write(&file, "thesis ".repeat(1000)).unwrap();
    let refused = Store::open(&file, Sync::Normal).unwrap_err();
    says(&refused, "hub.db\" is no hub's");
    assert_eq!(fs::read(&file).unwrap().len(), 7000);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "nothing was made beside it");
}

#[test]
fn a_folder_that_is_not_there_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let refused = Store::open(&folder.path().join("none/hub.db"), Sync::Normal).unwrap_err();
    says(&refused, "opening");
    says(&refused, "none/hub.db.lock");
}

#[test]
fn a_full_disk_is_told_from_a_broken_one_and_nothing_is_lost_by_it() {
    let (mut written, ana, lab) = Written::with_room();
    let kept = written.say(ana, lab, "kept");
    let pages: i64 =
        written.store.conn.pragma_query_value(None, "page_count", |row| row.get(0)).unwrap();
    written.store.conn.pragma_update(None, "max_page_count", pages + 2).unwrap();
    let body = "x".repeat(64 << 10);
    let deed = Deed::In { room: lab, act: Act::Say { kind: Kind::Text, body, reply: None } };
    let entry = written.entry(Some(ana), deed);
    let before = written.state.clone();
    written.state.apply(&entry);
    written.store.begin().unwrap();
    let failed = written.store.write(&entry, &written.state).unwrap_err();
    assert!(matches!(failed, Broken::Full { .. }), "{failed:?}");
    written.store.roll_back();
    assert_eq!(written.store.reload().unwrap(), before);
    written.store.conn.pragma_update(None, "max_page_count", pages + 2000).unwrap();
    written.store.begin().unwrap();
    written.store.write(&entry, &written.state).unwrap();
    written.store.commit().unwrap();
    assert!(written.store.entry(kept).unwrap().is_some());
    assert_eq!(written.store.entry(entry.seq).unwrap(), Some(entry));
}

#[test]
fn what_was_committed_outlives_the_process_and_what_was_not_does_not() {
    let (mut written, ana, lab) = Written::with_room();
    let said = written.say(ana, lab, "committed");
    written.store.conn.pragma_update(None, "cache_size", 1).unwrap();
    written.store.conn.pragma_update(None, "cache_spill", 1).unwrap();
    let before = written.state.clone();
    written.store.begin().unwrap();
    for _ in 0..50 {
        let act = Act::Say { kind: Kind::Text, body: "lost ".repeat(1000), reply: None };
        let entry = written.entry(Some(ana), Deed::In { room: lab, act });
        written.state.apply(&entry);
        written.store.write(&entry, &written.state).unwrap();
    }
    assert!(written.has_on_disk("lost lost"), "some of the group is written before its end");
    // What a process leaves that is killed now.
    let left = tempfile::tempdir().unwrap();
    for name in ["hub.db", "hub.db-wal"] {
        fs::copy(written.folder.path().join(name), left.path().join(name)).unwrap();
    }
    let (store, state) = Store::open(&left.path().join("hub.db"), Sync::Full).unwrap();
    assert_eq!(state, before);
    assert_eq!(body(&store.entry(said).unwrap().unwrap()), "committed");
}

#[test]
fn what_another_program_holds_is_waited_for_once_and_can_be_tried_again() {
    let (mut written, ana, lab) = Written::with_room();
    let said = written.say(ana, lab, "hi");
    let other = rusqlite::Connection::open(written.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    for _ in 0..20 {
        let store = &mut written.store;
        let failed = [
            store.begin().unwrap_err(),
            store.index_some(1).unwrap_err(),
            store.take_out_some(1).unwrap_err(),
            store.believe(Millis(1)).unwrap_err(),
        ];
        assert!(failed.iter().all(|it| matches!(it, Broken::Locked { .. })), "{failed:?}");
        assert_eq!(store.forget_names(Millis(9), 1).unwrap(), More::No, "there is none");
        assert!(store.entry(said).unwrap().is_some());
    }
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    other.execute_batch("ROLLBACK").unwrap();
    written.say(ana, lab, "again");
    written.store.believe(Millis(1)).unwrap();
    assert_eq!(written.store.believed_at().unwrap(), Some(Millis(1)));
}

#[test]
fn a_row_that_nobody_can_have_written_is_named() {
    let (written, ana, _) = Written::with_room();
    written.store.conn.execute("UPDATE log SET deed = 'hack' WHERE seq = 2", []).unwrap();
    says(&written.store.entry(Seq(2)).unwrap_err(), "has nothing at 2 that is known");
    written.store.conn.execute("DELETE FROM accounts WHERE id = ?1", [ana]).unwrap();
    says(&written.store.reload().unwrap_err(), "has nothing at 1 that is known");
}

#[test]
fn a_store_whose_log_was_damaged_where_entries_stand_is_not_opened_without_them() {
    let (mut written, ana, lab) = Written::with_room();
    for _ in 0..9 {
        written.say(ana, lab, "hi");
    }
    // What a process leaves that is killed now.
    let left = tempfile::tempdir().unwrap();
    for name in ["hub.db", "hub.db-wal"] {
        fs::copy(written.folder.path().join(name), left.path().join(name)).unwrap();
    }
    let (file, beside) = (left.path().join("hub.db"), left.path().join("hub.db-wal"));
    let whole = fs::read(&beside).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    fs::write(&beside, &flipped).unwrap();
    let refused = Store::open(&file, Sync::Full).unwrap_err();
    says(&refused, "hub.db-wal\" is damaged");
    assert_eq!(fs::read(&beside).unwrap(), flipped, "it is left as it is");
    fs::write(&beside, &whole).unwrap();
    assert_eq!(Store::open(&file, Sync::Full).unwrap().1, written.state);
}

#[test]
fn a_backup_is_a_store_as_it_was() {
    let (mut written, ana, lab) = Written::with_room();
    let seq = written.say(ana, lab, "before");
    let copy = written.folder.path().join("copy.db");
    written.store.begin().unwrap();
    written.store.set_password(ana, "never committed").unwrap();
    // Somebody writes meanwhile, and does not wait.
    written.store.backup(&copy).unwrap();
    written.store.commit().unwrap();
    written.say(ana, lab, "after");
    let (copied, state) = Store::open(&copy, Sync::Normal).unwrap();
    // What is written to it has no place that others have.
    assert_eq!(state.last, Seq(seq.0 + lives::PLACES));
    assert_eq!(copied.password(ana).unwrap(), None);
    assert_eq!(copied.reload().unwrap(), state);
    assert_eq!(copied.archive().unwrap().search(&[lab], "before", None, 9).unwrap().len(), 1);
}

#[test]
fn who_was_told_what_a_copy_does_not_have_is_known_by_the_hole_in_its_log() {
    let (mut written, ana, lab) = Written::with_room();
    let seq = written.say(ana, lab, "before");
    let copy = written.folder.path().join("copy.db");
    written.store.backup(&copy).unwrap();
    let lost = written.say(ana, lab, "after");
    let told = |written: &Written, known: Seq| {
        written.archive().is_set_back(known, written.state.last).unwrap()
    };
    assert!(!told(&written, lost));
    assert!(told(&written, Seq(lost.0 + 1)), "a copy that was made by hand ends before it");
    let folder = written.folder;
    let (store, state) = Store::open(&copy, Sync::Normal).unwrap();
    let mut written = Written { folder, store, state };
    for _ in 0..2 {
        let own = [AccountId::HUB.0, ana.0, seq, written.state.last];
        assert_eq!(own.map(|known| told(&written, known)), [false; 4]);
        assert!(told(&written, lost));
        written.say(ana, lab, "goes on");
    }
}

#[test]
fn over_the_hole_in_a_copy_s_log_it_is_read_counted_and_indexed_as_one() {
    let (mut written, ana, lab) = Written::with_room();
    let bob = written.register("bob");
    written.act(bob, lab, Act::Join);
    let first = written.say(ana, lab, "one word");
    written.store.index_some(99).unwrap();
    written.say(ana, lab, "another word");
    let size = |written: &Written| {
        let size = written.store.ledger().unwrap().size(&written.file()).unwrap();
        (size.entries, size.unindexed)
    };
    let before = size(&written);
    assert_eq!(before, (written.state.last.0, 1));
    let copy = written.folder.path().join("copy.db");
    written.store.backup(&copy).unwrap();
    let Written { folder, store, .. } = written;
    drop(store);
    fs::rename(&copy, folder.path().join("hub.db")).unwrap();
    let (store, state) = Store::open(&folder.path().join("hub.db"), Sync::Normal).unwrap();
    let mut written = Written { folder, store, state };
    assert_eq!(size(&written), before);
    let third = written.say(ana, lab, "a third word");
    assert!(third.0 > lives::PLACES);
    assert_eq!(size(&written), (before.0 + 1, 2));
    for left in [2, 1, 0] {
        let archive = written.archive();
        let (page, _) = archive.page(lab, Page::Before(third), 2).unwrap();
        assert_eq!(
            page.iter().map(|past| body(&past.entry)).collect::<Vec<_>>(),
            ["one word", "another word"]
        );
        let (next, _) = archive.page(lab, Page::After(first), 9).unwrap();
        assert_eq!((next.len(), next[1].prev), (2, next[0].entry.seq));
        assert_eq!(archive.unread(lab, bob, (first, written.state.last), 9).unwrap(), 2);
        assert_eq!(archive.search(&[lab], "word", None, 9).unwrap().len(), 3);
        let (missed, _) = archive.since((lab, first), written.state.last, 9).unwrap();
        assert_eq!(missed.len(), 2);
        assert_eq!(size(&written).1, left);
        written.store.index_some(1).unwrap();
    }
    assert_eq!(written.store.reload().unwrap(), written.state);
    let before = old(Millis(third.0));
    assert_eq!(written.store.forget(lab, before, 9).unwrap(), More::No);
    assert_eq!(written.archive().search(&[lab], "word", None, 9).unwrap().len(), 1);
}

#[test]
fn of_a_backup_that_is_broken_off_nothing_stays() {
    let written = Written::new();
    let copy = written.folder.path().join("copy.db");
    let mut ledger = written.store.ledger().unwrap();
    let breaks_off = Mutex::new(Some(ledger.breaks_off()));
    // While it is under way.
    let breaking_off = move || {
        drop(breaks_off.lock().unwrap().take());
        false
    };
    ledger.conn_mut().progress_handler(1, Some(breaking_off)).unwrap();
    assert!(ledger.backup(&copy).is_err());
    assert!(!copy.exists() && !beside(&copy, ".part").exists());
    ledger.backup(&copy).unwrap();
}

#[test]
fn a_backup_takes_no_file_s_place() {
    let (written, ..) = Written::with_room();
    let copy = written.folder.path().join("copy.db");
    fs::write(&copy, "years").unwrap();
    let refused = written.store.backup(&copy).unwrap_err();
    says(&refused, "making");
    assert_eq!(fs::read(&copy).unwrap(), b"years");
    let nowhere = written.folder.path().join("none/copy.db");
    says(&written.store.backup(&nowhere).unwrap_err(), "none/copy.db");
}

#[test]
fn what_lost_its_name_takes_nothing_until_it_is_back() {
    for ending in ["", "-wal", "-shm"] {
        let (mut written, ana, lab) = Written::with_room();
        let file = beside(&written.file(), ending);
        let away = beside(&file, ".away");
        fs::rename(&file, &away).unwrap();
        says(&written.store.begin().unwrap_err(), "is not where it was");
        // Nor does what stands in its place.
        fs::write(&file, "").unwrap();
        says(&written.store.begin().unwrap_err(), "is not where it was");
        fs::rename(&away, &file).unwrap();
        written.say(ana, lab, "back");
        assert_eq!(written.store.reload().unwrap(), written.state.clone());
    }
}

#[test]
fn what_is_committed_to_a_file_that_was_deleted_is_not() {
    let (mut written, ana, _) = Written::with_room();
    let entry = written.entry(Some(ana), Deed::Register { name: "bob".to_owned() });
    written.state.apply(&entry);
    written.store.begin().unwrap();
    written.store.write(&entry, &written.state).unwrap();
    fs::remove_file(written.file()).unwrap();
    says(&written.store.commit().unwrap_err(), "is not where it was");
}

#[test]
fn what_was_cut_short_takes_nothing() {
    let (mut written, ..) = Written::with_room();
    written.store.checkpoint().unwrap();
    written.store.look().unwrap();
    fs::OpenOptions::new().write(true).open(written.file()).unwrap().set_len(4096).unwrap();
    says(&written.store.begin().unwrap_err(), "was cut short");
}
