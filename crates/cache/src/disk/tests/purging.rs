//! Purges of many at once.

use super::*;
use crate::disk::{NotPurged, Pattern, Purge};

const KEYS: [&str; 4] = ["http://a/1.css", "http://a/2.html", "http://b/1.css", "http://b/2.html"];

#[test]
fn a_purge_takes_what_it_names_and_no_more() {
    check(|_| Pattern::All, &[]);
    check(|_| Pattern::Key("http://a/1.css".into()), &KEYS[1..]);
    check(|_| Pattern::Prefix("http://a/".into()), &KEYS[2..]);
    check(|_| Pattern::Glob("*.css".into()), &[KEYS[1], KEYS[3]]);
    check(|_| Pattern::Glob("http://*/1*".into()), &[KEYS[1], KEYS[3]]);
    check(|disk| Pattern::Tag(disk.tag(b"http://b/1.css")), &[KEYS[0], KEYS[1], KEYS[3]]);
    check(|disk| Pattern::Tag(disk.tag(b"none")), &KEYS);
    check(|_| Pattern::Prefix("x".into()), &KEYS);
}

/// Purges, hard and soft, and looks at what is left: at once, after the sweep, and after starts with
/// and without a snapshot.
#[track_caller]
fn check(purge: fn(&Disk) -> Pattern, expect: &[&str]) {
    for manner in [Purge::Hard, Purge::Soft] {
        let mut world = filled();
        drop(world.disk().purge(purge(world.disk()), manner).unwrap());
        check_left(&world, manner, expect);
        world.put("new", "comes later");
        world.sync();
        check_left(&world, manner, expect);
        super::super::keeper::sweep(&world.disk().store);
        assert_eq!(world.disk().stats().purges, 0);
        check_left(&world, manner, expect);
        world.reopen();
        check_left(&world, manner, expect);
        world.end();
        std::fs::remove_file(world.path("snapshot")).unwrap();
        world.begin();
        check_left(&world, manner, expect);
        world.check("new", Some("comes later"));
        assert!(!world.find("new")[0].is_stale());
    }
}

fn filled() -> World {
    let world = World::new();
    for key in KEYS {
        let tags = vec![7, world.disk().tag(key.as_bytes())];
        let object = Object { meta: Meta { tags, ..meta(key, "") }, body: "b".into() };
        world.disk().insert(object).unwrap();
    }
    world.sync();
    world
}

#[track_caller]
fn check_left(world: &World, manner: Purge, expect: &[&str]) {
    for key in KEYS {
        let found = world.find(key);
        let is_good = expect.contains(&key);
        match manner {
            Purge::Hard => assert_eq!(!found.is_empty(), is_good, "{key} {manner:?}"),
            Purge::Soft => assert_eq!(found[0].is_stale(), !is_good, "{key} {manner:?}"),
        }
    }
}

#[test]
fn what_was_purged_by_a_tag_counts_no_more() {
    let world = filled();
    let disk = world.disk();
    let verified = || disk.verify(|_| std::ops::ControlFlow::Continue(()));
    disk.purge(Pattern::Tag(disk.tag(b"http://b/1.css")), Purge::Hard).unwrap().wait().unwrap();
    assert_eq!((verified().objects, verified().bad, verified().bytes), (3, 0, 3));
    assert_eq!((disk.stats().objects, disk.stats().purges), (4, 1), "lookups pass over it");
    disk.sweep();
    while disk.stats().purges > 0 {
        std::thread::yield_now();
    }
    assert_eq!((disk.stats().objects, disk.stats().purged, verified().objects), (3, 1, 3));
    assert_eq!(world.find("http://a/1.css").len(), 1);
}

#[test]
fn a_soft_purge_ends_with_what_is_stored_anew() {
    let mut world = filled();
    world.disk().purge(Pattern::All, Purge::Soft).unwrap().wait().unwrap();
    world.put(KEYS[0], "newer");
    world.sync();
    for _ in 0..2 {
        assert!(!world.find(KEYS[0])[0].is_stale());
        assert!(world.find(KEYS[1])[0].is_stale());
        world.reopen();
    }
}

#[test]
fn patterns_are_about_the_part_of_the_key_that_is_its_name() {
    let name_of: fn(&[u8]) -> &[u8] = |key| key.split(|&byte| byte == b' ').next().unwrap();
    let world = World::of(DiskSettings { name_of, ..DiskSettings::of(64 << 20) });
    world.put("http://a/x.css device=phone", "b");
    world.sync();
    drop(world.disk().purge(Pattern::Glob("*.css".into()), Purge::Hard).unwrap());
    world.check("http://a/x.css device=phone", None);
}

#[test]
fn a_purge_goes_with_the_log_it_is_about() {
    let world = World::of(DiskSettings::of(8 << 20));
    let tag = world.disk().tag(b"t");
    let tagged = Meta { tags: vec![tag], ..meta("tagged", "") };
    world.disk().insert(Object { meta: tagged, body: "b".into() }).unwrap();
    world.disk().purge(Pattern::Tag(tag), Purge::Hard).unwrap().wait().unwrap();
    assert_eq!(world.disk().stats().purges, 1);
    for number in 0..400 {
        while world.disk().insert(object(&format!("{number}"), "", &"x".repeat(40_000))).is_err() {
            world.sync();
        }
    }
    world.sync();
    assert_eq!(world.disk().stats().purges, 0);
    world.check("tagged", None);
}

#[test]
fn purges_are_bounded() {
    let world = World::new();
    let long = Pattern::Prefix(vec![b'x'; 5000].into());
    assert_eq!(world.disk().purge(long, Purge::Soft).err(), Some(NotPurged::TooLong));
    for _ in 0..20_000 {
        drop(world.disk().remove(b"k"));
    }
    world.sync();
    assert_eq!(world.disk().stats().purges, 0);
}

/// `a/b/c` is of `a/b`, which is of `a`.
fn kin() -> World {
    let families_of: crate::disk::FamiliesOf = |key, tell| {
        let mut ends = (0..key.len()).filter(|&at| key[at] == b'/');
        if let (Some(outer), Some(inner)) = (ends.next(), ends.next()) {
            tell(&[&key[..outer], &key[..inner]]);
        }
    };
    World::of(DiskSettings { families_of, ..DiskSettings::of(8 << 20) })
}

/// Stores a body of so many bytes under `key`, tagged with the outer family, however long that takes.
fn put_kin(world: &World, key: &str, len: usize) {
    let outer = key.split('/').next().unwrap();
    let tags = vec![world.disk().tag(outer.as_bytes())];
    let object = Object { meta: Meta { tags, ..meta(key, "") }, body: vec![b'x'; len].into() };
    while world.disk().insert(object.clone()).is_err() {
        world.sync();
    }
}

#[test]
fn a_family_goes_without_those_of_others() {
    for manner in [Purge::Hard, Purge::Soft] {
        let mut world = kin();
        for (inner, count) in [("known", 300), ("one", 3), ("two", 4)] {
            (0..count).for_each(|key| put_kin(&world, &format!("a/{inner}/{key}"), 9));
        }
        put_kin(&world, "b/one/0", 9);
        world.sync();
        world.reopen();
        let others = [b"a/known".to_vec()];
        let tickets = world.disk().purge_family(b"a", &others, manner).unwrap();
        assert_eq!(tickets.len(), 7, "each by itself");
        world.sync();
        for (key, is_good) in
            [("a/known/299", true), ("a/one/2", false), ("a/two/0", false), ("b/one/0", true)]
        {
            let found = world.find(key).pop();
            match manner {
                Purge::Hard => assert_eq!(found.is_some(), is_good, "{key}"),
                Purge::Soft => assert_eq!(found.unwrap().is_stale(), !is_good, "{key}"),
            }
        }
    }
}

/// As changes of URLs with many keys do while the writer has something else to do.
#[test]
fn families_that_go_while_nothing_is_written_take_nothing_else_along() {
    let world = kin();
    put_kin(&world, "other", 9);
    for key in 0..72 * 256 {
        put_kin(&world, &format!("{}/one/{key}", key % 72), 9);
    }
    world.sync();
    let store = std::sync::Arc::clone(&world.disk().store);
    let nothing_is_told = store.log_end();
    for family in 0..72 {
        let family = family.to_string();
        drop(world.disk().purge_family(family.as_bytes(), &[], Purge::Hard).unwrap());
    }
    world.check("other", Some("xxxxxxxxx"));
    drop(nothing_is_told);
    world.sync();
    world.check("other", Some("xxxxxxxxx"));
    for key in (0..72 * 256).step_by(97) {
        world.check(&format!("{}/one/{key}", key % 72), None);
    }
}

#[test]
fn families_have_no_more_than_what_is_there() {
    let world = kin();
    for key in 0..20_000 {
        put_kin(&world, &format!("a/{}/{key}", key % 7), 1000);
    }
    world.sync();
    let (objects, families) = (world.disk().stats().objects, world.disk().store.families.len());
    assert!(
        (100..8000).contains(&objects) && families < 2 * objects + 5000,
        "{families} {objects}"
    );
}
