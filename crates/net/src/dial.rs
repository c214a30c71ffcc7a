//! The way out: calling an endpoint.

use std::io::{self, ErrorKind};

use tokio::net::{TcpStream, UnixStream};

use crate::{Endpoint, Host, Place, Stream};

/// Calls an endpoint in the clear: TCP, or a Unix socket. A name's addresses are tried in the order
/// of the resolver; a deadline is the caller's to set, by dropping the future.
///
/// Cancel safe: a call given up is hung up.
///
/// # Errors
///
/// What the system says of the last address; [`ErrorKind::Unsupported`] for an endpoint of datagrams
/// or under TLS, whose bytes must not go in the clear; [`ErrorKind::InvalidInput`] for one that only
/// a listener can be at: no host, or port 0.
pub async fn dial(endpoint: &Endpoint) -> io::Result<Stream> {
    if endpoint.scheme.is_secure() {
        return Err(io::Error::new(ErrorKind::Unsupported, "the endpoint is under TLS"));
    }
    reach(endpoint).await
}

/// Calls what carries an endpoint: under `https`, the TCP that TLS is yet to be spoken on.
pub(crate) async fn reach(endpoint: &Endpoint) -> io::Result<Stream> {
    if endpoint.scheme == crate::Scheme::Udp {
        return Err(io::Error::new(ErrorKind::Unsupported, "the endpoint is of datagrams"));
    }
    let at = match &endpoint.place {
        Place::Path(path) => return UnixStream::connect(path).await.map(Stream::Unix),
        Place::Net(at) => at,
    };
    if at.port == 0 {
        return Err(io::Error::new(ErrorKind::InvalidInput, "nobody can be called at port 0"));
    }
    let stream = match &at.host {
        Host::Any => {
            return Err(io::Error::new(ErrorKind::InvalidInput, "there is no host to call"));
        }
        Host::Ip(ip) => TcpStream::connect((*ip, at.port)).await?,
        Host::Name(name) => TcpStream::connect((name.as_str(), at.port)).await?,
    };
    // What is written is meant to go: who wants few packets writes few pieces.
    stream.set_nodelay(true)?;
    Ok(Stream::Tcp(stream))
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::{TcpListener, UnixListener},
    };

    use super::*;

    #[tokio::test]
    async fn tcp_is_reached_by_address_and_by_name() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        for text in [format!("tcp://127.0.0.1:{port}"), format!("http://localhost:{port}")] {
            let mut stream = dial(&text.parse().unwrap()).await.unwrap();
            let (mut other, _) = listener.accept().await.unwrap();
            stream.write_all(b"hi").await.unwrap();
            let mut heard = [0; 2];
            other.read_exact(&mut heard).await.unwrap();
            assert_eq!(&heard, b"hi");
        }
    }

    #[tokio::test]
    async fn a_unix_socket_is_reached() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s");
        let listener = UnixListener::bind(&path).unwrap();
        let endpoint = format!("unix://{}", path.display()).parse().unwrap();
        assert!(matches!(dial(&endpoint).await, Ok(Stream::Unix(_))));
        listener.accept().await.unwrap();
    }

    #[tokio::test]
    async fn what_cannot_be_called_is_refused() {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        check(&format!("tcp://{free}"), ErrorKind::ConnectionRefused).await;
        check("unix:///nowhere/s", ErrorKind::NotFound).await;
        check("tcp://127.0.0.1:0", ErrorKind::InvalidInput).await;
        check("tcp://:80", ErrorKind::InvalidInput).await;
        check("udp://127.0.0.1:53", ErrorKind::Unsupported).await;
        check("https://127.0.0.1:443", ErrorKind::Unsupported).await;
    }

    async fn check(endpoint: &str, expect: ErrorKind) {
        assert_eq!(dial(&endpoint.parse().unwrap()).await.unwrap_err().kind(), expect);
    }
}
