//! Opening what is beneath a folder, and nothing else, whatever its links say meanwhile.
//!
//! The kernel resolves each path in one step below the folder's descriptor (`openat2` with
//! `RESOLVE_BENEATH`), so there is no moment between check and use. Where that call is refused
//! (old kernels, some sandboxes) the path is walked name by name, and links are not followed.

use std::{
    ffi::CStr,
    os::fd::{AsRawFd, OwnedFd},
};

use relais_wire::target::is_dotted;
use rustix::{
    fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, Statx},
    io::Errno,
};

use super::{found::Way, options::Dotfiles};
use crate::Stamp;

/// How often the kernel may be disturbed by renames while it resolves a path.
const TRIES: usize = 16;

/// Who finds the file of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Resolver {
    /// `openat2`
    Kernel,
    /// We do, name by name.
    Walk,
}

/// How paths are resolved.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    pub resolver: Resolver,
    pub dotfiles: Dotfiles,
}

impl Resolver {
    /// The one that there is, as tried on `dir`.
    pub(super) fn of(dir: &OwnedFd) -> Self {
        match openat2(dir, b".", OFlags::PATH, ResolveFlags::BENEATH) {
            Err(Errno::NOSYS | Errno::PERM) => Self::Walk,
            _ => Self::Kernel,
        }
    }
}

/// Opens `path` beneath `dir`; an empty path is `dir` itself.
pub(super) fn open(
    dir: &OwnedFd,
    path: &[u8],
    flags: OFlags,
    rules: Rules,
) -> Result<(OwnedFd, Way), Errno> {
    let path = if path.is_empty() { b"." } else { path };
    if rules.resolver == Resolver::Walk {
        return Ok((walk(dir, path, flags)?, Way::Straight));
    }
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    match openat2(dir, path, flags, beneath | ResolveFlags::NO_SYMLINKS) {
        Err(Errno::LOOP) => {
            let fd = openat2(dir, path, flags, beneath)?;
            if rules.dotfiles == Dotfiles::Hidden && is_hidden(dir, &fd)? {
                return Err(Errno::NOENT);
            }
            Ok((fd, Way::Linked))
        }
        opened => Ok((opened?, Way::Straight)),
    }
}

/// Opens for reading what is at `path` and was opened as `seen`, with `O_PATH`: a regular file, or a
/// folder. Nothing else is to come here, since opening alone is felt by who waits at the other end
/// of a FIFO, and by some devices.
pub(super) fn open_seen(
    (dir, path): (&OwnedFd, &[u8]),
    seen: &OwnedFd,
    kind: FileType,
    rules: Rules,
) -> Result<OwnedFd, Errno> {
    if kind == FileType::Directory {
        return rustix::fs::openat(seen, c".", directory(OFlags::RDONLY), Mode::empty());
    }
    let identity = Stamp::from(&statx(seen, c"")?).identity;
    let link = format!("/proc/self/fd/{}", seen.as_raw_fd());
    match rustix::fs::open(link, READ | OFlags::CLOEXEC, Mode::empty()) {
        Ok(fd) if is_still(&fd, identity)? => Ok(fd),
        Err(errno @ (Errno::MFILE | Errno::NFILE | Errno::NOMEM)) => Err(errno),
        // There is no `/proc`, or something else is in its place; or the file may not be read.
        _ => open_again(dir, path, identity, rules),
    }
}

/// Opens `path` anew, for reading; `EAGAIN` if another file is there now.
fn open_again(
    dir: &OwnedFd,
    path: &[u8],
    identity: (u64, u64),
    rules: Rules,
) -> Result<OwnedFd, Errno> {
    let (fd, _) = open(dir, path, READ, rules)?;
    if is_still(&fd, identity)? { Ok(fd) } else { Err(Errno::AGAIN) }
}

fn is_still(fd: &OwnedFd, identity: (u64, u64)) -> Result<bool, Errno> {
    Ok(Stamp::from(&statx(fd, c"")?).identity == identity)
}

/// NONBLOCK: what took the place of a file since it was seen must not make us wait.
const READ: OFlags = OFlags::RDONLY.union(OFlags::NONBLOCK).union(OFlags::NOCTTY);

/// Whether a name on the real path of `fd` starts with a dot, or that path can't be told: so it is
/// refused where there is no `/proc`.
fn is_hidden(dir: &OwnedFd, fd: &OwnedFd) -> Result<bool, Errno> {
    let real = |fd: &OwnedFd| {
        let link = format!("/proc/self/fd/{}", fd.as_raw_fd());
        rustix::fs::readlinkat(CWD, link, Vec::new())
    };
    let (root, path) = (real(dir)?, real(fd)?);
    let Some(below) = path.as_bytes().strip_prefix(root.as_bytes()) else { return Ok(true) };
    Ok(is_dotted(below.strip_prefix(b"/").unwrap_or(below)))
}

pub(super) fn directory(flags: OFlags) -> OFlags {
    flags | OFlags::DIRECTORY | OFlags::CLOEXEC
}

fn openat2(
    dir: &OwnedFd,
    path: &[u8],
    flags: OFlags,
    resolve: ResolveFlags,
) -> Result<OwnedFd, Errno> {
    let flags = flags | OFlags::CLOEXEC;
    let mut last = Errno::AGAIN;
    for _ in 0..TRIES {
        match rustix::fs::openat2(dir, path, flags, Mode::empty(), resolve) {
            Err(errno @ (Errno::AGAIN | Errno::INTR)) => last = errno,
            opened => return opened,
        }
    }
    Err(last)
}

/// Opens `path` name by name; a symbolic link is `ELOOP` or `ENOTDIR`.
fn walk(dir: &OwnedFd, path: &[u8], flags: OFlags) -> Result<OwnedFd, Errno> {
    let (folders, name) = match path.iter().rposition(|&byte| byte == b'/') {
        Some(slash) => (&path[..slash], &path[slash + 1..]),
        None => (&path[..0], path),
    };
    let mut at = None;
    for folder in folders.split(|&byte| byte == b'/').filter(|folder| !folder.is_empty()) {
        if folder == b".." {
            return Err(Errno::XDEV);
        }
        let flags = directory(OFlags::PATH | OFlags::NOFOLLOW);
        at = Some(rustix::fs::openat(at.as_ref().unwrap_or(dir), folder, flags, Mode::empty())?);
    }
    if name == b".." {
        return Err(Errno::XDEV);
    }
    let flags = flags | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    rustix::fs::openat(at.as_ref().unwrap_or(dir), name, flags, Mode::empty())
}

/// The state of what is at `path` below `dir`, or of `dir` itself for an empty path. The last name
/// is not followed if it is a link.
pub(super) fn statx(dir: &OwnedFd, path: &CStr) -> Result<Statx, Errno> {
    rustix::fs::statx(dir, path, AtFlags::SYMLINK_NOFOLLOW | AtFlags::EMPTY_PATH, Stamp::WANTED)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn opened_again_is_only_the_file_that_was_seen() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("a"), "a").unwrap();
        fs::write(folder.path().join("b"), "b").unwrap();
        let dir = rustix::fs::open(folder.path(), directory(OFlags::PATH), Mode::empty()).unwrap();
        for resolver in [Resolver::Kernel, Resolver::Walk] {
            let rules = Rules { resolver, dotfiles: Dotfiles::Hidden };
            let (seen, _) = open(&dir, b"a", OFlags::PATH, rules).unwrap();
            let identity = Stamp::from(&statx(&seen, c"").unwrap()).identity;
            let again = open_again(&dir, b"a", identity, rules).unwrap();
            assert!(is_still(&again, identity).unwrap());
            assert_eq!(open_again(&dir, b"b", identity, rules).unwrap_err(), Errno::AGAIN);
        }
    }
}
