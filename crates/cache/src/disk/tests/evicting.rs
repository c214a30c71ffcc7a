//! What makes room, and what stays.

use super::*;

const MIB: u64 = 1 << 20;

#[test]
fn the_folder_never_has_more_than_it_may_have() {
    let mut world = World::of(DiskSettings::of(8 * MIB));
    let body = "x".repeat(40_000);
    for number in 0..1000 {
        put_patiently(&world, &format!("k{number}"), &body);
        if number % 100 == 0 {
            put_patiently(&world, &format!("large {number}"), &"y".repeat(600_000));
            assert!(bytes_in(&world.path("")) <= 8 * MIB, "{}", bytes_in(&world.path("")));
        }
    }
    world.sync();
    let stats = world.disk().stats();
    assert!(stats.evicted > 500 && stats.objects > 50, "{stats:?}");
    world.check("k0", None);
    assert!(world.get("k999").is_some());
    world.reopen();
    assert!(world.get("k999").is_some());
    let (told, is) = (world.disk().stats().bytes, bytes_in(&world.path("")));
    assert!(told <= 8 * MIB && told.abs_diff(is) < 10_000, "{told} {is}");
}

#[test]
fn a_scan_of_a_large_site_does_not_drive_out_what_is_asked_for() {
    // What is asked for is ahead of what is written by no more than this.
    let world = World::of(DiskSettings { queue_bytes: MIB / 4, ..DiskSettings::of(16 * MIB) });
    let hot: Vec<_> = (0..50).map(|number| format!("hot {number}")).collect();
    let body = "x".repeat(10_000);
    for key in &hot {
        put_patiently(&world, key, &body);
        put_patiently(&world, &format!("{key}, large"), &body.repeat(14));
    }
    world.sync();
    for number in 0..6000 {
        if number % 5 == 0 {
            // Each is asked for now and then.
            let key = &hot[number / 5 % hot.len()];
            let _ = world.get(key);
            let _ = world.get(&format!("{key}, large"));
        }
        put_patiently(&world, &format!("scanned {number}"), &body);
    }
    world.sync();
    let left = hot.iter().filter(|key| world.get(key).is_some()).count();
    let large = hot.iter().filter(|key| world.get(&format!("{key}, large")).is_some()).count();
    assert!(left == 50 && large == 50, "{left} {large}");
    assert!(world.disk().stats().spared > 100);
    world.check("scanned 0", None);
}

#[test]
fn removals_hold_when_all_around_them_was_evicted() {
    let mut world = World::of(DiskSettings::of(8 * MIB));
    put_patiently(&world, "k", "old");
    world.sync();
    let _ = world.get("k");
    world.disk().remove(b"k").wait().unwrap();
    for number in 0..400 {
        put_patiently(&world, &format!("k{number}"), &"x".repeat(40_000));
    }
    world.sync();
    world.end();
    let _ = std::fs::remove_file(world.path("snapshot"));
    world.begin();
    world.check("k", None);
    assert_eq!(world.disk().stats().bad, 0);
}

/// As a client does that comes again: the queue may be full.
fn put_patiently(world: &World, key: &str, body: &str) {
    while world.disk().insert(object(key, "", body)).is_err() {
        world.sync();
    }
}

pub(super) fn bytes_in(folder: &std::path::Path) -> u64 {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let Ok(metadata) = entry.as_ref().unwrap().metadata() else { continue };
        let path = entry.unwrap().path();
        bytes += if metadata.is_dir() { bytes_in(&path) } else { metadata.len() };
    }
    bytes
}
