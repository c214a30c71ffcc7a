//! Frames over a stream.

use std::{
    future::poll_fn,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use bytes::{Buf as _, BytesMut};
use relais_net::Stream;
use tokio::io::{AsyncRead as _, AsyncWrite as _, AsyncWriteExt as _, ReadBuf};

use super::lines::Lines;

/// How much is read at once.
const READ_BYTES: usize = 16 << 10;

/// A stream to a hub.
#[derive(Debug)]
pub struct Wire {
    stream: Stream,
    lines: Lines,
    unsaid: BytesMut,
    /// Whether the stream may hold back what was said.
    is_held: bool,
}

impl Wire {
    /// Speaks over `stream`.
    pub fn new(stream: Stream) -> Self {
        Self { stream, lines: Lines::default(), unsaid: BytesMut::new(), is_held: false }
    }

    /// Has `frames` said while [`next`](Self::next) waits.
    pub fn say(&mut self, frames: &[u8]) {
        self.unsaid.extend_from_slice(frames);
    }

    /// Waits for a line, without its end; `None` once the hub says no more. Cancel safe.
    ///
    /// # Errors
    ///
    /// The stream's, and [`io::ErrorKind::InvalidData`] for a line that does not end.
    pub async fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        loop {
            if let Some(line) = self.lines.next() {
                return Ok(Some(line));
            }
            if poll_fn(|cx| self.poll(cx)).await? == 0 {
                return Ok(None);
            }
        }
    }

    /// Says all that is unsaid, and that nothing more comes.
    ///
    /// # Errors
    ///
    /// The stream's.
    pub async fn end(mut self) -> io::Result<()> {
        self.stream.write_all(&self.unsaid).await?;
        self.stream.shutdown().await
    }

    /// Says what it can, and reads. Gives how many bytes; none at the end.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        self.poll_say(cx)?;
        let mut room = [0; READ_BYTES];
        let mut read = ReadBuf::new(&mut room);
        ready!(Pin::new(&mut self.stream).poll_read(cx, &mut read))?;
        let added = self.lines.add(read.filled());
        added.map_err(|endless| io::Error::new(io::ErrorKind::InvalidData, endless))?;
        Poll::Ready(Ok(read.filled().len()))
    }

    fn poll_say(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        while !self.unsaid.is_empty() {
            match Pin::new(&mut self.stream).poll_write(cx, &self.unsaid)? {
                Poll::Ready(0) => return Err(io::ErrorKind::WriteZero.into()),
                Poll::Ready(said) => self.unsaid.advance(said),
                Poll::Pending => return Ok(()),
            }
            self.is_held = true;
        }
        if self.is_held && Pin::new(&mut self.stream).poll_flush(cx)?.is_ready() {
            self.is_held = false;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn frames_pass_both_ways_until_the_hub_ends() {
        // Less than a frame fits at once.
        let (here, mut there) = tokio::io::duplex(8);
        let mut wire = Wire::new(Stream::Memory(here));
        wire.say(b"{\"cmd\":\"PING\"}\n");
        let hub = async move {
            let mut heard = [0; 15];
            there.read_exact(&mut heard).await.unwrap();
            there.write_all(b"# hello\r\n{").await.unwrap();
            heard
        };
        let client = async {
            assert_eq!(wire.next().await.unwrap(), Some(b"# hello".to_vec()));
            assert_eq!(wire.next().await.unwrap(), None);
        };
        let (heard, ()) = tokio::join!(hub, client);
        assert_eq!(&heard, b"{\"cmd\":\"PING\"}\n");
    }

    #[tokio::test]
    async fn what_is_unsaid_at_the_end_is_said() {
        let (here, mut there) = tokio::io::duplex(64);
        let mut wire = Wire::new(Stream::Memory(here));
        wire.say(b"{}\n");
        wire.end().await.unwrap();
        let mut heard = Vec::new();
        there.read_to_end(&mut heard).await.unwrap();
        assert_eq!(heard, b"{}\n");
    }
}
