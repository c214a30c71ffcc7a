//! A root, and where it is: a folder, or this program.

use std::{ffi::CStr, os::fd::OwnedFd, time::SystemTime};

use super::{
    embedded::Embedded,
    folder::Folder,
    found::{Entries, Found, Freshness, Source, Way},
    refusal::Refusal,
};
use crate::Stamp;

/// A root and all below it.
#[derive(Debug)]
pub(super) enum Tree {
    Folder(Folder),
    Embedded(Embedded),
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
