//! Frames of JSON as messages of a `WebSocket`, one each ([RFC 6455]).
//!
//! [RFC 6455]: https://www.rfc-editor.org/rfc/rfc6455

use std::{
    future::poll_fn,
    io::{self, ErrorKind},
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};

use bytes::Bytes;
use futures_util::{Sink as _, Stream as _};
use relais_net::{Alarm, Stream};
use relais_tap::By;
use tokio::time::timeout;
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{
        Error, Message,
        error::ProtocolError,
        protocol::{
            CloseFrame, Role, WebSocketConfig,
            frame::{
                Frame,
                coding::{CloseCode, Data, OpCode},
            },
        },
    },
};

use super::{End, heard::Heard, lines::Line};
use crate::limits::Limits;

/// How much is read at once, and kept for each: little, as most say little.
const READ_BYTES: usize = 4 << 10;

/// The longest part in which a message is told, so that what is on its way takes no more memory than
/// some of these: a long one goes as several.
const PART_BYTES_MAX: usize = 16 << 10;

/// How much may be on its way: parts, and answers to pings. Of those only the latest is kept that
/// finds no room.
const UNSENT_BYTES_MAX: usize = 64 << 10;

/// How long a good end may take: the client has to say goodbye, too.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// The longest reason in a goodbye, in bytes (RFC 6455 §5.5).
const REASON_BYTES_MAX: usize = 123;

/// A `WebSocket` that was opened.
#[derive(Debug)]
pub(crate) struct WebSocket {
    socket: WebSocketStream<Stream>,
    /// What came last and was not heard.
    heard: Option<Line>,
    /// What the next part of what is told belongs to.
    part: Part,
    silence: Silence,
    /// The word for how it is over, if the client broke a rule.
    code: Option<CloseCode>,
}

/// What a part of what is told belongs to.
#[derive(Clone, Copy, Debug)]
enum Part {
    /// It begins a message.
    First,
    /// It goes on with one.
    Next,
}

/// How long nothing was heard. Nobody is asked for a word before a limit is set.
#[derive(Debug, Default)]
struct Silence {
    alarm: Alarm,
    /// What the alarm is set for.
    set_for: Duration,
    lasted: Duration,
    asked_after: Duration,
    gone_after: Duration,
}

/// What is to be done about a silence.
enum Silent {
    Ask,
    Gone,
}

impl WebSocket {
    /// The server's side of `stream`, of which `early` came behind the opening. Messages have at most
    /// so many bytes.
    pub(crate) async fn new(stream: Stream, early: Bytes, bytes_max: usize) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(PART_BYTES_MAX)
            .max_write_buffer_size(UNSENT_BYTES_MAX)
            .max_message_size(Some(bytes_max))
            .max_frame_size(Some(bytes_max));
        let (early, config) = (Vec::from(early), Some(config));
        let socket = WebSocketStream::from_partially_read(stream, early, Role::Server, config);
        Self {
            socket: socket.await,
            heard: None,
            part: Part::First,
            silence: Silence::default(),
            code: None,
        }
    }

    /// See [`Link::poll_hear`](super::Link::poll_hear).
    pub(super) fn poll_hear(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Heard>> {
        loop {
            let Poll::Ready(came) = Pin::new(&mut self.socket).poll_next(cx) else { break };
            self.silence.broken();
            if let Some(heard) = self.take(came)? {
                return Poll::Ready(Ok(heard));
            }
        }
        loop {
            match ready!(self.silence.poll(cx)) {
                Silent::Gone => return Poll::Ready(Err(ErrorKind::TimedOut.into())),
                Silent::Ask => {
                    let ping = Message::Ping(Bytes::new());
                    let mut socket = Pin::new(&mut self.socket);
                    // Where there is no room for it, there is much that was not taken.
                    _ = socket.as_mut().start_send(ping);
                    if let Poll::Ready(Err(error)) = socket.poll_flush(cx) {
                        return Poll::Ready(Err(io_error(error)));
                    }
                }
            }
        }
    }

    /// What is heard of what came; nothing, if it was a ping or the like.
    fn take(&mut self, came: Option<Result<Message, Error>>) -> io::Result<Option<Heard>> {
        let mut refuse = |why: String, code| {
            self.code = Some(code);
            Ok(Some(Heard::Over((By::Relais, why.into()))))
        };
        match came {
            Some(Ok(Message::Text(text))) => {
                let text = Vec::from(Bytes::from(text));
                let bytes = text.len();
                self.heard = Some(Line::Whole(text));
                Ok(Some(Heard::Bytes(bytes)))
            }
            Some(Ok(Message::Binary(_))) => {
                refuse("a binary message: expected text".into(), CloseCode::Unsupported)
            }
            // Answered by who reads them.
            Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => Ok(None),
            Some(Ok(Message::Close(_))) | None => Ok(Some(Heard::Over(closed()))),
            Some(Err(Error::Capacity(error))) => refuse(error.to_string(), CloseCode::Size),
            Some(Err(Error::Utf8(_))) => {
                refuse("a text that is no UTF-8".into(), CloseCode::Invalid)
            }
            Some(Err(Error::Protocol(ProtocolError::ResetWithoutClosingHandshake))) => {
                Ok(Some(Heard::Over(closed())))
            }
            Some(Err(Error::Protocol(error))) => refuse(error.to_string(), CloseCode::Protocol),
            Some(Err(error)) => Err(io_error(error)),
        }
    }

    /// See [`Link::next`](super::Link::next).
    pub(super) fn next(&mut self) -> Option<Line> {
        self.heard.take()
    }

    /// See [`Link::poll_tell`](super::Link::poll_tell).
    pub(super) fn poll_tell(
        &mut self,
        cx: &mut Context<'_>,
        lines: &mut &[u8],
    ) -> Poll<io::Result<()>> {
        let mut socket = Pin::new(&mut self.socket);
        // Answers to pings may wait: they are not to take the room of this.
        ready!(socket.as_mut().poll_flush(cx)).map_err(io_error)?;
        while !lines.is_empty() {
            ready!(socket.as_mut().poll_ready(cx)).map_err(io_error)?;
            let (part, rest, next) = part_of(lines);
            let code = match self.part {
                Part::First => Data::Text,
                Part::Next => Data::Continue,
            };
            let is_last = matches!(next, Part::First);
            let part = Frame::message(Bytes::copy_from_slice(part), OpCode::Data(code), is_last);
            socket.as_mut().start_send(Message::Frame(part)).map_err(io_error)?;
            (*lines, self.part) = (rest, next);
        }
        socket.poll_flush(cx).map_err(io_error)
    }

    /// See [`Link::keep_alive`](super::Link::keep_alive).
    pub(super) fn keep_alive(&mut self, limits: &Limits) {
        self.silence.gone_after = limits.gone_after;
        self.silence.asked_after = limits.asked_after;
        self.silence.broken();
    }

    /// Says goodbye, and why, and waits a moment for the client's.
    pub(super) async fn close(&mut self, (by, why): &End) {
        let code = self.code.unwrap_or(match by {
            By::Relais => CloseCode::Away,
            By::Client | By::Server => CloseCode::Normal,
        });
        let reason = &why[..why.floor_char_boundary(REASON_BYTES_MAX)];
        let frame = CloseFrame { code, reason: reason.into() };
        let socket = &mut self.socket;
        let goodbye = async {
            // One that the client said first is returned by who reads on.
            _ = socket.close(Some(frame)).await;
            while let Some(Ok(_)) = poll_fn(|cx| Pin::new(&mut *socket).poll_next(cx)).await {}
        };
        // Who does not answer goes without.
        _ = timeout(GOODBYE_MAX, goodbye).await;
        // What was broken off is not read above: the word for it would be lost.
        self.socket.get_mut().linger().await;
    }
}

/// The front of `lines` that goes as one part, what is left then, and what that begins with.
fn part_of(lines: &[u8]) -> (&[u8], &[u8], Part) {
    let front = &lines[..lines.len().min(PART_BYTES_MAX + 1)];
    if let Some(end) = front.iter().position(|byte| *byte == b'\n') {
        return (&lines[..end], &lines[end + 1..], Part::First);
    }
    let (part, rest) = lines.split_at(front.len().min(PART_BYTES_MAX));
    (part, rest, Part::Next)
}

impl Silence {
    /// Something was heard.
    fn broken(&mut self) {
        self.lasted = Duration::ZERO;
        self.wait();
    }

    /// Waits for the next time that somebody is to be asked, or is gone.
    fn wait(&mut self) {
        let left = self.gone_after.saturating_sub(self.lasted);
        self.set_for = left.min(self.asked_after);
        if !self.set_for.is_zero() {
            self.alarm.set(self.set_for);
        }
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Silent> {
        ready!(self.alarm.poll(cx));
        self.lasted += self.set_for;
        if self.lasted >= self.gone_after {
            return Poll::Ready(Silent::Gone);
        }
        self.wait();
        Poll::Ready(Silent::Ask)
    }
}

fn closed() -> End {
    (By::Client, "closed".into())
}

/// The same as the system would say. What the client may have written is escaped.
fn io_error(error: Error) -> io::Error {
    match error {
        Error::Io(error) => error,
        Error::ConnectionClosed | Error::AlreadyClosed => ErrorKind::NotConnected.into(),
        other => {
            io::Error::new(ErrorKind::InvalidData, other.to_string().escape_debug().to_string())
        }
    }
}

#[cfg(test)]
mod tests;
