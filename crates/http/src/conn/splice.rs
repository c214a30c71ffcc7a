//! The system calls that move a body from its socket to the client's, without bringing it to memory.

use std::{
    io::{self, ErrorKind},
    task::{Context, Poll},
};

use bytes::Bytes;
use relais_net::Pipe;
use tokio::{io::Interest, net::TcpStream};

use crate::Body;

/// How much is moved in one go: little enough that the client begins with it while more comes.
const MOVED_BYTES_MAX: usize = 128 * 1024;

/// What was moved of a body.
#[derive(Debug)]
pub(super) struct Moved {
    /// How many bytes were sent.
    pub(super) sent: usize,
    /// What the client did not take of the rest.
    pub(super) left: Bytes,
}

/// Moves some of `body` to `stream`, which takes something; waits for the body alone. `None` if it has
/// to be asked for pieces.
pub(super) fn poll_splice(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    body: &mut Body,
) -> Poll<io::Result<Option<Moved>>> {
    // Where no more files may be open, it is copied.
    let Ok(pipe) = Pipe::take() else { return Poll::Ready(Ok(None)) };
    let moved = match body.poll_splice(cx, pipe.writer(), MOVED_BYTES_MAX) {
        Poll::Ready(Some(moved)) => moved,
        nothing => {
            pipe.put_back();
            return nothing.map(|_none| Ok(None));
        }
    };
    let sent = match stream.try_io(Interest::WRITABLE, || pipe.empty_to(stream, moved)) {
        Err(error) if error.kind() == ErrorKind::WouldBlock => 0,
        sent => sent?,
    };
    let left = read(&pipe, moved - sent)?;
    pipe.put_back();
    Poll::Ready(Ok(Some(Moved { sent, left })))
}

/// Reads the last `len` bytes out of `pipe`: it is for others, too, before this client takes more.
fn read(pipe: &Pipe, len: usize) -> io::Result<Bytes> {
    let mut bytes = vec![0; len];
    let mut filled = 0;
    while filled < len {
        match rustix::io::read(pipe.reader(), &mut bytes[filled..])? {
            0 => return Err(ErrorKind::UnexpectedEof.into()),
            read => filled += read,
        }
    }
    Ok(bytes.into())
}
