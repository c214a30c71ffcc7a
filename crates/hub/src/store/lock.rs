//! `hub.db.lock`: whose a store is.

use std::{
    ffi::OsString,
    fs::{File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    process,
};

use super::broken::{Broken, failed};

/// A lock on a store, until it is dropped; freed by the system, however the process ends.
///
/// SQLite's own locks come and go with each transaction: two hubs would take turns, each with a
/// state in memory that the other's entries are not in.
#[derive(Debug)]
pub(super) struct Lock {
    _held: File,
}

/// Locks the store in `store`, and says who has it.
///
/// # Errors
///
/// [`Broken::InUse`], [`Broken::Io`]
pub(super) fn take(store: &Path) -> Result<Lock, Broken> {
    let path = beside(store, ".lock");
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let file = options.open(&path).map_err(failed("opening", &path))?;
    match file.try_lock() {
        Ok(()) => say_who(&file).map_err(failed("writing", &path))?,
        Err(TryLockError::WouldBlock) => {
            return Err(Broken::InUse { path: store.to_owned(), pid: who(&file) });
        }
        Err(TryLockError::Error(error)) => return Err(failed("locking", &path)(error)),
    }
    Ok(Lock { _held: file })
}

/// Looks whether the store in `store` is some hub's now, and makes nothing.
///
/// # Errors
///
/// [`Broken::InUse`]
pub(super) fn look(store: &Path) -> Result<(), Broken> {
    let file = OpenOptions::new().read(true).write(true).open(beside(store, ".lock"));
    // Who takes it is told of all else.
    let Ok(file) = file else { return Ok(()) };
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => {
            Err(Broken::InUse { path: store.to_owned(), pid: who(&file) })
        }
        _ => Ok(()),
    }
}

/// Whether some hub has the store in `store` now.
pub fn is_in_use(store: &Path) -> bool {
    look(store).is_err()
}

/// The file whose name is the store's and `ending`.
pub(super) fn beside(store: &Path, ending: &str) -> PathBuf {
    let mut name = OsString::from(store);
    name.push(ending);
    PathBuf::from(name)
}

fn who(file: &File) -> String {
    let mut pid = String::new();
    // Who does not say is `?`.
    let _ = file.take(20).read_to_string(&mut pid);
    if pid.trim().is_empty() { "?".to_owned() } else { pid.trim().to_owned() }
}

fn say_who(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(process::id().to_string().as_bytes())
}
