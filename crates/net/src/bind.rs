//! Taking a place to listen at: a port, or a path.

use std::{
    fs,
    io::{self, ErrorKind},
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    os::unix::fs::FileTypeExt,
    path::{Path, PathBuf},
};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

use crate::{Host, HostPort};

/// How many callers the kernel keeps at the door before we take them in.
const BACKLOG: i32 = 4096;

/// A file that is removed when its listener goes.
#[derive(Debug)]
pub(crate) struct SocketFile(pub PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.0);
    }
}

/// Binds the first of the addresses of `at` that can be bound. Blocks while a name is resolved.
pub(crate) fn bind_net(at: &HostPort) -> io::Result<Socket> {
    let candidates = match &at.host {
        Host::Any => vec![
            SocketAddr::from((Ipv6Addr::UNSPECIFIED, at.port)),
            SocketAddr::from((Ipv4Addr::UNSPECIFIED, at.port)),
        ],
        Host::Ip(ip) => vec![SocketAddr::from((*ip, at.port))],
        Host::Name(name) => {
            let mut found: Vec<_> = (name.as_str(), at.port).to_socket_addrs()?.collect();
            // Of `localhost`'s two addresses the one that every client tries.
            found.sort_by_key(SocketAddr::is_ipv6);
            found
        }
    };
    let mut last = io::Error::new(ErrorKind::NotFound, "the name has no address");
    for candidate in candidates {
        match bind_one(candidate, at.host == Host::Any) {
            Ok(socket) => return Ok(socket),
            // A machine without IPv6 has its IPv4 tried next; a taken port is an answer.
            Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_one(at: SocketAddr, both_families: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), Type::STREAM, Some(Protocol::TCP))?;
    if at.is_ipv6() {
        socket.set_only_v6(!both_families)?;
    }
    // Only skips the wait for old connections' last packets; two listeners still exclude each other.
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(at))?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// Binds `path`, in the place of a socket that was left there.
pub(crate) fn bind_path(path: &Path) -> io::Result<Socket> {
    let address = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    match socket.bind(&address) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_forsaken(path) => {
            fs::remove_file(path)?;
            socket.bind(&address)?;
        }
        bound => bound?,
    }
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// Whether a socket lies at `path` that nobody listens on: what a killed process leaves behind.
fn is_forsaken(path: &Path) -> bool {
    let is_socket = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_socket());
    is_socket
        && std::os::unix::net::UnixStream::connect(path)
            .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[cfg(test)]
mod tests {
    use std::io::ErrorKind;

    use crate::{Endpoint, Listener};

    #[test]
    fn every_address_is_both_families() {
        let listener = Listener::bind(&"tcp://:0".parse().unwrap()).unwrap();
        let port = listener.local().host_port().unwrap().port;
        std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    }

    #[test]
    fn a_taken_port_is_refused() {
        let first = Listener::bind(&"tcp://127.0.0.1:0".parse().unwrap()).unwrap();
        let error = Listener::bind(first.local()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::AddrInUse);
    }

    #[test]
    fn a_forsaken_socket_is_replaced_and_a_living_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let endpoint: Endpoint = format!("unix://{}", path.display()).parse().unwrap();
        drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
        let living = Listener::bind(&endpoint).unwrap();
        assert_eq!(Listener::bind(&endpoint).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(living);
        assert!(!path.exists());
    }
}
