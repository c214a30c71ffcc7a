//! The system calls that lend memory to a socket: nothing is copied, the kernel reads it when it
//! sends.
//!
//! What a socket does not take at once is lent again later.

use std::{
    io::{self, ErrorKind},
    task::{Context, Poll, ready},
};

use relais_cache::Pages;
use relais_net::Pipe;
use rustix::pipe::{IoSliceRaw, SpliceFlags, vmsplice};
use tokio::{io::Interest, net::TcpStream};

/// Less than this is copied in less time than it is lent.
pub(super) const LENT_BYTES_MIN: usize = 32 * 1024;

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
    let pipe = Pipe::take()?;
    let bytes = &pages.bytes()[..pages.bytes().len().min(Pipe::BYTES)];
    let lent = [IoSliceRaw::from_slice(bytes)];
    // SAFETY: this is the end for writing, so the memory is read only. Whoever the kernel keeps it
    // for, `Pages` are not written to while anybody has them, nor used for anything else before the
    // kernel is done with them, too.
    #[expect(unsafe_code, reason = "half of what it costs to send a body is to copy it")]
    let lent = unsafe { vmsplice(pipe.writer(), &lent, SpliceFlags::NONBLOCK) }?;
    // If it fails, the pipe goes with what is left in it.
    let sent = pipe.empty_to(stream, lent)?;
    if sent == lent {
        pipe.put_back();
    }
    Ok(sent)
}
