//! Bodies in files, read by who waits for nothing while it holds up others.

use std::io;

use bytes::{Bytes, BytesMut};

use crate::disk::{BodyReader, FileBody};

/// So much is copied for a reader at once.
pub(super) const COPY_BYTES_MAX: usize = 64 * 1024;

/// A file in which a body is, or comes.
#[derive(Debug)]
pub(super) enum InFile {
    Coming(BodyReader),
    Stored(FileBody),
}

/// What comes of a body to who reads it.
#[derive(Debug)]
pub enum Came {
    /// This.
    Bytes(Bytes),
    /// It stands in a file, and the system has to read it first. It is [read](Cold::read) where a disk
    /// may be waited for, and given to [`Reader::took`](super::Reader::took) then.
    Cold(Cold),
}

/// A piece of a body that is to be waited for.
#[derive(Debug)]
pub struct Cold {
    file: InFile,
    at: u64,
}

impl Cold {
    pub(super) fn new(file: InFile, at: u64) -> Self {
        Self { file, at }
    }

    /// Where it begins.
    pub fn at(&self) -> u64 {
        self.at
    }

    /// Waits for the disk, and gives it.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn read(&self) -> io::Result<Bytes> {
        match &self.file {
            InFile::Coming(body) => {
                filled(body.there_from(self.at), |out| body.read_at(out, self.at))
            }
            InFile::Stored(body) => body
                .open()
                .map_err(io::Error::other)
                .and_then(|open| filled(left(body, self.at), |out| open.read_at(out, self.at))),
        }
    }
}

impl InFile {
    /// What is there from `at` on, some of it, if nobody has to wait for it.
    ///
    /// # Errors
    ///
    /// [`io::ErrorKind::WouldBlock`] if somebody has; else what the system says.
    pub(super) fn read_now(&self, at: u64) -> io::Result<Bytes> {
        match self {
            Self::Coming(body) => filled(body.there_from(at), |out| body.read_now(out, at)),
            Self::Stored(body) => match body.opened() {
                Some(open) => filled(left(body, at), |out| open.read_now(out, at)),
                None => Err(io::ErrorKind::WouldBlock.into()),
            },
        }
    }
}

fn left(body: &FileBody, at: u64) -> usize {
    usize::try_from(body.len().saturating_sub(at)).unwrap_or(usize::MAX)
}

/// Up to so many bytes, as many as `read` puts there.
fn filled(len: usize, read: impl FnOnce(&mut [u8]) -> io::Result<usize>) -> io::Result<Bytes> {
    let mut bytes = BytesMut::zeroed(len.min(COPY_BYTES_MAX));
    let read = read(&mut bytes)?;
    if read == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    bytes.truncate(read);
    Ok(bytes.freeze())
}
