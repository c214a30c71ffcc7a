//! What is found in a root: files that can be read, folders, and what is in them.
//!
//! Where it comes from is the business of `tree`.

use std::{fs::File, io, os::fd::OwnedFd, os::unix::fs::FileExt, sync::Arc};

use bytes::Bytes;

use crate::{OpenFile, Stamp};

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
    /// Without a place, until it turns out that it is to stay open.
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

/// What is in a folder.
#[derive(Debug, Default)]
pub(super) struct Entries {
    pub list: Vec<Entry>,
    /// Whether there is more than was listed.
    pub is_cut: bool,
}

/// Something in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: Vec<u8>,
    /// `None` for a folder.
    pub bytes: Option<u64>,
    /// Seconds since 1970 and nanoseconds, if they are known.
    pub modified: Option<(i64, i64)>,
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
