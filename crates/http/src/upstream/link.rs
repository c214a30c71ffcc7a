//! A connection to an upstream, and what was read from it and not used yet.

use std::{
    cell::RefCell,
    io,
    pin::pin,
    task::{Context, Poll, ready},
};

use bytes::{BufMut as _, Bytes, BytesMut};
use relais_net::{Idle, Permit, Stream};
use relais_wire::http1::{HeadLimits, response::HeadReader};
use tokio::io::AsyncReadExt as _;

/// How much is read at a time, if there is so much.
pub(super) const READ_BYTES: usize = 64 * 1024;

/// The same for a head and what is behind it: of a long body, the rest need not be brought to memory.
pub(super) const HEAD_READ_BYTES: usize = 16 * 1024;

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
    /// Its place among all that were called.
    pub(super) permit: Option<Permit>,
}

impl Link {
    pub(super) fn new(stream: Stream, limits: HeadLimits) -> Self {
        Self { stream, unread: Bytes::new(), reader: HeadReader::new(limits), permit: None }
    }

    /// The same, which has this place.
    pub(super) fn at(self, permit: Option<Permit>) -> Self {
        Self { permit, ..self }
    }

    /// Whether others are likely to need its place more than the next request needs a connection that
    /// is there.
    pub(super) fn is_of_a_crowd(&self) -> bool {
        self.permit.as_ref().is_some_and(Permit::is_of_a_crowd)
    }

    /// Whether the next request may be sent on it.
    pub(super) fn is_open(&mut self) -> bool {
        self.stream.idle() == Idle::Quiet
    }

    /// Reads more behind what is unread, at most `bytes_max` bytes. `Ok(0)` is the end.
    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        bytes_max: usize,
    ) -> Poll<io::Result<usize>> {
        BLOCK.with_borrow_mut(|block| {
            if block.capacity() < ROOM_BYTES_MIN {
                block.reserve(READ_BYTES);
            }
            let mut room = (&mut *block).limit(bytes_max);
            let read = ready!(pin!(self.stream.read_buf(&mut room)).poll(cx))?;
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
