//! How much callers may show of certificates: before any of it is read, and whoever vouches for it.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, UnixTime};

/// The most certificates that a caller shows. A usual one has one or two behind it.
pub(super) const CHAIN_MAX: usize = 8;

/// The most bytes of them where an authority has to vouch for the caller: a large one has three kilobytes.
pub(super) const SIGNED_BYTES_MAX: usize = 16 << 10;

/// A caller shows too much.
#[derive(Debug, thiserror::Error)]
#[error(
    "{certificates} certificates of {bytes} bytes in all: expected at most {CHAIN_MAX} of {bytes_max}"
)]
struct TooMuch {
    certificates: usize,
    bytes: usize,
    bytes_max: usize,
}

/// Whether a caller shows as much as it may: its `own` certificate, and those `behind` it.
///
/// # Errors
///
/// How much it shows.
pub(super) fn within(
    own: &CertificateDer<'_>,
    behind: &[CertificateDer<'_>],
    bytes_max: usize,
) -> Result<(), Error> {
    let certificates = 1 + behind.len();
    let bytes = own.len() + behind.iter().map(|one| one.len()).sum::<usize>();
    if certificates > CHAIN_MAX || bytes > bytes_max {
        let why = OtherError(Arc::new(TooMuch { certificates, bytes, bytes_max }));
        return Err(CertificateError::Other(why).into());
    }
    Ok(())
}

/// Has another judge what callers show, if it is no more than they may.
///
/// rustls holds a handshake's message to 64 KiB, and has all of it read that is in it.
#[derive(Debug)]
pub(super) struct Bounded(pub(super) Arc<dyn ClientCertVerifier>);

impl ClientCertVerifier for Bounded {
    fn offer_client_auth(&self) -> bool {
        self.0.offer_client_auth()
    }

    fn client_auth_mandatory(&self) -> bool {
        self.0.client_auth_mandatory()
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        self.0.root_hint_subjects()
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        behind: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        within(own, behind, SIGNED_BYTES_MAX)?;
        self.0.verify_client_cert(own, behind, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.0.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.supported_verify_schemes()
    }
}
