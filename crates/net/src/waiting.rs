//! Waiting at sockets of other kinds than the runtime has, or for less than it does.

use std::io;

use tokio::io::{Interest, unix::AsyncFd};

/// Has the current runtime wait at `socket`, which does not block, for what `interest` says.
///
/// # Errors
///
/// What the system says.
pub(crate) fn wait_at<S: sockets::Socket>(socket: S, interest: Interest) -> io::Result<AsyncFd<S>> {
    #[expect(unsafe_code, reason = "tokio has no safe way to wait at a socket that is not its own")]
    // SAFETY: a `Socket` keeps its descriptor open, gives no other, and lives in the `AsyncFd`.
    let waited_at = unsafe { AsyncFd::register_with_interest(socket, interest) }?;
    Ok(waited_at)
}

/// Which sockets those are. Nobody else can say so of another: this module is closed.
mod sockets {
    use std::{os::fd::AsRawFd, sync::Arc};

    /// What has one descriptor, which is open for as long as this lives, and gives no other meanwhile.
    pub(crate) trait Socket: AsRawFd {}

    impl Socket for socket2::Socket {}

    impl Socket for Arc<std::net::UdpSocket> {}
}
