//! What every dialogue over a stream does alike: it counts what passes, sends with patience, and
//! ends well.

use std::{borrow::Cow, io, time::Duration};

use relais_net::{Fault, Side, Stream};
use relais_tap::{By, Direction, Flow};
use tokio::{io::AsyncWriteExt as _, time::timeout};

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

/// How a dialogue ends whose caller is gone, and did not say that this is all.
pub(crate) fn without_goodbye() -> End {
    (By::Client, "closed without a goodbye".into())
}

/// Sends all of `bytes`, to somebody who takes some of them within `patience`, and more within as long
/// again.
pub(crate) async fn send(
    stream: &mut Stream,
    bytes: &[u8],
    patience: Duration,
) -> Result<(), Fault> {
    let sent = async {
        let mut rest = bytes;
        while !rest.is_empty() {
            let unsent = stream.unsent();
            match timeout(patience, stream.write(rest)).await {
                Ok(Ok(0)) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(taken) => rest = &rest[taken?..],
                // The system has room again only once much of what it has was taken.
                Err(_) if stream.unsent() < unsent => (),
                Err(late) => return Err(late.into()),
            }
        }
        timeout(patience, stream.flush()).await?
    };
    sent.await.map_err(|error| fault("answering", error))
}

/// Sends all of `bytes` to somebody to whom the end says that it has them all: unless they were sent, the
/// stream ends as one that broke, even if this is not waited for.
pub(crate) async fn send_whole(
    stream: &mut Stream,
    bytes: &[u8],
    patience: Duration,
) -> Result<(), Fault> {
    let mut whole = Whole { stream, is_sent: false };
    send(whole.stream, bytes, patience).await?;
    whole.is_sent = true;
    Ok(())
}

/// A stream that is broken off when this is dropped, unless all `is_sent`.
struct Whole<'s> {
    stream: &'s mut Stream,
    is_sent: bool,
}

impl Drop for Whole<'_> {
    fn drop(&mut self) {
        if !self.is_sent {
            self.stream.break_off();
        }
    }
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

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;
    use tokio::{
        io::{AsyncReadExt as _, duplex},
        net::{TcpListener, TcpStream},
    };

    use super::*;

    const PATIENCE: Duration = Duration::from_secs(10);

    #[tokio::test(start_paused = true)]
    async fn who_takes_a_little_within_the_time_is_sent_all() {
        let (ours, mut theirs) = duplex(1 << 10);
        let mut stream = Stream::Memory(ours);
        let taking = async {
            let (mut part, mut taken) = ([0; 1 << 10], 0);
            while taken < 16 << 10 {
                tokio::time::sleep(PATIENCE / 2).await;
                let read = timeout(2 * PATIENCE, theirs.read(&mut part)).await;
                taken += read.expect("it is sent on").unwrap();
            }
            // And from then on nothing.
            theirs
        };
        let (sent, _theirs) = tokio::join!(send(&mut stream, &[1; 16 << 10], PATIENCE), taking);
        sent.unwrap();
        let late = send(&mut stream, &[1; 2 << 10], PATIENCE).await.unwrap_err();
        assert_eq!(late.source.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn what_is_broken_off_does_not_end_as_if_it_were_whole() {
        for (bytes, is_whole) in [(64 << 20, false), (1 << 10, true)] {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let mut caller = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
            let mut stream = Stream::Tcp(listener.accept().await.unwrap().0);
            let sent = send_whole(&mut stream, &vec![1; bytes], PATIENCE).now_or_never();
            assert_eq!(sent.is_some(), is_whole);
            drop(stream);
            let heard = caller.read_to_end(&mut Vec::new()).await;
            assert_eq!(heard.map_err(|error| error.kind()).ok(), is_whole.then_some(bytes));
        }
    }
}
