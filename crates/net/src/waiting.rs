//! Waiting at sockets of other kinds than the runtime has, or for less than it does.

use std::{
    io,
    os::fd::{AsRawFd, OwnedFd},
};

use tokio::io::{Interest, unix::AsyncFd};

/// Has the current runtime wait at `socket`, which does not block, for what `interest` says.
///
/// # Errors
///
/// What the system says.
pub(crate) fn wait_at<S>(socket: S, interest: Interest) -> io::Result<AsyncFd<S>>
where
    S: AsRawFd + Into<OwnedFd>,
{
    #[expect(unsafe_code, reason = "tokio has no safe way to wait at a socket that is not its own")]
    // SAFETY: what becomes an `OwnedFd` owns its descriptor, always gives the same one, and lives in
    // the `AsyncFd`.
    let waited_at = unsafe { AsyncFd::register_with_interest(socket, interest) }?;
    Ok(waited_at)
}
