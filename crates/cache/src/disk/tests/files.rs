//! Bodies that have files, while they come and after.

use super::*;
use crate::disk::{BodyWriter, End, Unread};

#[test]
fn a_body_is_read_while_it_comes() {
    let mut world = World::new();
    let mut writer = world.disk().begin_file(None).unwrap();
    let reader = writer.reader();
    let bytes: Vec<u8> = (0..700_000_u32).map(|number| (number % 251) as u8).collect();
    let reading = std::thread::spawn(move || {
        let (mut seen, mut out) = (Vec::new(), vec![0; 10_000]);
        loop {
            let progress = reader.progress();
            if progress.end.is_none() && progress.written == seen.len() as u64 {
                std::thread::yield_now();
            }
            let read = reader.read_at(&mut out, seen.len() as u64).unwrap();
            seen.extend_from_slice(&out[..read]);
            if progress.end.is_some() && seen.len() as u64 == progress.written {
                return (seen, progress.end);
            }
        }
    });
    for part in bytes.chunks(33_333) {
        writer.append(part).unwrap();
    }
    writer.finish(meta("k", "")).unwrap();
    let (seen, end) = reading.join().unwrap();
    assert_eq!((seen == bytes, end), (true, Some(End::Whole)));
    world.sync();
    for _ in 0..2 {
        let found = world.find("k").pop().unwrap();
        assert_eq!(found.body_len(), 700_000);
        assert_eq!(body(&found).unwrap(), bytes);
        world.reopen();
    }
}

#[test]
fn a_body_that_is_given_up_leaves_nothing() {
    let world = World::new();
    let before = world.disk().stats().bytes;
    let mut writer = world.disk().begin_file(Some(500_000)).unwrap();
    let reader = writer.reader();
    writer.append(&vec![7; 300_000]).unwrap();
    assert!(world.disk().stats().bytes > before + 300_000);
    drop(writer);
    assert_eq!(reader.progress().end, Some(End::GivenUp));
    let mut out = vec![0; 4];
    assert_eq!(reader.read_at(&mut out, 299_998).unwrap(), 2);
    assert_eq!(world.disk().stats().bytes, before);
    assert_eq!(std::fs::read_dir(world.path("bodies")).unwrap().count(), 0);
}

#[test]
fn a_body_that_is_given_up_when_all_came_is_open_no_longer() {
    let world = World::new();
    let mut writer = world.disk().begin_file(None).unwrap();
    writer.append(&vec![7; 300_000]).unwrap();
    let sealed = writer.seal(b"k").unwrap();
    assert!(sealed.opened().is_some());
    drop(writer);
    assert!(sealed.opened().is_none() && sealed.open().is_err());
    // One that waits for the writer is given up when it fails.
    let mut writer = world.disk().begin_file(None).unwrap();
    writer.append(&vec![7; 300_000]).unwrap();
    let sealed = writer.seal(b"k").unwrap();
    std::fs::remove_dir_all(world.path("bodies")).unwrap();
    writer.finish(meta("k", "")).unwrap();
    let _ = world.disk().sync();
    assert!(sealed.opened().is_none());
}

#[test]
fn what_a_kill_leaves_is_cleared_away() {
    let mut world = World::new();
    world.put("k", &"x".repeat(200_000));
    world.sync();
    world.end();
    std::fs::write(world.path("bodies/00000077.part"), "half").unwrap();
    std::fs::write(world.path("bodies/00000078"), "whole, but of nobody").unwrap();
    world.begin();
    assert_eq!(std::fs::read_dir(world.path("bodies")).unwrap().count(), 1);
    assert_eq!(world.get("k").unwrap().len(), 200_000);
}

#[test]
fn a_body_that_is_cut_changed_or_gone_is_a_miss() {
    let break_it: [fn(&std::path::Path); 3] = [
        |path| std::fs::remove_file(path).unwrap(),
        |path| std::fs::OpenOptions::new().write(true).open(path).unwrap().set_len(1000).unwrap(),
        |path| {
            let mut bytes = std::fs::read(path).unwrap();
            bytes[280_000] ^= 1;
            std::fs::write(path, bytes).unwrap();
        },
    ];
    for break_it in break_it {
        let world = World::new();
        world.put("k", &"x".repeat(300_000));
        world.sync();
        let file = std::fs::read_dir(world.path("bodies")).unwrap().next().unwrap().unwrap();
        break_it(&file.path());
        let found = world.find("k").pop().unwrap();
        if body(&found).is_none() {
            found.give_up();
        }
        assert_eq!(world.disk().stats().bad, 1);
        assert!(world.find("k").is_empty());
        assert_eq!(std::fs::read_dir(world.path("bodies")).unwrap().count(), 0);
    }
}

#[test]
fn what_was_found_to_be_right_is_so_when_it_is_opened_again() {
    // More than are kept open.
    const MANY: u64 = 80;
    let mut world = World::of(DiskSettings::of(128 << 20));
    for number in 0..MANY {
        world.put(&format!("k{number}"), &"x".repeat(300_000));
        world.sync();
    }
    world.reopen();
    let checked = |world: &World, number: u64| {
        let found = world.find(&format!("k{number}")).pop().unwrap();
        let Body::File(body) = found.body().unwrap() else { panic!("no file") };
        let body = body.open().unwrap();
        let checked = body.checked_from(0);
        // Of some not all of it.
        body.check(0..if number.is_multiple_of(2) { 300_000 } else { 1000 }).unwrap();
        checked
    };
    assert_eq!(checked(&world, 1), 0);
    for number in (0..MANY).filter(|number| *number != 1) {
        assert_eq!(checked(&world, number), 0);
        // The one that is asked for again and again stays open.
        assert_eq!(checked(&world, 1), 262_144);
    }
    for number in (0..MANY - 64).filter(|number| *number != 1) {
        let expect = if number.is_multiple_of(2) { 300_000 } else { 0 };
        assert_eq!(checked(&world, number), expect, "{number}");
    }
    // Nothing of that outlives the process.
    world.reopen();
    assert_eq!(checked(&world, 0), 0);
}

#[test]
fn parts_of_a_body_are_checked_alone() {
    let world = World::new();
    world.put("k", &"x".repeat(600_000));
    world.sync();
    let file = std::fs::read_dir(world.path("bodies")).unwrap().next().unwrap().unwrap();
    let mut bytes = std::fs::read(file.path()).unwrap();
    bytes[550_000] ^= 1;
    std::fs::write(file.path(), bytes).unwrap();
    let found = world.find("k").pop().unwrap();
    let Body::File(body) = found.body().unwrap() else { panic!("no file") };
    let body = body.open().unwrap();
    body.check(0..500_000).unwrap();
    body.check(524_288..524_289).unwrap_err();
    assert_eq!(body.read_at(&mut [0; 10], 600_000).unwrap(), 0);
    assert_eq!(body.read_at(&mut [0; 10], 7).unwrap(), 10);
}

#[test]
fn a_body_that_turned_out_to_be_bad_is_opened_by_nobody_else() {
    let world = World::new();
    world.put("k", &"x".repeat(2_000_000));
    world.sync();
    let file = std::fs::read_dir(world.path("bodies")).unwrap().next().unwrap().unwrap();
    let mut bytes = std::fs::read(file.path()).unwrap();
    bytes[1_500_000] ^= 1;
    std::fs::write(file.path(), bytes).unwrap();
    let found = world.find("k").pop().unwrap();
    let Body::File(stored) = found.body().unwrap() else { panic!("no file") };
    let (one, other) = (stored.open().unwrap(), stored.open().unwrap());
    one.check(0..1 << 20).unwrap();
    one.check(1 << 20..2_000_000).unwrap_err();
    stored.give_up();
    // It is kept open by who is at its beginning, and is for nobody who comes now.
    assert_eq!(other.read_at(&mut [0; 10], 7).unwrap(), 10);
    assert!(stored.opened().is_none());
    assert!(matches!(stored.open(), Err(Unread::Gone(_))));
}

#[test]
fn a_replaced_body_goes_and_who_reads_it_reads_on() {
    let world = World::new();
    world.put("k", &"x".repeat(200_000));
    world.sync();
    let found = world.find("k").pop().unwrap();
    let Body::File(old) = found.body().unwrap() else { panic!("no file") };
    let old = old.open().unwrap();
    world.put("k", &"y".repeat(200_000));
    world.sync();
    assert_eq!(std::fs::read_dir(world.path("bodies")).unwrap().count(), 1);
    let mut out = [0; 3];
    old.read_at(&mut out, 100_000).unwrap();
    assert_eq!((&out, &world.get("k").unwrap()[..3]), (b"xxx", "yyy"));
}

#[test]
fn a_body_larger_than_a_quarter_of_the_folder_is_not_taken() {
    let world = World::of(DiskSettings::of(16 << 20));
    assert!(world.disk().begin_file(Some(5 << 20)).is_err());
    let mut writer: BodyWriter = world.disk().begin_file(None).unwrap();
    let part = vec![0; 1 << 20];
    let taken = (0..10).take_while(|_| writer.append(&part).is_ok()).count();
    assert_eq!(taken, 3);
}
