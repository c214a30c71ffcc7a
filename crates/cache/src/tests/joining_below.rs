//! Bodies that go to files as they come: nobody waits for their disk but who writes them.

use std::{
    fs,
    sync::{Arc, Mutex, OnceLock, mpsc},
    thread,
    time::Duration,
};

use super::{
    joining::{add, begin, lead, look, next, shared},
    world::key,
};
use crate::{
    Cache, Outcome, Settings,
    disk::{Disk, DiskState},
    disk_settings,
};

#[test]
fn nobody_waits_for_a_disk_that_a_body_is_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cache");
    let writing: Arc<OnceLock<Cache>> = Arc::default();
    let told = Arc::new(Mutex::new(None));
    let (cache, joined) = (Arc::clone(&writing), Arc::clone(&told));
    // Called as the file is begun: for so long its disk takes.
    let on_state = move |state: &DiskState| {
        let (DiskState::Degraded { .. }, Some(cache)) = (state, cache.get().cloned()) else {
            return;
        };
        let (tell, heard) = mpsc::channel();
        thread::spawn(move || {
            let joined = shared(look(&cache, "GET /")).1;
            cache.forget(&key("/"));
            // Nobody hears that it was too late.
            _ = tell.send(joined);
        });
        *joined.lock().unwrap() = heard.recv_timeout(Duration::from_mins(1)).ok();
    };
    let disk = Disk::open_and_tell(&path, disk_settings(64 << 20), Box::new(on_state)).unwrap();
    let settings = Settings { object_max: 4 << 20, ..Settings::default() };
    let cache = Cache::with_disk(settings, Arc::new(disk), "us");
    let fetch = lead(&cache, "GET /");
    let mut writer = begin(&cache, fetch, "cache-control: max-age=60");
    add(&mut writer, "begun");
    assert!(writing.set(cache).is_ok());
    fs::rename(path.join("bodies"), folder.path().join("away")).unwrap();
    add(&mut writer, &"x".repeat(2 << 20));
    let mut joined = told.lock().unwrap().take().expect("joined while the file was begun");
    assert!(next(&mut joined).starts_with("begunxxx"));
    assert_eq!(writer.finish(), Outcome::Invalidated);
}
