//! The pipe that lies between two system calls: `splice` moves bytes to and from pipes only.
//!
//! Each thread has one for all its connections, which is empty between two uses.

use std::{cell::RefCell, io, os::fd::OwnedFd};

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};
use tokio::net::TcpStream;

/// How much it holds, where users may have so much.
pub(super) const PIPE_BYTES: usize = 256 * 1024;

thread_local! {
    static PIPE: RefCell<Option<Pipe>> = const { RefCell::new(None) };
}

/// A pipe, whose ends do not block.
#[derive(Debug)]
pub(super) struct Pipe {
    pub(super) reader: OwnedFd,
    pub(super) writer: OwnedFd,
}

impl Pipe {
    /// Takes the thread's, which is to be [put back](Self::put_back) empty, or dropped.
    pub(super) fn take() -> io::Result<Self> {
        match PIPE.take() {
            Some(pipe) => Ok(pipe),
            None => Self::new(),
        }
    }

    fn new() -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let _smaller = fcntl_setpipe_size(&writer, PIPE_BYTES);
        Ok(Self { reader, writer })
    }

    /// Puts it back, empty.
    pub(super) fn put_back(self) {
        PIPE.set(Some(self));
    }

    /// Moves its `bytes` to `stream`; how many that took, at least one.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if it takes none now, else the connection's.
    pub(super) fn empty_to(&self, stream: &TcpStream, bytes: usize) -> io::Result<usize> {
        let mut sent = 0;
        while sent < bytes {
            match splice(&self.reader, None, stream, None, bytes - sent, SpliceFlags::NONBLOCK) {
                Ok(0) => break,
                Ok(moved) => sent += moved,
                Err(error) if sent == 0 => return Err(error.into()),
                Err(_) => break,
            }
        }
        Ok(sent)
    }
}
