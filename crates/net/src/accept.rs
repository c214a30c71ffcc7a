//! Accepting, through whatever the system refuses meanwhile.

use std::{fmt::Display, io, time::Duration};

use tracing::{debug, warn};

/// How long to wait before accepting again after the system refused, e.g. for lack of descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Asks `accept` until it gives a caller. What the system refuses it is likely to allow soon: that
/// is waited for, and said once, with `local` for who is called.
///
/// Cancel safe, if `accept` is.
pub async fn next_caller<T, F>(local: &impl Display, mut accept: impl FnMut() -> F) -> T
where
    F: Future<Output = io::Result<T>>,
{
    let mut failing = false;
    loop {
        match accept().await {
            Ok(caller) => return caller,
            Err(error) if is_callers(&error) => debug!(%error, "a caller left before we answered"),
            Err(error) => {
                if !failing {
                    warn!(%local, %error, "cannot accept; trying again until it passes");
                }
                failing = true;
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// Whether an accept failed by the fault of the one who called.
fn is_callers(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted)
}

#[cfg(test)]
mod tests {
    use std::{future::ready, io::ErrorKind};

    use tokio::time::Instant;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_the_system_refuses_is_asked_for_again_a_little_later() {
        check(&[], Duration::ZERO).await;
        check(&[ErrorKind::ConnectionAborted, ErrorKind::Interrupted], Duration::ZERO).await;
        check(&[ErrorKind::OutOfMemory], ACCEPT_PAUSE).await;
        check(&[ErrorKind::Other, ErrorKind::Interrupted, ErrorKind::Other], 2 * ACCEPT_PAUSE)
            .await;
    }

    async fn check(refusals: &[ErrorKind], expect: Duration) {
        let start = Instant::now();
        let mut answers = refusals.iter().map(|&kind| Err(kind.into())).chain([Ok(7)]);
        let caller = next_caller(&"here", || ready(answers.next().unwrap())).await;
        assert_eq!((caller, start.elapsed()), (7, expect), "{refusals:?}");
    }
}
