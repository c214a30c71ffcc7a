//! One message out and one back, over a WebSocket ([RFC 6455]).
//!
//! [RFC 6455]: https://www.rfc-editor.org/rfc/rfc6455

use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use relais_net::{Idle, Stream};
use relais_wire::visible::is_disturbing;
use tokio_tungstenite::{
    WebSocketStream, client_async_with_config,
    tungstenite::{self, Message, Utf8Bytes, error::ProtocolError},
};

use super::{
    answer::Echo,
    failure::{Failure, Kind},
    ledger::Answered,
    target::Target,
};
use crate::frames::of_client;

/// How much is read at once. The usual 128 KiB, for each of ten thousand connections, are more than
/// many a machine has.
const READ_BYTES: usize = 8 << 10;

/// Asks for a WebSocket. What `stream` answers with is bounded by tungstenite, at 64 KiB.
///
/// # Errors
///
/// [`Failure`]
pub(super) async fn begin(
    stream: Stream,
    target: &Target,
) -> Result<WebSocketStream<Stream>, Failure> {
    let Target { endpoint, path, .. } = target;
    let at = endpoint.host_port().map(ToString::to_string).unwrap_or_default();
    let url = format!("{}://{at}{path}", endpoint.scheme);
    // What comes is compared with what was sent: longer messages are wrong before they end.
    let most = target.bytes().len().max(READ_BYTES);
    let config = of_client(most, most).read_buffer_size(READ_BYTES);
    let begun = client_async_with_config(url, stream, Some(config)).await;
    begun.map(|(socket, _answer)| socket).map_err(failure)
}

/// Sends `message`, as a text if it is one, and waits for the next that comes. Not cancel safe.
///
/// # Errors
///
/// [`Failure`]
pub(super) async fn exchange(
    socket: &mut WebSocketStream<Stream>,
    message: &Bytes,
) -> Result<Answered, Failure> {
    let sent = match Utf8Bytes::try_from(message.clone()) {
        Ok(text) => Message::Text(text),
        Err(_) => Message::Binary(message.clone()),
    };
    // Answers to pings may wait: they are not to take the room of this.
    socket.flush().await.map_err(failure)?;
    socket.send(sent).await.map_err(failure)?;
    loop {
        let mut echo = Echo::of(message);
        match socket.next().await {
            Some(Ok(Message::Text(text))) => return echo.hear_whole(text.as_bytes()),
            Some(Ok(Message::Binary(bytes))) => return echo.hear_whole(&bytes),
            // Answered by tungstenite. Where nothing else comes, others have their turn, and clocks.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {
                tokio::task::yield_now().await;
            }
            Some(Ok(Message::Close(_))) | None => {
                return Err(Failure::new(Kind::Closed, "closed before an answer"));
            }
            Some(Err(error)) => return Err(failure(error)),
        }
    }
}

/// Looks what came while nothing was asked, without waiting. Pings are answered.
pub(super) fn idle(socket: &mut WebSocketStream<Stream>) -> Idle {
    loop {
        match socket.poll_next_unpin(&mut Context::from_waker(Waker::noop())) {
            Poll::Pending => return Idle::Quiet,
            // As many at once as tokio lets a task read.
            Poll::Ready(Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)))) => {}
            Poll::Ready(Some(Ok(Message::Text(_) | Message::Binary(_)))) => return Idle::Spoke,
            Poll::Ready(Some(Ok(Message::Close(_)) | Err(_)) | None) => return Idle::Gone,
        }
    }
}

fn failure(error: tungstenite::Error) -> Failure {
    use tungstenite::Error;
    match error {
        Error::Io(error) => Failure::of_talk(&error),
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(
            ProtocolError::ResetWithoutClosingHandshake | ProtocolError::HandshakeIncomplete,
        ) => Failure::new(Kind::Closed, "closed before an answer"),
        // It sends back more than it was sent.
        Error::Capacity(error) => Failure::new(Kind::Wrong, error.to_string()),
        Error::Http(answer) => {
            let status = answer.status().as_u16();
            let what = format!("status {status}: expected 101, which begins a WebSocket");
            Failure::new(Kind::Malformed, what)
        }
        other => {
            let mut what = String::new();
            for char in other.to_string().chars() {
                match char {
                    char if is_disturbing(char) => what.extend(char.escape_debug()),
                    char => what.push(char),
                }
            }
            Failure::new(Kind::Malformed, what)
        }
    }
}
