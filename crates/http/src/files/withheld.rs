//! Files below a root that are answered to nobody: they are the server's own.

use std::{
    ffi::OsStr,
    os::{
        fd::{AsRawFd as _, OwnedFd},
        unix::ffi::{OsStrExt as _, OsStringExt as _},
    },
    path::{Path, PathBuf},
};

use rustix::fs::CWD;

/// Real paths of files and folders, without links.
#[derive(Debug, Default)]
pub(super) struct Withheld(pub(super) Vec<PathBuf>);

impl Withheld {
    /// Whether `fd` is one of them, lies in one, or is an older log of one: `FILE.1`. So is what cannot
    /// be told, as there is no `/proc`.
    ///
    /// *Cost*: a system call, if there are any.
    pub(super) fn holds(&self, fd: &OwnedFd) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
        let Ok(real) = rustix::fs::readlinkat(CWD, link, Vec::new()) else { return true };
        let real = PathBuf::from(std::ffi::OsString::from_vec(real.into_bytes()));
        self.0.iter().any(|held| real.starts_with(held) || is_older(&real, held))
    }
}

/// Whether `real` is `file` with a number behind, or with what a database has beside its file.
fn is_older(real: &Path, file: &Path) -> bool {
    let (real, file) = (real.as_os_str().as_bytes(), file.as_os_str().as_bytes());
    match real.strip_prefix(file) {
        Some([b'.', number @ ..]) => !number.is_empty() && number.iter().all(u8::is_ascii_digit),
        Some(rest) => {
            [OsStr::new("-wal"), OsStr::new("-shm")].iter().any(|it| it.as_bytes() == rest)
        }
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_beside_a_file_is_as_it_is_and_its_namesakes_are_not() {
        let check = |real: &str, expect: bool| {
            assert_eq!(is_older(Path::new(real), Path::new("/a/log")), expect, "{real}");
        };
        check("/a/log.1", true);
        check("/a/log.12", true);
        check("/a/log-wal", true);
        check("/a/log-shm", true);
        check("/a/log.", false);
        check("/a/log.html", false);
        check("/a/log.1.html", false);
        check("/a/logs", false);
        check("/b/log.1", false);
    }
}
