//! The system calls that lend memory to a socket: nothing is copied, the kernel reads it when it
//! sends.
//!
//! `splice` takes from a pipe only, so each thread has one for all its connections. It is empty
//! between two calls: what a socket does not take at once is lent again later.

use std::{
    cell::RefCell,
    io::{self, ErrorKind},
    os::fd::OwnedFd,
    task::{Context, Poll, ready},
};

use relais_cache::Pages;
use rustix::pipe::{
    IoSliceRaw, PipeFlags, SpliceFlags, fcntl_setpipe_size, pipe_with, splice, vmsplice,
};
use tokio::{io::Interest, net::TcpStream};

/// How much is lent in one go: what a socket's queue usually has room for.
const LENT_BYTES_MAX: usize = 256 * 1024;

/// Less than this is copied in less time than it is lent.
pub(super) const LENT_BYTES_MIN: usize = 32 * 1024;

thread_local! {
    static PIPE: RefCell<Option<Pipe>> = const { RefCell::new(None) };
}

struct Pipe {
    reader: OwnedFd,
    writer: OwnedFd,
}

impl Pipe {
    fn new() -> io::Result<Self> {
        let (reader, writer) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        // Where users may not have so much, it is lent in smaller parts.
        let _smaller = fcntl_setpipe_size(&writer, LENT_BYTES_MAX);
        Ok(Self { reader, writer })
    }
}

/// Sends some of `pages`.
pub(super) fn poll_lend(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    pages: &Pages,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(cx))?;
        match stream.try_io(Interest::WRITABLE, || lend(stream, pages)) {
            Err(error) if error.kind() == ErrorKind::WouldBlock => (),
            lent => return Poll::Ready(lent),
        }
    }
}

fn lend(stream: &TcpStream, pages: &Pages) -> io::Result<usize> {
    PIPE.with_borrow_mut(|place| {
        let pipe = match place.take() {
            Some(pipe) => pipe,
            None => Pipe::new()?,
        };
        let bytes = &pages.bytes()[..pages.bytes().len().min(LENT_BYTES_MAX)];
        let lent = [IoSliceRaw::from_slice(bytes)];
        // SAFETY: this is the end for writing, so the memory is read only. Whoever the kernel keeps
        // it for, `Pages` are not written to while anybody has them, nor used for anything else
        // before the kernel is done with them, too.
        #[expect(unsafe_code, reason = "half of what it costs to send a body is to copy it")]
        let lent = unsafe { vmsplice(&pipe.writer, &lent, SpliceFlags::NONBLOCK) }?;
        let mut sent = 0;
        while sent < lent {
            match splice(&pipe.reader, None, stream, None, lent - sent, SpliceFlags::NONBLOCK) {
                Ok(0) => break,
                Ok(bytes) => sent += bytes,
                // With the pipe goes what is left in it.
                Err(error) if sent == 0 => return Err(error.into()),
                Err(_) => break,
            }
        }
        if sent == lent {
            *place = Some(pipe);
        }
        Ok(sent)
    })
}
