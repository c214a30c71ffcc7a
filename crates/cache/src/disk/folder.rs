//! The folder: whose it is, in which format, and what stands where.
//!
//! ```text
//! lock          whose process id is in it, holds the folder
//! format        the version, and the folder's secret
//! snapshot      the index as it was some time ago
//! segments/     records, by number
//! bodies/       bodies of more than 128 KiB, by number; NUMBER.part while they come
//! ```

use std::{
    fmt::Write as _,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Read, Write},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
    process,
    sync::{Mutex, PoisonError},
};

use super::secret::{SECRET_BYTES, Secret};

/// A folder that is ours for as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    pub path: PathBuf,
    pub secret: Secret,
    /// Locked until it is closed; freed by the system, however the process ends.
    lock: Mutex<Option<File>>,
}

/// Why a folder cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process uses it.
    #[error("{path:?} is used by process {pid}; end it, or name another folder")]
    InUse {
        /// The folder.
        path: PathBuf,
        /// Its id, as it said; `?` if it did not.
        pid: String,
    },
    /// It was written by another version.
    #[error("{path:?} has format {found:?}, not {FORMAT:?}; delete the folder to start anew")]
    OtherFormat {
        /// The folder.
        path: PathBuf,
        /// What it says of itself.
        found: String,
    },
    /// Something else is in it.
    #[error("{path:?} holds {found:?}, which is no cache's; name an empty folder")]
    Foreign {
        /// The folder.
        path: PathBuf,
        /// What it holds.
        found: String,
    },
    /// The system says no.
    #[error("{doing} {path:?}")]
    Io {
        /// What was being done.
        doing: &'static str,
        /// To what.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// What the first line of `format` says. The number goes up with each change that an older program
/// would misread.
const FORMAT: &str = "relais disk cache 1";
const NAMES: &[&str] =
    &["lock", "format", "format.part", "snapshot", "snapshot.part", "segments", "bodies"];

impl Folder {
    /// Takes the folder at `path`, which is made if it is not there.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub(super) fn take(path: &Path) -> Result<Self, OpenError> {
        make(path).map_err(failed("making", path))?;
        check_is_ours(path)?;
        let lock = lock(path)?;
        let secret = match read_format(path)? {
            Some(secret) => secret,
            // New, or of no use: without its secret nothing in it can be read.
            None => begin(path)?,
        };
        for name in ["segments", "bodies"] {
            let path = path.join(name);
            make(&path).map_err(failed("making", &path))?;
        }
        Ok(Self { path: path.to_owned(), secret, lock: Mutex::new(Some(lock)) })
    }

    /// Leaves it to others. From here on nothing in it may be written to or deleted.
    pub(super) fn leave(&self) {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Deletes one of its files, if it is still ours; that the file is gone is no error.
    pub(super) fn delete(&self, path: &Path) -> io::Result<()> {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_none() {
            return Ok(());
        }
        super::segment::delete_file(path)
    }

    /// Whether something can be written: some bytes, to a file that goes again.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn probe(&self) -> io::Result<()> {
        // More than what is left between the bytes of what is there.
        const BYTES: usize = 256 << 10;
        let path = self.bodies().join("probe.part");
        let written = fs::write(&path, vec![1; BYTES]);
        self.delete(&path)?;
        written
    }

    pub(super) fn segments(&self) -> PathBuf {
        self.path.join("segments")
    }

    pub(super) fn bodies(&self) -> PathBuf {
        self.path.join("bodies")
    }

    pub(super) fn snapshot(&self) -> PathBuf {
        self.path.join("snapshot")
    }
}

/// Makes a folder, if it is not there, that nobody else looks into: what is stored may be for few.
fn make(path: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)
}

/// What makes an [`OpenError`] of what the system says.
pub(super) fn failed(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> OpenError {
    let path = path.to_owned();
    move |source| OpenError::Io { doing, path, source }
}

/// An empty file at `path`, for its owner alone: whatever the folder that somebody made for us is for.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Writes `bytes` so that whoever reads the file at `path` finds all of them, or what was there.
///
/// # Errors
///
/// What the system says; then the file is as it was.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let part = path.with_extension("part");
    let written = create_private(&part).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    let replaced = written.and_then(|()| fs::rename(&part, path));
    if let Err(error) = replaced {
        let _ = fs::remove_file(&part);
        return Err(error);
    }
    sync_folder(path.parent().unwrap_or(Path::new(".")))
}

/// Has the names in a folder on disk.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Nothing is written to, let alone deleted in, a folder that has something else in it.
fn check_is_ours(path: &Path) -> Result<(), OpenError> {
    for entry in fs::read_dir(path).map_err(failed("reading", path))? {
        let name = entry.map_err(failed("reading", path))?.file_name();
        if !NAMES.iter().any(|known| name == *known) {
            let found = name.to_string_lossy().into_owned();
            return Err(OpenError::Foreign { path: path.to_owned(), found });
        }
    }
    Ok(())
}

fn lock(folder: &Path) -> Result<File, OpenError> {
    let path = folder.join("lock");
    let open = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path);
    let mut file = open.map_err(failed("opening", &path))?;
    match file.try_lock() {
        Ok(()) => (),
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let _ = file.take(20).read_to_string(&mut pid);
            let pid = if pid.trim().is_empty() { "?" } else { pid.trim() }.to_owned();
            return Err(OpenError::InUse { path: folder.to_owned(), pid });
        }
        Err(TryLockError::Error(error)) => return Err(failed("locking", &path)(error)),
    }
    let pid = process::id().to_string();
    let written = file.set_len(0).and_then(|()| file.write_all(pid.as_bytes()));
    written.map_err(failed("writing", &path))?;
    Ok(file)
}

/// The secret of a folder in our format; `None` if there is none that can be read.
fn read_format(folder: &Path) -> Result<Option<Secret>, OpenError> {
    let path = folder.join("format");
    let text = match fs::read(&path) {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(failed("reading", &path)(error)),
    };
    let mut lines = text.lines();
    let (found, secret, sum) = (lines.next(), lines.next(), lines.next());
    let (Some(found), Some(secret), Some(sum)) = (found, secret, sum) else { return Ok(None) };
    let Some(secret) = unhex(secret).map(Secret::of) else { return Ok(None) };
    if sum != format!("{:016x}", secret.sum(found.as_bytes())) {
        return Ok(None);
    }
    if found != FORMAT {
        return Err(OpenError::OtherFormat { path: folder.to_owned(), found: found.to_owned() });
    }
    Ok(Some(secret))
}

/// Makes an empty cache of the folder, which has nothing but what was one.
fn begin(folder: &Path) -> Result<Secret, OpenError> {
    for name in ["segments", "bodies"] {
        let path = folder.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(failed("deleting", &path)(error));
            }
            _ => (),
        }
    }
    let path = folder.join("snapshot");
    super::segment::delete_file(&path).map_err(failed("deleting", &path))?;
    let secret = Secret::random();
    let path = folder.join("format");
    let written = replace(&path, format_of(&secret).as_bytes());
    written.map_err(failed("writing", &path))?;
    Ok(secret)
}

fn format_of(secret: &Secret) -> String {
    let mut text = format!("{FORMAT}\n");
    for byte in secret.bytes() {
        let _ = write!(text, "{byte:02x}");
    }
    let _ = writeln!(text, "\n{:016x}", secret.sum(FORMAT.as_bytes()));
    text
}

fn unhex(text: &str) -> Option<[u8; SECRET_BYTES]> {
    if text.len() != SECRET_BYTES * 2 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let mut bytes = [0; SECRET_BYTES];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[at * 2..at * 2 + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_for_one_process() {
        let folder = tempfile::tempdir().unwrap();
        let held = Folder::take(folder.path()).unwrap();
        let refused = Folder::take(folder.path()).unwrap_err().to_string();
        assert!(refused.contains(&format!("is used by process {};", process::id())), "{refused}");
        let secret = *held.secret.bytes();
        drop(held);
        assert_eq!(Folder::take(folder.path()).unwrap().secret.bytes(), &secret);
    }

    #[test]
    fn what_is_not_ours_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("thesis.tex"), "years").unwrap();
        let refused = Folder::take(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("holds \"thesis.tex\""), "{refused}");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn another_format_is_refused_and_a_broken_one_begun_anew() {
        let folder = tempfile::tempdir().unwrap();
        let secret = Folder::take(folder.path()).unwrap().secret;
        fs::write(folder.path().join("segments/00000001"), "x").unwrap();
        let path = folder.path().join("format");
        let text = fs::read_to_string(&path).unwrap();
        let hex = text.lines().nth(1).unwrap();
        let other = "relais disk cache 2";
        let text = format!("{other}\n{hex}\n{:016x}\n", secret.sum(other.as_bytes()));
        fs::write(&path, text).unwrap();
        let refused = Folder::take(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("has format \"relais disk cache 2\", not"), "{refused}");
        assert!(folder.path().join("segments/00000001").exists());
        fs::write(&path, format!("{FORMAT}\n{hex}\n")).unwrap();
        assert_ne!(Folder::take(folder.path()).unwrap().secret.bytes(), secret.bytes());
        assert!(!folder.path().join("segments/00000001").exists());
    }
}
