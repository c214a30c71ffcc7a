//! `lock`: whose a folder is.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read as _, Write as _},
    os::unix::fs::{MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process,
};

/// A lock on a folder, until it is dropped; freed by the system, however the process ends.
#[derive(Debug)]
pub(super) struct Lock {
    file: File,
    /// Where it is, if it is to go with this.
    passing: Option<PathBuf>,
}

/// Why a folder is not locked.
#[derive(Debug)]
pub(super) enum NotLocked {
    /// Another process has it, with this id; `?` if it did not say.
    InUse(String),
    /// What the system said to what was being done.
    Io(&'static str, io::Error),
}

impl Lock {
    /// Whether it is the one that others find in `folder`.
    pub(super) fn is_in(&self, folder: &Path) -> bool {
        let of = |told: fs::Metadata| (told.dev(), told.ino());
        match (self.file.metadata(), fs::metadata(folder.join("lock"))) {
            (Ok(ours), Ok(there)) => of(ours) == of(there),
            _ => false,
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(path) = &self.passing {
            // One that stays is no harm.
            let _ = fs::remove_file(path);
        }
    }
}

/// Locks `folder`, and says who has it.
///
/// # Errors
///
/// [`NotLocked`]
pub(super) fn take(folder: &Path) -> Result<Lock, NotLocked> {
    let path = folder.join("lock");
    let file = open(&path).map_err(|error| NotLocked::Io("opening", error))?;
    held(&file, file.try_lock())?;
    say_who(&file).map_err(|error| NotLocked::Io("writing", error))?;
    Ok(Lock { file, passing: None })
}

/// The same of one that is only looked at, and stays as it was. `None` if it cannot be written to and
/// has no lock that can be had otherwise.
///
/// # Errors
///
/// [`NotLocked`]
pub(super) fn look(folder: &Path) -> Result<Option<Lock>, NotLocked> {
    let path = folder.join("lock");
    let is_there = path.exists();
    match open(&path) {
        Ok(file) => {
            held(&file, file.try_lock())?;
            say_who(&file).map_err(|error| NotLocked::Io("writing", error))?;
            Ok(Some(Lock { file, passing: (!is_there).then_some(path) }))
        }
        Err(error) if is_read_only(error.kind()) => {
            let Ok(file) = File::open(&path) else { return Ok(None) };
            match file.try_lock_shared() {
                Err(TryLockError::Error(_)) => Ok(None),
                tried => held(&file, tried).map(|()| Some(Lock { file, passing: None })),
            }
        }
        Err(error) => Err(NotLocked::Io("opening", error)),
    }
}

fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false).mode(0o600).open(path)
}

fn is_read_only(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::ReadOnlyFilesystem | ErrorKind::PermissionDenied)
}

/// What it means that a lock was `tried`.
fn held(file: &File, tried: Result<(), TryLockError>) -> Result<(), NotLocked> {
    match tried {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = file.take(20).read_to_string(&mut pid);
            let pid = if pid.trim().is_empty() { "?" } else { pid.trim() }.to_owned();
            Err(NotLocked::InUse(pid))
        }
        Err(TryLockError::Error(error)) => Err(NotLocked::Io("locking", error)),
    }
}

fn say_who(mut file: &File) -> io::Result<()> {
    file.set_len(0)?;
    file.write_all(process::id().to_string().as_bytes())
}
