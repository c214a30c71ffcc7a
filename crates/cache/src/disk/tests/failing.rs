//! Disks that fail, and files that others touch.

use std::{
    fs::{self, OpenOptions},
    path::Path,
};

use super::*;
use crate::disk::{Access, DiskState, NotDurable, OpenError, Pattern, Purge, StillWriting};

#[test]
fn a_segment_that_others_cut_is_a_miss_and_no_crash() {
    let world = World::new();
    for number in 0..100 {
        world.put(&format!("k{number}"), &"x".repeat(10_000));
    }
    world.sync();
    let file = fs::read_dir(world.path("segments")).unwrap().next().unwrap().unwrap();
    OpenOptions::new().write(true).open(file.path()).unwrap().set_len(500_000).unwrap();
    let left = (0..100).filter(|number| world.get(&format!("k{number}")).is_some()).count();
    assert!((40..60).contains(&left), "{left}");
    assert_eq!(world.disk().stats().bad, 100 - left as u64);
    assert_eq!(world.disk().stats().objects, left as u64);
}

#[test]
fn segments_that_others_delete_are_read_to_the_end_and_then_missing() {
    let mut world = World::new();
    world.put("k", "body");
    world.sync();
    fs::remove_dir_all(world.path("segments")).unwrap();
    world.check("k", Some("body"));
    world.reopen();
    world.check("k", None);
    world.put("k", "again");
    world.sync();
    world.reopen();
    world.check("k", Some("again"));
}

#[test]
fn a_check_finds_what_was_changed_behind_our_back() {
    let mut world = World::new();
    for number in 0..20 {
        world.put(&format!("k{number}"), &"x".repeat(1000));
    }
    world.put("large", &"y".repeat(300_000));
    world.sync();
    world.end();
    for (folder, at) in [("segments", 700), ("bodies", 299_000)] {
        let file = fs::read_dir(world.path(folder)).unwrap().next().unwrap().unwrap();
        let mut bytes = fs::read(file.path()).unwrap();
        bytes[at] ^= 1;
        fs::write(file.path(), bytes).unwrap();
    }
    world.begin();
    let mut told = 0;
    let verified = world.disk().verify(|_| {
        told += 1;
        std::ops::ControlFlow::Continue(())
    });
    assert_eq!((verified.objects, verified.bad, told), (21, 2, 21));
    assert_eq!(world.disk().stats().objects, 19);
}

/// Has a file in the place of the folder for segments, which is what a broken disk looks like to the
/// writer.
fn break_it(segments: &Path, away: &Path) {
    fs::rename(segments, away).unwrap();
    fs::write(segments, "no folder").unwrap();
}

fn mend_it(segments: &Path, away: &Path) {
    fs::remove_file(segments).unwrap();
    fs::rename(away, segments).unwrap();
}

#[test]
fn a_disk_that_fails_is_told_of_and_tried_again() {
    let settings = DiskSettings {
        segment_bytes: 1 << 20,
        retry: std::time::Duration::from_millis(1),
        ..DiskSettings::of(64 << 20)
    };
    let mut world = World::of(settings);
    world.put("before", "body");
    world.put("removed", "body");
    world.sync();
    let (segments, away) = (world.path("segments"), world.folder.path().join("away"));
    break_it(&segments, &away);
    // Fills the segment that is open.
    for number in 0..12 {
        let _ = world.disk().insert(object(&format!("k{number}"), "", &"x".repeat(100_000)));
    }
    let removal = world.disk().remove(b"removed").wait();
    let DiskState::Degraded { why } = world.disk().state() else { panic!("{removal:?}") };
    let names_it = why.contains("/segments/0000000") && why.contains("Not a directory");
    assert!(names_it || why.contains("/segments\""), "{why}");
    assert!(world.disk().insert(object("refused", "", "x")).is_err());
    world.check("before", Some("body"));
    world.check("removed", None);
    mend_it(&segments, &away);
    while world.disk().state() != DiskState::Working {
        std::thread::yield_now();
    }
    world.put("after", "body");
    world.sync();
    world.end();
    fs::remove_file(world.path("snapshot")).unwrap();
    world.begin();
    world.check("removed", None);
    world.check("before", Some("body"));
    world.check("after", Some("body"));
    assert_eq!(world.disk().stats().bad, 0);
}

/// What was there before is older than what memory has had since.
#[test]
fn what_is_not_written_takes_what_is_older_with_it() {
    let settings = DiskSettings {
        segment_bytes: 1 << 20,
        retry: std::time::Duration::from_millis(1),
        ..DiskSettings::of(64 << 20)
    };
    let mut world = World::of(settings);
    let keys = ["a", "b", "c"];
    for key in keys {
        world.put(key, "old");
    }
    world.put("other", "body");
    for number in 0..9 {
        world.put(&format!("k{number}"), &"x".repeat(110_000));
    }
    world.sync();
    let (segments, away) = (world.path("segments"), world.folder.path().join("away"));
    break_it(&segments, &away);
    // None fits into the segment that is open.
    let newer = |key: &&&str| world.disk().insert(object(key, "", &"y".repeat(120_000))).is_ok();
    let queued: Vec<_> = keys.iter().filter(newer).collect();
    assert!(!queued.is_empty());
    while world.disk().state() == DiskState::Working {
        std::thread::yield_now();
    }
    mend_it(&segments, &away);
    while world.disk().state() != DiskState::Working {
        std::thread::yield_now();
    }
    for has_snapshot in [true, false] {
        for key in &queued {
            // What is still queued when the disk works again, is written.
            assert_ne!(world.get(key).as_deref(), Some("old"), "{key}");
        }
        world.check("other", Some("body"));
        world.end();
        if !has_snapshot {
            fs::remove_file(world.path("snapshot")).unwrap();
        }
        world.begin();
    }
}

#[test]
fn a_purge_that_a_failing_disk_did_not_take_counts_all_the_same() {
    let settings = DiskSettings {
        segment_bytes: 1 << 20,
        retry: std::time::Duration::from_millis(1),
        ..DiskSettings::of(64 << 20)
    };
    let mut world = World::of(settings);
    world.put("k", "body");
    world.sync();
    let (segments, away) = (world.path("segments"), world.folder.path().join("away"));
    break_it(&segments, &away);
    world.disk().clear().wait().unwrap_err();
    world.check("k", None);
    mend_it(&segments, &away);
    while world.disk().state() != DiskState::Working {
        std::thread::yield_now();
    }
    world.disk().purge(Pattern::Prefix("x".into()), Purge::Soft).unwrap().wait().unwrap();
    world.end();
    let _ = fs::remove_file(world.path("snapshot"));
    world.begin();
    world.check("k", None);
}

/// Nor can what is there be deleted: then that is told.
#[test]
fn what_was_removed_and_may_come_back_is_told_of_at_the_end() {
    let mut world = World::new();
    world.put("removed", "body");
    world.end();
    let told = std::sync::Arc::<std::sync::Mutex<Vec<DiskState>>>::default();
    let heard = std::sync::Arc::clone(&told);
    let on_state = Box::new(move |state: &DiskState| heard.lock().unwrap().push(state.clone()));
    let settings = DiskSettings { segment_bytes: 1 << 20, ..world.settings.clone() };
    let disk = Disk::open_and_tell(&world.path(""), settings, on_state).unwrap();
    for number in 0..9 {
        disk.insert(object(&format!("k{number}"), "", &"x".repeat(115_000))).unwrap();
    }
    disk.sync().unwrap();
    break_it(&world.path("segments"), &world.folder.path().join("away"));
    // It needs another segment, and so does what comes behind it.
    while disk.remove(b"removed").wait().is_ok() {}
    close(&disk);
    let told = told.lock().unwrap();
    let Some(DiskState::Ended { why }) = told.last() else { panic!("{told:?}") };
    assert!(why.contains("may be there again"), "{why}");
}

/// What `rm -rf folder/*` does to a relais that runs.
#[test]
fn a_folder_that_was_emptied_is_told_of_and_begun_anew() {
    let retry = std::time::Duration::from_millis(1);
    let mut world = World::of(DiskSettings { retry, ..DiskSettings::of(64 << 20) });
    world.put("small", "body");
    world.put("large", &"x".repeat(200_000));
    world.sync();
    for entry in fs::read_dir(world.path("")).unwrap() {
        let path = entry.unwrap().path();
        fs::remove_dir_all(&path).or_else(|_| fs::remove_file(&path)).unwrap();
    }
    // Found out and mended where nothing is written, too.
    while !world.path("bodies").exists() || world.disk().state() != DiskState::Working {
        std::thread::yield_now();
    }
    assert_eq!((world.disk().stats().objects, world.disk().stats().bad), (0, 2));
    world.check("small", None);
    world.put("small", "again");
    world.put("large", &"y".repeat(200_000));
    world.sync();
    for _ in 0..2 {
        world.check("small", Some("again"));
        assert_eq!(world.get("large").unwrap().len(), 200_000);
        let told = world.disk().stats().bytes;
        let is = evicting::bytes_in(&world.path(""));
        assert!(told.abs_diff(is) < 1000, "{told} {is}");
        world.reopen();
    }
}

#[test]
fn nobody_waits_for_a_disk_that_stands_still() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache");
    let (stand_still, released) = std::sync::mpsc::channel::<()>();
    let released = std::sync::Mutex::new(released);
    // Called by the writer.
    let on_state = Box::new(move |_: &DiskState| _ = released.lock().unwrap().recv());
    let settings = DiskSettings::of(64 << 20);
    let disk = Disk::open_and_tell(&path, settings.clone(), on_state).unwrap();
    break_it(&path.join("segments"), &folder.path().join("away"));
    disk.insert(object("k", "", "body")).unwrap();
    assert_eq!(disk.close(std::time::Duration::from_millis(10)), Err(StillWriting));
    drop(disk);
    mend_it(&path.join("segments"), &folder.path().join("away"));
    let open = || Disk::open(&path, settings.clone());
    assert!(matches!(open(), Err(OpenError::InUse { .. })));
    drop(stand_still);
    while open().is_err() {
        std::thread::yield_now();
    }
}

#[test]
fn an_error_names_the_file() {
    let world = World::new();
    fs::remove_dir_all(world.path("bodies")).unwrap();
    assert!(world.disk().begin_file(None).is_err());
    let DiskState::Degraded { why } = world.disk().state() else { panic!("working") };
    assert!(why.contains("/cache/bodies/00000001.part\": No such file"), "{why}");
}

#[test]
fn a_look_at_a_damaged_folder_tells_of_it_and_changes_nothing() {
    let mut world = World::new();
    for number in 0..20 {
        world.put(&format!("k{number}"), "body");
    }
    world.put("large", &"y".repeat(300_000));
    world.sync();
    world.end();
    fs::write(world.path("bodies/00000077.part"), "half").unwrap();
    let file = fs::read_dir(world.path("segments")).unwrap().next().unwrap().unwrap().path();
    let mut bytes = fs::read(&file).unwrap();
    bytes.extend_from_slice(&[7; 100]);
    bytes[500] ^= 1;
    fs::write(&file, bytes).unwrap();
    let before = listed(&world.path(""));
    let look =
        || Disk::open_at_rest(&world.path(""), world.settings.clone(), Access::Look).unwrap();
    for _ in 0..2 {
        let disk = look();
        let verified = disk.verify(|_| std::ops::ControlFlow::Continue(()));
        assert_eq!((verified.objects, verified.bad, verified.missing_segments), (21, 1, 0));
        assert_eq!(disk.remove(b"large").wait(), Err(NotDurable::Closed));
        drop(disk);
        assert_eq!(listed(&world.path("")), before);
    }
    fs::remove_file(&file).unwrap();
    let verified = look().verify(|_| std::ops::ControlFlow::Continue(()));
    assert_eq!((verified.objects, verified.missing_segments), (0, 1));
}

/// What is in a folder, but for whose it is.
fn listed(folder: &Path) -> Vec<(std::path::PathBuf, u64)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            all.extend(listed(&path));
        } else if !path.ends_with("lock") {
            all.push((path.clone(), fs::metadata(&path).unwrap().len()));
        }
    }
    all.sort();
    all
}
