//! A client's way to its target: whatever carries it, one exchange after another.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
};

use bytes::Bytes;
use relais_net::{Dialer, Endpoint, Host, Scheme, Stream, tls::Protocols};
use tokio::net::{UdpSocket, lookup_host};
use tokio_tungstenite::WebSocketStream;

use super::{
    answer::{Answers, Echo},
    exchange::{exchange, exchange_datagram},
    failure::{Failure, Kind},
    ledger::Answered,
    target::{Said, Target},
    web_socket,
};

/// A connection to a target, or a socket that sends there.
#[derive(Debug)]
pub(super) enum Line {
    /// HTTP/1.1. Boxed, as is what is behind the others.
    Http(Box<Stream>, Box<Answers>),
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
            return open_datagrams(endpoint).await.map(Self::Datagrams);
        }
        let is_of_web_sockets = matches!(endpoint.scheme, Scheme::Ws | Scheme::Wss);
        let is_http = is_of_web_sockets || matches!(said, Said::Request(_));
        let protocols = if is_http { Protocols::Http1 } else { Protocols::Plain };
        let stream = dialer.dial(endpoint, protocols).await?.stream;
        if is_of_web_sockets {
            return web_socket::begin(stream, target).await.map(Box::new).map(Self::WebSocket);
        }
        let stream = Box::new(stream);
        Ok(match said {
            Said::Request(request) => Self::Http(stream, Box::new(Answers::to(request.asked))),
            Said::Message(_) => Self::Bytes(stream),
        })
    }

    /// Sends `message` and waits for what it is answered with. Not cancel safe: the line is of no use
    /// after, nor after a failure.
    pub(super) async fn exchange(&mut self, message: &Bytes) -> Result<Answered, Failure> {
        match self {
            Self::Http(stream, answers) => exchange(&mut **stream, message, &mut **answers).await,
            Self::Bytes(stream) => exchange(&mut **stream, message, &mut Echo::of(message)).await,
            Self::Datagrams(socket) => exchange_datagram(socket, message).await,
            Self::WebSocket(socket) => web_socket::exchange(socket, message).await,
        }
    }
}

/// A socket that sends to `endpoint`, and hears nobody else.
async fn open_datagrams(endpoint: &Endpoint) -> Result<UdpSocket, Failure> {
    let peer = find(endpoint).await?;
    let local: IpAddr = match peer {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let opened = async {
        let socket = UdpSocket::bind((local, 0)).await?;
        socket.connect(peer).await?;
        io::Result::Ok(socket)
    };
    opened.await.map_err(|error| Failure::of_talk(&error))
}

/// Where `endpoint` is: of several addresses, the first.
async fn find(endpoint: &Endpoint) -> Result<SocketAddr, Failure> {
    let unknown = |why: String| {
        Failure::new(Kind::Unreachable, format!("no address of {endpoint} is known{why}"))
    };
    let at = endpoint.host_port().ok_or_else(|| unknown(String::new()))?;
    let name = match &at.host {
        Host::Any => return Err(unknown(": expected that of one machine".to_owned())),
        Host::Ip(ip) => return Ok(SocketAddr::new(*ip, at.port)),
        Host::Name(name) => name,
    };
    let found = lookup_host((name.as_str(), at.port)).await;
    let found = found.map_err(|error| unknown(format!(": {error}")))?.next();
    found.ok_or_else(|| unknown(String::new()))
}
