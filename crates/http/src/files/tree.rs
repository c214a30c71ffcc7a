//! Where files come from: a folder, or this program.

use std::{
    ffi::CStr,
    fs::File,
    io,
    os::fd::OwnedFd,
    os::unix::fs::FileExt,
    sync::Arc,
    time::{Duration, SystemTime},
};

use bytes::Bytes;

use super::{embedded::Embedded, folder::Folder, listing::Entries, refusal::Refusal};
use crate::{OpenFile, Stamp};

/// A root and all below it.
#[derive(Debug)]
pub(super) enum Tree {
    Folder(Folder),
    Embedded(Embedded),
}

/// What is at a path.
#[derive(Debug)]
pub(super) enum Found {
    File(Source),
    /// `None` if it may be entered but not read, or has no descriptor at all.
    Directory(Option<OwnedFd>),
}

/// A file that can be read.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub held: Held,
    pub stamp: Stamp,
    pub way: Way,
}

/// How a file is held.
#[derive(Clone, Debug)]
pub(super) enum Held {
    Open(Arc<OpenFile>),
    Static(&'static [u8]),
}

/// How a path led to its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// By its names alone.
    Straight,
    /// Over symbolic links, which have to be judged every time anew.
    Linked,
}

/// Whether what is kept of a file still is what is there.
///
/// The seam for who would be told of changes (inotify) instead of asking every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Freshness {
    Fresh,
    /// Or not to be told without opening the file.
    Changed,
}

impl Tree {
    /// Opens what is at `path`, names with one slash between them.
    pub(super) fn open(&self, path: &[u8], now: SystemTime) -> Result<Found, Refusal> {
        match self {
            Self::Folder(folder) => folder.open(path, now),
            Self::Embedded(embedded) => embedded.open(path),
        }
    }

    /// Opens the file at `path`; a folder is none.
    pub(super) fn open_file(&self, path: &[u8], now: SystemTime) -> Result<Source, Refusal> {
        match self.open(path, now)? {
            Found::File(source) => Ok(source),
            Found::Directory(_) => Err(Refusal::Missing),
        }
    }

    /// Whether the file at `at`, which was got to by `way`, still is in the state `stamp`.
    ///
    /// *Cost*: a system call.
    pub(super) fn freshness(&self, at: &CStr, stamp: &Stamp, way: Way) -> Freshness {
        match (self, way) {
            (Self::Embedded(_), _) => Freshness::Fresh,
            (Self::Folder(_), Way::Linked) => Freshness::Changed,
            (Self::Folder(folder), Way::Straight) => folder.freshness(at, stamp),
        }
    }

    /// Whether it is time for [`Tree::renew`].
    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        match self {
            Self::Folder(folder) => folder.is_due(now),
            Self::Embedded(_) => false,
        }
    }

    /// Sees whether the root is still there, and still the same.
    pub(super) fn renew(&self, now: SystemTime) -> Result<(), Refusal> {
        match self {
            Self::Folder(folder) => folder.renew(now),
            Self::Embedded(_) => Ok(()),
        }
    }

    /// What is in the folder at `path`, in no order. Blocks.
    pub(super) fn entries(
        &self,
        path: &[u8],
        fd: Option<OwnedFd>,
        most: usize,
    ) -> Result<Entries, Refusal> {
        match (self, fd) {
            (Self::Folder(folder), Some(fd)) => folder.entries(path, fd, most),
            (Self::Folder(_), None) => Err(Refusal::Denied),
            (Self::Embedded(embedded), _) => Ok(embedded.entries(path, most)),
        }
    }
}

impl Source {
    /// Reads all of the file.
    ///
    /// # Errors
    ///
    /// What the system says; [`io::ErrorKind::UnexpectedEof`] if the file shrank meanwhile.
    pub(super) fn read(&self) -> io::Result<Bytes> {
        let open = match &self.held {
            Held::Static(bytes) => return Ok(Bytes::from_static(bytes)),
            Held::Open(open) => open,
        };
        read_whole(&open.file, open.stamp.len).map(Bytes::from)
    }

    /// Whether the contents still are those that were opened. They are, too, of a file that got
    /// another name, or lost its last one, because a new one took its place.
    pub(super) fn is_unchanged(&self) -> bool {
        match &self.held {
            Held::Static(_) => true,
            Held::Open(open) => open.is_unchanged(),
        }
    }
}

fn read_whole(file: &File, len: u64) -> io::Result<Vec<u8>> {
    let len = usize::try_from(len).map_err(|_| io::ErrorKind::OutOfMemory)?;
    let mut bytes = vec![0; len];
    file.read_exact_at(&mut bytes, 0)?;
    Ok(bytes)
}

/// Whether a later write to a file would have changed `stamp`, which was taken before `now`.
///
/// Where the kernel takes times from its timer's ticks (4 to 10 ms), a write right after another
/// one leaves the same stamp. Such a file is not kept.
pub(super) fn is_settled(stamp: &Stamp, now: SystemTime) -> bool {
    const TICK_MAX: Duration = Duration::from_millis(20);
    let (changed, modified) = (time_of(stamp.changed), time_of(stamp.modified));
    let settled = |time: SystemTime| now.duration_since(time).is_ok_and(|age| age >= TICK_MAX);
    // A file whose times were set to the future is as settled as its inode.
    settled(changed) && (settled(modified) || modified > now)
}

/// `seconds` and nanoseconds since 1970 as a time. What cannot be told is 1970.
pub(super) fn time_of((seconds, nanos): (i64, i64)) -> SystemTime {
    let distance = Duration::from_secs(seconds.unsigned_abs());
    let epoch = SystemTime::UNIX_EPOCH;
    let whole = if seconds < 0 { epoch.checked_sub(distance) } else { epoch.checked_add(distance) };
    let nanos = Duration::from_nanos(nanos.unsigned_abs());
    whole.and_then(|whole| whole.checked_add(nanos)).unwrap_or(epoch)
}

/// Whether a name in `path` starts with a dot. `.well-known` in the first place does not count.
pub(super) fn is_dotted(path: &[u8]) -> bool {
    path.split(|&byte| byte == b'/')
        .enumerate()
        .any(|(at, name)| name.starts_with(b".") && !(at == 0 && name == b".well-known"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_settles_after_a_few_ticks() {
        check((100, 0), (100, 0), (100, 19), false);
        check((100, 0), (100, 0), (100, 20), true);
        check((90, 0), (100, 0), (100, 19), false);
        check((100, 0), (90, 0), (100, 19), false);
        check((100, 0), (200, 0), (100, 19), false);
        check((200, 0), (100, 0), (100, 20), true);
    }

    /// With times as seconds and milliseconds.
    #[track_caller]
    fn check(modified: (i64, i64), changed: (i64, i64), now: (i64, i64), expect: bool) {
        let nanos = |(seconds, millis): (i64, i64)| (seconds, millis * 1_000_000);
        let stamp =
            Stamp { identity: (1, 1), len: 0, modified: nanos(modified), changed: nanos(changed) };
        let now = time_of(nanos(now));
        assert_eq!(is_settled(&stamp, now), expect, "{modified:?} {changed:?}");
    }
}
