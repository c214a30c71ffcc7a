//! Answers whose body stands in a file that was harmed: nobody is promised what cannot be sent.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use relais_cache::{disk::Disk, disk_settings};
use tempfile::TempDir;

use super::{
    FRESH,
    world::{World, ok, says},
};

const OLD: &str = "ETag: \"1\"\nCache-Control: max-age=5";

#[tokio::test]
async fn what_is_fresh_is_asked_for_again() {
    let harmed = harmed("ETag: \"1\"\nCache-Control: max-age=600").await;
    harmed.check_asked(&["GET /a"]).await;
}

#[tokio::test]
async fn what_would_be_sent_while_it_is_asked_about_is_waited_for() {
    harmed(&format!("{OLD}, stale-while-revalidate=60")).await.check_asked(&["GET /a"]).await;
}

#[tokio::test]
async fn what_is_too_old_is_asked_for_and_not_about() {
    harmed(OLD).await.check_asked(&["GET /a"]).await;
}

#[tokio::test]
async fn it_stands_in_for_nothing() {
    let harmed = harmed(&format!("{OLD}, stale-if-error=60")).await;
    let failed = says("503 Service Unavailable", "", "sorry");
    let came = harmed.world.get_then(failed, "/a", "").await;
    assert!(came.starts_with("503 sorry"), "{came}");
}

/// A world at second 9, in which something was done to the file of what was stored for `/a`.
pub(super) struct Harmed {
    pub world: World,
    pub file: PathBuf,
    _folder: TempDir,
}

async fn harmed(lines: &str) -> Harmed {
    harmed_by(lines, |file| {
        fs::File::options().write(true).open(file).unwrap().set_len(9).unwrap();
    })
    .await
}

pub(super) async fn harmed_by(lines: &str, harm: impl Fn(&Path)) -> Harmed {
    let before = tempfile::tempdir().unwrap();
    let disk = open(before.path());
    let world = World::with_disk(Arc::clone(&disk)).await;
    let came = world.get_then(ok(lines, &"x".repeat(2_000_000)), "/a", "").await;
    assert!(came.starts_with("200 "), "{came}");
    disk.sync().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = copy_of(before.path(), folder.path());
    harm(&file);
    let world = World::with_disk(open(folder.path())).await;
    world.at(9);
    Harmed { world, file, _folder: folder }
}

fn open(folder: &Path) -> Arc<Disk> {
    Arc::new(Disk::open(folder, disk_settings(64 << 20)).unwrap())
}

/// Copied, as whoever has a file open still has all of it. Gives the one body's file.
fn copy_of(from: &Path, to: &Path) -> PathBuf {
    fs::copy(from.join("format"), to.join("format")).unwrap();
    let mut last = None;
    for name in ["segments", "bodies"] {
        fs::create_dir(to.join(name)).unwrap();
        for entry in fs::read_dir(from.join(name)).unwrap() {
            let entry = entry.unwrap();
            let copy = to.join(name).join(entry.file_name());
            fs::copy(entry.path(), &copy).unwrap();
            last = Some(copy);
        }
    }
    last.unwrap()
}

impl Harmed {
    async fn check_asked(&self, expect: &[&str]) {
        let came = self.world.get_then(ok(FRESH, "new"), "/a", "").await;
        assert!(came.starts_with("200 new"), "{came}");
        assert_eq!(self.world.asked(), expect);
    }
}
