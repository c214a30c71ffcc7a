//! Segments: files of records that grow at their end and are never written anywhere else.
//!
//! They are read by `pread` and not mapped. A mapping of a file that somebody cuts, or that is on a
//! disk that fails, ends the process at the next look (`SIGBUS`); a read that fails is a miss. It
//! costs a system call and a copy of at most 128 KiB, from the page cache.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, IoSliceMut},
    os::unix::fs::{FileExt, OpenOptionsExt as _},
    path::{Path, PathBuf},
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

use rustix::io::{Errno, ReadWriteFlags, preadv2};

use super::settings::Access;

/// Whether who reads waits for the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Patience {
    /// For as long as it takes.
    Waits,
    /// Not at all: what the system has not in memory is not read.
    None,
}

/// A segment's file. It can be read for as long as somebody has it, deleted or not.
#[derive(Debug)]
pub(super) struct Segment {
    pub id: u32,
    pub file: File,
    /// Up to where there are records.
    end: AtomicU64,
    /// Whether its file system cannot tell what it has in memory: then it is not asked again.
    is_mute: AtomicBool,
}

/// The segments that there are.
#[derive(Debug)]
pub(super) struct Segments {
    folder: PathBuf,
    access: Access,
    /// By number modulo how many parts there are, so that readers do not all meet at one lock.
    parts: [RwLock<BTreeMap<u32, Arc<Segment>>>; PARTS],
}

const PARTS: usize = 16;

impl Segment {
    fn of(id: u32, file: File, end: u64) -> Self {
        Self { id, file, end: AtomicU64::new(end), is_mute: AtomicBool::new(false) }
    }

    pub(super) fn end(&self) -> u64 {
        self.end.load(Ordering::Acquire)
    }

    /// Says that there are records up to `end`.
    pub(super) fn ends_at(&self, end: u64) {
        self.end.store(end, Ordering::Release);
    }

    /// Reads `len` bytes from `offset` on.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::UnexpectedEof`] if the file does not have them, [`io::ErrorKind::WouldBlock`]
    /// if they are to be waited for and nobody waits; else what the system says.
    pub(super) fn read(&self, offset: u64, len: usize, patience: Patience) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; len];
        match patience {
            Patience::Waits => self.file.read_exact_at(&mut bytes, offset)?,
            Patience::None => self.read_from_memory(&mut bytes, offset)?,
        }
        Ok(bytes)
    }

    /// Reads what the system has in its memory.
    fn read_from_memory(&self, bytes: &mut [u8], offset: u64) -> io::Result<()> {
        if self.is_mute.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        let len = bytes.len();
        let flags = ReadWriteFlags::NOWAIT;
        match preadv2(&self.file, &mut [IoSliceMut::new(bytes)], offset, flags) {
            Ok(read) if read == len => Ok(()),
            // Only the beginning; or the file was cut, which who waits finds out.
            Ok(_) | Err(Errno::AGAIN | Errno::INTR) => Err(io::ErrorKind::WouldBlock.into()),
            // Not every file system can tell; and then whoever reads may have to wait.
            Err(Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => {
                self.is_mute.store(true, Ordering::Relaxed);
                Err(io::ErrorKind::WouldBlock.into())
            }
            Err(error) => Err(error.into()),
        }
    }
}

/// Reads what the system has in its memory: some of what there is, from `offset` on, or all.
///
/// # Errors
///
/// [`io::ErrorKind::WouldBlock`] if it has nothing of it, or cannot tell; else what the system says.
pub(super) fn read_from_memory(file: &File, bytes: &mut [u8], offset: u64) -> io::Result<usize> {
    match preadv2(file, &mut [IoSliceMut::new(bytes)], offset, ReadWriteFlags::NOWAIT) {
        // Nothing; or the file was cut, which who waits finds out.
        Ok(0)
        | Err(Errno::AGAIN | Errno::INTR | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOSYS) => {
            Err(io::ErrorKind::WouldBlock.into())
        }
        Ok(read) => Ok(read),
        Err(error) => Err(error.into()),
    }
}

impl Segments {
    pub(super) fn new(folder: PathBuf, access: Access) -> Self {
        Self { folder, access, parts: Default::default() }
    }

    /// Makes an empty one.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn create(&self, id: u32) -> io::Result<Arc<Segment>> {
        let path = self.path(id);
        let file =
            OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path)?;
        // What is synced in it later is to be found, too.
        File::open(&self.folder)?.sync_all()?;
        Ok(self.add(id, file, 0))
    }

    /// Opens one that is there. Up to where it has records is as long as its file, until it is said.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn open(&self, id: u32) -> io::Result<Arc<Segment>> {
        let is_changed = self.access == Access::Change;
        let file = OpenOptions::new().read(true).write(is_changed).open(self.path(id))?;
        let end = file.metadata()?.len();
        Ok(self.add(id, file, end))
    }

    fn add(&self, id: u32, file: File, end: u64) -> Arc<Segment> {
        let segment = Arc::new(Segment::of(id, file, end));
        let mut part = self.part(id).write().unwrap_or_else(PoisonError::into_inner);
        part.insert(id, Arc::clone(&segment));
        segment
    }

    /// Deletes one: its file goes once nobody reads it.
    ///
    /// # Errors
    ///
    /// What the system says; that the file is gone is none. Whatever it says, nobody finds it here.
    pub(super) fn delete(&self, id: u32) -> io::Result<()> {
        self.part(id).write().unwrap_or_else(PoisonError::into_inner).remove(&id);
        delete_file(&self.path(id))
    }

    pub(super) fn get(&self, id: u32) -> Option<Arc<Segment>> {
        self.part(id).read().unwrap_or_else(PoisonError::into_inner).get(&id).cloned()
    }

    /// Their numbers, oldest first.
    pub(super) fn ids(&self) -> Vec<u32> {
        let mut ids = Vec::new();
        for part in &self.parts {
            ids.extend(part.read().unwrap_or_else(PoisonError::into_inner).keys());
        }
        ids.sort_unstable();
        ids
    }

    pub(super) fn oldest(&self) -> Option<u32> {
        let first = |part: &RwLock<BTreeMap<u32, _>>| {
            part.read().unwrap_or_else(PoisonError::into_inner).keys().next().copied()
        };
        self.parts.iter().filter_map(first).min()
    }

    fn part(&self, id: u32) -> &RwLock<BTreeMap<u32, Arc<Segment>>> {
        &self.parts[id as usize % PARTS]
    }

    pub(super) fn path(&self, id: u32) -> PathBuf {
        self.folder.join(format!("{id:08x}"))
    }

    /// The numbers of the segments whose files are in the folder, oldest first.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub(super) fn listed(&self) -> io::Result<Vec<u32>> {
        let mut ids = Vec::new();
        let entries = match fs::read_dir(&self.folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ids),
            entries => entries?,
        };
        for entry in entries {
            ids.extend(number_of(&entry?.file_name().to_string_lossy()));
        }
        ids.sort_unstable();
        Ok(ids)
    }
}

/// The number that a file is named by: eight hexadecimal digits.
pub(super) fn number_of(name: &str) -> Option<u32> {
    let is_number = name.len() == 8 && !name.starts_with('+');
    is_number.then(|| u32::from_str_radix(name, 16).ok()).flatten()
}

/// Deletes a file; that it is gone is no error.
pub(super) fn delete_file(path: &Path) -> io::Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// An empty file at `path`, for its owner alone: whatever the folder that somebody made for us is for.
pub(super) fn create_private(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)
}

/// Has the names in a folder on disk.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_does_not_wait_waits_for_no_file_system_that_cannot_tell() {
        let file = File::open("/proc/self/stat").unwrap();
        let flags = ReadWriteFlags::NOWAIT;
        let told = preadv2(&file, &mut [IoSliceMut::new(&mut [0; 1])], 0, flags);
        assert_eq!(told, Err(Errno::OPNOTSUPP), "one that cannot tell");
        let segment = Segment::of(1, file, 1);
        for _ in 0..2 {
            let read = segment.read(0, 1, Patience::None).unwrap_err();
            assert_eq!(read.kind(), io::ErrorKind::WouldBlock);
            assert!(segment.is_mute.load(Ordering::Relaxed));
        }
        assert_eq!(segment.read(0, 1, Patience::Waits).unwrap().len(), 1);
    }
}
