//! The server's side of a handshake.

use std::{io, sync::Arc};

use tokio::net::TcpStream;
use tokio_rustls::{TlsAcceptor, server::TlsStream};

/// What a listener offers to those who call: certificates, versions, protocols.
#[derive(Clone)]
pub struct Acceptor {
    tls: TlsAcceptor,
}

/// What a handshake agreed on.
#[derive(Clone, Debug)]
pub struct Session {
    /// The protocol chosen by ALPN.
    pub protocol: Protocol,
    /// The name that the caller asked for (SNI), if any.
    pub server_name: Option<Arc<str>>,
}

/// What is spoken inside TLS, as agreed by ALPN (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `h2`.
    Http2,
    /// `http/1.1`.
    Http1,
    /// The caller did not say.
    Unsaid,
}

impl std::fmt::Debug for Acceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Acceptor").finish_non_exhaustive()
    }
}

impl Acceptor {
    /// Shakes hands with a caller.
    ///
    /// # Errors
    ///
    /// What the handshake or the system says.
    pub async fn accept(&self, plain: TcpStream) -> io::Result<(TlsStream<TcpStream>, Session)> {
        let stream = self.tls.accept(plain).await?;
        let (_, connection) = stream.get_ref();
        let protocol = match connection.alpn_protocol() {
            Some(b"h2") => Protocol::Http2,
            Some(_) => Protocol::Http1,
            None => Protocol::Unsaid,
        };
        let server_name = connection.server_name().map(Arc::from);
        Ok((stream, Session { protocol, server_name }))
    }
}
