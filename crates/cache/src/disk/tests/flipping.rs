//! Each byte of a small store cut off, or each of its bits flipped: nothing wrong is found.

use std::{fs, path::Path};

use super::*;
use crate::disk::{DiskStats, Pattern, Purge};

/// What each key had at any time. An older one counts where a newer was lost; what was removed does
/// not, unless the end of the log is cut off that says so, and the snapshot as well.
const HISTORY: &[(&str, &[&str])] = &[
    ("a", &["a's newer body", "a's body"]),
    ("b", &["b's body"]),
    ("removed", &["gone"]),
    ("variant", &["gone"]),
    ("tagged", &["gone"]),
    ("large", &["large"]),
];

#[test]
fn a_store_that_is_cut_anywhere_has_whole_objects_or_none() {
    each_damage(Vec::truncate, &["segments"]);
}

#[test]
fn a_store_with_any_bit_flipped_has_whole_objects_or_none() {
    each_damage(|bytes, at| bytes[at] ^= 1 << (at % 8), &[]);
}

fn each_damage(damage: fn(&mut Vec<u8>, usize), cuts: &[&str]) {
    for with_snapshot in [true, false] {
        let mut world = small_world();
        world.end();
        if !with_snapshot {
            fs::remove_file(world.path("snapshot")).unwrap();
        }
        let (files, kept) = (files_of(&world.path("")), world.folder.path().join("kept"));
        copy(&world.path(""), &kept);
        for (file, bytes) in &files {
            // Of long ones, some places.
            let step = bytes.len().div_ceil(400).max(1);
            for at in (0..bytes.len()).step_by(step) {
                let mut damaged = bytes.clone();
                damage(&mut damaged, at);
                fs::remove_dir_all(world.path("")).unwrap();
                copy(&kept, &world.path(""));
                fs::write(world.path(file), damaged).unwrap();
                let Ok(disk) = Disk::open(&world.path(""), world.settings.clone()) else {
                    assert_eq!(file, "format", "{file} at {at} of {}", bytes.len());
                    continue;
                };
                world.disk = Some(disk);
                let may_return = !with_snapshot && cuts.iter().any(|cut| file.starts_with(cut));
                let damage = format!("{file} at {at} of {}, snapshot {with_snapshot}", bytes.len());
                check_all(&world, may_return, &damage);
                world.end();
            }
        }
    }
}

fn check_all(world: &World, may_return: bool, damage: &str) {
    for (key, bodies) in HISTORY {
        let found = world.get(key).map(|body| if body.len() > 100 { "large".into() } else { body });
        let bodies = if bodies == &["gone"] && !may_return { &[] } else { *bodies };
        let is_right = found.as_ref().is_none_or(|body| bodies.contains(&body.as_str()));
        assert!(is_right, "{key} is {found:?}: {damage}");
    }
    let DiskStats { objects, .. } = world.disk().stats();
    // What was purged by its tag may still wait for the sweep.
    assert!(objects <= 6, "{objects}: {damage}");
}

fn small_world() -> World {
    let world = World::new();
    world.put("a", "a's body");
    world.put("removed", "gone");
    world.put("variant", "gone");
    let tags = vec![world.disk().tag(b"t")];
    let object = Object { meta: Meta { tags, ..meta("tagged", "") }, body: "gone".into() };
    world.disk().insert(object).unwrap();
    world.put("large", &"L".repeat(140_000));
    world.sync();
    world.disk().remove(b"removed").wait().unwrap();
    world.disk().remove_variant(b"variant", b"").wait().unwrap();
    let tag = Pattern::Tag(world.disk().tag(b"t"));
    world.disk().purge(tag, Purge::Hard).unwrap().wait().unwrap();
    world.put("b", "b's body");
    world.put("a", "a's newer body");
    world.sync();
    world
}

fn files_of(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for name in ["format", "lock", "snapshot"] {
        files.extend(fs::read(folder.join(name)).map(|bytes| (name.to_owned(), bytes)));
    }
    for below in ["segments", "bodies"] {
        for entry in fs::read_dir(folder.join(below)).unwrap() {
            let name = format!("{below}/{}", entry.unwrap().file_name().to_str().unwrap());
            files.push((name.clone(), fs::read(folder.join(&name)).unwrap()));
        }
    }
    assert!(files.len() >= 4);
    files
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}
