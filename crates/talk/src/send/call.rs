//! A connection of any transport: a mouth that says messages, and an ear that hears them.

use std::{
    io::{self, ErrorKind},
    sync::Arc,
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
};
use tokio_tungstenite::{
    WebSocketStream,
    tungstenite::{self, Message},
};

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

/// What hears them.
#[derive(Debug)]
pub(super) enum Ear {
    Stream(ReadHalf<Stream>, BytesMut),
    Datagrams(Arc<UdpSocket>, Vec<u8>),
    WebSocket(SplitStream<WebSocketStream<Stream>>),
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
        let (mouth, ear) = web_socket.split();
        Self { mouth: Mouth::WebSocket(mouth), ear: Ear::WebSocket(ear), unit: Unit::Messages }
    }

    /// What is said and heard at a time.
    pub fn unit(&self) -> Unit {
        self.unit
    }
}

impl Mouth {
    /// Says `message`. Of a WebSocket it is a text if it is one.
    ///
    /// Cancel safe: no; a part of it may have been said.
    pub(super) async fn say(&mut self, message: &[u8]) -> io::Result<()> {
        match self {
            Self::Stream(half) => {
                half.write_all(message).await?;
                half.flush().await
            }
            Self::Datagrams(socket) => socket.send(message).await.map(|_| ()),
            Self::WebSocket(sink) => {
                let message = match str::from_utf8(message) {
                    Ok(text) => Message::text(text),
                    Err(_) => Message::binary(Bytes::copy_from_slice(message)),
                };
                sink.send(message).await.map_err(io_error)
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
    /// Waits for what comes next; `None` once the other side has ended. An empty datagram or message
    /// is empty bytes.
    ///
    /// Cancel safe.
    pub(super) async fn hear(&mut self) -> io::Result<Option<Bytes>> {
        match self {
            Self::Stream(half, buffer) => {
                buffer.reserve(READ_BYTES);
                match half.read_buf(buffer).await {
                    Ok(0) => Ok(None),
                    Ok(_) => Ok(Some(buffer.split().freeze())),
                    // Under TLS, an end without the word for it: who is cut off by a third cannot
                    // tell, and many a server does so.
                    Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(None),
                    Err(error) => Err(error),
                }
            }
            Self::Datagrams(socket, buffer) => {
                let length = socket.recv(buffer).await?;
                Ok(Some(Bytes::copy_from_slice(&buffer[..length])))
            }
            Self::WebSocket(stream) => loop {
                match stream.next().await {
                    Some(Ok(Message::Text(text))) => return Ok(Some(text.into())),
                    Some(Ok(Message::Binary(bytes))) => return Ok(Some(bytes)),
                    // tungstenite answers them by itself.
                    Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_))) => {}
                    Some(Ok(Message::Close(_))) | None => return Ok(None),
                    Some(Err(error)) => return closed_or(io_error(error)),
                }
            },
        }
    }
}

fn closed_or(error: io::Error) -> io::Result<Option<Bytes>> {
    if error.kind() == ErrorKind::NotConnected { Ok(None) } else { Err(error) }
}

fn is_over(kind: ErrorKind) -> bool {
    matches!(kind, ErrorKind::NotConnected | ErrorKind::BrokenPipe)
}

fn io_error(error: tungstenite::Error) -> io::Error {
    match error {
        tungstenite::Error::Io(error) => error,
        tungstenite::Error::ConnectionClosed | tungstenite::Error::AlreadyClosed => {
            ErrorKind::NotConnected.into()
        }
        other => {
            io::Error::new(ErrorKind::InvalidData, other.to_string().escape_debug().to_string())
        }
    }
}
