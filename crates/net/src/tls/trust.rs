//! Whether a server is who it says.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, OtherError, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
};
use rustls_pki_types::{CertificateDer, ServerName, UnixTime};

use super::{Fingerprint, Roots, pin::OtherFingerprint, signed};

/// Whose word is taken for who a server is.
#[derive(Clone, Debug, PartialEq)]
pub enum Trust {
    /// That of these authorities: for its name, and now.
    Roots(Roots),
    /// Nobody's: it has to show the certificate with this fingerprint, whoever signed it, whatever
    /// name it is for and however old it is.
    Pinned(Fingerprint),
    /// INSECURE: anyone's. Whoever can answer in the server's place is taken for it, and reads and
    /// changes all that passes.
    InsecureAnyone,
}

/// Judges certificates for rustls, which asks the system for the time.
///
/// Whoever shows a certificate must have its key, whatever is thought of it.
#[derive(Debug)]
pub(super) struct Verifier(pub(super) Trust);

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        own: &CertificateDer<'_>,
        others: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        match &self.0 {
            Trust::Roots(roots) => {
                roots.vouch(own, others, name, now)?;
            }
            Trust::Pinned(pinned) => {
                let found = Fingerprint::of(own);
                if found != *pinned {
                    let other = OtherError(Arc::new(OtherFingerprint(found)));
                    return Err(Error::InvalidCertificate(CertificateError::Other(other)));
                }
            }
            Trust::InsecureAnyone => {}
        }
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed::in_tls12(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        signed::in_tls13(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        signed::schemes()
    }
}
