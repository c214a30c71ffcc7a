//! The pipe that lies between two system calls: `splice` moves bytes to and from pipes only.
//!
//! Each thread has a few for all its connections, which are empty between two uses.

use std::{
    cell::RefCell,
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::pipe::{PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice};

/// How many empty pipes a thread keeps.
const SPARE_MAX: usize = 8;

thread_local! {
    static SPARE: RefCell<Vec<Pipe>> = const { RefCell::new(Vec::new()) };
}

/// A pipe, whose ends do not block.
#[derive(Debug)]
pub struct Pipe {
    /// Where bytes come out.
    reader: OwnedFd,
    /// Where they go in.
    writer: OwnedFd,
}

impl Pipe {
    /// How much it holds, where users may have so much.
    pub const BYTES: usize = 256 * 1024;

    /// Takes one of the thread's, which is to be [put back](Self::put_back) empty, or dropped.
    ///
    /// # Errors
    ///
    /// What the system says when there is no descriptor for one.
    pub fn take() -> io::Result<Self> {
        match SPARE.with_borrow_mut(Vec::pop) {
            Some(pipe) => Ok(pipe),
            None => Self::new(),
        }
    }

    fn new() -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let _smaller = fcntl_setpipe_size(&writer, Self::BYTES);
        Ok(Self { reader, writer })
    }

    /// Puts it back, empty.
    pub fn put_back(self) {
        SPARE.with_borrow_mut(|spare| {
            if spare.len() < SPARE_MAX {
                spare.push(self);
            }
        });
    }

    /// Where bytes come out.
    pub fn reader(&self) -> BorrowedFd<'_> {
        self.reader.as_fd()
    }

    /// Where they go in.
    pub fn writer(&self) -> BorrowedFd<'_> {
        self.writer.as_fd()
    }

    /// Moves at most `bytes_max` that came to `socket` into it, which is empty; 0 at their end.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing came, else the connection's.
    pub fn fill_from(&self, socket: impl AsFd, bytes_max: usize) -> io::Result<usize> {
        let flags = SpliceFlags::NONBLOCK | SpliceFlags::MOVE;
        Ok(splice(socket, None, &self.writer, None, bytes_max, flags)?)
    }

    /// Moves its `bytes` to `socket`; how many that took, at least one.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if it takes none now, else the connection's.
    pub fn empty_to(&self, socket: impl AsFd, bytes: usize) -> io::Result<usize> {
        let (socket, mut sent) = (socket.as_fd(), 0);
        while sent < bytes {
            match splice(&self.reader, None, socket, None, bytes - sent, SpliceFlags::NONBLOCK) {
                Ok(0) => break,
                Ok(moved) => sent += moved,
                Err(error) if sent == 0 => return Err(error.into()),
                Err(_) => break,
            }
        }
        Ok(sent)
    }
}
