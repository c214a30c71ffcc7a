//! An open file that is being sent, and how to notice that it changed meanwhile.

mod open_files;

use std::{
    fs::File,
    io,
    sync::{Arc, OnceLock},
};

use rustix::fs::{AtFlags, Statx, StatxFlags};

pub(crate) use self::open_files::Hold;
pub use self::open_files::OpenFiles;
use self::open_files::Opened;
use crate::mapping::Mapping;

/// A file as it was when it was opened.
#[derive(Debug)]
pub struct OpenFile {
    /// The file. Regular.
    pub file: Arc<File>,
    /// What it was like then.
    pub stamp: Stamp,
    writers: Writers,
    /// Its place, unless it is read and dropped, or who sends it has one.
    opened: Option<Opened>,
    /// Made when it is first needed; `None` if there is none to be had.
    mapping: OnceLock<Option<Mapping>>,
}

/// Who else may write to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writers {
    Anybody,
    /// It was written before it was opened, and is nobody else's.
    Nobody,
}

/// What tells one state of a file from another without reading it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Stamp {
    /// Which device and which inode on it.
    pub identity: (u64, u64),
    /// Bytes.
    pub len: u64,
    /// Last change of the contents: seconds since 1970 and nanoseconds.
    pub modified: (i64, i64),
    /// Last change of contents or inode. Cannot be set back by its owner.
    pub changed: (i64, i64),
}

/// A part of a file that is to be sent.
#[derive(Clone, Debug)]
pub struct FileSpan {
    /// The file.
    pub file: Arc<OpenFile>,
    /// Its first byte's place.
    pub offset: u64,
    /// Bytes.
    pub len: u64,
    /// That it is sent, if that is counted.
    #[expect(dead_code, reason = "it counts for as long as it is there, and is not looked at")]
    pub(crate) hold: Option<Arc<Hold>>,
}

impl Stamp {
    /// What a call of `statx` has to ask for.
    pub(crate) const WANTED: StatxFlags = StatxFlags::TYPE
        .union(StatxFlags::INO)
        .union(StatxFlags::SIZE)
        .union(StatxFlags::MTIME)
        .union(StatxFlags::CTIME);

    /// What `file` is like now.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn of(file: &File) -> io::Result<Self> {
        let found = rustix::fs::statx(file, c"", AtFlags::EMPTY_PATH, Self::WANTED)?;
        Ok(Self::from(&found))
    }
}

impl From<&Statx> for Stamp {
    fn from(found: &Statx) -> Self {
        let (modified, changed) = (found.stx_mtime, found.stx_ctime);
        let device = rustix::fs::makedev(found.stx_dev_major, found.stx_dev_minor);
        Self {
            identity: (device, found.stx_ino),
            len: found.stx_size,
            modified: (modified.tv_sec, modified.tv_nsec.into()),
            changed: (changed.tv_sec, changed.tv_nsec.into()),
        }
    }
}

impl OpenFile {
    /// `file`, which was opened in the state `stamp`, without a place: it is to be read and dropped.
    pub(crate) fn of(file: Arc<File>, stamp: Stamp) -> Self {
        Self { file, stamp, writers: Writers::Anybody, opened: None, mapping: OnceLock::new() }
    }

    /// A file of ours, to which nobody writes any more: it is sent without a look at what became of it.
    /// It has no place: who sends it has.
    pub(crate) fn sealed(file: Arc<File>, stamp: Stamp) -> Self {
        Self { writers: Writers::Nobody, ..Self::of(file, stamp) }
    }

    /// Whether nobody writes to it.
    pub(crate) fn is_sealed(&self) -> bool {
        self.writers == Writers::Nobody
    }

    /// Its bytes as memory, where the file system has that and it is not too long.
    pub(crate) fn mapping(&self) -> Option<&Mapping> {
        /// The kernel keeps 2 KiB for each MiB that is used of a mapping.
        const MAPPED_BYTES_MAX: u64 = 256 << 20;
        self.mapping
            .get_or_init(|| match self.stamp.len {
                ..=MAPPED_BYTES_MAX => Mapping::of(&self.file, self.stamp.len).ok(),
                _ => None,
            })
            .as_ref()
    }

    /// Its place, if it may stay open. If not, it is to be read and dropped.
    pub(crate) fn opened(&self) -> Option<&Opened> {
        self.opened.as_ref()
    }

    /// Whether the contents are still those that were opened, as far as the system tells.
    ///
    /// A change of the file's names or rights does not count: it loses a name when another file is
    /// renamed over it, and who is being sent the old one is to have it whole.
    pub fn is_unchanged(&self) -> bool {
        if self.is_sealed() {
            return true;
        }
        let now = Stamp::of(&self.file);
        now.is_ok_and(|now| (now.len, now.modified) == (self.stamp.len, self.stamp.modified))
    }
}
