//! The disk tier as a whole, in folders of its own.

mod evicting;
mod failing;
mod files;
mod flipping;
mod purging;
mod storing;

use bytes::Bytes;

use super::{Body, Disk, DiskSettings, Found, Meta, Object, Patience};

/// A folder that goes with the test, and what it holds.
struct World {
    folder: tempfile::TempDir,
    settings: DiskSettings,
    disk: Option<Disk>,
}

impl World {
    fn new() -> Self {
        Self::of(DiskSettings::of(64 << 20))
    }

    fn of(settings: DiskSettings) -> Self {
        // In memory, where there is such a folder: much is synced here.
        let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
        let disk = Some(Disk::open(&folder.path().join("cache"), settings.clone()).unwrap());
        Self { folder, settings, disk }
    }

    fn disk(&self) -> &Disk {
        self.disk.as_ref().unwrap()
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        self.folder.path().join("cache").join(name)
    }

    /// Ends it well, and opens it again.
    fn reopen(&mut self) {
        self.end();
        self.begin();
    }

    fn end(&mut self) {
        close(self.disk());
        self.disk = None;
    }

    fn begin(&mut self) {
        let path = self.folder.path().join("cache");
        self.disk = Some(Disk::open(&path, self.settings.clone()).unwrap());
    }

    /// Stores `body` under `key`.
    fn put(&self, key: &str, body: &str) {
        self.disk().insert(object(key, "", body)).unwrap();
    }

    fn sync(&self) {
        self.disk().sync().unwrap();
    }

    /// The body that is found for `key`.
    fn get(&self, key: &str) -> Option<String> {
        Some(text(&body(self.find(key).first()?)?))
    }

    fn find(&self, key: &str) -> Vec<Found> {
        self.disk().find(key.as_bytes(), Patience::Waits).unwrap()
    }

    #[track_caller]
    fn check(&self, key: &str, expect: Option<&str>) {
        assert_eq!(self.get(key).as_deref(), expect, "{key}");
    }
}

/// Before its folder goes.
impl Drop for World {
    fn drop(&mut self) {
        if let Some(disk) = &self.disk {
            close(disk);
        }
    }
}

fn close(disk: &Disk) {
    disk.close(std::time::Duration::from_mins(1)).unwrap();
}

fn object(key: &str, selection: &str, body: &str) -> Object {
    Object { meta: meta(key, selection), body: Bytes::copy_from_slice(body.as_bytes()) }
}

fn meta(key: &str, selection: &str) -> Meta {
    Meta {
        key: Bytes::copy_from_slice(key.as_bytes()),
        selection: Bytes::copy_from_slice(selection.as_bytes()),
        head: Bytes::from(format!("head of {key}")),
        tags: vec![],
        stored_at: 1000,
        fresh_until: 2000,
    }
}

fn body(found: &Found) -> Option<Bytes> {
    match found.body().ok()? {
        Body::Bytes(bytes) => Some(bytes),
        Body::File(file) => {
            let file = file.open().ok()?;
            let mut bytes = vec![0; usize::try_from(file.len()).unwrap()];
            let read = file.read_at(&mut bytes, 0).ok()?;
            assert_eq!(read, bytes.len());
            Some(bytes.into())
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}
