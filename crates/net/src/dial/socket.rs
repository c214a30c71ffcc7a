//! One call to one address.

use std::{
    io::{self, ErrorKind},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use socket2::{SockRef, TcpKeepalive};
use tokio::net::{TcpSocket, TcpStream};

/// How a socket is set.
#[derive(Clone, Copy, Debug)]
pub(super) struct Settings {
    pub(super) source: Option<IpAddr>,
    pub(super) keepalive: Option<Duration>,
}

/// Calls `address`. Cancel safe: a call given up is hung up.
pub(super) async fn call(address: SocketAddr, settings: Settings) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(source) = settings.source {
        socket.bind(SocketAddr::new(source, 0))?;
    }
    let stream = socket.connect(address).await?;
    if is_to_itself(&stream, address)? {
        return Err(ErrorKind::ConnectionRefused.into());
    }
    // What is written is meant to go: who wants few packets writes few pieces.
    stream.set_nodelay(true)?;
    if let Some(time) = settings.keepalive {
        let keepalive = TcpKeepalive::new().with_time(time).with_interval(time);
        SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
    }
    Ok(stream)
}

/// Whether a socket has called itself.
///
/// Where nobody listens at a port that the kernel gives to callers, too, a caller may be given just
/// that one, and gets what it sends for an answer (RFC 9293, section 3.5: simultaneous open).
fn is_to_itself(stream: &TcpStream, called: SocketAddr) -> io::Result<bool> {
    Ok(stream.local_addr()? == called)
}

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const PLAIN: Settings = Settings { source: None, keepalive: None };

    #[tokio::test]
    async fn a_socket_is_set_as_asked() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let plain = call(address, PLAIN).await.unwrap();
        assert!(plain.nodelay().unwrap());
        assert!(!SockRef::from(&plain).keepalive().unwrap());
        let source = Some("127.0.0.9".parse().unwrap());
        let keepalive = Some(Duration::from_mins(1));
        let set = call(address, Settings { source, keepalive }).await.unwrap();
        assert_eq!(Some(set.local_addr().unwrap().ip()), source);
        let socket = SockRef::from(&set);
        assert!(socket.keepalive().unwrap());
        assert_eq!(socket.tcp_keepalive_time().unwrap(), Duration::from_mins(1));
        assert_eq!(socket.tcp_keepalive_interval().unwrap(), Duration::from_mins(1));
    }

    #[tokio::test]
    async fn a_socket_that_called_itself_is_noticed() {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let own = socket.local_addr().unwrap();
        let stream = socket.connect(own).await.unwrap();
        assert!(is_to_itself(&stream, own).unwrap());
    }
}
