//! Where lines go.

use std::{
    fmt,
    fs::{self, File, Metadata, OpenOptions},
    io::{self, Write},
    os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use super::rotation::{LogFile, Rotation};

/// Where a log writes.
pub enum Sink {
    /// To the end of this file, which is made if it is not there, readable by owner and group.
    /// Opened anew on request, and by itself when the path leads to another file or to none.
    File(PathBuf),
    /// To this.
    Writer(Box<dyn Write + Send>),
}

impl fmt::Debug for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Writer(_) => f.debug_tuple("Writer").finish_non_exhaustive(),
        }
    }
}

/// An open [`Sink`], or a [`LogFile`].
pub(crate) struct Out {
    to: To,
    /// Whether what is there ends within a line.
    torn: bool,
    /// `None` for what grows until somebody else rotates it.
    rotation: Option<Rotation>,
}

enum To {
    File { file: File, path: PathBuf, identity: (u64, u64) },
    Writer(Box<dyn Write + Send>),
}

/// A write that came to a stop.
#[derive(Debug)]
pub(crate) struct Stopped {
    /// How many of the bytes were written before.
    pub(crate) written: usize,
    pub(crate) error: io::Error,
}

impl Out {
    pub(crate) fn open(sink: Sink) -> io::Result<Self> {
        match sink {
            Sink::File(path) => Self::open_file(path),
            Sink::Writer(writer) => {
                Ok(Self { to: To::Writer(writer), torn: false, rotation: None })
            }
        }
    }

    /// Opens a file that is begun anew whenever it has grown to its size.
    pub(crate) fn open_rotated(file: LogFile) -> io::Result<Self> {
        let LogFile { path, size_max, keep } = file;
        let mut out = Self::open_file(path)?;
        out.rotation = Some(Rotation::new(size_max, keep));
        out.measure();
        Ok(out)
    }

    fn open_file(path: PathBuf) -> io::Result<Self> {
        // Without waiting: a pipe that nobody reads is an error, not a reason to stand still.
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let mut options = OpenOptions::new();
        options.append(true).create(true).mode(0o640).custom_flags(flags);
        let file = options.open(&path)?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            // Whoever reads it may be slow, as a disk may: meanwhile the queue takes what comes.
            rustix::fs::fcntl_setfl(&file, rustix::fs::OFlags::APPEND)?;
        }
        let torn = ends_torn(&path, &metadata);
        let to = To::File { file, path, identity: identity(&metadata) };
        Ok(Self { to, torn, rotation: None })
    }

    /// Opens the file again by its path. Where that fails, the old one stays.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        if let To::File { path, .. } = &self.to {
            let rotation = self.rotation.take();
            let opened = Self::open_file(path.clone());
            match opened {
                Ok(opened) => *self = Self { rotation, ..opened },
                Err(error) => {
                    self.rotation = rotation;
                    return Err(error);
                }
            }
            self.measure();
        }
        Ok(())
    }

    /// How many bytes of `lines`, which are whole, may be written before [`Self::rotate`].
    pub(crate) fn fitting(&self, lines: &[u8]) -> usize {
        self.rotation.as_ref().map_or(lines.len(), |rotation| rotation.fitting(lines))
    }

    /// Puts the file aside and begins a new one. Where that fails, the old one stays, and may grow
    /// as much again before the next attempt.
    pub(crate) fn rotate(&mut self) -> io::Result<()> {
        let (To::File { path, .. }, Some(rotation)) = (&self.to, &mut self.rotation) else {
            return Ok(());
        };
        rotation.begin();
        rotation.shift(path)?;
        self.reopen()
    }

    /// Notes how long the file is.
    fn measure(&mut self) {
        if let (To::File { file, .. }, Some(rotation)) = (&self.to, &mut self.rotation) {
            // What is no file, a pipe for example, has no length, and is not rotated.
            match file.metadata() {
                Ok(metadata) if metadata.is_file() => rotation.grown_to(metadata.len()),
                _ => self.rotation = None,
            }
        }
    }

    /// Whether the path leads to another file by now, or to none.
    pub(crate) fn is_gone(&self) -> bool {
        match &self.to {
            To::File { path, identity: open, .. } => {
                fs::metadata(path).ok().is_none_or(|found| identity(&found) != *open)
            }
            To::Writer(_) => false,
        }
    }

    /// Writes `lines`, which are whole, and begins a new line if the last write came to a stop
    /// within one.
    pub(crate) fn write(&mut self, lines: &[u8]) -> Result<(), Stopped> {
        if self.torn && !lines.is_empty() {
            self.put(b"\n").map_err(|stopped| Stopped { written: 0, ..stopped })?;
        }
        let put = self.put(lines);
        if let Err(Stopped { written, .. }) = put {
            self.cut_back(&lines[..written]);
        }
        put?;
        let flushed = match &mut self.to {
            To::File { .. } => Ok(()),
            To::Writer(writer) => writer.flush(),
        };
        flushed.map_err(|error| Stopped { written: lines.len(), error })
    }

    /// Takes the beginning of a line off a file's end, of which `written` was written last.
    ///
    /// Only where the file is ours to rotate: others may be written by others, too.
    fn cut_back(&mut self, written: &[u8]) {
        let (To::File { file, .. }, Some(rotation)) = (&self.to, &mut self.rotation) else {
            return;
        };
        let whole = memchr::memrchr(b'\n', written).map_or(0, |at| at + 1);
        let Ok(metadata) = file.metadata() else { return };
        let len = metadata.len().saturating_sub((written.len() - whole) as u64);
        if file.set_len(len).is_ok() {
            self.torn = false;
            rotation.grown_to(len);
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        let mut written = 0;
        while written < bytes.len() {
            let wrote = match &mut self.to {
                To::File { file, .. } => file.write(&bytes[written..]),
                To::Writer(writer) => writer.write(&bytes[written..]),
            };
            match wrote {
                Ok(0) => return Err(Stopped { written, error: io::ErrorKind::WriteZero.into() }),
                Ok(more) => {
                    written += more;
                    self.torn = bytes[written - 1] != b'\n';
                    if let Some(rotation) = &mut self.rotation {
                        rotation.grow(more);
                    }
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => (),
                Err(error) => return Err(Stopped { written, error }),
            }
        }
        Ok(())
    }
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Whether a file ends within a line, as one does after a crash or on a full disk. Those that we
/// may not read pass for whole.
fn ends_torn(path: &Path, metadata: &Metadata) -> bool {
    if !metadata.is_file() || metadata.len() == 0 {
        return false;
    }
    let mut last = [b'\n'];
    let read = File::open(path).and_then(|file| file.read_exact_at(&mut last, metadata.len() - 1));
    read.is_ok() && last != [b'\n']
}

#[cfg(test)]
mod tests {
    use std::{io::Read, os::unix::fs::PermissionsExt};

    use super::*;

    fn open(path: &Path) -> Out {
        Out::open(Sink::File(path.to_owned())).unwrap()
    }

    #[test]
    fn a_file_is_made_for_owner_and_group_and_appended_to() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        open(&path).write(b"one\n").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode & !0o640, 0, "{mode:o}");
        assert_eq!(mode & 0o600, 0o600, "{mode:o}");
        open(&path).write(b"two\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\n");
    }

    #[test]
    fn a_torn_line_is_ended_before_the_next() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, "one\ntw").unwrap();
        let mut out = open(&path);
        out.write(b"three\n").unwrap();
        out.write(b"four\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntw\nthree\nfour\n");
    }

    #[test]
    fn a_line_that_the_disk_cut_is_taken_back() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("log");
        fs::write(&path, "one\n").unwrap();
        let mut out = Out::open_rotated(LogFile::at(&path)).unwrap();
        for (written, expect) in [("two\nthr", "one\ntwo\n"), ("th", "one\ntwo\n")] {
            // As the disk leaves it that takes a part and no more.
            out.put(written.as_bytes()).unwrap();
            out.cut_back(written.as_bytes());
            assert_eq!(fs::read_to_string(&path).unwrap(), expect);
        }
        out.write(b"three\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
    }

    #[test]
    fn a_file_that_was_moved_or_removed_is_noticed() {
        let dir = tempfile::tempdir().unwrap();
        let (path, old) = (dir.path().join("log"), dir.path().join("log.1"));
        let mut out = open(&path);
        out.write(b"one\n").unwrap();
        assert!(!out.is_gone());
        fs::rename(&path, &old).unwrap();
        assert!(out.is_gone());
        out.reopen().unwrap();
        out.write(b"two\n").unwrap();
        assert!(!out.is_gone());
        assert_eq!(fs::read_to_string(&old).unwrap(), "one\n");
        assert_eq!(fs::read_to_string(&path).unwrap(), "two\n");
        fs::remove_file(&path).unwrap();
        fs::write(&path, "").unwrap();
        // The path leads to a file again, but not to ours, whose inode is in use still.
        assert!(out.is_gone());
    }

    #[test]
    fn where_reopening_fails_the_old_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let (folder, path) = (dir.path().join("logs"), dir.path().join("logs/log"));
        fs::create_dir(&folder).unwrap();
        let mut out = open(&path);
        fs::rename(&folder, dir.path().join("old")).unwrap();
        assert!(out.is_gone());
        out.reopen().unwrap_err();
        out.write(b"one\n").unwrap();
        assert_eq!(fs::read_to_string(dir.path().join("old/log")).unwrap(), "one\n");
    }

    fn pipe(path: &Path) {
        use rustix::fs::{CWD, FileType, Mode};

        rustix::fs::mknodat(CWD, path, FileType::Fifo, Mode::RWXU, 0).unwrap();
    }

    #[test]
    fn a_pipe_that_nobody_reads_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        pipe(&path);
        assert!(Out::open(Sink::File(path)).is_err());
    }

    #[test]
    fn a_pipe_that_is_full_is_waited_for_and_tears_no_line() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        pipe(&path);
        let flags = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
        let mut reader = OpenOptions::new().read(true).custom_flags(flags).open(&path).unwrap();
        let mut out = open(&path);
        // More than any pipe holds.
        let lines = "a line of the log\n".repeat(100_000);
        let written = lines.clone();
        let writing = std::thread::spawn(move || out.write(written.as_bytes()));
        rustix::fs::fcntl_setfl(&reader, rustix::fs::OFlags::empty()).unwrap();
        let mut read = vec![0; lines.len()];
        let all = reader.read_exact(&mut read);
        writing.join().unwrap().unwrap();
        all.unwrap();
        assert!(read == lines.as_bytes());
    }
}
