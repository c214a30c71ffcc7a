//! Callers that may show a certificate, whoever signed it: it is known by its fingerprint, or by nobody.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, OtherError, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{verify_tls12_signature, verify_tls13_signature},
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::provider;

/// The most bytes of what a caller shows, and the most certificates: they are kept as long as its
/// connection. A usual one has one or two kilobytes, and one or two behind it.
pub(super) const CHAIN_BYTES_MAX: usize = 8 << 10;
pub(super) const CHAIN_MAX: usize = 8;

/// A caller shows too much.
#[derive(Debug, thiserror::Error)]
#[error(
    "{certificates} certificates of {bytes} bytes in all: expected at most {CHAIN_MAX} of \
     {CHAIN_BYTES_MAX}"
)]
struct TooMuch {
    certificates: usize,
    bytes: usize,
}

/// Asks callers for a certificate, and takes any, or none.
///
/// Whoever shows one must have its key. Nothing else that it says is held to be true: not whom it is
/// for, nor for how long.
#[derive(Debug)]
pub(super) struct Unvouched;

impl ClientCertVerifier for Unvouched {
    fn client_auth_mandatory(&self) -> bool {
        false
    }

    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        own: &CertificateDer<'_>,
        behind: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        let certificates = 1 + behind.len();
        let bytes = own.len() + behind.iter().map(|one| one.len()).sum::<usize>();
        if certificates > CHAIN_MAX || bytes > CHAIN_BYTES_MAX {
            let why = OtherError(Arc::new(TooMuch { certificates, bytes }));
            return Err(CertificateError::Other(why).into());
        }
        Ok(ClientCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &provider().signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        let algorithms = &provider().signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        provider().signature_verification_algorithms.supported_schemes()
    }
}
