//! Reading without a buffer of one's own: who says nothing costs no memory.

use std::{future::poll_fn, io, pin::Pin, task::Poll};

use relais_net::Stream;
use tokio::io::{AsyncRead as _, ReadBuf};

/// How much is read at once.
const READ_BYTES: usize = 16 << 10;

/// Reads once and passes on what came. Gives how many bytes that were: none at the end. One of TLS without a
/// goodbye is an error, which [`is_end`].
///
/// Cancel safe: what was not passed on was not read.
pub(super) async fn read_some(
    stream: &mut Stream,
    mut take: impl FnMut(&[u8]),
) -> io::Result<usize> {
    poll_fn(|cx| {
        // On the stack, and only while something is read.
        let mut buffer = [const { std::mem::MaybeUninit::uninit() }; READ_BYTES];
        let mut read = ReadBuf::uninit(&mut buffer);
        match Pin::new(&mut *stream).poll_read(cx, &mut read) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
            Poll::Ready(Ok(())) => {
                take(read.filled());
                Poll::Ready(Ok(read.filled().len()))
            }
        }
    })
    .await
}

/// Whether `error` is an end, too. Many clients of TLS end without saying goodbye: to a dialogue, whose
/// messages have ends of their own, that is no loss. Of what has none a part may be missing.
pub(super) fn is_end(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::UnexpectedEof
}
