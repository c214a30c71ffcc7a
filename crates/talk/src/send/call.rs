//! A connection of any transport: a mouth that says messages, and an ear that hears them.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
    time::Duration,
};

use bytes::{Bytes, BytesMut};
use futures_util::{
    SinkExt as _, StreamExt as _,
    stream::{SplitSink, SplitStream},
};
use relais_net::Stream;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf, split},
    net::UdpSocket,
    select,
    task::coop::consume_budget,
    time::{Instant, sleep_until, timeout},
};
use tokio_tungstenite::{WebSocketStream, tungstenite::Message};

use super::goodbye::Goodbye;
use crate::frames::io_error;

/// The longest message of a WebSocket that is heard.
pub const MESSAGE_BYTES_MAX: usize = 16 << 20;

/// How much is read of a stream at a time.
const READ_BYTES: usize = 64 << 10;

/// The largest datagram there can be, and a byte more.
const DATAGRAM_BYTES: usize = 65_536;

/// What is said and heard at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unit {
    /// Bytes, however they were cut.
    Bytes,
    /// Datagrams, whole or not at all: what is sent may not arrive, and nobody says so.
    Datagrams,
    /// Messages of a WebSocket.
    Messages,
}

/// An open connection. Hung up when dropped.
#[derive(Debug)]
pub struct Call {
    pub(super) mouth: Mouth,
    pub(super) ear: Ear,
    unit: Unit,
}

/// What says messages.
#[derive(Debug)]
pub(super) enum Mouth {
    Stream(WriteHalf<Stream>),
    Datagrams(Arc<UdpSocket>),
    WebSocket(SplitSink<WebSocketStream<Stream>, Message>),
}

/// What is heard next.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// This; an empty datagram or message is empty bytes.
    Bytes(Bytes),
    /// The other side says that nothing more comes from it.
    End,
    /// The connection ended without the word for it that TLS has: a third may have cut it off.
    CutOff,
}

/// What hears them.
#[derive(Debug)]
pub(super) enum Ear {
    Stream(ReadHalf<Stream>, BytesMut),
    Datagrams(Arc<UdpSocket>, Vec<u8>),
    WebSocket {
        stream: SplitStream<WebSocketStream<Stream>>,
        /// How it was closed, once it is.
        goodbye: Option<Goodbye>,
        /// The last mark that the other side came to.
        mark: u64,
    },
}

impl Call {
    /// On a stream that was opened.
    pub fn of_stream(stream: Stream) -> Self {
        let (ear, mouth) = split(stream);
        let ear = Ear::Stream(ear, BytesMut::new());
        Self { mouth: Mouth::Stream(mouth), ear, unit: Unit::Bytes }
    }

    /// On a socket that is connected.
    pub fn of_datagrams(socket: Arc<UdpSocket>) -> Self {
        let ear = Ear::Datagrams(Arc::clone(&socket), vec![0; DATAGRAM_BYTES]);
        Self { mouth: Mouth::Datagrams(socket), ear, unit: Unit::Datagrams }
    }

    /// On a WebSocket that has begun.
    pub(super) fn of_web_socket(web_socket: WebSocketStream<Stream>) -> Self {
        let (mouth, stream) = web_socket.split();
        let ear = Ear::WebSocket { stream, goodbye: None, mark: 0 };
        Self { mouth: Mouth::WebSocket(mouth), ear, unit: Unit::Messages }
    }

    /// What is said and heard at a time.
    pub fn unit(&self) -> Unit {
        self.unit
    }
}

impl Mouth {
    /// Says `message`, to somebody who takes some of it within `stall_max`, and then more within the
    /// same again. Of a WebSocket it is a text if it is one.
    ///
    /// Cancel safe: no; a part of it may have been said.
    pub(super) async fn say(&mut self, message: &[u8], stall_max: Duration) -> io::Result<()> {
        match self {
            Self::Stream(half) => {
                let mut rest = message;
                while !rest.is_empty() {
                    match taken(stall_max, half.write(rest)).await? {
                        0 => return Err(ErrorKind::WriteZero.into()),
                        count => rest = &rest[count..],
                    }
                }
                taken(stall_max, half.flush()).await
            }
            Self::Datagrams(socket) => socket.send(message).await.map(|_| ()),
            Self::WebSocket(sink) => {
                let message = match str::from_utf8(message) {
                    Ok(text) => Message::text(text),
                    Err(_) => Message::binary(Bytes::copy_from_slice(message)),
                };
                // How much of it is taken so far is not to be seen: by the rate.
                let pieces = u32::try_from(message.len() / PIECE_BYTES).unwrap_or(u32::MAX);
                let most = stall_max.saturating_mul(pieces.saturating_add(1));
                taken(most, async {
                    // Answers to pings may wait: they are not to take the room of this.
                    sink.flush().await.map_err(io_error)?;
                    sink.send(message).await.map_err(io_error)
                })
                .await
            }
        }
    }

    /// Puts a mark behind what was said on a WebSocket, which the other side tells once it came there: a
    /// ping (RFC 6455 §5.5.2). Elsewhere it does nothing.
    ///
    /// Cancel safe: no.
    pub(super) async fn mark(&mut self, mark: u64) -> io::Result<()> {
        match self {
            Self::Stream(_) | Self::Datagrams(_) => Ok(()),
            Self::WebSocket(sink) => {
                let ping = Message::Ping(Bytes::copy_from_slice(&mark.to_be_bytes()));
                sink.send(ping).await.map_err(io_error)
            }
        }
    }

    /// Says that nothing more comes: a half-close, or the frame that closes a WebSocket. Datagrams
    /// have no such word.
    pub(super) async fn end(&mut self) -> io::Result<()> {
        let ended = match self {
            Self::Stream(half) => half.shutdown().await,
            Self::Datagrams(_) => Ok(()),
            Self::WebSocket(sink) => sink.close().await.map_err(io_error),
        };
        match ended {
            // The other side was quicker.
            Err(error) if is_over(error.kind()) => Ok(()),
            ended => ended,
        }
    }
}

impl Ear {
    /// Waits for what comes next.
    ///
    /// Cancel safe.
    pub(super) async fn hear(&mut self) -> io::Result<Heard> {
        match self {
            Self::Stream(half, buffer) => {
                buffer.reserve(READ_BYTES);
                match half.read_buf(buffer).await {
                    Ok(0) => Ok(Heard::End),
                    Ok(_) => Ok(Heard::Bytes(buffer.split().freeze())),
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(Heard::CutOff),
                    Err(error) => Err(error),
                }
            }
            Self::Datagrams(socket, buffer) => {
                let length = socket.recv(buffer).await?;
                Ok(Heard::Bytes(Bytes::copy_from_slice(&buffer[..length])))
            }
            Self::WebSocket { stream, goodbye, mark } => loop {
                // Many come with one read, none of which would leave the runtime a turn, e.g. for the time.
                consume_budget().await;
                match stream.next().await {
                    Some(Ok(Message::Text(text))) => return Ok(Heard::Bytes(text.into())),
                    Some(Ok(Message::Binary(bytes))) => return Ok(Heard::Bytes(bytes)),
                    Some(Ok(Message::Pong(bytes))) => {
                        let came_to = <[u8; 8]>::try_from(&*bytes).map_or(0, u64::from_be_bytes);
                        *mark = came_to.max(*mark);
                    }
                    // tungstenite answers them by itself.
                    Some(Ok(Message::Ping(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(frame))) => {
                        *goodbye = Some(Goodbye::of(frame));
                        return Ok(Heard::End);
                    }
                    None => return Ok(Heard::End),
                    Some(Err(error)) => return closed_or(io_error(error)),
                }
            },
        }
    }

    /// Waits for what comes next, but no longer than `until`; gives nothing then.
    ///
    /// Cancel safe.
    pub(super) async fn hear_until(&mut self, until: Instant) -> io::Result<Option<Heard>> {
        select! {
            // The time first: who never pauses has always said something already.
            biased;
            () = sleep_until(until) => Ok(None),
            heard = self.hear() => heard.map(Some),
        }
    }

    /// How a WebSocket was closed, if it was.
    pub(super) fn goodbye(&self) -> Option<&Goodbye> {
        match self {
            Self::WebSocket { goodbye, .. } => goodbye.as_ref(),
            Self::Stream(..) | Self::Datagrams(..) => None,
        }
    }

    /// The last mark that the other side of a WebSocket told that it came to; 0 before the first. `None`
    /// where there are no marks.
    pub(super) fn mark(&self) -> Option<u64> {
        match self {
            Self::WebSocket { mark, .. } => Some(*mark),
            Self::Stream(..) | Self::Datagrams(..) => None,
        }
    }

    /// Hears what somebody still has to say who takes nothing more, for a moment. Gives nothing once
    /// there is no more.
    pub(super) async fn last_word(&mut self, until: Instant) -> Option<Bytes> {
        match self.hear_until(until).await {
            Ok(Some(Heard::Bytes(bytes))) => Some(bytes),
            _ => None,
        }
    }
}

/// How long somebody who takes nothing more is listened to.
pub(super) const LAST_WORDS_MAX: Duration = Duration::from_millis(200);

/// What is taken at least of a WebSocket's message in the time in which something has to be.
const PIECE_BYTES: usize = 64 << 10;

/// What comes of `taking`, if it is within `most`.
async fn taken<T>(most: Duration, taking: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    let late = |_| {
        let what = format!("nothing of what is said is taken within {most:?}");
        Err(io::Error::new(ErrorKind::TimedOut, what))
    };
    timeout(most, taking).await.unwrap_or_else(late)
}

/// What is heard where a WebSocket says `error` instead of more.
fn closed_or(error: io::Error) -> io::Result<Heard> {
    match error.kind() {
        ErrorKind::NotConnected => Ok(Heard::End),
        ErrorKind::UnexpectedEof => Ok(Heard::CutOff),
        _ => Err(error),
    }
}

fn is_over(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotConnected | ErrorKind::BrokenPipe)
}
