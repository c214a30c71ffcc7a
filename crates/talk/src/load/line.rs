//! A client's way to its target: whatever carries it, one exchange after another.

use bytes::Bytes;
use relais_net::{Dialer, Scheme, Stream, tls::Protocols};
use tokio::net::UdpSocket;
use tokio_tungstenite::WebSocketStream;

use super::{
    answer::{Answers, Echo},
    exchange::{exchange, exchange_datagram},
    failure::Failure,
    http2::Conn,
    ledger::Answered,
    target::{Said, Target},
    web_socket,
};

/// A connection to a target, or a socket that sends there.
#[derive(Debug)]
pub(super) enum Line {
    /// HTTP/1.1. Boxed, as is what is behind the others.
    Http(Box<Stream>, Box<Answers>),
    /// A stream of HTTP/2.
    Http2(Conn),
    /// Messages without ends of their own.
    Bytes(Box<Stream>),
    /// A datagram each.
    Datagrams(UdpSocket),
    /// A message of a WebSocket each.
    WebSocket(Box<WebSocketStream<Stream>>),
}

impl Line {
    /// Calls `target`. Cancel safe: a call given up is hung up.
    pub(super) async fn open(target: &Target, dialer: &Dialer) -> Result<Self, Failure> {
        let Target { endpoint, said, .. } = target;
        if target.is_of_datagrams() {
            return Ok(Self::Datagrams(dialer.dial_datagrams(endpoint).await?.socket));
        }
        if let Said::Http2(request) = said {
            // Boxed: ten thousand clients of others have no room for it.
            let opening = Box::pin(Conn::open(endpoint, request, dialer));
            return opening.await.map(Self::Http2);
        }
        let is_of_web_sockets = matches!(endpoint.scheme, Scheme::Ws | Scheme::Wss);
        let is_http = is_of_web_sockets || matches!(said, Said::Request(_));
        let protocols = if is_http { Protocols::Http1 } else { Protocols::Plain };
        let stream = dialer.dial(endpoint, protocols).await?.stream;
        if is_of_web_sockets {
            return web_socket::begin(stream, target).await.map(Box::new).map(Self::WebSocket);
        }
        let stream = Box::new(stream);
        Ok(if let Said::Request(request) = said {
            Self::Http(stream, Box::new(Answers::to(request.asked)))
        } else {
            Self::Bytes(stream)
        })
    }

    /// The line, if another exchange may begin on it, as far as is known: what else ends one is told by
    /// its answers.
    pub(super) fn still_open(self) -> Option<Self> {
        match self {
            Self::Http2(conn) => conn.still_open().map(Self::Http2),
            line => Some(line),
        }
    }

    /// How many exchanges its target lets be under way at once, if it says that.
    pub(super) fn streams_max(&self) -> Option<u64> {
        match self {
            Self::Http2(conn) => Some(u64::try_from(conn.streams_max()).unwrap_or(u64::MAX)),
            _ => None,
        }
    }

    /// Sends `message` and waits for what it is answered with. Not cancel safe: the line is of no use
    /// after, nor after a failure.
    pub(super) async fn exchange(&mut self, message: &Bytes) -> Result<Answered, Failure> {
        match self {
            Self::Http(stream, answers) => exchange(&mut **stream, message, &mut **answers).await,
            Self::Http2(conn) => conn.ask().await,
            Self::Bytes(stream) => exchange(&mut **stream, message, &mut Echo::of(message)).await,
            Self::Datagrams(socket) => exchange_datagram(socket, message).await,
            Self::WebSocket(socket) => web_socket::exchange(socket, message).await,
        }
    }
}
