//! Shaking hands with who was reached, straight or through a proxy.

use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout},
};
use tokio_rustls::TlsStream;

use super::{Callee, DialError, Dialed, Dialer, Reached, Stage, Timings};
use crate::{Endpoint, Peer, Stream, tls::Protocols};

/// What TLS runs on.
pub(super) trait Carries: AsyncRead + AsyncWrite + Unpin + Sized {
    /// The stream that there is under it.
    fn secured(stream: Box<TlsStream<Self>>) -> Stream;
}

impl Carries for TcpStream {
    fn secured(stream: Box<TlsStream<Self>>) -> Stream {
        Stream::Tls(stream)
    }
}

impl Carries for Box<Stream> {
    fn secured(stream: Box<TlsStream<Self>>) -> Stream {
        Stream::Within(stream)
    }
}

impl Dialer {
    /// Shakes hands with the server of `endpoint` on a stream that leads to it through a proxy, whose
    /// call was `through`: within the TLS of that, if it has some.
    ///
    /// Cancel safe: no; the stream is gone with the future.
    ///
    /// # Errors
    ///
    /// [`DialError`]
    pub async fn secure(
        &self,
        endpoint: &Endpoint,
        through: Dialed,
        protocols: Protocols,
    ) -> Result<Dialed, DialError> {
        let Dialed { stream, session: _, peer: _, timings } = through;
        let none = Err(std::io::ErrorKind::Unsupported.into());
        let address = stream.socket().map_or(none, TcpStream::peer_addr);
        let address = address.map_err(|source| {
            let callee = Callee { endpoint: endpoint.clone(), address: None };
            DialError::Local { callee, source }
        })?;
        let outer = timings.handshake;
        let secured = match stream {
            Stream::Tcp(plain) => {
                let reached = Reached { plain, address, timings };
                Box::pin(self.shake(endpoint, reached, protocols)).await
            }
            within => {
                let reached = Reached { plain: Box::new(within), address, timings };
                Box::pin(self.shake(endpoint, reached, protocols)).await
            }
        }?;
        let handshake = secured.timings.handshake + outer;
        Ok(Dialed { timings: Timings { handshake, ..secured.timings }, ..secured })
    }

    /// Shakes hands with who was reached.
    pub(super) async fn shake<IO: Carries>(
        &self,
        endpoint: &Endpoint,
        reached: Reached<IO>,
        protocols: Protocols,
    ) -> Result<Dialed, DialError> {
        let Reached { plain, address, timings } = reached;
        let start = Instant::now();
        let callee = Callee { endpoint: endpoint.clone(), address: Some(address) };
        let shaking = self.tls.connect(plain, endpoint, protocols);
        let (stream, session) = match timeout(self.limits.handshake_max, shaking).await {
            Ok(Ok(agreed)) => agreed,
            Ok(Err(error)) => return Err(DialError::of_handshake(callee, error)),
            Err(_) => return Err(self.timed_out(Stage::Handshake, callee)),
        };
        Ok(Dialed {
            stream: IO::secured(Box::new(stream.into())),
            session: Some(session),
            peer: Peer::at(address),
            timings: Timings { handshake: start.elapsed(), ..timings },
        })
    }
}
