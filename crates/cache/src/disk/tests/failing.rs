//! Disks that fail, and files that others touch.

use std::fs::{self, OpenOptions};

use super::*;
use crate::disk::{DiskState, Pattern, Purge};

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

/// The folder for new segments is gone, which is what a broken disk looks like to the writer.
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
    fs::rename(&segments, &away).unwrap();
    // Fills the segment that is open.
    for number in 0..12 {
        let _ = world.disk().insert(object(&format!("k{number}"), "", &"x".repeat(100_000)));
    }
    let removal = world.disk().remove(b"removed").wait();
    let DiskState::Degraded { why } = world.disk().state() else { panic!("{removal:?}") };
    assert!(why.contains("No such file"), "{why}");
    assert!(world.disk().insert(object("refused", "", "x")).is_err());
    world.check("before", Some("body"));
    world.check("removed", None);
    fs::rename(&away, &segments).unwrap();
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
    fs::rename(&segments, &away).unwrap();
    world.disk().clear().wait().unwrap_err();
    world.check("k", None);
    fs::rename(&away, &segments).unwrap();
    while world.disk().state() != DiskState::Working {
        std::thread::yield_now();
    }
    world.disk().purge(Pattern::Prefix("x".into()), Purge::Soft).unwrap().wait().unwrap();
    world.end();
    let _ = fs::remove_file(world.path("snapshot"));
    world.begin();
    world.check("k", None);
}
