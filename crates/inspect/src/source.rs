//! A file that is searched.

use std::{
    fs::{File, Metadata, OpenOptions},
    io,
    os::unix::fs::{FileExt, MetadataExt},
    path::{Path, PathBuf},
};

/// An open log, as long as it was when it was opened. Who renames it changes nothing.
#[derive(Debug)]
pub struct Source {
    path: PathBuf,
    file: File,
    len: u64,
    identity: (u64, u64),
}

impl Source {
    /// Opens the file at `path`.
    ///
    /// # Errors
    ///
    /// What the system says, and [`io::ErrorKind::InvalidInput`] for what is no file: a pipe or a
    /// folder has no places to begin at.
    pub fn open(path: &Path) -> io::Result<Self> {
        // Asked before it is opened, which would wait for the other end of a pipe.
        if !path.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file"));
        }
        let file = OpenOptions::new().read(true).open(path)?;
        let metadata = file.metadata()?;
        let identity = identity(&metadata);
        Ok(Self { path: path.to_owned(), file, len: metadata.len(), identity })
    }

    /// Where it was when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How long it is, in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Ends it before a line that is not whole: one that is being written just now.
    ///
    /// # Errors
    ///
    /// What the system says when it is read.
    pub fn end_at_line(&mut self) -> io::Result<()> {
        let mut step = [0; 4096];
        while self.len > 0 {
            let size = self.len.min(step.len() as u64);
            let from = self.len - size;
            let bytes = &mut step[..usize::try_from(size).expect("at most the step")];
            self.file.read_exact_at(bytes, from)?;
            if let Some(end) = memchr::memrchr(b'\n', bytes) {
                self.len = from + end as u64 + 1;
                return Ok(());
            }
            self.len = from;
        }
        Ok(())
    }

    /// Ends it before a line that is being written just now, as [`Self::end_at_line`] does, but
    /// keeps a last one that lacks nothing but its end.
    ///
    /// # Errors
    ///
    /// What the system says when it is read.
    pub fn end_at_exchange(&mut self) -> io::Result<()> {
        let Some(last) = self.len.checked_sub(1) else { return Ok(()) };
        let mut byte = [0];
        self.file.read_exact_at(&mut byte, last)?;
        if byte == *b"}" { Ok(()) } else { self.end_at_line() }
    }

    /// Whether both are the same file, by whatever name.
    pub fn is_same(&self, other: &Self) -> bool {
        self.identity == other.identity
    }

    /// Whether `metadata` is that of this file.
    pub(crate) fn is(&self, metadata: &Metadata) -> bool {
        self.identity == identity(metadata)
    }

    /// How long it is by now.
    pub(crate) fn len_now(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    /// Reads what is at `at` until `bytes` is full or the file ends. Gives how many there were.
    pub(crate) fn read_at(&self, bytes: &mut [u8], at: u64) -> io::Result<usize> {
        let mut filled = 0;
        while filled < bytes.len() {
            match self.file.read_at(&mut bytes[filled..], at + filled as u64) {
                Ok(0) => break,
                Ok(more) => filled += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn it_ends_where_its_last_line_does() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        let check = |text: &str, expect| {
            fs::write(&path, text).unwrap();
            let mut source = Source::open(&path).unwrap();
            source.end_at_line().unwrap();
            assert_eq!(source.len(), expect, "{} bytes", text.len());
            let mut source = Source::open(&path).unwrap();
            source.end_at_exchange().unwrap();
            let expect = if text.ends_with('}') { text.len() as u64 } else { expect };
            assert_eq!(source.len(), expect, "{} bytes", text.len());
        };
        check("", 0);
        check("a", 0);
        check("a\n", 2);
        check("a\nb", 2);
        check("a\n{}", 2);
        check(&"a".repeat(10_000), 0);
        check(&("a\n".to_owned() + &"a".repeat(10_000)), 2);
        check(&("a".repeat(10_000) + "\na"), 10_001);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        let error = Source::open(dir.path()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
        let error = Source::open(&dir.path().join("none")).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
