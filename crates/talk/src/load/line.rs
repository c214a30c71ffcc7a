//! A client's way to its target: whatever carries it, one exchange after another.

use bytes::Bytes;
use relais_net::{Dialer, Idle, Scheme, Stream, tls::Protocols};
use tokio::net::UdpSocket;
use tokio_tungstenite::WebSocketStream;

use super::{
    answer::{Answers, Echo},
    exchange::{exchange, exchange_datagram},
    failure::{Failure, Kind},
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

    /// The line, if another exchange may begin on it, as far as is known: none if the other side closed
    /// it while nothing was asked, as a server may whenever it likes (RFC 9112, section 9.5).
    ///
    /// # Errors
    ///
    /// [`Failure`]: it said something on a WebSocket that nobody asked for.
    pub(super) fn rested(mut self) -> Result<Option<Self>, Failure> {
        let is_open = match &mut self {
            Self::Http2(conn) => conn.is_open(),
            // A server of HTTP may say why it closes: 408, which is the answer to nothing.
            Self::Http(stream, _) => stream.idle() == Idle::Quiet,
            // What came behind an answer is told by the next exchange not to be its own.
            Self::Bytes(stream) => stream.idle() != Idle::Gone,
            Self::Datagrams(_) => true,
            Self::WebSocket(socket) => match web_socket::idle(socket) {
                Idle::Quiet => true,
                Idle::Gone => false,
                Idle::Spoke => {
                    return Err(Failure::new(Kind::Wrong, "a message that nobody asked for"));
                }
            },
        };
        Ok(is_open.then_some(self))
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

#[cfg(test)]
mod tests {
    use futures_util::{SinkExt as _, StreamExt as _};
    use relais_wire::http1::response::Asked;
    use tokio::io::{AsyncWriteExt as _, DuplexStream, duplex};
    use tokio_tungstenite::tungstenite::{Message, protocol::Role};

    use super::*;

    fn http() -> (Line, DuplexStream) {
        let (ours, theirs) = duplex(64);
        (Line::Http(Box::new(Stream::Memory(ours)), Box::new(Answers::to(Asked::Usual))), theirs)
    }

    fn bytes() -> (Line, DuplexStream) {
        let (ours, theirs) = duplex(64);
        (Line::Bytes(Box::new(Stream::Memory(ours))), theirs)
    }

    async fn web_socket() -> (Line, WebSocketStream<DuplexStream>) {
        let (ours, theirs) = duplex(1 << 10);
        let ours = Stream::Memory(ours);
        let ours = WebSocketStream::from_raw_socket(ours, Role::Client, None).await;
        let theirs = WebSocketStream::from_raw_socket(theirs, Role::Server, None).await;
        (Line::WebSocket(Box::new(ours)), theirs)
    }

    /// Whether the line is still there.
    fn rests(line: Line) -> bool {
        line.rested().unwrap().is_some()
    }

    #[tokio::test]
    async fn what_was_closed_while_it_rested_is_over() {
        for (line, theirs) in [http(), bytes()] {
            let line = line.rested().unwrap().unwrap();
            drop(theirs);
            assert!(!rests(line));
        }
        let (line, mut theirs) = web_socket().await;
        let line = line.rested().unwrap().unwrap();
        theirs.close(None).await.unwrap();
        assert!(!rests(line));
    }

    #[tokio::test]
    async fn what_is_said_unasked_is_no_answer() {
        let (line, mut theirs) = http();
        theirs.write_all(b"HTTP/1.1 408 Late\r\n\r\n").await.unwrap();
        assert!(!rests(line));
        // It is told by the next exchange.
        let (line, mut theirs) = bytes();
        theirs.write_all(b"more").await.unwrap();
        assert!(rests(line));
        let (line, mut theirs) = web_socket().await;
        theirs.send(Message::text("welcome")).await.unwrap();
        assert_eq!(line.rested().unwrap_err().kind, Kind::Wrong);
    }

    #[tokio::test]
    async fn a_web_socket_that_rests_answers_pings() {
        let (line, mut theirs) = web_socket().await;
        for _ in 0..2 {
            theirs.send(Message::Ping(Bytes::from_static(b"?"))).await.unwrap();
        }
        assert!(rests(line));
        assert_eq!(theirs.next().await.unwrap().unwrap(), Message::Pong(Bytes::from_static(b"?")));
    }
}
