//! Calling a Unix socket.

use std::{io, path::Path, time::Duration};

use tokio::{
    net::UnixStream,
    time::{Instant, sleep, timeout},
};

use super::{Callee, DialError, Dialed, Dialer, Stage, Timings, error::Failed};
use crate::{Endpoint, Peer, Stream};

impl Dialer {
    pub(super) async fn call_path(
        &self,
        endpoint: &Endpoint,
        path: &Path,
    ) -> Result<Dialed, DialError> {
        let start = Instant::now();
        let callee = Callee { endpoint: endpoint.clone(), address: None };
        let answer = timeout(self.limits.connect_max, call_file(path)).await;
        let stream = match answer {
            Ok(Ok(stream)) => Stream::Unix(stream),
            Ok(Err(error)) => return Err(DialError::of_call(callee, Failed::System(error))),
            Err(_) => return Err(self.timed_out(Stage::Connect, callee)),
        };
        let timings = Timings { connect: start.elapsed(), ..Timings::default() };
        Ok(Dialed { stream, session: None, peer: Peer::Local, timings })
    }
}

/// Calls the socket at `path`, and waits where as many wait to be accepted as may: the system does so for
/// TCP alone.
async fn call_file(path: &Path) -> io::Result<UnixStream> {
    let mut pause = PAUSE_MIN;
    loop {
        match UnixStream::connect(path).await {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
            answer => return answer,
        }
    }
}

/// How long it waits first, and then twice as long each time.
const PAUSE_MIN: Duration = Duration::from_millis(1);

/// How long at most.
const PAUSE_MAX: Duration = Duration::from_millis(50);

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixListener;

    use super::*;

    #[tokio::test]
    async fn who_calls_where_many_wait_waits_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("socket");
        let listener = UnixListener::bind(&path).unwrap();
        // From here on there is room for one more than none.
        rustix::net::listen(&listener, 0).unwrap();
        let waits = UnixStream::connect(&path).await.unwrap();
        let full = UnixStream::connect(&path).await.unwrap_err();
        assert_eq!(full.kind(), io::ErrorKind::WouldBlock);
        let calling = tokio::spawn(async move { call_file(&path).await });
        tokio::task::yield_now().await;
        assert!(!calling.is_finished());
        let _accepted = listener.accept().unwrap();
        calling.await.unwrap().unwrap();
        drop(waits);
    }
}
