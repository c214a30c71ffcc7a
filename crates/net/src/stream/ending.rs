//! How a stream ends: as one that broke, or so that what was said last is heard.

use std::{ffi::c_int, io, os::fd::AsRawFd as _, time::Duration};

use socket2::{SockRef, TcpKeepalive};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy, sink},
    time::timeout,
};

use super::Stream;

/// How long the other side may go on sending where nobody listens any more, and how much.
const LINGER_MAX: Duration = Duration::from_secs(1);
const LINGER_BYTES_MAX: u64 = 64 << 10;

/// How often it is asked, before the other side is taken for gone.
const ASKED_TIMES: u32 = 6;

impl Stream {
    /// Ends it as one that broke: what was not sent is not, and the other side is told that there is
    /// nobody any more (TCP's reset). A Unix socket, which has no such thing, is just closed.
    pub fn reset(mut self) {
        self.break_off();
    }

    /// Has it end as one that broke once it is dropped, as [`Stream::reset`] does.
    pub fn break_off(&mut self) {
        if let Some(socket) = self.socket() {
            // If that is not to be had, it is closed.
            _ = socket.set_zero_linger();
        }
    }

    /// Says that nothing more will come, and waits for the other side to say so, too: at most a second,
    /// in which at most 64 KiB are read and thrown away. A socket that is closed with bytes unread is
    /// reset, and what was said last may be lost.
    ///
    /// Cancel safe: what is left is to close it.
    pub async fn linger(&mut self) {
        self.linger_over(LINGER_BYTES_MAX).await;
    }

    /// The same, with who may have said so much that nobody is to hear.
    pub async fn linger_over(&mut self, bytes_max: u64) {
        let goodbye = async {
            self.shutdown().await?;
            copy(&mut self.take(bytes_max), &mut sink()).await
        };
        // Boxed for the size of every connection's task. Who does not listen is not waited for.
        _ = timeout(LINGER_MAX, Box::pin(goodbye)).await;
    }

    /// Has the system ask the other side's, after so long a silence, whether it is there, and take it
    /// for gone after `gone_after` in all: reading says so then. Of TCP alone: who is at a Unix socket
    /// is here.
    ///
    /// # Errors
    ///
    /// What the system says.
    pub fn keep_alive(&self, asked_after: Duration, gone_after: Duration) -> io::Result<()> {
        let Some(socket) = self.socket() else { return Ok(()) };
        let asking = gone_after.saturating_sub(asked_after);
        let interval = (asking / ASKED_TIMES).max(Duration::from_secs(1));
        let keepalive = TcpKeepalive::new()
            .with_time(asked_after)
            .with_interval(interval)
            .with_retries(ASKED_TIMES);
        SockRef::from(socket).set_tcp_keepalive(&keepalive)
    }

    /// Whether the other side's system has not taken yet all that was sent. Of TCP alone: what a Unix
    /// socket was sent is at the other side.
    pub fn has_unsent(&self) -> bool {
        self.unsent() > 0
    }

    /// How many bytes of what was sent the other side's system has not taken yet. Of TCP alone, as
    /// [`Stream::has_unsent`]: 0 of others.
    pub fn unsent(&self) -> usize {
        let Some(socket) = self.socket() else { return 0 };
        let mut unsent: c_int = 0;
        // SAFETY: the kernel writes one int, which lives on this stack, and keeps no pointer to it.
        #[expect(unsafe_code, reason = "SIOCOUTQ (`tcp(7)`) has no safe way")]
        let said = unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut unsent) };
        if said == 0 { usize::try_from(unsent).unwrap_or(0) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use super::*;
    use crate::stream::tests::tcp;

    #[tokio::test]
    async fn who_says_nothing_is_asked_by_the_system() {
        let (ours, _theirs) = tcp().await;
        let socket = SockRef::from(ours.socket().unwrap());
        assert!(!socket.keepalive().unwrap());
        ours.keep_alive(Duration::from_mins(1), Duration::from_secs(150)).unwrap();
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_mins(1));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_secs(15));
        assert_eq!(socket.tcp_keepalive_retries().unwrap(), 6);
    }

    #[tokio::test]
    async fn a_reset_is_seen_as_one() {
        let (ours, mut theirs) = tcp().await;
        ours.reset();
        let seen = theirs.read(&mut [0]).await.unwrap_err();
        assert_eq!(seen.kind(), ErrorKind::ConnectionReset);
    }

    #[tokio::test]
    async fn what_was_said_last_is_heard_by_who_goes_on_for_a_while() {
        let (mut ours, mut theirs) = tcp().await;
        theirs.write_all(&[1; 1000]).await.unwrap();
        ours.write_all(b"bye").await.unwrap();
        let hearing = async {
            let mut heard = String::new();
            theirs.read_to_string(&mut heard).await.unwrap();
            drop(theirs);
            heard
        };
        let ((), heard) = tokio::join!(ours.linger(), hearing);
        assert_eq!(heard, "bye");
    }

    #[tokio::test]
    async fn nobody_lingers_for_ever() {
        // As much as may be read, and for who says nothing as long as may be.
        let (mut ours, mut theirs) = tcp().await;
        let saying = async { while theirs.write_all(&[1; 4096]).await.is_ok() {} };
        let lingering = async {
            ours.linger().await;
            drop(ours);
        };
        tokio::join!(saying, lingering);
        let (near, _far) = tokio::io::duplex(8);
        tokio::time::pause();
        let start = tokio::time::Instant::now();
        Stream::Memory(near).linger().await;
        assert_eq!(start.elapsed().as_secs(), 1);
    }

    #[tokio::test]
    async fn what_the_other_side_has_no_room_for_is_unsent() {
        let (mut ours, mut theirs) = tcp().await;
        assert!(!ours.has_unsent());
        let mut sent = 0;
        while let Some(Ok(wrote)) = tokio::select! {
            biased;
            wrote = ours.write(&[1; 10_000]) => Some(wrote),
            () = tokio::time::sleep(Duration::from_millis(50)) => None,
        } {
            sent += wrote;
        }
        assert!(ours.has_unsent());
        theirs.read_exact(&mut vec![0; sent]).await.unwrap();
        while ours.has_unsent() {
            tokio::task::yield_now().await;
        }
    }
}
