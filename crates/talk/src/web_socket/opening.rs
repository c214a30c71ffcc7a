//! A WebSocket opened: the request read, and answered. Who asks for something else is told so.

use std::{io, time::Duration};

use relais_net::{Drain, Fault, Scheme, Stream};
use relais_tap::By;
use relais_wire::{
    host::{is_here, parse_host},
    http1::HeadLimits,
    web_socket::{NoOpening, Opening, accept_of, read_opening},
};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::{
    dialogues::{Dialogues, Way},
    passing::{End, fault, linger, refused, told_to_stop},
};

/// How long the request may be, and how long it may take.
const HEAD: HeadLimits =
    HeadLimits { head_bytes_max: 8 << 10, line_bytes_max: 8 << 10, fields_max: 100 };
const HEAD_MAX: Duration = Duration::from_secs(10);

/// Whether it is open.
pub(super) enum Opened {
    /// It is; `early` is what came behind the request.
    Yes { early: Vec<u8> },
    /// It is not, and the caller was told, if there was anything to tell.
    No(End),
}

/// Reads the request and answers it.
pub(super) async fn open(
    all: &Dialogues,
    stream: &mut Stream,
    way: Way<'_>,
    drain: &Drain,
) -> Result<Opened, Fault> {
    tokio::select! {
        biased;
        opened = answer(all, stream, way) => opened,
        () = drain.requested() => Ok(Opened::No(told_to_stop())),
        () = tokio::time::sleep(HEAD_MAX) => {
            Err(fault("waiting for a request", io::ErrorKind::TimedOut.into()))
        }
    }
}

async fn answer(all: &Dialogues, stream: &mut Stream, way: Way<'_>) -> Result<Opened, Fault> {
    let mut head = Vec::new();
    loop {
        match read_opening(&head, HEAD) {
            Ok(Some(opening)) if !all.takes(&opening, way) => {
                let what = "a page of another site asks: its `Origin` is not allowed";
                return refuse(stream, "403 Forbidden", what).await;
            }
            Ok(Some(opening)) => {
                let accept = accept_of(opening.key);
                let answer = format!(
                    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
                     Connection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n\r\n"
                );
                send(stream, &answer).await?;
                return Ok(Opened::Yes { early: head.split_off(opening.length) });
            }
            Ok(None) => (),
            Err(error) => {
                let what = format!(
                    "{error}: this is a WebSocket (ws:// or wss://), expected a client of one"
                );
                return refuse(stream, status_of(error), &what).await;
            }
        }
        let mut part = [0; 1024];
        let count = stream.read(&mut part).await.map_err(|error| fault("reading", error))?;
        if count == 0 {
            return Ok(Opened::No((By::Client, "closed before a request".into())));
        }
        head.extend_from_slice(&part[..count]);
    }
}

impl Dialogues {
    /// Whether the page that asks, if one does, may. Where only this machine can call, in the clear, a
    /// page may be of the same origin because its site's name was made to lead here: so the name has
    /// to be one that no site has.
    fn takes(&self, opening: &Opening<'_>, way: Way<'_>) -> bool {
        let is_named = |origin: &str| {
            self.origins.iter().any(|one| one == "*" || one.eq_ignore_ascii_case(origin))
        };
        let is_secure = way.on.scheme == Scheme::Wss;
        let name = || parse_host(opening.host.as_bytes()).map_or("", |host| host.name);
        let is_misled = opening.origin.is_some()
            && !is_secure
            && way.on.is_on_this_machine()
            && !is_here(name());
        (opening.is_of_same_origin(is_secure) && !is_misled) || opening.origin.is_some_and(is_named)
    }
}

/// [RFC 6455 §4.4](https://www.rfc-editor.org/rfc/rfc6455#section-4.4): of another version, 426 tells
/// which we have; so does it of who asks for something else than a WebSocket.
fn status_of(error: NoOpening) -> &'static str {
    match error {
        NoOpening::NoUpgrade | NoOpening::Version => "426 Upgrade Required",
        NoOpening::Refused(refusal) if refusal.status() == 431 || refusal.status() == 414 => {
            "431 Request Header Fields Too Large"
        }
        NoOpening::NoGet
        | NoOpening::Refused(_)
        | NoOpening::Body
        | NoOpening::Key
        | NoOpening::Origin => "400 Bad Request",
    }
}

async fn refuse(stream: &mut Stream, status: &str, what: &str) -> Result<Opened, Fault> {
    let answer = format!(
        "HTTP/1.1 {status}\r\nUpgrade: websocket\r\nConnection: Upgrade, close\r\n\
         Sec-WebSocket-Version: 13\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\n\r\n{what}\n",
        what.len() + 1
    );
    send(stream, &answer).await?;
    linger(stream).await;
    Ok(Opened::No(refused(what.to_owned())))
}

async fn send(stream: &mut Stream, text: &str) -> Result<(), Fault> {
    let sent = async {
        stream.write_all(text.as_bytes()).await?;
        stream.flush().await
    };
    sent.await.map_err(|error| fault("answering", error))
}
