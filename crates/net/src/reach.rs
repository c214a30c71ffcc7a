//! Where somebody can be called at all, and a plain call.

use std::io::{self, ErrorKind};

use tokio::net::{TcpStream, UnixStream};

use crate::{Endpoint, Host, Place, Scheme, Stream};

/// Why nobody can be called at `endpoint`, if so: it is of datagrams, or only a listener can be there.
pub(crate) fn uncallable(endpoint: &Endpoint) -> Option<&'static str> {
    let at = match (endpoint.scheme, &endpoint.place) {
        (Scheme::Udp, _) => return Some("it is of datagrams"),
        (_, Place::Path(_)) => return None,
        (_, Place::Net(at)) => at,
    };
    match at.host {
        Host::Any => Some("there is no host to call"),
        _ if at.port == 0 => Some("nobody can be called at port 0"),
        _ => None,
    }
}

/// Calls what carries an endpoint: under `https`, the TCP that TLS is yet to be spoken on. A name's
/// addresses are tried in the order of the resolver.
///
/// Cancel safe: a call given up is hung up.
///
/// # Errors
///
/// What the system says of the last address; [`ErrorKind::InvalidInput`] where nobody can be called.
pub(crate) async fn reach(endpoint: &Endpoint) -> io::Result<Stream> {
    if let Some(why) = uncallable(endpoint) {
        return Err(io::Error::new(ErrorKind::InvalidInput, why));
    }
    let at = match &endpoint.place {
        Place::Path(path) => return UnixStream::connect(path).await.map(Stream::Unix),
        Place::Net(at) => at,
    };
    let stream = match &at.host {
        Host::Any => return Err(ErrorKind::InvalidInput.into()),
        Host::Ip(ip) => TcpStream::connect((*ip, at.port)).await?,
        Host::Name(name) => TcpStream::connect((name.as_str(), at.port)).await?,
    };
    // What is written is meant to go: who wants few packets writes few pieces.
    stream.set_nodelay(true)?;
    Ok(Stream::Tcp(stream))
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, UnixListener};

    use super::*;

    #[tokio::test]
    async fn tcp_is_reached_by_address_and_by_name() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for text in [format!("tcp://127.0.0.1:{port}"), format!("https://localhost:{port}")] {
            let stream = reach(&text.parse().unwrap()).await.unwrap();
            let (_, from) = listener.accept().await.unwrap();
            assert_eq!(stream.socket().unwrap().local_addr().unwrap(), from);
        }
    }

    #[tokio::test]
    async fn a_unix_socket_is_reached() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let endpoint = format!("unix://{}", path.display()).parse().unwrap();
        assert!(matches!(reach(&endpoint).await, Ok(Stream::Unix(_))));
        listener.accept().await.unwrap();
    }

    #[tokio::test]
    async fn what_cannot_be_called_is_refused() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        check(&format!("tcp://{free}"), ErrorKind::ConnectionRefused).await;
        check("unix:///nowhere/s", ErrorKind::NotFound).await;
        check("tcp://127.0.0.1:0", ErrorKind::InvalidInput).await;
        check("tcp://:80", ErrorKind::InvalidInput).await;
        check("udp://127.0.0.1:53", ErrorKind::InvalidInput).await;
    }

    async fn check(endpoint: &str, expect: ErrorKind) {
        assert_eq!(reach(&endpoint.parse().unwrap()).await.unwrap_err().kind(), expect);
    }
}
