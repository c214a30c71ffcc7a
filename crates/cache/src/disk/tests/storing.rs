//! What is stored is found, now and after the next start.

use super::*;
use crate::disk::{Cursor, NotQueued, OpenError, Pattern, Purge};

#[test]
fn an_object_comes_back_as_it_was_stored() {
    let mut world = World::new();
    let tagged = Meta { tags: vec![world.disk().tag(b"blog")], ..meta("k", "en") };
    let object = Object { meta: tagged, body: "body".into() };
    world.disk().insert(object).unwrap();
    world.sync();
    for _ in 0..2 {
        let found = world.find("k");
        let [found] = &*found else { panic!("{found:?}") };
        assert_eq!(
            (text(&found.selection()), text(&found.head())),
            ("en".into(), "head of k".into())
        );
        assert_eq!((found.stored_at(), found.fresh_until()), (1000, 2000));
        assert_eq!(found.tags().collect::<Vec<_>>(), [world.disk().tag(b"blog")]);
        assert_eq!(body(found).unwrap(), "body");
        assert!(!found.is_stale());
        world.check("other", None);
        world.reopen();
    }
}

#[test]
fn the_newest_of_each_variant_is_kept() {
    let mut world = World::new();
    for (selection, body) in [("en", "1"), ("de", "2"), ("en", "3")] {
        world.disk().insert(object("k", selection, body)).unwrap();
    }
    world.sync();
    for _ in 0..2 {
        let found = world.find("k");
        let found =
            found.iter().map(|found| (text(&found.selection()), text(&body(found).unwrap())));
        let expect = [("en", "3"), ("de", "2")].map(|(s, b)| (s.to_owned(), b.to_owned()));
        assert_eq!(found.collect::<Vec<_>>(), expect);
        world.reopen();
    }
}

#[test]
fn without_a_snapshot_the_log_tells_all() {
    let mut world = World::new();
    for number in 0..1000 {
        world.put(&format!("k{number}"), &format!("body {number}"));
    }
    world.sync();
    drop(world.disk().remove(b"k5"));
    world.put("k6", "newer");
    world.end();
    std::fs::remove_file(world.path("snapshot")).unwrap();
    world.begin();
    assert_eq!(world.disk().stats().objects, 999);
    world.check("k5", None);
    world.check("k6", Some("newer"));
    world.check("k999", Some("body 999"));
}

#[test]
fn what_is_removed_stays_removed_and_what_comes_later_counts() {
    let mut world = World::new();
    world.put("a", "1");
    world.put("b", "1");
    world.disk().remove(b"a").wait().unwrap();
    world.disk().remove(b"b").wait().unwrap();
    world.put("b", "2");
    world.sync();
    for _ in 0..2 {
        world.check("a", None);
        world.check("b", Some("2"));
        world.reopen();
    }
    world.disk().clear().wait().unwrap();
    assert_eq!(world.disk().stats().objects, 0);
    world.put("c", "3");
    world.sync();
    for _ in 0..2 {
        world.check("b", None);
        world.check("c", Some("3"));
        world.reopen();
    }
}

#[test]
fn a_variant_is_removed_alone() {
    let large = "x".repeat(200_000);
    let mut world = World::new();
    let with = |world: &World, selection: &str, body: &str| {
        world.disk().insert(object("k", selection, body)).unwrap();
    };
    for (selection, body) in [("en", "1"), ("de", &large), ("fr", "3"), ("it", "4")] {
        with(&world, selection, body);
    }
    world.sync();
    let ticket = world.disk().remove_variant(b"k", b"en");
    assert_eq!(selections(&world), ["de", "fr", "it"], "at once");
    ticket.wait().unwrap();
    let soft = Pattern::Variant { key: "k".into(), selection: "fr".into() };
    world.disk().purge(soft, Purge::Soft).unwrap().wait().unwrap();
    world.disk().remove_variant(b"k", b"it").wait().unwrap();
    with(&world, "it", "newer");
    world.sync();
    for number in 0..3 {
        assert_eq!(selections(&world), ["de", "fr", "it"]);
        let stale = world.find("k").iter().map(Found::is_stale).collect::<Vec<_>>();
        assert_eq!((stale, world.disk().stats().purges), (vec![false, true, false], 0));
        assert_eq!((world.disk().stats().files, world.disk().stats().bad), (1, 0));
        world.end();
        if number == 1 {
            std::fs::remove_file(world.path("snapshot")).unwrap();
        }
        world.begin();
    }
    world.disk().remove_variant(b"k", b"de").wait().unwrap();
    assert_eq!(
        (selections(&world), world.disk().stats().files),
        (vec!["fr".into(), "it".into()], 0)
    );
}

/// The selections of what is found for `k`, in their order.
fn selections(world: &World) -> Vec<String> {
    let mut found: Vec<_> = world.find("k").iter().map(|found| text(&found.selection())).collect();
    found.sort();
    found
}

#[test]
fn a_removal_is_seen_at_once_by_what_waits_before_it() {
    let world = World::new();
    for round in 0..200 {
        world.put("k", &format!("{round}"));
        drop(world.disk().remove(b"k"));
        world.check("k", None);
    }
    world.sync();
    world.check("k", None);
    assert_eq!(world.disk().stats().purges, 0);
}

#[test]
fn a_newer_head_keeps_the_body() {
    let mut world = World::new();
    world.put("small", "body");
    world.put("large", &"x".repeat(200_000));
    world.sync();
    for key in ["small", "large"] {
        let newer = Meta { fresh_until: 9000, head: "newer".into(), ..meta(key, "") };
        world.disk().refresh_head(newer).unwrap();
    }
    world.sync();
    for _ in 0..2 {
        for (key, len) in [("small", 4), ("large", 200_000)] {
            let found = world.find(key);
            let [found] = &*found else { panic!("{found:?}") };
            assert_eq!((found.fresh_until(), &*text(&found.head())), (9000, "newer"));
            assert_eq!(body(found).unwrap().len(), len);
        }
        assert_eq!(world.disk().stats().files, 1);
        world.reopen();
    }
}

#[test]
fn a_newer_head_of_what_is_there_no_more_is_none() {
    let world = World::new();
    world.put("k", "old");
    world.sync();
    let newer = || Meta { stored_at: 999, head: "newer".into(), ..meta("k", "") };
    world.put("k", "new");
    world.disk().refresh_head(newer()).unwrap();
    world.sync();
    world.check("k", Some("new"));
    drop(world.disk().remove(b"k"));
    world.disk().refresh_head(newer()).unwrap();
    world.sync();
    world.check("k", None);
}

#[test]
fn what_is_too_large_is_refused() {
    let world = World::new();
    let head = vec![0; 300 << 10].into();
    let object = Object { meta: Meta { head, ..meta("k", "") }, body: "b".into() };
    assert_eq!(world.disk().insert(object), Err(NotQueued::TooLarge));
    let tags = vec![0; 600];
    let object = Object { meta: Meta { tags, ..meta("k", "") }, body: "b".into() };
    assert_eq!(world.disk().insert(object), Err(NotQueued::TooLarge));
    let settings = DiskSettings { queue_bytes: 1000, ..DiskSettings::of(64 << 20) };
    let world = World::of(settings);
    assert_eq!(
        world.disk().insert(self::object("k", "", &"x".repeat(2000))),
        Err(NotQueued::TooLarge)
    );
    let refused = (0..10_000).filter(|_| {
        world.disk().insert(self::object("k", "", &"x".repeat(500))) == Err(NotQueued::Full)
    });
    let refused = refused.count() as u64;
    world.sync();
    let stats = world.disk().stats();
    assert_eq!((stats.not_stored, stats.stored), (refused + 1, 10_000 - refused));
    assert!(refused > 0);
}

#[test]
fn a_folder_in_use_is_refused() {
    let world = World::new();
    let again = Disk::open(&world.path(""), world.settings.clone());
    assert!(
        matches!(again.unwrap_err(), OpenError::InUse { pid, .. } if pid == std::process::id().to_string())
    );
}

#[test]
fn all_that_is_stored_is_listed_page_by_page() {
    let world = World::new();
    for number in 0..25 {
        world.put(&format!("k{number:02}"), "b");
    }
    world.sync();
    drop(world.disk().remove(b"k07"));
    world.sync();
    let (mut keys, mut cursor) = (Vec::new(), Some(Cursor::default()));
    while let Some(from) = cursor {
        let page = world.disk().list(from, 10);
        assert!(page.entries.len() <= 10);
        keys.extend(page.entries.iter().map(|listed| text(&listed.key)));
        cursor = page.next;
    }
    let expect = (0..25).filter(|&number| number != 7).map(|number| format!("k{number:02}"));
    assert_eq!(keys, expect.collect::<Vec<_>>());
}

#[test]
fn many_threads_read_and_write_what_they_wrote() {
    let world = World::new();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let disk = world.disk();
            scope.spawn(move || {
                for round in 0..300 {
                    let key = format!("{thread}-{}", round % 50);
                    disk.insert(object(&key, "", &format!("{key} {round}"))).unwrap();
                    let found = disk.find(key.as_bytes(), Patience::Waits).unwrap().pop();
                    assert!(
                        found.is_none_or(|found| body(&found).unwrap().starts_with(key.as_bytes()))
                    );
                }
            });
        }
    });
    world.sync();
    assert_eq!(world.disk().stats().objects, 200);
    world.check("3-49", Some("3-49 299"));
    assert_eq!(world.disk().stats().bad, 0);
}

#[test]
fn what_is_stored_is_for_its_owner_alone_whoever_made_the_folder() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let disk = Disk::open(folder.path(), DiskSettings::of(64 << 20)).unwrap();
    disk.insert(object("k", "", "body")).unwrap();
    disk.insert(object("l", "", &"x".repeat(200_000))).unwrap();
    close(&disk);
    let names = ["lock", "format", "snapshot", "segments/00000001", "bodies/00000001"];
    for name in names {
        let mode = std::fs::metadata(folder.path().join(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
}
