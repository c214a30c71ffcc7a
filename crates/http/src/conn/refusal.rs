//! Answers that no handler gives: to what is no request, comes too late, or finds no place.

use std::time::Duration;

use http::{HeaderValue, StatusCode, header};
use tokio::io::{AsyncReadExt, AsyncWrite, AsyncWriteExt};

use super::{
    head::{self, Behind},
    transport::Transport,
};
use crate::{Answer, Ended, handler::plain_text};

/// How long a refused client may go on sending before the socket is closed under it.
const LINGER_MAX: Duration = Duration::from_secs(1);

/// What a client is told that finds no place.
pub(super) const NO_PLACE: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 38\r\nretry-after: 5\r\n\
    connection: close\r\n\r\nToo many connections; try again later\n";

/// What a client is told that asks without TLS where TLS is spoken.
pub(super) const NO_TLS: &[u8] = b"HTTP/1.1 400 Bad Request\r\n\
    content-type: text/plain; charset=utf-8\r\ncontent-length: 88\r\nconnection: close\r\n\r\n\
    400 The plain HTTP request was sent to an HTTPS port\nhint: put https:// before the host\n";

/// The answer to who comes while everything is taken, and may come again.
pub(super) fn busy() -> Answer {
    let mut answer = plain_text(StatusCode::SERVICE_UNAVAILABLE, "try again in a moment");
    answer.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("5"));
    answer
}

/// Answers what hyper has not seen as a request, and closes in a way that lets the client read it.
///
/// Gives how much of the answer's body went out.
pub(super) async fn send(transport: &mut Transport, status: StatusCode, why: &str) -> Ended {
    let mut answer = plain_text(status, why);
    let text = answer.body_mut().take_memory().unwrap_or_default();
    let mut whole = Vec::new();
    head::print(&answer, text.len() as u64, Behind::End, &mut whole);
    whole.extend_from_slice(&text);
    let mut ended = Ended::Short(0);
    let sending = async {
        transport.stream().write_all(&whole).await?;
        ended = Ended::Whole(text.len() as u64);
        linger(transport).await
    };
    // Who does not take a refusal in time is not waited for.
    _ = tokio::time::timeout(LINGER_MAX, sending).await;
    ended
}

/// Closes a connection that is over: TLS is told, and the client may read its last answer.
pub(super) async fn close(transport: &mut Transport) {
    _ = tokio::time::timeout(LINGER_MAX, linger(transport)).await;
}

/// Closes a connection at once, telling TLS.
pub(super) async fn part(stream: &mut (impl AsyncWrite + Unpin)) {
    _ = tokio::time::timeout(LINGER_MAX, stream.shutdown()).await;
}

/// Closing a socket with bytes unread makes the kernel reset it, and the answer may be lost: so the
/// rest is read for a while, and thrown away.
async fn linger(transport: &mut Transport) -> std::io::Result<()> {
    let stream = transport.stream();
    stream.shutdown().await?;
    let mut rest = vec![0; 4096];
    while stream.read(&mut rest).await? > 0 {}
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ready_made_answers_are_well_framed() {
        for ready in [NO_PLACE, NO_TLS] {
            let text = std::str::from_utf8(ready).unwrap();
            let (head, body) = text.split_once("\r\n\r\n").unwrap();
            let length = format!("content-length: {}\r\n", body.len());
            assert!(head.contains(&length), "expected {length:?} in {head:?}");
        }
    }
}
