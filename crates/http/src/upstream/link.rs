//! A connection to an upstream, and what was read from it and not used yet.

use std::{
    cell::RefCell,
    io,
    pin::pin,
    task::{Context, Poll, ready},
};

use bytes::{Bytes, BytesMut};
use relais_net::{Idle, Stream};
use relais_wire::http1::{HeadLimits, response::HeadReader};
use tokio::io::AsyncReadExt as _;

/// How much is read at a time, if there is so much.
const READ_BYTES: usize = 64 * 1024;

/// With less room than this a new block is begun.
const ROOM_BYTES_MIN: usize = 8 * 1024;

thread_local! {
    /// Where connections of this core read: what one leaves of a block is for the next.
    static BLOCK: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// A connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) stream: Stream,
    /// Came, and is not used yet.
    pub(super) unread: Bytes,
    pub(super) reader: HeadReader,
}

impl Link {
    pub(super) fn new(stream: Stream, limits: HeadLimits) -> Self {
        Self { stream, unread: Bytes::new(), reader: HeadReader::new(limits) }
    }

    /// Whether the next request may be sent on it.
    pub(super) fn is_open(&mut self) -> bool {
        self.stream.idle() == Idle::Quiet
    }

    /// Reads more behind what is unread. `Ok(0)` is the end.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        BLOCK.with_borrow_mut(|block| {
            if block.capacity() < ROOM_BYTES_MIN {
                block.reserve(READ_BYTES);
            }
            let read = ready!(pin!(self.stream.read_buf(block)).poll(cx))?;
            let came = block.split().freeze();
            self.unread = if self.unread.is_empty() {
                came
            } else {
                [&self.unread[..], &came].concat().into()
            };
            Poll::Ready(Ok(read))
        })
    }
}
