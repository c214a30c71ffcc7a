//! The system calls that send: memory, and files without bringing them to memory.

use std::{
    cell::RefCell,
    io::{self, ErrorKind, IoSlice},
    pin::Pin,
    task::{Context, Poll, ready},
};

use relais_net::Stream;
use rustix::net::SendFlags;
use tokio::{
    io::{AsyncWrite, Interest},
    net::TcpStream,
};

use crate::body::Step;

/// Up to how many bytes the pieces of a write are put together: a head and a body of 1 KiB were
/// measured to take less time so than in a vectored write. Longer ones were not.
const JOINED_BYTES_MAX: usize = 4096;

thread_local! {
    /// Where the pieces of a write are put together.
    static JOINED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Writes memory. What is little is put together first: the kernel takes one piece in less time
/// than we take to copy two into it.
pub(super) fn poll_send_joined(
    stream: &mut Stream,
    cx: &mut Context<'_>,
    slices: &[IoSlice<'_>],
) -> Poll<io::Result<usize>> {
    let bytes: usize = slices.iter().map(|slice| slice.len()).sum();
    match slices {
        [one] => poll_send_one(stream, cx, one),
        _ if bytes > JOINED_BYTES_MAX => Pin::new(stream).poll_write_vectored(cx, slices),
        _ => JOINED.with_borrow_mut(|joined| {
            joined.clear();
            for slice in slices {
                joined.extend_from_slice(slice);
            }
            poll_send_one(stream, cx, joined)
        }),
    }
}

fn poll_send_one(
    stream: &mut Stream,
    cx: &mut Context<'_>,
    bytes: &[u8],
) -> Poll<io::Result<usize>> {
    match stream {
        Stream::Tcp(stream) => poll_send(stream, cx, bytes, SendFlags::NOSIGNAL),
        stream => Pin::new(stream).poll_write(cx, bytes),
    }
}

/// How the head of a file of `len` bytes is sent.
///
/// A long file's head waits for its first bytes (MORE), and all leave in full packets: more bytes a
/// second. A short one's leaves at once and wakes the client: less work for each.
pub(super) fn head_flags(len: u64) -> SendFlags {
    const LONG: u64 = 1 << 20;
    if len > LONG { SendFlags::NOSIGNAL | SendFlags::MORE } else { SendFlags::NOSIGNAL }
}

/// Sends some of `bytes`.
pub(super) fn poll_send(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    bytes: &[u8],
    flags: SendFlags,
) -> Poll<io::Result<usize>> {
    loop {
        ready!(stream.poll_write_ready(cx))?;
        let sent =
            stream.try_io(Interest::WRITABLE, || Ok(rustix::net::send(stream, bytes, flags)?));
        match sent {
            Err(error) if error.kind() == ErrorKind::WouldBlock => (),
            sent => return Poll::Ready(sent),
        }
    }
}

/// How much of the end of a body is copied: as much as a socket's queue holds by default
/// (`tcp_wmem`). By the time the last of it is queued, all before it has left.
const COPIED_BYTES: u64 = 4 << 20;

/// How much is copied at a time, so that a change is noticed soon.
const COPY_BYTES: usize = 512 * 1024;

/// Sends at most `len` bytes of `step`, and takes them off it.
///
/// The beginning of a long file goes from the page cache to the socket as it is (`sendfile`); the
/// end is [copied](crate::mapping). So what is written to the file under a client that takes it
/// slowly may show in an answer that breaks off, but not in one that is whole: unless this host's
/// sockets are let queue more than [`COPIED_BYTES`].
///
/// # Errors
///
/// [`ErrorKind::InvalidData`] if the file changed since it was opened: what was promised in the
/// head can no longer be sent, and the client must see the message broken.
pub(super) fn poll_send_file(
    stream: &TcpStream,
    cx: &mut Context<'_>,
    step: &mut Step,
    len: usize,
) -> Poll<io::Result<usize>> {
    let Step { span, behind, .. } = step;
    let copied = if span.len + *behind <= COPIED_BYTES { span.file.mapping() } else { None };
    loop {
        ready!(stream.poll_write_ready(cx))?;
        if !span.file.is_unchanged() {
            return Poll::Ready(Err(changed()));
        }
        let sent = stream.try_io(Interest::WRITABLE, || {
            if let Some(mapping) = copied {
                return mapping.send(stream, span.offset, len.min(COPY_BYTES));
            }
            let mut offset = span.offset;
            Ok(rustix::fs::sendfile(stream, &span.file.file, Some(&mut offset), len)?)
        });
        match sent {
            Err(error) if error.kind() == ErrorKind::WouldBlock => (),
            Ok(0) => {
                let error = io::Error::new(ErrorKind::UnexpectedEof, "the file was cut");
                return Poll::Ready(Err(error));
            }
            // The last of it is judged once more: nobody comes after it to notice.
            Ok(bytes) if bytes as u64 == span.len && !span.file.is_unchanged() => {
                return Poll::Ready(Err(changed()));
            }
            Ok(bytes) => {
                span.offset += bytes as u64;
                span.len -= bytes as u64;
                return Poll::Ready(Ok(bytes));
            }
            Err(error) => return Poll::Ready(Err(error)),
        }
    }
}

fn changed() -> io::Error {
    io::Error::new(ErrorKind::InvalidData, "the file changed")
}
