//! Sockets that a service manager bound for us (socket activation).

use std::{
    net::{SocketAddr, TcpListener, ToSocketAddrs as _, UdpSocket},
    os::{fd::OwnedFd, unix::net::UnixListener},
    path::PathBuf,
};

use listenfd::ListenFd;
use relais_net::{Endpoint, Host, HostPort, Place, Scheme};
use tracing::warn;

/// The sockets that nobody has taken yet.
#[derive(Debug, Default)]
pub(crate) struct Inherited {
    sockets: Vec<(At, OwnedFd)>,
}

/// Where an inherited socket listens.
#[derive(Clone, Debug, PartialEq, Eq)]
enum At {
    Net(SocketAddr),
    Udp(SocketAddr),
    Path(PathBuf),
}

impl Inherited {
    /// Those that the environment tells of. To be asked once, before there are threads.
    pub(crate) fn from_env() -> Self {
        let mut found = ListenFd::from_env();
        let mut sockets = Vec::new();
        for index in 0..found.len() {
            if let Ok(Some(listener)) = found.take_tcp_listener(index) {
                sockets.extend(tcp(listener));
            } else if let Ok(Some(listener)) = found.take_unix_listener(index) {
                sockets.extend(unix(listener));
            } else if let Ok(Some(socket)) = found.take_udp_socket(index) {
                sockets.extend(udp(socket));
            } else {
                warn!("inherited socket {index} is of no kind that is known; it is left alone");
            }
        }
        Self { sockets }
    }

    /// Adds one of our own.
    pub(crate) fn add(&mut self, listener: TcpListener) {
        self.sockets.extend(tcp(listener));
    }

    /// The socket that listens where `on` says.
    pub(crate) fn take(&mut self, on: &Endpoint) -> Option<OwnedFd> {
        if self.sockets.is_empty() {
            return None;
        }
        let place = self.sockets.iter().position(|(at, _)| at.is(on))?;
        Some(self.sockets.swap_remove(place).1)
    }

    /// Tells of those that no listener took.
    pub(crate) fn report(&self) {
        for (at, _) in &self.sockets {
            let at = match at {
                At::Net(at) | At::Udp(at) => at.to_string(),
                At::Path(path) => path.display().to_string(),
            };
            warn!(
                "inherited a socket at {at}, where nothing is to listen: expected it in `listen`"
            );
        }
    }
}

impl At {
    fn is(&self, on: &Endpoint) -> bool {
        let is_of_datagrams = on.scheme == Scheme::Udp;
        match (self, &on.place) {
            (Self::Net(at), Place::Net(HostPort { host, port })) if !is_of_datagrams => {
                at.port() == *port && is_host(*at, host)
            }
            (Self::Udp(at), Place::Net(HostPort { host, port })) if is_of_datagrams => {
                at.port() == *port && is_host(*at, host)
            }
            (Self::Path(at), Place::Path(path)) => at == path,
            _ => false,
        }
    }
}

fn is_host(at: SocketAddr, host: &Host) -> bool {
    match host {
        Host::Any => at.ip().is_unspecified(),
        Host::Ip(ip) => at.ip().to_canonical() == ip.to_canonical(),
        Host::Name(name) => (name.as_str(), at.port())
            .to_socket_addrs()
            .is_ok_and(|mut found| found.any(|found| found == at)),
    }
}

fn tcp(listener: TcpListener) -> Option<(At, OwnedFd)> {
    let at = listener.local_addr().ok()?;
    Some((At::Net(at), listener.into()))
}

fn udp(socket: UdpSocket) -> Option<(At, OwnedFd)> {
    let at = socket.local_addr().ok()?;
    Some((At::Udp(at), socket.into()))
}

fn unix(listener: UnixListener) -> Option<(At, OwnedFd)> {
    let at = listener.local_addr().ok()?.as_pathname()?.to_owned();
    Some((At::Path(at), listener.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_is_taken_once_by_the_one_whose_it_is() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let mut inherited = Inherited { sockets: tcp(listener).into_iter().collect() };
        let on = |text: String| text.parse::<Endpoint>().unwrap();
        assert!(inherited.take(&on(format!("http://:{port}"))).is_none());
        assert!(inherited.take(&on(format!("http://127.0.0.2:{port}"))).is_none());
        assert!(inherited.take(&on(format!("https://127.0.0.1:{port}"))).is_some());
        assert!(inherited.take(&on(format!("https://127.0.0.1:{port}"))).is_none());
    }
    #[test]
    fn sockets_of_datagrams_and_of_streams_are_told_apart() {
        // The same port of both: a socket of the other kind would be one of another server.
        let (socket, listener) = loop {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            if let Ok(socket) = UdpSocket::bind(listener.local_addr().unwrap()) {
                break (socket, listener);
            }
        };
        let port = socket.local_addr().unwrap().port();
        let on = |scheme: &str| format!("{scheme}://127.0.0.1:{port}").parse::<Endpoint>().unwrap();
        let mut inherited = Inherited { sockets: udp(socket).into_iter().collect() };
        assert!(inherited.take(&on("tcp")).is_none());
        let taken = inherited.take(&on("udp")).unwrap();
        assert_eq!(UdpSocket::from(taken).local_addr().unwrap().port(), port);
        assert!(inherited.take(&on("udp")).is_none());
        let mut inherited = Inherited { sockets: tcp(listener).into_iter().collect() };
        assert!(inherited.take(&on("udp")).is_none());
        assert!(inherited.take(&on("tcp")).is_some());
    }
}
