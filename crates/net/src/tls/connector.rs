//! The client's side of a handshake.

use std::{fmt, io, sync::Arc};

use rustls::{
    AlertDescription, ClientConfig, ClientConnection, Error, InvalidMessage, client::Resumption,
    sign::SingleCertAndKey,
};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::{TlsConnector, client::TlsStream};

use super::{
    Certified, ClientSession, Protocols, Trust, UNSENT_BYTES_MAX,
    name::{name_of, parse_name},
    provider,
    roots::reason,
    trust::Verifier,
};
use crate::Endpoint;

/// For how many names of servers sessions are kept, each with at most eight tickets.
const SESSION_NAMES_MAX: usize = 128;

/// What is demanded of servers, and shown to them. Two are the same if all that was read for them is.
#[derive(Clone, Debug, PartialEq)]
pub struct Demand {
    /// Whose word is taken for who a server is.
    pub trust: Trust,
    /// The name to ask for and to expect; that of the endpoint's host if `None`.
    pub server_name: Option<String>,
    /// Whom we can prove to be to a server that wants to know.
    pub own: Option<Certified>,
}

/// The server name is neither a DNS name nor an address.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("bad server name {0:?}: expected a DNS name or an address")]
pub struct BadServerName(pub String);

/// Why a handshake with a server came to nothing.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// Nobody in particular is there, e.g. at a Unix socket.
    #[error("no server name to ask for")]
    NoName,
    /// The server is not believed to be who it says: half a sentence. Escaped.
    #[error("its certificate is not believed: {0}")]
    Untrusted(String),
    /// Somebody answers, and not in TLS.
    #[error("no TLS is spoken there")]
    NoTls,
    /// The server speaks none of the protocols that it was offered.
    #[error("it refuses: it speaks none of the protocols offered")]
    NoProtocol,
    /// The server wants nothing to do with us: half a sentence.
    #[error("it refuses: {0}")]
    Refused(String),
    /// What rustls or the system says.
    #[error("the handshake failed")]
    Failed(#[from] io::Error),
}

/// Shakes hands with servers: TLS 1.2 and 1.3, as Mozilla's "intermediate" profile has it.
///
/// Sessions are remembered as long as the connector lives, and resumed without the certificate being
/// judged again: who trusts others makes another one. Nothing is sent early (0-RTT), since it could
/// be sent again by others. rustls asks the system for the time. Cheap to clone.
#[derive(Clone)]
pub struct Connector {
    server_name: Option<ServerName<'static>>,
    http: TlsConnector,
    http1: TlsConnector,
    plain: TlsConnector,
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connector").field("server_name", &self.server_name).finish_non_exhaustive()
    }
}

impl Connector {
    /// Makes a demand ready.
    ///
    /// # Errors
    ///
    /// [`BadServerName`].
    pub fn new(demand: &Demand) -> Result<Self, BadServerName> {
        Self::with(&config(demand), demand.server_name.as_deref())
    }

    fn with(config: &ClientConfig, name: Option<&str>) -> Result<Self, BadServerName> {
        let parse = |text: &str| parse_name(text).ok_or_else(|| BadServerName(text.to_owned()));
        // One memory of sessions for all: a protocol is agreed on anew with each handshake.
        let speaking = |protocols: Protocols| {
            let mut config = config.clone();
            config.alpn_protocols = protocols.names();
            TlsConnector::from(Arc::new(config))
        };
        Ok(Self {
            server_name: name.map(parse).transpose()?,
            http: speaking(Protocols::Http),
            http1: speaking(Protocols::Http1),
            plain: speaking(Protocols::Plain),
        })
    }

    /// Shakes hands with the server of `endpoint`, which `plain` leads to, for as long as that takes:
    /// a deadline is the caller's to set, by dropping the future. What a server can make us hold
    /// meanwhile is about 64 KiB, the longest message of a handshake.
    ///
    /// A server that wants a certificate of ours and does not believe it says so only behind the
    /// handshake in TLS 1.3: the first read fails.
    ///
    /// Cancel safe: no; `plain` is gone with the future.
    ///
    /// # Errors
    ///
    /// [`ConnectError`].
    pub async fn connect<IO>(
        &self,
        plain: IO,
        endpoint: &Endpoint,
        protocols: Protocols,
    ) -> Result<(TlsStream<IO>, ClientSession), ConnectError>
    where
        IO: AsyncRead + AsyncWrite + Unpin,
    {
        let name = self.server_name.clone().or_else(|| name_of(endpoint));
        let name = name.ok_or(ConnectError::NoName)?;
        let tls = match protocols {
            Protocols::Http => &self.http,
            Protocols::Http1 => &self.http1,
            Protocols::Plain => &self.plain,
        };
        let limit = |tls: &mut ClientConnection| tls.set_buffer_limit(Some(UNSENT_BYTES_MAX));
        let stream = tls.connect_with(name, plain, limit).await.map_err(ConnectError::of)?;
        let session = ClientSession::of(stream.get_ref().1);
        Ok((stream, session))
    }
}

impl ConnectError {
    fn of(error: io::Error) -> Self {
        let said = error.get_ref().and_then(|inner| inner.downcast_ref::<Error>());
        match said {
            Some(error @ Error::InvalidCertificate(_)) => Self::Untrusted(reason(error)),
            // What is no record of TLS from its first byte on.
            Some(Error::InvalidMessage(InvalidMessage::InvalidContentType)) => Self::NoTls,
            Some(Error::AlertReceived(AlertDescription::NoApplicationProtocol)) => Self::NoProtocol,
            Some(Error::AlertReceived(alert)) => Self::Refused(words(*alert)),
            _ => Self::Failed(error),
        }
    }
}

/// Why the server broke TLS off after our side of the handshake was done, if `error`, of a read or a
/// write, says that it did: half a sentence. It judges a client's certificate no sooner.
pub fn broken_off(error: &io::Error) -> Option<String> {
    match error.get_ref()?.downcast_ref()? {
        Error::AlertReceived(alert) => Some(words(*alert)),
        _ => None,
    }
}

/// What a server means by an alert (RFC 8446, section 6.2).
fn words(alert: AlertDescription) -> String {
    let known = match alert {
        AlertDescription::HandshakeFailure | AlertDescription::InsufficientSecurity => {
            "it has no cipher suite, or no certificate, that is good here"
        }
        AlertDescription::ProtocolVersion => "it speaks neither TLS 1.2 nor TLS 1.3",
        AlertDescription::UnrecognisedName => "it does not know the name it was asked for",
        AlertDescription::CertificateRequired => "it wants a certificate of the client",
        AlertDescription::BadCertificate
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateRevoked
        | AlertDescription::CertificateUnknown
        | AlertDescription::UnknownCA
        | AlertDescription::UnsupportedCertificate => {
            "it does not believe the client's certificate"
        }
        other => return format!("alert {}", u8::from(other)),
    };
    known.to_owned()
}

fn config(demand: &Demand) -> ClientConfig {
    let builder = ClientConfig::builder_with_provider(Arc::clone(provider()))
        .with_safe_default_protocol_versions()
        .expect("the provider has suites for both versions")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Verifier(demand.trust.clone())));
    let mut config = match &demand.own {
        Some(own) => builder.with_client_cert_resolver(Arc::new(SingleCertAndKey::from(own.key()))),
        None => builder.with_no_client_auth(),
    };
    config.resumption = Resumption::in_memory_sessions(SESSION_NAMES_MAX);
    // Also rustls' default, which may change.
    config.enable_early_data = false;
    config
}

#[cfg(test)]
mod tests;
