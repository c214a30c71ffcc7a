//! One message out and one back, over a stream.

use std::{
    cell::RefCell,
    future::{pending, poll_fn},
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};

use relais_net::after_others;
use tokio::{
    io::{AsyncRead, AsyncWrite, Interest, ReadBuf},
    net::UdpSocket,
};

use super::{
    answer::{Echo, Hear, Heard},
    failure::{Failure, Kind},
    ledger::{Answered, Then},
};

thread_local! {
    /// What is read, until it was heard. One for all connections of a core: ten thousand of them
    /// have ten thousand buffers otherwise, which are empty nearly always.
    static HEARD: RefCell<Box<[u8]>> = RefCell::new(vec![0; HEARD_BYTES].into_boxed_slice());
}

const HEARD_BYTES: usize = 64 << 10;

/// How often one connection reads before others have their turn, and clocks are looked at.
const READS_MAX: usize = 4;

/// Sends `message` and hears what comes back; both at once, since who answers may do so before all
/// has been sent, and not read on until its answer is.
///
/// Of a short message and a short answer: one write, and one read. Not cancel safe: the stream is of no
/// use after.
///
/// # Errors
///
/// [`Failure`]
pub(super) async fn exchange<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut S,
    message: &[u8],
    hear: &mut impl Hear,
) -> Result<Answered, Failure> {
    let mut sending = Sending::Message(message);
    poll_fn(|cx| {
        // Even if it cannot be sent any more: why not may lie there to be read.
        let sent = sending.go_on(stream, cx);
        match poll_hear(stream, hear, cx) {
            Poll::Ready(done) => Poll::Ready(done.and_then(|done| sending.judge(done, message))),
            Poll::Pending => sent.map_or(Poll::Pending, |failure| Poll::Ready(Err(failure))),
        }
    })
    .await
}

/// What is still to be sent.
enum Sending<'a> {
    Message(&'a [u8]),
    Flush,
    Done,
}

impl Sending<'_> {
    /// Sends as much as can be; why no more, if that failed.
    fn go_on<S: AsyncWrite + Unpin>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
    ) -> Option<Failure> {
        loop {
            let polled = match self {
                Self::Message([]) => {
                    *self = Self::Flush;
                    continue;
                }
                Self::Message(message) => Pin::new(&mut *stream).poll_write(cx, message),
                Self::Flush => Pin::new(&mut *stream).poll_flush(cx).map_ok(|()| 0),
                Self::Done => return None,
            };
            match (polled, &mut *self) {
                (Poll::Pending, _) => return None,
                (Poll::Ready(Err(error)), _) => return Some(Failure::of_talk(&error)),
                (Poll::Ready(Ok(0)), Self::Message(_)) => {
                    return Some(Failure::new(Kind::Closed, "no more can be sent"));
                }
                (Poll::Ready(Ok(sent)), Self::Message(message)) => *message = &message[sent..],
                (Poll::Ready(Ok(_)), _) => *self = Self::Done,
            }
        }
    }

    /// Judges an answer that is whole, maybe before all of `message` was sent. Then the rest is not sent,
    /// and nothing else may be on this connection: it would be taken for the rest.
    ///
    /// # Errors
    ///
    /// [`Kind::Wrong`] of an echo, which cannot come back before it was said.
    fn judge(&self, answered: Answered, message: &[u8]) -> Result<Answered, Failure> {
        let Self::Message(left) = self else { return Ok(answered) };
        // An echo: only HTTP has a status.
        if answered.status.is_none() {
            return Err(Failure::new(Kind::Wrong, "it came back before all of it was sent"));
        }
        let sent = u64::try_from(message.len() - left.len()).expect("a length in memory");
        Ok(Answered { then: Then::Closes, sent: Some(sent), ..answered })
    }
}

/// Hears until it is whole, or more has to come.
fn poll_hear<S: AsyncRead + Unpin>(
    stream: &mut S,
    hear: &mut impl Hear,
    cx: &mut Context<'_>,
) -> Poll<Result<Answered, Failure>> {
    HEARD.with_borrow_mut(|buffer| {
        for _ in 0..READS_MAX {
            let mut buffer = ReadBuf::new(buffer);
            let read = ready!(Pin::new(&mut *stream).poll_read(cx, &mut buffer));
            if let Err(error) = read {
                return Poll::Ready(Err(Failure::of_talk(&error)));
            }
            if buffer.filled().is_empty() {
                return Poll::Ready(hear.end());
            }
            match hear.hear(buffer.filled()) {
                Ok(Heard::Part) => (),
                Ok(Heard::Whole(answered)) => return Poll::Ready(Ok(answered)),
                Err(failure) => return Poll::Ready(Err(failure)),
            }
        }
        after_others(cx);
        Poll::Pending
    })
}

/// Sends `message` in a datagram, and waits for one that is the same. Cancel safe, but a late answer
/// is the next one's.
///
/// # Errors
///
/// [`Failure`]
pub(super) async fn exchange_datagram(
    socket: &UdpSocket,
    message: &[u8],
) -> Result<Answered, Failure> {
    socket.send(message).await.map_err(|error| Failure::of_talk(&error))?;
    let heard = poll_fn(|cx| {
        HEARD.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            ready!(socket.poll_recv(cx, &mut buffer)).map_err(|error| Failure::of_talk(&error))?;
            Poll::Ready(Echo::of(message).hear_whole(buffer.filled()))
        })
    });
    tokio::select! {
        biased;
        heard = heard => heard,
        // Nothing comes to be read of that nobody listens there: it is an error alone.
        error = error_of(socket) => Err(Failure::of_talk(&error)),
    }
}

/// What the system says that is wrong with `socket`, once it does.
async fn error_of(socket: &UdpSocket) -> io::Error {
    if socket.ready(Interest::ERROR).await.is_ok()
        && let Ok(Some(error)) = socket.take_error()
    {
        return error;
    }
    pending().await
}

#[cfg(test)]
mod tests {
    use relais_wire::http1::response::Asked;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};

    use super::*;
    use crate::load::answer::{Answers, Echo};

    #[tokio::test]
    async fn a_message_larger_than_all_buffers_comes_back() {
        let (mut client, server) = duplex(1_000);
        let (mut reads, mut writes) = tokio::io::split(server);
        let echo = tokio::spawn(async move { tokio::io::copy(&mut reads, &mut writes).await });
        let message = vec![b'x'; 1_000_000];
        let answered = exchange(&mut client, &message, &mut Echo::of(&message)).await.unwrap();
        assert_eq!(answered.bytes, 1_000_000);
        drop(client);
        echo.await.unwrap().unwrap();
    }

    #[tokio::test]
    async fn a_port_where_nobody_listens_refuses() {
        let nobody = UdpSocket::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
        socket.connect(nobody).await.unwrap();
        let asking = exchange_datagram(&socket, b"x");
        let failure = tokio::time::timeout(std::time::Duration::from_secs(5), asking).await;
        assert_eq!(failure.unwrap().unwrap_err().kind, Kind::Refused);
    }

    #[tokio::test]
    async fn an_answer_that_comes_before_all_was_sent_is_heard() {
        let (mut client, mut server) = duplex(100);
        server.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n").await.unwrap();
        let mut answers = Answers::to(Asked::Usual);
        let answered = exchange(&mut client, &[b'x'; 10_000], &mut answers).await.unwrap();
        assert_eq!(answered.status, Some(413));
        // Of the request no more than that went out: what followed would be taken for the rest.
        assert_eq!((answered.sent, answered.then), (Some(100), Then::Closes));
    }

    #[tokio::test]
    async fn nothing_comes_back_before_it_was_sent() {
        let (mut client, mut server) = duplex(100);
        let message = [b'x'; 10_000];
        let guess = async {
            server.write_all(&message).await.unwrap();
            pending::<()>().await;
        };
        let mut echo = Echo::of(&message);
        let failure = tokio::select! {
            answered = exchange(&mut client, &message, &mut echo) => answered.unwrap_err(),
            () = guess => unreachable!("it waits"),
        };
        let what = "it came back before all of it was sent";
        assert_eq!((failure.kind, failure.what.as_str()), (Kind::Wrong, what));
    }

    #[tokio::test]
    async fn who_closes_is_told_from_who_answers() {
        let (mut client, mut server) = duplex(100);
        let serve = async {
            server.read_exact(&mut [0; 2]).await.unwrap();
            server.write_all(b"h").await.unwrap();
            drop(server);
        };
        let mut echo = Echo::of(b"hi");
        let (failed, ()) = tokio::join!(exchange(&mut client, b"hi", &mut echo), serve);
        let failure = failed.unwrap_err();
        assert_eq!(
            (failure.kind, failure.what.as_str()),
            (Kind::Closed, "closed after 1 of 2 bytes")
        );
    }
}
