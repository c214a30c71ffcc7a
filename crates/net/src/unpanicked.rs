//! Outliving a bug in what serves one caller.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::Poll,
};

/// Drives `future` to its end, or to its panic (`None`), whose text the panic hook has printed. It stays
/// where it is: moved in here, each connection's task would have room for it twice.
pub(crate) async fn unpanicked<F>(mut future: Pin<&mut F>) -> Option<F::Output>
where
    F: Future + ?Sized,
{
    poll_fn(|cx| {
        // Unwind safe: after a panic the future is never polled again, only dropped.
        match catch_unwind(AssertUnwindSafe(|| future.as_mut().poll(cx))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(output)) => Poll::Ready(Some(output)),
            Err(_) => Poll::Ready(None),
        }
    })
    .await
}
