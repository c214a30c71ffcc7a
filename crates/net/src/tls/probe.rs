//! A look at a server's TLS from outside.

use std::{
    io,
    sync::Arc,
    time::{Duration, SystemTime},
};

use rustls::{ClientConfig, Error, InvalidMessage};
use rustls_pki_types::{CertificateDer, ServerName};
use tokio::time::timeout;
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Protocols, Roots, Trust, Verdict, Version,
    name::{name_of, parse_name},
    provider,
    session::cipher_name,
    trust::Verifier,
    visible::clean,
};
use crate::{Endpoint, Scheme, Stream, reach::reach};

/// How to look at a server.
#[derive(Clone, Debug)]
pub struct Probe {
    /// The name to ask for and to expect; that of the endpoint if `None`.
    pub server_name: Option<String>,
    /// Whom to believe.
    pub roots: Roots,
    /// How long connecting may take.
    pub connect_max: Duration,
    /// How long the handshake may take.
    pub handshake_max: Duration,
}

/// What a server showed.
#[derive(Clone, Debug)]
pub struct Seen {
    /// The version of TLS.
    pub version: Version,
    /// The cipher suite, by its name at IANA.
    pub cipher: &'static str,
    /// How the keys were agreed on, e.g. `X25519MLKEM768`.
    pub group: Option<&'static str>,
    /// The protocol chosen by ALPN, which is offered to servers of HTTP only. Escaped.
    pub protocol: Option<String>,
    /// The certificates it showed, its own first: its word, not verified. At most 64 KiB.
    pub chain: Vec<CertificateDer<'static>>,
    /// What is to be thought of them.
    pub verdict: Verdict,
}

/// Why there is nothing to see.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// Neither a DNS name nor an address.
    #[error("bad server name {0:?}: expected a DNS name or an address")]
    BadName(String),
    /// Nobody in particular is there, e.g. at a Unix socket.
    #[error("no server name to ask {0} for")]
    NoName(Endpoint),
    /// Nobody answers there.
    #[error("cannot connect to {endpoint}")]
    Connect {
        /// Where to.
        endpoint: Endpoint,
        /// What the system says.
        source: io::Error,
    },
    /// Somebody answers, and not in TLS.
    #[error("no TLS is spoken at {0}")]
    NoTls(Endpoint),
    /// Somebody answers, and not in a TLS of ours.
    #[error("cannot shake hands with {endpoint}")]
    Handshake {
        /// With whom.
        endpoint: Endpoint,
        /// What rustls or the system says.
        source: io::Error,
    },
}

impl Probe {
    /// Connects, shakes hands, judges the certificate at `now`, and hangs up. A certificate that
    /// does not verify ends nothing: no data is sent to whoever it is.
    ///
    /// # Errors
    ///
    /// [`ProbeError`]; its source is [`io::ErrorKind::TimedOut`] if it took too long.
    pub async fn look(&self, endpoint: &Endpoint, now: SystemTime) -> Result<Seen, ProbeError> {
        let name = self.name_for(endpoint)?;
        let stream = in_time(self.connect_max, reach(endpoint))
            .await
            .map_err(|source| ProbeError::Connect { endpoint: endpoint.clone(), source })?;
        let connector = TlsConnector::from(Arc::new(config(protocols_of(endpoint.scheme))));
        let stream = in_time(self.handshake_max, connector.connect(name.clone(), stream))
            .await
            .map_err(|source| Self::fault(endpoint.clone(), source))?;
        Ok(self.seen(&stream, &name, now))
    }

    fn fault(endpoint: Endpoint, source: io::Error) -> ProbeError {
        let error = source.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        match error {
            // What is no record of TLS from its first byte on.
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => {
                ProbeError::NoTls(endpoint)
            }
            _ => ProbeError::Handshake { endpoint, source },
        }
    }

    fn name_for(&self, endpoint: &Endpoint) -> Result<ServerName<'static>, ProbeError> {
        match &self.server_name {
            Some(text) => parse_name(text).ok_or_else(|| ProbeError::BadName(text.clone())),
            None => name_of(endpoint).ok_or_else(|| ProbeError::NoName(endpoint.clone())),
        }
    }

    fn seen(&self, stream: &TlsStream<Stream>, name: &ServerName<'_>, now: SystemTime) -> Seen {
        let (_, tls) = stream.get_ref();
        let chain = tls.peer_certificates().unwrap_or_default();
        let suite = tls.negotiated_cipher_suite().map(|suite| suite.suite());
        let group = tls.negotiated_key_exchange_group();
        Seen {
            version: Version::of(tls.protocol_version()),
            cipher: suite.map_or("unknown", cipher_name),
            group: group.and_then(|group| group.name().as_str()),
            protocol: tls.alpn_protocol().map(|name| clean(&String::from_utf8_lossy(name))),
            chain: chain.to_vec(),
            verdict: self.roots.judge(chain, name, now),
        }
    }
}

async fn in_time<T>(most: Duration, work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(most, work).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

fn protocols_of(scheme: Scheme) -> Protocols {
    match scheme {
        Scheme::Http | Scheme::Https | Scheme::Ws | Scheme::Wss => Protocols::Http,
        Scheme::Tcp | Scheme::Tls | Scheme::Udp | Scheme::Unix => Protocols::Plain,
    }
}

fn config(protocols: Protocols) -> ClientConfig {
    let mut config = ClientConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for both versions")
        .dangerous()
        // Believes any, so that a bad one can be looked at.
        .with_custom_certificate_verifier(Arc::new(Verifier(Trust::InsecureAnyone)))
        .with_no_client_auth();
    config.alpn_protocols = protocols.names();
    config.resumption = rustls::client::Resumption::disabled();
    config
}

#[cfg(test)]
mod tests {
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        net::TcpListener,
    };

    use super::super::{Acceptor, Authority, CallerPapers, Offer, Resumption};
    use super::*;

    fn start() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(20_000 * 24)
    }

    fn probe(server_name: Option<&str>, roots: Roots) -> Probe {
        let server_name = server_name.map(str::to_owned);
        let most = Duration::from_secs(5);
        Probe { server_name, roots, connect_max: most, handshake_max: most }
    }

    /// What is seen of a server whose certificate for `a.example` is from a new authority.
    async fn seen(scheme: &str, server_name: Option<&str>) -> Seen {
        let folder = tempfile::tempdir().unwrap();
        let authority = Authority::open_or_create(folder.path(), "", start()).unwrap();
        let certified = authority.leaf_for(&["a.example".parse().unwrap()], start()).unwrap();
        let offer = Offer {
            certified: vec![certified],
            protocols: Protocols::Http,
            caller_papers: CallerPapers::Unasked,
            resumption: Resumption::new().unwrap(),
        };
        let acceptor = Acceptor::new(&offer).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("{scheme}://{}", listener.local_addr().unwrap()).parse().unwrap();
        let server = async {
            let (plain, _) = listener.accept().await.unwrap();
            let (mut stream, _) = acceptor.accept(plain).await.unwrap();
            // To the end, or the probe's last word would meet a closed socket.
            _ = stream.read(&mut [0]).await;
        };
        let roots = Roots::none().with_authority(authority.certificate());
        let probe = probe(server_name, roots);
        tokio::join!(server, probe.look(&endpoint, start())).1.unwrap()
    }

    #[tokio::test]
    async fn what_a_server_shows_is_seen() {
        let seen = seen("https", Some("a.example")).await;
        assert_eq!(seen.version, Version::Tls13);
        assert_eq!(seen.cipher, "TLS_AES_256_GCM_SHA384");
        assert_eq!(seen.group, Some("X25519MLKEM768"));
        assert_eq!(seen.protocol.as_deref(), Some("h2"));
        assert_eq!(seen.chain.len(), 1);
        assert_eq!(seen.verdict, Verdict::ByAuthority);
    }

    #[tokio::test]
    async fn a_certificate_for_another_name_is_seen_and_not_believed() {
        let seen = seen("tls", None).await;
        assert_eq!(seen.protocol, None);
        assert_eq!(seen.verdict.to_string(), "not verified: it is not for \"127.0.0.1\"");
    }

    #[tokio::test]
    async fn who_speaks_no_tls_is_told_from_who_is_not_there() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let at = listener.local_addr().unwrap();
        let look = async || {
            let endpoint = format!("tls://{at}").parse().unwrap();
            probe(None, Roots::none()).look(&endpoint, start()).await.unwrap_err()
        };
        let server = async {
            let (mut plain, _) = listener.accept().await.unwrap();
            plain.write_all(b"220 mail.example ESMTP\r\n").await.unwrap();
            _ = plain.read(&mut [0; 4096]).await;
        };
        let (error, ()) = tokio::join!(look(), server);
        assert!(matches!(error, ProbeError::NoTls(_)), "{error:?}");
        drop(listener);
        assert!(matches!(look().await, ProbeError::Connect { .. }));
    }

    #[tokio::test(start_paused = true)]
    async fn who_says_nothing_is_not_waited_for() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("tls://{}", listener.local_addr().unwrap()).parse().unwrap();
        let error = probe(None, Roots::none()).look(&endpoint, start()).await.unwrap_err();
        let (ProbeError::Connect { source, .. } | ProbeError::Handshake { source, .. }) = error
        else {
            panic!("{error:?}")
        };
        assert_eq!(source.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn a_name_that_cannot_be_asked_for_is_refused() {
        check("tls://:443", None, "no server name to ask tls://:443 for").await;
        check("unix:///s", None, "no server name to ask unix:///s for").await;
        let bad = "bad server name \"a b\": expected a DNS name or an address";
        check("tls://192.0.2.1:443", Some("a b"), bad).await;
    }

    async fn check(endpoint: &str, server_name: Option<&str>, expect: &str) {
        let probe = probe(server_name, Roots::none());
        let error = probe.look(&endpoint.parse().unwrap(), start()).await.unwrap_err();
        assert_eq!(error.to_string(), expect);
    }
}
