//! How a folder is opened and left, and the threads that work on it meanwhile.

use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use super::{
    Disk,
    folder::Folder,
    health::{DiskState, OnState},
    keeper,
    log::Log,
    open_error::{OpenError, failed},
    recover,
    settings::{Access, DiskSettings},
    store::{Store, Wanted},
    writer,
};

/// The disk was not done with what waits to be written, in the time there was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("what waits to be written to the cache's folder takes longer")]
pub struct StillWriting;

impl Disk {
    /// Opens the folder at `path`, which is made if it is not there.
    ///
    /// *Cost*: reads the snapshot, 24 bytes an object, and the log written since.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub fn open(path: &Path, settings: DiskSettings) -> Result<Self, OpenError> {
        Self::open_and_tell(path, settings, Box::new(|_| ()))
    }

    /// The same; `on_state` is told when the disk begins to fail, and when it works again.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub fn open_and_tell(
        path: &Path,
        settings: DiskSettings,
        on_state: OnState,
    ) -> Result<Self, OpenError> {
        let log = recover::recover(Folder::take(path)?, settings, on_state)?;
        let store = Arc::clone(&log.store);
        let writing = start(log, &store).map_err(failed("starting the threads for", path))?;
        Ok(Self { store, writing: Mutex::new(Some(writing)) })
    }

    /// Opens a folder that no cache uses, and that holds one. To be looked at, it stays as it is,
    /// whatever is asked: what is stored or removed is refused, and what is damaged stays.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub fn open_at_rest(
        path: &Path,
        settings: DiskSettings,
        access: Access,
    ) -> Result<Self, OpenError> {
        let folder = Folder::take_at_rest(path, access)?;
        let log = recover::recover(folder, settings, Box::new(|_| ()))?;
        let store = Arc::clone(&log.store);
        if access == Access::Change {
            let writing = start(log, &store).map_err(failed("starting the threads for", path))?;
            return Ok(Self { store, writing: Mutex::new(Some(writing)) });
        }
        store.queue.close();
        Ok(Self { store, writing: Mutex::default() })
    }

    /// Has what waits written, and a snapshot, and takes nothing more. What is there is still found.
    /// Blocks, for at most `patience`.
    ///
    /// # Errors
    ///
    /// [`StillWriting`]: that goes on.
    pub fn close(&self, patience: Duration) -> Result<(), StillWriting> {
        self.store.queue.close();
        let mut writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(ended) = &*writing else { return Ok(()) };
        if ended.recv_timeout(patience) == Err(RecvTimeoutError::Timeout) {
            return Err(StillWriting);
        }
        *writing = None;
        Ok(())
    }
}

/// Nobody who drops it waits for a disk: it may be an event loop that does.
impl Drop for Disk {
    fn drop(&mut self) {
        self.store.queue.close();
        let store = Arc::clone(&self.store);
        let Some(ended) = self.writing.get_mut().unwrap_or_else(PoisonError::into_inner).take()
        else {
            // Those who still read what they found do not keep it.
            return store.folder.leave();
        };
        let leave = move || {
            let _ = ended.recv();
            store.folder.leave();
        };
        // Where there are no threads to be had, the system frees the folder with the process.
        let _ = thread::Builder::new().name("disk-closer".to_owned()).spawn(leave);
    }
}

/// Starts the writer, and the keeper and the timer, which end after it. Gives what hangs up when all is
/// written.
fn start(mut log: Log, store: &Arc<Store>) -> std::io::Result<Receiver<()>> {
    let (keeping, timing) = (Arc::clone(store), Arc::clone(store));
    let keeper = thread::Builder::new()
        .name("disk-keeper".to_owned())
        .spawn(move || keeper::keep(&keeping))?;
    let timer = thread::Builder::new()
        .name("disk-timer".to_owned())
        .spawn(move || timing.timer.run(|| timing.queue.ring()));
    let timer = timer.inspect_err(|_| end(store))?;
    let (hangs_up, ended) = mpsc::channel::<()>();
    let writer = thread::Builder::new().name("disk-writer".to_owned()).spawn(move || {
        let _hangs_up = hangs_up;
        let store = Arc::clone(&log.store);
        let refusing = writer::RefuseRest(Arc::clone(&store));
        writer::write_all(&mut log);
        log.end();
        drop(refusing);
        end(&store);
        let _ = (keeper.join(), timer.join());
        if !matches!(store.health.state(), DiskState::Ended { .. }) {
            keeper::write_snapshot(&store);
        }
    });
    writer.inspect_err(|_| end(store))?;
    Ok(ended)
}

/// Has the threads end that stand beside the writer.
fn end(store: &Store) {
    store.bell.ring(Wanted { end: true, ..Wanted::default() });
    store.timer.end();
}
