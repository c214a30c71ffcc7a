//! Whose turn it is on a core.

use std::{pin::pin, task::Context};

/// Has the task be polled again once all others have been, and sockets and clocks were looked at, too.
///
/// A task that just wakes itself comes before those: of two that always do, nobody else is heard for
/// as long as a runtime goes on without looking.
pub fn after_others(cx: &mut Context<'_>) {
    // Its first poll hands the waker on; nobody waits for its second.
    _ = pin!(tokio::task::yield_now()).poll(cx);
}

#[cfg(test)]
mod tests {
    use std::{
        future::poll_fn,
        io::Write as _,
        num::NonZeroUsize,
        os::unix::net::UnixStream,
        sync::{
            Arc,
            atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst},
        },
        task::Poll,
    };

    use tokio::io::AsyncReadExt as _;

    use super::*;
    use crate::Cores;

    #[test]
    fn who_never_waits_lets_others_be_heard() {
        let cores = Cores::start(NonZeroUsize::MIN).unwrap();
        let (mut near, far) = UnixStream::pair().unwrap();
        far.set_nonblocking(true).unwrap();
        let (polled, is_heard) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicBool::new(false)));
        let (tell, told) = std::sync::mpsc::channel();
        let busy = {
            let (polled, is_heard) = (Arc::clone(&polled), Arc::clone(&is_heard));
            poll_fn(move |cx| {
                polled.fetch_add(1, SeqCst);
                after_others(cx);
                if is_heard.load(SeqCst) { Poll::Ready(()) } else { Poll::Pending }
            })
        };
        cores.first().spawn(async move {
            let mut far = tokio::net::UnixStream::from_std(far).unwrap();
            tokio::spawn(busy);
            tokio::spawn(async move {
                near.write_all(b"x").unwrap();
                let before = polled.load(SeqCst);
                far.read_u8().await.unwrap();
                tell.send(polled.load(SeqCst) - before).unwrap();
                is_heard.store(true, SeqCst);
            });
        });
        let polled = told.recv_timeout(std::time::Duration::from_secs(5)).unwrap();
        assert!(polled < 10, "{polled} times");
    }
}
