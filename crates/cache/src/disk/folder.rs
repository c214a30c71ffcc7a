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
    fs::{self, DirBuilder},
    io::{self, ErrorKind},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use super::{
    format::{self, Format},
    lock::{self, Lock, NotLocked},
    open_error::{OpenError, failed, naming},
    secret::Secret,
    settings::Access,
};

/// A folder that is ours for as long as this lives.
#[derive(Debug)]
pub(super) struct Folder {
    pub path: PathBuf,
    pub secret: Secret,
    pub access: Access,
    /// The file system that it is on.
    device: u64,
    lock: Mutex<Option<Lock>>,
}

/// What was found of a folder when it was mended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mended {
    /// What is stored may be there.
    Whole,
    /// It was empty: nothing that was stored is there.
    Emptied,
}

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
        let lock = lock::take(path).map_err(not_locked(path))?;
        let secret = match read_format(path)? {
            Some(secret) => secret,
            None if is_empty(path) => begin(path)?,
            // Not ours to delete, however useless.
            None => return Err(no_format(path)),
        };
        Self::of(path, secret, (Some(lock), Access::Change))
    }

    /// Takes the folder at `path`, in which there is a cache.
    ///
    /// # Errors
    ///
    /// [`OpenError`]
    pub(super) fn take_at_rest(path: &Path, access: Access) -> Result<Self, OpenError> {
        fs::read_dir(path).map_err(failed("reading", path))?;
        check_is_ours(path)?;
        let no_cache = || OpenError::NoCache { path: path.to_owned() };
        if access == Access::Look {
            let secret = read_format(path)?.ok_or_else(no_cache)?;
            let lock = lock::look(path).map_err(not_locked(path))?;
            return Self::of(path, secret, (lock, access));
        }
        // First: it is not to get as much as a lock.
        read_format(path)?.ok_or_else(no_cache)?;
        Self::take(path)
    }

    fn of(
        path: &Path,
        secret: Secret,
        (lock, access): (Option<Lock>, Access),
    ) -> Result<Self, OpenError> {
        if access == Access::Change {
            make_parts(path)?;
        }
        let device = fs::metadata(path).map_err(failed("reading", path))?.dev();
        Ok(Self { path: path.to_owned(), secret, access, device, lock: Mutex::new(lock) })
    }

    /// Whether nobody else can have it.
    pub(super) fn is_locked(&self) -> bool {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    /// Whether it is as it was: nobody has emptied it.
    pub(super) fn is_there(&self) -> bool {
        format::path(&self.path).exists()
    }

    /// Makes anew what others have deleted.
    ///
    /// # Errors
    ///
    /// What the system says, or whose it is by now; or it is on another disk than before, which is not
    /// there then, and that one is not to be filled.
    pub(super) fn mend(&self) -> io::Result<Mended> {
        make(&self.path).map_err(naming(&self.path))?;
        if fs::metadata(&self.path)?.dev() != self.device {
            let text = "it is on another file system than it was";
            return Err(naming(&self.path)(io::Error::other(text)));
        }
        let is_emptied = !self.is_there();
        if is_emptied {
            check_is_ours(&self.path).map_err(io::Error::other)?;
            self.lock_again()?;
            format::write(&self.path, &self.secret).map_err(naming(&format::path(&self.path)))?;
        }
        make_parts(&self.path).map_err(io::Error::other)?;
        Ok(if is_emptied { Mended::Emptied } else { Mended::Whole })
    }

    /// Takes a lock that is there, in the place of one that was deleted.
    fn lock_again(&self) -> io::Result<()> {
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if !lock.as_ref().is_some_and(|lock| lock.is_in(&self.path)) {
            let taken = lock::take(&self.path).map_err(not_locked(&self.path));
            *lock = Some(taken.map_err(io::Error::other)?);
        }
        Ok(())
    }

    /// Leaves it to others. From here on nothing in it may be written to or deleted.
    pub(super) fn leave(&self) {
        self.lock.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// Deletes one of its files, if it is still ours; that the file is gone is no error.
    pub(super) fn delete(&self, path: &Path) -> io::Result<()> {
        let lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        if lock.is_none() || self.access == Access::Look {
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
        written.map_err(naming(&path))
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

/// Whether there is nothing in the folder but what every start makes.
fn is_empty(folder: &Path) -> bool {
    for name in ["snapshot", "segments", "bodies"] {
        let path = folder.join(name);
        let is_empty = match fs::read_dir(&path) {
            Ok(mut entries) => entries.next().is_none(),
            Err(error) => error.kind() == ErrorKind::NotFound,
        };
        if !is_empty {
            return false;
        }
    }
    true
}

/// The secret of a folder in our format; `None` if it has none.
fn read_format(folder: &Path) -> Result<Option<Secret>, OpenError> {
    match format::read(folder).map_err(failed("reading", &format::path(folder)))? {
        Format::Ours(secret) => Ok(Some(secret)),
        Format::Missing => Ok(None),
        Format::Broken => Err(no_format(folder)),
        Format::Other(found) => Err(OpenError::OtherFormat { path: folder.to_owned(), found }),
    }
}

fn no_format(folder: &Path) -> OpenError {
    OpenError::NoFormat { path: format::path(folder), folder: folder.to_owned() }
}

fn not_locked(folder: &Path) -> impl FnOnce(NotLocked) -> OpenError {
    let path = folder.to_owned();
    move |error| match error {
        NotLocked::InUse(pid) => OpenError::InUse { path, pid },
        NotLocked::Io(doing, source) => failed(doing, &path.join("lock"))(source),
    }
}

/// Makes a cache of the folder, which has nothing.
fn begin(folder: &Path) -> Result<Secret, OpenError> {
    let secret = Secret::random();
    format::write(folder, &secret).map_err(failed("writing", &format::path(folder)))?;
    Ok(secret)
}

fn make_parts(folder: &Path) -> Result<(), OpenError> {
    for name in ["segments", "bodies"] {
        let path = folder.join(name);
        make(&path).map_err(failed("making", &path))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process;

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
    fn what_cannot_be_read_is_refused_and_not_deleted() {
        let folder = tempfile::tempdir().unwrap();
        let secret = Folder::take(folder.path()).unwrap().secret;
        let kept = folder.path().join("segments/00000001");
        fs::write(&kept, "x").unwrap();
        let path = folder.path().join("format");
        let text = fs::read_to_string(&path).unwrap();
        let other = "relais disk cache 2";
        let hex = text.lines().nth(1).unwrap();
        let newer = format!("{other}\n{hex}\n{:016x}\n", secret.sum(other.as_bytes()));
        let check = |format: &[u8], expect: &str| {
            fs::write(&path, format).unwrap();
            let refused = [
                Folder::take(folder.path()),
                Folder::take_at_rest(folder.path(), Access::Look),
                Folder::take_at_rest(folder.path(), Access::Change),
            ];
            for refused in refused {
                let refused = refused.unwrap_err().to_string();
                assert!(refused.contains(expect), "{refused}");
            }
            assert_eq!(
                (fs::read(&kept).unwrap(), fs::read(&path).unwrap()),
                (b"x".into(), format.into())
            );
        };
        check(newer.as_bytes(), "has format \"relais disk cache 2\", not");
        check(b"", "/format\" is no format of a cache's");
        check(b"\xff junk", "/format\" is no format of a cache's");
        check(text.replace('1', "2").as_bytes(), "/format\" is no format of a cache's");
        fs::remove_file(&path).unwrap();
        let refused = Folder::take(folder.path()).unwrap_err().to_string();
        assert!(refused.contains("/format\" is no format of a cache's"), "{refused}");
        assert!(kept.exists() && !path.exists());
        // Of one in which nothing was stored yet, nothing is lost.
        fs::remove_file(&kept).unwrap();
        Folder::take(folder.path()).unwrap();
    }

    #[test]
    fn a_look_changes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for access in [Access::Look, Access::Change] {
            let refused = Folder::take_at_rest(folder.path(), access).unwrap_err();
            assert!(matches!(refused, OpenError::NoCache { .. }), "{refused}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
        drop(Folder::take(folder.path()).unwrap());
        for name in ["lock", "bodies", "segments"] {
            let path = folder.path().join(name);
            fs::remove_file(&path).or_else(|_| fs::remove_dir(&path)).unwrap();
        }
        let looked_at = Folder::take_at_rest(folder.path(), Access::Look).unwrap();
        assert!(looked_at.is_locked());
        assert!(matches!(Folder::take(folder.path()), Err(OpenError::InUse { .. })));
        looked_at.delete(&folder.path().join("format")).unwrap();
        drop(looked_at);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_was_emptied_is_made_anew_and_no_other_s() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("cache");
        let held = Folder::take(&path).unwrap();
        assert_eq!(held.mend().unwrap(), Mended::Whole);
        fs::remove_dir(path.join("segments")).unwrap();
        assert_eq!(held.mend().unwrap(), Mended::Whole);
        fs::remove_dir_all(&path).unwrap();
        assert!(!held.is_there());
        assert_eq!(held.mend().unwrap(), Mended::Emptied);
        assert!(held.is_there() && path.join("segments").exists());
        assert!(matches!(Folder::take(&path), Err(OpenError::InUse { .. })));
        fs::remove_dir_all(&path).unwrap();
        let other = Folder::take(&path).unwrap();
        fs::remove_file(path.join("format")).unwrap();
        assert!(held.mend().unwrap_err().to_string().contains("is used by process"));
        drop(other);
    }
}
