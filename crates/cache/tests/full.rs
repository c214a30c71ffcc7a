//! A disk that is full: the tier says so, makes room of its own, loses no removal, and comes back by
//! itself. On a small file system of its own, which takes root: without,
//! the tests say that they did nothing.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "tests")]

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use bytes::Bytes;
use relais_cache::disk::{Body, Disk, DiskSettings, DiskState, Meta, Object, Patience};

#[test]
fn a_full_disk_is_told_of_and_the_tier_comes_back() {
    let Some(mount) = Mount::new("16m") else { return };
    let told = Arc::new(Mutex::new(Vec::new()));
    let disk = mount.open(&told);
    put(&disk, "early", 1000);
    disk.sync().unwrap();
    let ballast = mount.path.join("ballast");
    fs::write(&ballast, vec![0; 12 << 20]).unwrap();
    let mut stored = 0;
    while disk.state() == DiskState::Working {
        put(&disk, &format!("k{stored}"), 100_000);
        stored += 1;
        let _ = disk.sync();
        assert!(stored < 1000);
    }
    let DiskState::Degraded { why } = disk.state() else { panic!("working") };
    assert!(why.contains("No space left"), "{why}");
    // It makes room by itself, by what is oldest, until it works again.
    wait_until(&disk, &DiskState::Working);
    fs::remove_file(&ballast).unwrap();
    for number in 0..20 {
        put(&disk, &format!("later {number}"), 100_000);
    }
    disk.sync().unwrap();
    assert!(get(&disk, "later 19").is_some());
    let told = told.lock().unwrap();
    assert!(matches!(told[..2], [DiskState::Degraded { .. }, DiskState::Working]), "{told:?}");
}

#[test]
fn what_is_removed_while_the_disk_is_full_stays_removed() {
    let Some(mount) = Mount::new("32m") else { return };
    let told = Arc::new(Mutex::new(Vec::new()));
    let disk = mount.open(&told);
    for key in ["kept", "removed"] {
        put(&disk, key, 50_000);
    }
    disk.sync().unwrap();
    fill(&mount.path);
    while disk.state() == DiskState::Working {
        put(&disk, "more", 100_000);
        let _ = disk.sync();
    }
    let removal = disk.remove(b"removed");
    assert_eq!(get(&disk, "removed"), None);
    let _ = removal.wait();
    fs::remove_file(mount.path.join("filled")).unwrap();
    wait_until(&disk, &DiskState::Working);
    disk.sync().unwrap();
    put(&disk, "later", 50_000);
    disk.sync().unwrap();
    disk.close(Duration::from_mins(1)).unwrap();
    drop(disk);
    // From the log alone: what was half-written when the disk was full is not in it.
    fs::remove_file(mount.path.join("cache/snapshot")).unwrap();
    let disk = mount.open(&told);
    assert_eq!((get(&disk, "removed"), disk.stats().bad), (None, 0));
    assert!(get(&disk, "later").is_some());
}

#[test]
fn what_was_removed_from_a_full_disk_does_not_come_back_after_a_clean_end() {
    let Some(mount) = Mount::new("32m") else { return };
    let told = Arc::new(Mutex::new(Vec::new()));
    // It is not tried again before it ends.
    let disk = mount.open_with(&told, Duration::from_hours(1));
    for number in 0..200 {
        put(&disk, &format!("k{number}"), 1000);
    }
    disk.sync().unwrap();
    fill(&mount.path);
    while disk.state() == DiskState::Working {
        put(&disk, "more", 100_000);
        let _ = disk.sync();
    }
    // Some still fit into the last bytes.
    let mut keys = (0..200).map(|number| format!("k{number}"));
    let removed = keys.find(|key| disk.remove(key.as_bytes()).wait().is_err()).unwrap();
    disk.close(Duration::from_mins(1)).unwrap();
    drop(disk);
    let last = told.lock().unwrap().last().cloned();
    let Some(DiskState::Ended { why }) = last else { panic!("{last:?}") };
    assert!(why.contains("emptied for that"), "{why}");
    fs::remove_file(mount.path.join("filled")).unwrap();
    let disk = mount.open(&told);
    assert_eq!((get(&disk, &removed), disk.stats().objects), (None, 0));
    put(&disk, "later", 1000);
    disk.sync().unwrap();
    assert!(get(&disk, "later").is_some());
}

/// Leaves nothing free.
fn fill(path: &Path) {
    let mut bytes = 64 << 20;
    let file = fs::File::create(path.join("filled")).unwrap();
    let mut end = 0;
    while bytes > 0 {
        let part = vec![1; bytes];
        match std::os::unix::fs::FileExt::write_at(&file, &part, end) {
            Ok(written) => end += written as u64,
            Err(_) => bytes /= 2,
        }
    }
}

fn put(disk: &Disk, key: &str, len: usize) {
    let meta = Meta { key: Bytes::copy_from_slice(key.as_bytes()), ..Meta::default() };
    let _ = disk.insert(Object { meta, body: key.repeat(len / key.len()).into() });
}

fn get(disk: &Disk, key: &str) -> Option<Vec<u8>> {
    let found = disk.find(key.as_bytes(), Patience::Waits).ok()?.pop()?;
    match found.body().ok()? {
        Body::Bytes(bytes) => Some(bytes.to_vec()),
        Body::File(file) => {
            let file = file.open().ok()?;
            let mut bytes = vec![0; usize::try_from(file.len()).unwrap()];
            file.read_at(&mut bytes, 0).unwrap();
            Some(bytes)
        }
    }
}

#[track_caller]
fn wait_until(disk: &Disk, state: &DiskState) {
    while disk.state() != *state {
        thread::yield_now();
    }
}

/// A file system of its own, gone with the test.
struct Mount {
    path: PathBuf,
    _folder: tempfile::TempDir,
}

impl Mount {
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().to_owned();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(&path);
        if !mount.output().is_ok_and(|output| output.status.success()) {
            println!("not root: nothing was tested");
            return None;
        }
        Some(Self { path, _folder: folder })
    }

    fn open(&self, told: &Arc<Mutex<Vec<DiskState>>>) -> Disk {
        self.open_with(told, Duration::from_millis(2))
    }

    fn open_with(&self, told: &Arc<Mutex<Vec<DiskState>>>, retry: Duration) -> Disk {
        let usual = DiskSettings::of(64 << 20);
        let settings = DiskSettings { segment_bytes: 1 << 20, retry, ..usual };
        let told = Arc::clone(told);
        let on_state = Box::new(move |state: &DiskState| told.lock().unwrap().push(state.clone()));
        Disk::open_and_tell(&self.path.join("cache"), settings, on_state).unwrap()
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.path).status();
        assert!(unmounted.unwrap().success());
    }
}
