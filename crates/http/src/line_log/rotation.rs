//! When a file is full, and what becomes of it then.

use std::{
    ffi::OsString,
    fs, io,
    path::{Path, PathBuf},
};

/// A file of lines that stays within its size.
///
/// When it has grown to `size_max` it becomes `FILE.1`, what was `FILE.1` becomes `FILE.2`, and so
/// on up to `keep`; the oldest is overwritten. Each step is a renaming, so every line is in one of
/// them at any time. What is not a file, as `/dev/stderr`, is not rotated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// Where it is. Made if it is not there, readable by owner and group; its folder is not made.
    pub path: PathBuf,
    /// How long it grows, in bytes. A line that is longer gets a file of its own.
    pub size_max: u64,
    /// How many older ones are kept. With none, the file is removed when it is full.
    pub keep: u32,
}

impl LogFile {
    /// The file at `path`, with 64 MiB and five older ones.
    pub fn at(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), size_max: 64 << 20, keep: 5 }
    }
}

/// How far a file has grown.
#[derive(Debug)]
pub(super) struct Rotation {
    size: u64,
    size_max: u64,
    keep: u32,
}

impl Rotation {
    pub(super) fn new(size_max: u64, keep: u32) -> Self {
        Self { size: 0, size_max, keep }
    }

    /// How many bytes of `lines`, which are whole and at least one, the file has room for. Only a
    /// new one always has room for the first.
    pub(super) fn fitting(&self, lines: &[u8]) -> usize {
        let room = usize::try_from(self.size_max.saturating_sub(self.size)).unwrap_or(usize::MAX);
        let Some(within) = lines.get(..room) else { return lines.len() };
        match memchr::memrchr(b'\n', within) {
            Some(end) => end + 1,
            None if self.size > 0 => 0,
            None => memchr::memchr(b'\n', lines).map_or(lines.len(), |end| end + 1),
        }
    }

    pub(super) fn grow(&mut self, bytes: usize) {
        self.size += bytes as u64;
    }

    pub(super) fn grown_to(&mut self, size: u64) {
        self.size = size;
    }

    /// Counts from nothing again.
    pub(super) fn begin(&mut self) {
        self.size = 0;
    }

    /// Makes `path` free: what is there becomes the newest of those that are kept.
    ///
    /// Where one is missing, those that are older stay as they are.
    pub(super) fn shift(&self, path: &Path) -> io::Result<()> {
        if self.keep == 0 {
            return fs::remove_file(path);
        }
        let is_free = |number: &u32| !numbered(path, *number).exists();
        let last = (1..self.keep).find(is_free).unwrap_or(self.keep);
        for number in (1..last).rev() {
            fs::rename(numbered(path, number), numbered(path, number + 1))?;
        }
        fs::rename(path, numbered(path, 1))
    }
}

/// The path of an older file.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(format!(".{number}"));
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_fit_whole_or_not_at_all() {
        let check = |size, lines: &str, expect| {
            let rotation = Rotation { size, size_max: 10, keep: 1 };
            assert_eq!(rotation.fitting(lines.as_bytes()), expect, "{lines:?} after {size}");
        };
        check(0, "one\n", 4);
        check(0, "one\ntwo\nthree\n", 8);
        check(0, "56789\n1234\n", 6);
        check(0, "123456789\n1234\n", 10);
        check(0, "1234567890\n1234\n", 11);
        check(2, "one\ntwo\n", 8);
        check(3, "one\ntwo\n", 4);
        check(8, "one\ntwo\n", 0);
        check(10, "1\n", 0);
        check(99, "1\n", 0);
    }

    #[test]
    fn older_files_move_up_and_the_oldest_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let rotation = Rotation::new(1, 3);
        let there = || {
            let text = |number| fs::read_to_string(numbered(&path, number)).unwrap_or_default();
            [1, 2, 3, 4].map(text).join(",")
        };
        let shift = |text: &str| {
            fs::write(&path, text).unwrap();
            rotation.shift(&path).unwrap();
            assert!(!path.exists());
            there()
        };
        assert_eq!(shift("a"), "a,,,");
        assert_eq!(shift("b"), "b,a,,");
        assert_eq!(shift("c"), "c,b,a,");
        assert_eq!(shift("d"), "d,c,b,");
        fs::remove_file(numbered(&path, 2)).unwrap();
        assert_eq!(shift("e"), "e,d,b,");
        assert!(rotation.shift(&path).is_err(), "there is nothing to shift");
    }

    #[test]
    fn with_none_to_keep_the_file_goes() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, "a").unwrap();
        Rotation::new(1, 0).shift(&path).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }
}
