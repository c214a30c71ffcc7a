//! The system calls that send memory.

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
