//! A WebSocket opened: the request read, and answered. Who asks for something else is told so.

use std::{io, time::Duration};

use relais_net::{Fault, Stream};
use relais_wire::web_socket::{NoOpening, accept_of, read_opening};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::passing::{fault, linger};

/// How long the request may be, and how long it may take.
const HEAD_BYTES_MAX: usize = 8 << 10;
const HEAD_MAX: Duration = Duration::from_secs(10);

/// Whether it is open.
pub(super) enum Opened {
    /// It is; `early` is what came behind the request.
    Yes { early: Vec<u8> },
    /// It is not, and the caller was told.
    No { why: String },
}

/// Reads the request and answers it.
pub(super) async fn open(stream: &mut Stream) -> Result<Opened, Fault> {
    let late = |_| Err(fault("waiting for a request", io::ErrorKind::TimedOut.into()));
    tokio::time::timeout(HEAD_MAX, answer(stream)).await.unwrap_or_else(late)
}

async fn answer(stream: &mut Stream) -> Result<Opened, Fault> {
    let mut head = Vec::new();
    loop {
        match read_opening(&head) {
            Ok(Some(opening)) => {
                let accept = accept_of(opening.key);
                let answer = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                     Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                send(stream, &answer).await?;
                return Ok(Opened::Yes { early: head.split_off(opening.length) });
            }
            Ok(None) if head.len() < HEAD_BYTES_MAX => (),
            Ok(None) => return refuse(stream, "431 Request Header Fields Too Large", None).await,
            Err(error) => return refuse(stream, status_of(error), Some(error)).await,
        }
        let mut part = [0; 1024];
        let count = stream.read(&mut part).await.map_err(|error| fault("reading", error))?;
        if count == 0 {
            return Ok(Opened::No { why: "closed before a request".to_owned() });
        }
        head.extend_from_slice(&part[..count]);
    }
}

/// [RFC 6455 §4.4](https://www.rfc-editor.org/rfc/rfc6455#section-4.4): of another version, 426 tells
/// which we have; so does it of who asks for something else than a WebSocket.
fn status_of(error: NoOpening) -> &'static str {
    match error {
        NoOpening::NoUpgrade | NoOpening::Version => "426 Upgrade Required",
        NoOpening::NoGet | NoOpening::Key | NoOpening::Malformed => "400 Bad Request",
    }
}

async fn refuse(
    stream: &mut Stream,
    status: &str,
    error: Option<NoOpening>,
) -> Result<Opened, Fault> {
    let why = error.map_or_else(|| "the head is too long".to_owned(), |error| error.to_string());
    let text = format!("{why}: this is a WebSocket (ws:// or wss://), expected a client of one\n");
    let answer = format!(
        "HTTP/1.1 {status}\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\
         Sec-WebSocket-Version: 13\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\n\r\n{text}",
        text.len()
    );
    send(stream, &answer).await?;
    linger(stream).await;
    Ok(Opened::No { why })
}

async fn send(stream: &mut Stream, text: &str) -> Result<(), Fault> {
    let sent = async {
        stream.write_all(text.as_bytes()).await?;
        stream.flush().await
    };
    sent.await.map_err(|error| fault("answering", error))
}
