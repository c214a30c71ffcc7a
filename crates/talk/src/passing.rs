//! What every dialogue over a stream does alike: it counts what passes, sends with patience, and
//! ends well.

use std::{borrow::Cow, io, time::Duration};

use relais_net::{Fault, Side, Stream};
use relais_tap::{By, Direction, Flow};
use tokio::io::AsyncWriteExt as _;

/// How a dialogue ended: who ended it, and why in a few words.
pub(crate) type End = (By, Cow<'static, str>);

/// What passed in a dialogue.
#[derive(Debug)]
pub(crate) struct Passed {
    pub(crate) flow: Flow,
    pub(crate) heard: u64,
    pub(crate) said: u64,
}

impl Passed {
    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        self.heard += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.flow.bytes(Direction::ToServer, bytes);
    }

    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.said += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.flow.bytes(Direction::ToClient, bytes);
    }
}

/// How a dialogue ends in which nothing came.
pub(crate) fn idle(limit: Duration) -> End {
    (By::Relais, format!("idle for {} s", limit.as_secs()).into())
}

/// How a dialogue ends when we do.
pub(crate) fn told_to_stop() -> End {
    (By::Relais, "told to stop".into())
}

/// How a dialogue ends whose caller said the word for it.
pub(crate) fn last_word() -> End {
    (By::Client, "said its last word".into())
}

/// How a dialogue ends whose caller has what it came for.
pub(crate) fn all_said() -> End {
    (By::Relais, "all is said".into())
}

/// How a dialogue ends that was not to be, and `why`.
pub(crate) fn refused(why: impl Into<Cow<'static, str>>) -> End {
    (By::Relais, why.into())
}

/// How a dialogue ends that was over when the caller said all.
pub(crate) fn closed() -> End {
    (By::Client, "closed".into())
}

/// Sends all of `bytes`, to somebody who takes them within `patience`.
pub(crate) async fn send(
    stream: &mut Stream,
    bytes: &[u8],
    patience: Duration,
) -> Result<(), Fault> {
    let sent = tokio::time::timeout(patience, async {
        stream.write_all(bytes).await?;
        stream.flush().await
    });
    let late = |_| Err(io::ErrorKind::TimedOut.into());
    sent.await.unwrap_or_else(late).map_err(|error| fault("answering", error))
}

/// How much a dialogue that is over may still bring: what may be on its way, and a message of a `WebSocket`
/// that is too long.
const LINGER_BYTES_MAX: u64 = 16 << 20;

/// Says that nothing more will come, and waits a moment for the other side to say so, too.
pub(crate) async fn linger(stream: &mut Stream) {
    stream.linger_over(LINGER_BYTES_MAX).await;
}

/// A fault of the caller's.
pub(crate) fn fault(doing: &str, error: io::Error) -> Fault {
    Fault::new(Side::Client, doing, error)
}
