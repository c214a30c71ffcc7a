//! Files below a root that are answered to nobody: they are the server's own.

use std::{
    ffi::OsStr,
    fmt,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::ffi::OsStrExt as _,
    },
    path::{Path, PathBuf},
    sync::Arc,
};

use rustix::fs::{CWD, FileType};

use super::beneath::statx;

/// Says which files are the server's own: whole paths without links. They are asked for anew whenever a
/// root is another folder than before, since a link on the way to it may lead to them, too.
#[derive(Clone, Default)]
pub struct OwnFiles {
    /// For a root that is opened.
    first: Vec<PathBuf>,
    /// `None` if they never change.
    ask: Option<Arc<dyn Fn() -> Vec<PathBuf> + Send + Sync>>,
}

impl OwnFiles {
    /// Those that are found already, and later those that `ask` gives, each time anew. It may ask the disk.
    pub fn asked(
        first: Vec<PathBuf>,
        ask: impl Fn() -> Vec<PathBuf> + Send + Sync + 'static,
    ) -> Self {
        Self { first, ask: Some(Arc::new(ask)) }
    }

    pub(super) fn at_first(&self) -> Withheld {
        Withheld(self.first.clone())
    }

    pub(super) fn now(&self) -> Withheld {
        self.ask.as_ref().map_or_else(|| self.at_first(), |ask| Withheld(ask()))
    }
}

impl fmt::Debug for OwnFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("OwnFiles").field(&self.first).finish()
    }
}

/// Real paths of files and folders, without links.
#[derive(Debug, Default)]
pub(super) struct Withheld(pub(super) Vec<PathBuf>);

impl Withheld {
    /// Whether `fd` is one of them, lies in one, or is a file that stands [beside](is_beside) one. So is
    /// what cannot be told, as there is no `/proc`.
    ///
    /// *Cost*: a system call, if there are any; for what stands beside one, another.
    pub(super) fn holds(&self, fd: &OwnedFd) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
        let Ok(real) = rustix::fs::readlinkat(CWD, link, Vec::new()) else { return true };
        let names = |real: &[u8]| self.names(Path::new(OsStr::from_bytes(real)), fd);
        let real = real.as_bytes();
        // What was removed or replaced since it was opened is told of by the last name it had.
        names(real) || real.strip_suffix(b" (deleted)").is_some_and(names)
    }

    /// Whether `real`, which is open as `fd`, is among them.
    fn names(&self, real: &Path, fd: &OwnedFd) -> bool {
        let is_named =
            |held: &PathBuf| real.starts_with(held) || is_beside(real, held) && !is_folder(fd);
        // Nothing is known of what stands in no folder that we can see.
        !real.is_absolute() || self.0.iter().any(is_named)
    }
}

/// Whether `real` is an older log of `file`, `FILE.1` or `FILE-20260131`, whatever follows the digits, as
/// `.gz` does; or what a database has beside its file, `FILE-wal`, `FILE-shm` and `FILE.lock`.
fn is_beside(real: &Path, file: &Path) -> bool {
    let (real, file) = (real.as_os_str().as_bytes(), file.as_os_str().as_bytes());
    match real.strip_prefix(file) {
        Some([b'.' | b'-', b'0'..=b'9', rest @ ..]) => !rest.contains(&b'/'),
        Some(rest) => matches!(rest, b"-wal" | b"-shm" | b".lock"),
        None => false,
    }
}

fn is_folder(fd: &OwnedFd) -> bool {
    let kind = statx(fd, c"").map(|found| FileType::from_raw_mode(found.stx_mode.into()));
    kind == Ok(FileType::Directory)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use rustix::fs::{Mode, OFlags};

    use super::*;

    #[test]
    fn what_stands_beside_a_file_is_as_it_is_and_its_namesakes_are_not() {
        let check = |real: &str, expect: bool| {
            assert_eq!(is_beside(Path::new(real), Path::new("/a/log")), expect, "{real}");
        };
        check("/a/log.1", true);
        check("/a/log.12", true);
        check("/a/log.1.gz", true);
        check("/a/log-20261123", true);
        check("/a/log-20261123.zst", true);
        check("/a/log-wal", true);
        check("/a/log-shm", true);
        check("/a/log.lock", true);
        check("/a/log.", false);
        check("/a/log-", false);
        check("/a/log.html", false);
        check("/a/log-walrus", false);
        check("/a/log.locksmith", false);
        check("/a/logs", false);
        check("/a/log-2/page", false);
        check("/b/log.1", false);
    }

    fn seen(path: &Path) -> OwnedFd {
        rustix::fs::open(path, OFlags::PATH, Mode::empty()).unwrap()
    }

    #[test]
    fn what_lost_its_name_since_it_was_opened_is_judged_by_the_last_it_had() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let withheld = Withheld(vec![folder.join("key"), folder.join("ca")]);
        fs::create_dir(folder.join("ca")).unwrap();
        for (name, expect) in [("key", true), ("key.1", true), ("ca/key", true), ("page", false)] {
            let path = folder.join(name);
            fs::write(&path, "old").unwrap();
            let replaced = seen(&path);
            fs::write(folder.join("new"), "new").unwrap();
            fs::rename(folder.join("new"), &path).unwrap();
            assert_eq!(withheld.holds(&replaced), expect, "{name}, replaced");
            let removed = seen(&path);
            fs::remove_file(&path).unwrap();
            assert_eq!(withheld.holds(&removed), expect, "{name}, removed");
        }
    }

    #[test]
    fn a_folder_with_the_name_of_an_older_file_is_another() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let withheld = Withheld(vec![folder.join("cache")]);
        fs::create_dir(folder.join("cache-2")).unwrap();
        assert!(!withheld.holds(&seen(&folder.join("cache-2"))));
        fs::write(folder.join("cache-3"), "").unwrap();
        assert!(withheld.holds(&seen(&folder.join("cache-3"))));
    }
}
