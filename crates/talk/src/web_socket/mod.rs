//! Dialogues over `WebSocket`s: each message of one is a message, and its answer one of the same kind.

mod opening;

use std::{borrow::Cow, io, time::Duration};

use futures_util::{SinkExt as _, StreamExt as _};
use relais_net::{Drain, Fault, Stream};
use relais_tap::By;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message as Frame,
        protocol::{CloseFrame, Role as Part, WebSocketConfig, frame::coding::CloseCode},
    },
};

use crate::{
    dialogues::{Dialogues, Way},
    lines::Message,
    passing::{End, Passed, fault, idle},
    person::{Call, Manners},
    role::{Reply, Role, Then},
};

/// How much is read at once, and kept for each: little, as most say little.
const BUFFER_BYTES: usize = 4 << 10;

/// How long a good end may take: the other side has to say goodbye, too.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// One dialogue.
struct Dialogue<'d> {
    all: &'d Dialogues,
    socket: WebSocketStream<Stream>,
    way: Way<'d>,
    drain: &'d Drain,
    call: Option<Call>,
    passed: &'d mut Passed,
}

/// What there is to do next.
enum Turn {
    Heard(Frame),
    Typed(String),
    /// It is over.
    End(End, CloseCode),
}

pub(crate) async fn serve<'d>(
    all: &'d Dialogues,
    mut stream: Stream,
    way: Way<'d>,
    (drain, passed): (&'d Drain, &'d mut Passed),
) -> Result<End, Fault> {
    let early = match opening::open(&mut stream).await? {
        opening::Opened::Yes { early } => early,
        opening::Opened::No { why } => return Ok((By::Relais, why.into())),
    };
    let bytes_max = all.limits.line_bytes_max;
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(2 * bytes_max + BUFFER_BYTES)
        .max_message_size(Some(bytes_max))
        .max_frame_size(Some(bytes_max));
    let socket = WebSocketStream::from_partially_read(stream, early, Part::Server, Some(config));
    let mut dialogue = Dialogue { all, socket: socket.await, way, drain, call: None, passed };
    if let Role::Talk(person) = &all.role {
        dialogue.call = person.come(way.from, all.limits.callers_max).await;
        if dialogue.call.is_none() {
            let end = (By::Relais, "no place at the table".into());
            return Ok(dialogue.close(end, CloseCode::Again).await);
        }
    }
    loop {
        let then = match dialogue.turn().await? {
            Turn::Heard(frame) => dialogue.hear(frame).await?,
            Turn::Typed(text) => {
                dialogue.say(Frame::text(text)).await?;
                Then::GoOn
            }
            Turn::End(end, code) => return Ok(dialogue.close(end, code).await),
        };
        if then != Then::GoOn {
            let end = (By::Client, "said its last word".into());
            return Ok(dialogue.close(end, CloseCode::Normal).await);
        }
    }
}

impl Dialogue<'_> {
    async fn turn(&mut self) -> Result<Turn, Fault> {
        let Self { socket, call, drain, all, .. } = self;
        let typed = async {
            match call {
                Some(call) => call.lines.recv().await,
                None => std::future::pending().await,
            }
        };
        let end = |by, why: String, code| Ok(Turn::End((by, Cow::Owned(why)), code));
        // Asked before messages are: somebody who never stops is not to keep us from it.
        if drain.is_requested() {
            return end(By::Relais, "told to stop".to_owned(), CloseCode::Away);
        }
        tokio::select! {
            biased;
            frame = socket.next() => match frame {
                Some(Ok(frame)) => Ok(Turn::Heard(frame)),
                Some(Err(Error::Capacity(error))) => {
                    end(By::Relais, error.to_string(), CloseCode::Size)
                }
                Some(Err(Error::Protocol(error))) => {
                    end(By::Relais, error.to_string(), CloseCode::Protocol)
                }
                Some(Err(error)) => Err(fault("reading", io_error(error))),
                None => end(By::Client, "closed".to_owned(), CloseCode::Normal),
            },
            Some(text) = typed => Ok(Turn::Typed(text)),
            () = drain.requested() => end(By::Relais, "told to stop".to_owned(), CloseCode::Away),
            () = tokio::time::sleep(all.limits.idle_max) => {
                end(By::Relais, idle(all.limits.idle_max), CloseCode::Away)
            }
        }
    }

    async fn hear(&mut self, frame: Frame) -> Result<Then, Fault> {
        let is_text = match &frame {
            Frame::Text(_) => true,
            Frame::Binary(_) => false,
            // Pings are answered, and goodbyes returned, by who reads them.
            _ => return Ok(Then::GoOn),
        };
        let bytes = frame.into_data();
        self.passed.hear(&bytes);
        let message = Message::of(&bytes);
        let (reply, then) = self.all.hear(&message, self.way);
        let answer = match reply {
            Reply::Nothing => return Ok(then),
            Reply::ByPerson => return self.pass_on(&message).await.map(|()| then),
            Reply::Bytes(bytes) => bytes,
            reply => self.all.answer(reply, &message, self.way.from).await,
        };
        let answer = match String::from_utf8(answer) {
            Ok(text) if is_text => Frame::text(text),
            Ok(text) => Frame::binary(text.into_bytes()),
            Err(error) => Frame::binary(error.into_bytes()),
        };
        self.say(answer).await?;
        Ok(then)
    }

    async fn pass_on(&mut self, message: &Message<'_>) -> Result<(), Fault> {
        let Some(call) = &mut self.call else { return Ok(()) };
        call.say(message.bytes, false).await;
        if call.manners() == Manners::Freely {
            return Ok(());
        }
        let late = || fault("waiting for the person", io::ErrorKind::TimedOut.into());
        let text = tokio::select! {
            text = call.lines.recv() => text,
            () = self.drain.requested() => None,
            () = tokio::time::sleep(self.all.limits.idle_max) => return Err(late()),
        };
        match text {
            Some(text) => self.say(Frame::text(text)).await,
            None => Ok(()),
        }
    }

    async fn say(&mut self, frame: Frame) -> Result<(), Fault> {
        if let Frame::Text(_) | Frame::Binary(_) = frame {
            self.passed.say(frame.clone().into_data().as_ref());
        }
        let sent = tokio::time::timeout(self.all.limits.idle_max, self.socket.send(frame));
        let late = |_| Err(Error::Io(io::ErrorKind::TimedOut.into()));
        sent.await.unwrap_or_else(late).map_err(|error| fault("answering", io_error(error)))
    }

    async fn close(mut self, end: End, code: CloseCode) -> End {
        let frame = CloseFrame { code, reason: end.1.clone().into_owned().into() };
        let goodbye = async {
            self.socket.close(Some(frame)).await?;
            while let Some(Ok(_)) = self.socket.next().await {}
            Ok::<_, Error>(())
        };
        // Who does not answer goes without.
        _ = tokio::time::timeout(GOODBYE_MAX, goodbye).await;
        end
    }
}

fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        other => io::Error::other(other.to_string()),
    }
}

#[cfg(test)]
mod tests;
