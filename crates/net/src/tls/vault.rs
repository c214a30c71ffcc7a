//! A folder of files that hold keys: written whole or not at all, by one process at a time.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, ErrorKind, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use super::Warning;

/// A folder of ours alone.
#[derive(Clone, Debug)]
pub(super) struct Vault {
    folder: PathBuf,
}

/// The right to write to a [`Vault`], until it is dropped. The kernel drops it with the process.
#[derive(Debug)]
pub(super) struct Locked<'a> {
    vault: &'a Vault,
    _lock: File,
}

/// Who may read a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Readers {
    /// The owner: 0600.
    Owner,
    /// Everyone: 0644.
    Everyone,
}

impl Vault {
    /// Makes the folder, 0700 like every folder above it that is missing, unless it is there.
    pub(super) fn open(folder: &Path) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        Ok(Self { folder: folder.to_owned() })
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Warns if others may put other files into the folder.
    pub(super) fn exposed(&self) -> io::Result<Option<Warning>> {
        let mode = fs::metadata(&self.folder)?.permissions().mode() & 0o777;
        let path = self.folder.clone();
        Ok((mode & 0o022 != 0).then_some(Warning::Exposed { path, mode }))
    }

    /// Waits until no other process writes here. Blocks.
    pub(super) fn lock(&self) -> io::Result<Locked<'_>> {
        let mut options = OpenOptions::new();
        // Never removed: who locks a removed file excludes nobody.
        let lock = options
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(self.path(".lock"))?;
        lock.lock()?;
        Ok(Locked { vault: self, _lock: lock })
    }
}

impl Locked<'_> {
    /// Writes a file, or replaces it, in one step that survives a crash: whenever the process or
    /// the machine stops, there is the old file or the new one.
    pub(super) fn write(&self, name: &str, text: &str, readers: Readers) -> io::Result<()> {
        // One name for all, since only one process writes: leftovers don't pile up.
        let new = self.vault.path(".new");
        match fs::remove_file(&new) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
            _ => (),
        }
        // Must not exist and is never a link: nobody else can have it open.
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        file.write_all(text.as_bytes())?;
        if readers == Readers::Everyone {
            file.set_permissions(Permissions::from_mode(0o644))?;
        }
        file.sync_all()?;
        fs::rename(&new, self.vault.path(name))?;
        File::open(&self.vault.folder)?.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::TryLockError;

    use super::*;

    #[test]
    fn what_a_killed_process_left_is_no_hindrance() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(&folder.path().join("a/b")).unwrap();
        fs::write(vault.path(".new"), "half").unwrap();
        vault.lock().unwrap().write("key", "whole", Readers::Owner).unwrap();
        assert_eq!(fs::read_to_string(vault.path("key")).unwrap(), "whole");
        assert!(!vault.path(".new").exists());
    }

    #[test]
    fn files_and_folders_are_for_whom_they_should_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a/b");
        let vault = Vault::open(&path).unwrap();
        let locked = vault.lock().unwrap();
        locked.write("key", "", Readers::Owner).unwrap();
        locked.write("certificate", "", Readers::Everyone).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&folder.path().join("a")), 0o700);
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&vault.path("key")), 0o600);
        assert_eq!(mode(&vault.path("certificate")), 0o644);
        assert_eq!(vault.exposed().unwrap(), None);
        fs::set_permissions(&path, Permissions::from_mode(0o770)).unwrap();
        assert_eq!(vault.exposed().unwrap(), Some(Warning::Exposed { path, mode: 0o770 }));
    }

    #[test]
    fn a_second_writer_waits_for_the_first() {
        let folder = tempfile::tempdir().unwrap();
        let vault = Vault::open(folder.path()).unwrap();
        let first = vault.lock().unwrap();
        let file = File::open(vault.path(".lock")).unwrap();
        assert!(matches!(file.try_lock(), Err(TryLockError::WouldBlock)));
        drop(first);
        file.try_lock().unwrap();
    }
}
