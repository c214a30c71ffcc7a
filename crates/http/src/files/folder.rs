//! A folder as a root: opened once, looked at now and then, since it may be replaced as a whole.

use std::{
    ffi::CStr,
    fs::File,
    os::fd::OwnedFd,
    path::PathBuf,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

use arc_swap::ArcSwapOption;
use relais_wire::target::is_dotted;
use rustix::{
    fs::{FileType, Mode, OFlags},
    io::Errno,
};

use super::{
    beneath::{self, Resolver, Rules, directory, statx},
    found::{Entries, Entry, Found, Freshness, Held, Source, Way},
    options::{Dotfiles, OpenError},
    refusal::{Hush, Refusal},
    withheld::{OwnFiles, Withheld},
};
use crate::{OpenFile, Stamp};

#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// `None` while there is nothing at `path`.
    dir: ArcSwapOption<Dir>,
    /// When `path` was last looked at: milliseconds since 1970.
    looked: AtomicU64,
    look_every: Duration,
    rules: Rules,
    own_files: OwnFiles,
    hush: Hush,
}

#[derive(Debug)]
struct Dir {
    fd: OwnedFd,
    identity: (u64, u64),
    /// What is not there for callers: where that is, may be decided by the link that led here.
    withheld: Withheld,
}

impl Folder {
    /// Opens the root.
    pub(super) fn open_root(
        path: PathBuf,
        dotfiles: Dotfiles,
        look_every: Duration,
    ) -> Result<Self, OpenError> {
        let dir = match Dir::open(&path) {
            Ok(dir) => dir,
            Err(Errno::NOENT) => return Err(OpenError::RootMissing { path }),
            Err(Errno::NOTDIR) => return Err(OpenError::RootNotFolder { path }),
            Err(errno) => return Err(OpenError::Root { path, source: errno.into() }),
        };
        let rules = Rules { resolver: Resolver::of(&dir.fd), dotfiles };
        if rules.resolver == Resolver::Walk {
            tracing::warn!(root = ?path, "openat2 is refused here: symbolic links are not followed");
        }
        let dir = ArcSwapOption::from_pointee(dir);
        let (looked, hush) = (AtomicU64::new(0), Hush::default());
        let own_files = OwnFiles::default();
        Ok(Self { path, dir, looked, look_every, rules, own_files, hush })
    }

    /// The same, as if `own_files` were not there.
    pub(super) fn without(self, own_files: OwnFiles) -> Self {
        let dir = self.dir.swap(None).and_then(Arc::into_inner);
        let dir = dir.map(|dir| Dir { withheld: own_files.at_first(), ..dir });
        Self { own_files, dir: ArcSwapOption::from_pointee(dir), ..self }
    }

    #[cfg(test)]
    pub(super) fn resolve_by(&mut self, resolver: Resolver) {
        self.rules.resolver = resolver;
    }

    /// Opens what is at `path`.
    pub(super) fn open(&self, path: &[u8], now: SystemTime) -> Result<Found, Refusal> {
        let dir = self.dir.load();
        let dir = dir.as_ref().ok_or(Refusal::Busy)?;
        self.find(dir, path).map_err(|errno| {
            let refusal = Refusal::of(errno);
            if matches!(refusal, Refusal::Busy | Refusal::Broken) && self.hush.lets(now) {
                let path = path.escape_ascii();
                tracing::warn!(root = ?self.path, %path, %errno, "cannot open files");
            }
            refusal
        })
    }

    pub(super) fn freshness(&self, at: &CStr, stamp: &Stamp) -> Freshness {
        let dir = self.dir.load();
        let now = dir.as_ref().and_then(|dir| statx(&dir.fd, at).ok());
        match now {
            Some(now) if Stamp::from(&now) == *stamp => Freshness::Fresh,
            _ => Freshness::Changed,
        }
    }

    pub(super) fn is_due(&self, now: SystemTime) -> bool {
        let looked = Duration::from_millis(self.looked.load(Ordering::Relaxed));
        since_1970(now).abs_diff(looked) >= self.look_every
    }

    /// Looks at the root's path, if it is time: whether it is there, and still the same folder.
    pub(super) fn renew(&self, now: SystemTime) -> Result<(), Refusal> {
        let gone = self.dir.load().is_none();
        if !gone && !self.is_due(now) {
            return Ok(());
        }
        let millis = u64::try_from(since_1970(now).as_millis()).unwrap_or(u64::MAX);
        self.looked.store(millis, Ordering::Relaxed);
        match Dir::open(&self.path) {
            Ok(dir) => {
                self.enter(dir);
                Ok(())
            }
            // Out of descriptors is no news of the root.
            Err(Errno::MFILE | Errno::NFILE | Errno::NOMEM) if !gone => Ok(()),
            Err(errno) => {
                if self.dir.swap(None).is_some() || self.hush.lets(now) {
                    tracing::warn!(root = ?self.path, %errno, "the root is gone: answering 503");
                }
                Err(Refusal::Busy)
            }
        }
    }

    fn enter(&self, dir: Dir) {
        let before = self.dir.load();
        if before.as_ref().is_some_and(|before| before.identity == dir.identity) {
            return;
        }
        tracing::info!(root = ?self.path, "the root is another folder now");
        // Theirs may be other places now, too.
        self.dir.store(Some(Arc::new(Dir { withheld: self.own_files.now(), ..dir })));
    }

    /// Looks before it opens: what is no file and no folder is left alone, so that nobody who waits
    /// at the other end of a FIFO takes us for the one awaited.
    fn find(&self, dir: &Dir, path: &[u8]) -> Result<Found, Errno> {
        let (seen, way) = self.see(dir, path)?;
        let kind = FileType::from_raw_mode(statx(&seen, c"")?.stx_mode.into());
        if !matches!(kind, FileType::Directory | FileType::RegularFile) {
            return Err(Errno::NOENT);
        }
        let fd = match beneath::open_seen((&dir.fd, path), &seen, kind, self.rules) {
            // It may be entered, or asked for its index.
            Err(Errno::ACCESS) if kind == FileType::Directory => return Ok(Found::Directory(None)),
            opened => opened?,
        };
        if kind == FileType::Directory {
            return Ok(Found::Directory(Some(fd)));
        }
        let stamp = Stamp::from(&statx(&fd, c"")?);
        let held = Held::Open(Arc::new(OpenFile::of(Arc::new(File::from(fd)), stamp)));
        Ok(Found::File(Source { held, stamp, way }))
    }

    /// Opens what is at `path`, but not to be read.
    fn see(&self, dir: &Dir, path: &[u8]) -> Result<(OwnedFd, Way), Errno> {
        let (seen, way) = beneath::open(&dir.fd, path, OFlags::PATH, self.rules)?;
        if dir.withheld.holds(&seen) { Err(Errno::NOENT) } else { Ok((seen, way)) }
    }

    /// What is in the folder `fd`, which is at `path`: files and folders that may be asked for.
    pub(super) fn entries(
        &self,
        path: &[u8],
        fd: OwnedFd,
        most: usize,
    ) -> Result<Entries, Refusal> {
        let mut entries = Entries::default();
        let names = rustix::fs::Dir::new(fd).map_err(Refusal::of)?;
        for name in names {
            let name = name.map_err(Refusal::of)?;
            let name = name.file_name().to_bytes();
            let inside = if path.is_empty() { name.to_vec() } else { [path, b"/", name].concat() };
            let hidden = self.rules.dotfiles == Dotfiles::Hidden && is_dotted(&inside);
            if hidden || matches!(name, b"." | b"..") {
                continue;
            }
            if entries.list.len() == most {
                entries.is_cut = true;
                break;
            }
            entries.list.extend(self.entry(name, &inside)?);
        }
        Ok(entries)
    }

    /// The entry for `name`, unless it is nothing that would be served. If that cannot be told, there is
    /// no list: one without it would pass for whole.
    fn entry(&self, name: &[u8], inside: &[u8]) -> Result<Option<Entry>, Refusal> {
        let dir = self.dir.load();
        let dir = dir.as_ref().ok_or(Refusal::Busy)?;
        let found = self.see(dir, inside).and_then(|(fd, _)| statx(&fd, c""));
        let found = match found {
            Ok(found) => found,
            Err(errno) => return Refusal::of_one(errno).map_or(Ok(None), Err),
        };
        let stamp = Stamp::from(&found);
        let bytes = match FileType::from_raw_mode(found.stx_mode.into()) {
            FileType::Directory => None,
            FileType::RegularFile => Some(stamp.len),
            _ => return Ok(None),
        };
        Ok(Some(Entry { name: name.to_vec(), bytes, modified: Some(stamp.modified) }))
    }
}

impl Dir {
    fn open(path: &PathBuf) -> Result<Self, Errno> {
        // The path is the operator's: its links are followed.
        let fd = rustix::fs::open(path, directory(OFlags::RDONLY), Mode::empty())?;
        let identity = Stamp::from(&statx(&fd, c"")?).identity;
        Ok(Self { fd, identity, withheld: Withheld::default() })
    }
}

fn since_1970(time: SystemTime) -> Duration {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or(Duration::ZERO)
}
