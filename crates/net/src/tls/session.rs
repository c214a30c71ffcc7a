//! What a handshake agreed on.

use std::{fmt, sync::Arc};

use rustls::{CipherSuite, CommonState, HandshakeKind, ProtocolVersion, ServerConnection};

use super::{Fingerprint, describe};

/// What a handshake with a caller agreed on.
///
/// Cheap to make and to copy: it allocates only for a name that the offer has only a wildcard for,
/// or none, and for a caller's certificate.
#[derive(Clone, Debug)]
pub struct Session {
    /// The protocol chosen by ALPN.
    pub protocol: Protocol,
    /// The name that the caller asked for (SNI), if any. In lower case.
    pub server_name: Option<Arc<str>>,
    /// The version of TLS.
    pub version: Version,
    /// The cipher suite, by its name at IANA, e.g. `TLS_AES_128_GCM_SHA256`.
    pub cipher: &'static str,
    /// Whether the caller was here before.
    pub handshake: Handshake,
    /// Whom the caller proved to be, if the offer asked for that.
    pub caller: Option<Arc<CallerCertificate>>,
}

/// What a handshake with a server agreed on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientSession {
    /// The protocol chosen by ALPN.
    pub protocol: Protocol,
    /// The version of TLS.
    pub version: Version,
    /// The cipher suite, by its name at IANA, e.g. `TLS_AES_128_GCM_SHA256`.
    pub cipher: &'static str,
    /// Whether we were there before.
    pub handshake: Handshake,
}

/// What is spoken inside TLS, as agreed by ALPN (RFC 7301).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// `h2`.
    Http2,
    /// `http/1.1`.
    Http1,
    /// Who was to say did not, or was not asked.
    Unsaid,
}

/// A version of TLS. Prints as `TLS 1.3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// RFC 5246.
    Tls12,
    /// RFC 8446.
    Tls13,
}

/// How long a handshake was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handshake {
    /// Certificates were shown and checked.
    Full,
    /// An earlier session went on. What was proved then holds now.
    Resumed,
}

/// A certificate that a caller proved to have the key of: signed by one that the offer names, if it names
/// any, else by whomever.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallerCertificate {
    /// Whom it is for, e.g. `CN=alice`. Escaped: see [`Facts`](super::Facts).
    pub subject: String,
    /// Its SHA-256.
    pub fingerprint: Fingerprint,
}

impl Session {
    /// Of a connection whose handshake is over; `named` turns the name asked for into a shared one.
    pub(super) fn of(connection: &ServerConnection, named: impl FnOnce(&str) -> Arc<str>) -> Self {
        let caller = connection.peer_certificates().and_then(<[_]>::first).map(|certificate| {
            let subject = describe::subject_of(certificate);
            Arc::new(CallerCertificate { subject, fingerprint: Fingerprint::of(certificate) })
        });
        let ClientSession { protocol, version, cipher, handshake } = ClientSession::of(connection);
        let server_name = connection.server_name().map(named);
        Self { protocol, server_name, version, cipher, handshake, caller }
    }
}

impl ClientSession {
    /// Of a connection whose handshake is over.
    pub(super) fn of(connection: &CommonState) -> Self {
        let suite = connection.negotiated_cipher_suite().map(|suite| suite.suite());
        Self {
            protocol: Protocol::of(connection.alpn_protocol()),
            version: Version::of(connection.protocol_version()),
            cipher: suite.map_or("unknown", cipher_name),
            handshake: match connection.handshake_kind() {
                Some(HandshakeKind::Resumed) => Handshake::Resumed,
                _ => Handshake::Full,
            },
        }
    }
}

impl Protocol {
    fn of(alpn: Option<&[u8]>) -> Self {
        match alpn {
            Some(b"h2") => Self::Http2,
            Some(_) => Self::Http1,
            None => Self::Unsaid,
        }
    }
}

impl Version {
    /// rustls speaks these two only.
    pub(super) fn of(version: Option<ProtocolVersion>) -> Self {
        match version {
            Some(ProtocolVersion::TLSv1_2) => Self::Tls12,
            _ => Self::Tls13,
        }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Tls12 => "TLS 1.2",
            Self::Tls13 => "TLS 1.3",
        })
    }
}

/// The name at IANA, where rustls' own differs for TLS 1.3.
pub(super) fn cipher_name(suite: CipherSuite) -> &'static str {
    match suite {
        CipherSuite::TLS13_AES_128_GCM_SHA256 => "TLS_AES_128_GCM_SHA256",
        CipherSuite::TLS13_AES_256_GCM_SHA384 => "TLS_AES_256_GCM_SHA384",
        CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => "TLS_CHACHA20_POLY1305_SHA256",
        other => other.as_str().unwrap_or("unknown"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::provider;
    use super::*;

    #[test]
    fn the_suites_are_those_of_mozillas_intermediate_profile() {
        // https://ssl-config.mozilla.org/guidelines/5.7.json, without the DHE ones it ends with.
        let mut expect = [
            "TLS_AES_128_GCM_SHA256",
            "TLS_AES_256_GCM_SHA384",
            "TLS_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256",
            "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
            "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
            "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256",
        ];
        let suites = &provider().cipher_suites;
        let mut found: Vec<_> = suites.iter().map(|suite| cipher_name(suite.suite())).collect();
        found.sort_unstable();
        expect.sort_unstable();
        assert_eq!(found, expect);
    }

    #[test]
    fn the_groups_are_those_of_mozillas_intermediate_profile() {
        let groups: Vec<_> = provider().kx_groups.iter().map(|group| group.name()).collect();
        let groups: Vec<_> = groups.iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(groups, ["X25519MLKEM768", "X25519", "secp256r1", "secp384r1"]);
    }
}
