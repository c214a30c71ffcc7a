//! Taking a place to listen at: a port, or a path.

use std::{
    fs,
    io::{self, ErrorKind},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs},
    os::{
        fd::OwnedFd,
        unix::{
            fs::FileTypeExt,
            net::{UnixListener, UnixStream},
        },
    },
    path::{Path, PathBuf},
};

use socket2::{Domain, SockAddr, Socket, Type};

use crate::{Host, HostPort};

/// How many callers the kernel keeps at the door before we take them in.
const BACKLOG: i32 = 4096;

/// The file of a listener's socket. Removed when dropped.
#[derive(Debug)]
pub struct SocketFile(PathBuf);

impl Drop for SocketFile {
    fn drop(&mut self) {
        _ = fs::remove_file(&self.0);
    }
}

/// Listens at the first of the addresses of `at` that can be bound. Blocks while a name is resolved.
pub(crate) fn bind_net(at: &HostPort) -> io::Result<Socket> {
    bind_first(at, Type::STREAM)
}

/// The same for datagrams.
pub(crate) fn bind_datagrams(at: &HostPort) -> io::Result<Socket> {
    bind_first(at, Type::DGRAM)
}

fn bind_first(at: &HostPort, kind: Type) -> io::Result<Socket> {
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
        match bind_one(candidate, kind, at.host == Host::Any) {
            Ok(socket) => return Ok(socket),
            // A machine without IPv6 has its IPv4 tried next; a taken port is an answer.
            Err(error) if error.kind() == ErrorKind::AddrInUse => return Err(error),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn bind_one(at: SocketAddr, kind: Type, both_families: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(at), kind, None)?;
    if at.is_ipv6() {
        socket.set_only_v6(!both_families)?;
    }
    if kind == Type::DGRAM {
        let is_group = at.ip().is_multicast();
        // Several on a machine may hear a group, each all of it.
        socket.set_reuse_address(is_group)?;
        if is_of_a_link(at.ip()) {
            let text = "a group of one link, and nothing says which: expected ff05:: or wider";
            return Err(io::Error::new(ErrorKind::InvalidInput, text));
        }
        socket.bind(&SockAddr::from(at))?;
        if is_group {
            join(&socket, at.ip())?;
        }
        return Ok(socket);
    }
    // Only skips the wait for old connections' last packets; two listeners still exclude each other.
    socket.set_reuse_address(true)?;
    socket.bind(&SockAddr::from(at))?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

/// Whether there is a group of this address at each interface (RFC 4291, section 2.7).
fn is_of_a_link(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(_) => false,
        IpAddr::V6(ip) => ip.is_multicast() && ip.segments()[0] & 0xf <= 2,
    }
}

/// Has `socket` hear the group at `ip`, on the interface that the system chooses by its routes.
fn join(socket: &Socket, ip: IpAddr) -> io::Result<()> {
    let joined = match ip {
        IpAddr::V4(ip) => socket.join_multicast_v4(&ip, &Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(ip) => socket.join_multicast_v6(&ip, 0),
    };
    joined.map_err(|error| {
        let text = format!("no interface hears the group {ip}: {error}");
        io::Error::new(error.kind(), text)
    })
}

/// Listens at `path`, in the place of a socket that was left there.
///
/// The file is to be dropped before the listener: while it is there, somebody listens.
///
/// # Errors
///
/// What the system says; [`ErrorKind::AddrInUse`] if somebody listens there,
/// [`ErrorKind::AlreadyExists`] for a file that is no socket, which is left as it is, and
/// [`ErrorKind::InvalidInput`] for a path that is too long.
pub fn bind_path(path: &Path) -> io::Result<(UnixListener, SocketFile)> {
    let length = path.as_os_str().len();
    if length > PATH_BYTES_MAX {
        let text = format!("the path has {length} bytes: expected at most {PATH_BYTES_MAX}");
        return Err(io::Error::new(ErrorKind::InvalidInput, text));
    }
    let address = SockAddr::unix(path)?;
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    if let Err(error) = socket.bind(&address) {
        match (error.kind(), occupant(path)) {
            (ErrorKind::AddrInUse, Occupant::Forsaken) => fs::remove_file(path)?,
            (ErrorKind::AddrInUse, Occupant::NoSocket) => {
                let text = "a file that is no socket is there";
                return Err(io::Error::new(ErrorKind::AlreadyExists, text));
            }
            _ => return Err(error),
        }
        socket.bind(&address)?;
    }
    let file = SocketFile(path.to_owned());
    socket.listen(BACKLOG)?;
    Ok((OwnedFd::from(socket).into(), file))
}

/// How long the path of a socket may be: the kernel has 108 bytes for it, the last of them 0
/// (`unix(7)`).
const PATH_BYTES_MAX: usize = 107;

/// What lies where a socket should be.
enum Occupant {
    /// A socket that nobody listens on: what a killed process leaves behind.
    Forsaken,
    /// A file, a folder, or a link.
    NoSocket,
    /// A socket, and as far as we can see somebody listens; or what was there is gone.
    Living,
}

fn occupant(path: &Path) -> Occupant {
    let Ok(found) = fs::symlink_metadata(path) else { return Occupant::Living };
    if !found.file_type().is_socket() {
        return Occupant::NoSocket;
    }
    match UnixStream::connect(path) {
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => Occupant::Forsaken,
        _ => Occupant::Living,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
    fn a_group_is_heard_by_all_who_ask_for_it() {
        let bind = |group: &str, port| {
            let host = Host::Ip(group.parse().unwrap());
            bind_datagrams(&HostPort { host, port })
        };
        for group in ["239.255.77.1", "ff05::7701"] {
            let (one, other) = match bind(group, 0) {
                Ok(one) => {
                    let port = one.local_addr().unwrap().as_socket().unwrap().port();
                    (one, bind(group, port).unwrap())
                }
                // A machine without a network.
                Err(error) => {
                    let error = error.to_string();
                    assert!(error.starts_with("no interface hears the group"), "{error}");
                    continue;
                }
            };
            let to = one.local_addr().unwrap();
            Socket::new(to.domain(), Type::DGRAM, None).unwrap().send_to(b"hi", &to).unwrap();
            for socket in [one, other] {
                socket.set_read_timeout(Some(std::time::Duration::from_secs(5))).unwrap();
                let socket = std::net::UdpSocket::from(socket);
                assert_eq!(socket.recv(&mut [0; 8]).unwrap(), 2, "{group}");
            }
        }
        let error = bind("ff02::1", 0).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }

    #[test]
    fn a_forsaken_socket_is_replaced_and_a_living_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let endpoint: Endpoint = format!("unix://{}", path.display()).parse().unwrap();
        drop(UnixListener::bind(&path).unwrap());
        let living = Listener::bind(&endpoint).unwrap();
        assert_eq!(Listener::bind(&endpoint).unwrap_err().kind(), ErrorKind::AddrInUse);
        drop(living);
        assert!(!path.exists());
    }

    #[test]
    fn what_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        fs::write(&path, "precious").unwrap();
        check(&path, ErrorKind::AlreadyExists, "a file that is no socket is there");
        check(folder.path(), ErrorKind::AlreadyExists, "a file that is no socket is there");
        let link = folder.path().join("l");
        std::os::unix::fs::symlink(&path, &link).unwrap();
        check(&link, ErrorKind::AlreadyExists, "a file that is no socket is there");
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn a_path_has_so_many_bytes_and_no_more() {
        let folder = tempfile::tempdir().unwrap();
        let rest = PATH_BYTES_MAX - folder.path().as_os_str().len() - 1;
        let path = |length| folder.path().join("x".repeat(length));
        bind_path(&path(rest)).unwrap();
        let expect = "the path has 108 bytes: expected at most 107";
        check(&path(rest + 1), ErrorKind::InvalidInput, expect);
    }

    #[track_caller]
    fn check(path: &Path, kind: ErrorKind, expect: &str) {
        let error = bind_path(path).unwrap_err();
        assert_eq!((error.kind(), error.to_string().as_str()), (kind, expect));
    }
}
