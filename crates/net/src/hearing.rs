//! A socket of datagrams and what answers them, for as long as it is wanted.

use std::{pin::pin, sync::Arc, time::Duration};

use tracing::error;

use crate::{Datagrams, Drain, DynDatagramService, Fault, unpanicked::unpanicked};

/// How long to wait before a service is begun anew that ended in a panic of ours.
const PAUSE: Duration = Duration::from_millis(100);

/// Has `service` answer what comes to `socket`, until told to stop.
///
/// A panic is logged, and the service begun anew: what it knew of its senders is lost.
///
/// # Errors
///
/// The [`Fault`] that keeps the service from going on.
pub async fn serve_datagrams(
    socket: Arc<Datagrams>,
    service: Arc<dyn DynDatagramService>,
    drain: Drain,
) -> Result<(), Fault> {
    loop {
        // What a service does before it waits for anything is within, too.
        let serving = pin!(async { service.serve_boxed(Arc::clone(&socket), drain.clone()).await });
        if let Some(ended) = unpanicked(serving).await {
            return ended;
        }
        error!(local = %socket.local(), "a bug ended this; please report it");
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::{DatagramListener, DatagramService, Shutdown};

    #[derive(Debug, Default)]
    struct Stumbling {
        begun: AtomicU32,
    }

    impl DatagramService for Stumbling {
        fn serve(
            &self,
            _socket: Arc<Datagrams>,
            drain: Drain,
        ) -> impl Future<Output = Result<(), Fault>> + Send {
            let before = self.begun.fetch_add(1, Ordering::Relaxed);
            assert!(before > 0, "the first time, before it waits");
            async move {
                assert!(before > 1, "the second time");
                drain.requested().await;
                Ok(())
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_panic_is_outlived() {
        let listener = DatagramListener::bind(&"udp://127.0.0.1:0".parse().unwrap()).unwrap();
        let socket = Arc::new(listener.open().unwrap());
        let service = Arc::new(Stumbling::default());
        let (shutdown, drain) = Shutdown::new();
        let serving = tokio::spawn(serve_datagrams(socket, service.clone(), drain));
        while service.begun.load(Ordering::Relaxed) < 3 {
            tokio::time::sleep(PAUSE).await;
        }
        shutdown.request();
        serving.await.unwrap().unwrap();
    }
}
