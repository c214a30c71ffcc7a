//! Whether who shows a certificate has its key: the same for callers and servers, and whatever else is thought
//! of it.

use rustls::{
    DigitallySignedStruct, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    crypto::{verify_tls12_signature, verify_tls13_signature},
};
use rustls_pki_types::CertificateDer;

use super::provider;

/// By TLS 1.2.
///
/// # Errors
///
/// That it has not.
pub(super) fn in_tls12(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let algorithms = &provider().signature_verification_algorithms;
    verify_tls12_signature(message, certificate, signature, algorithms)
}

/// By TLS 1.3.
///
/// # Errors
///
/// That it has not.
pub(super) fn in_tls13(
    message: &[u8],
    certificate: &CertificateDer<'_>,
    signature: &DigitallySignedStruct,
) -> Result<HandshakeSignatureValid, Error> {
    let algorithms = &provider().signature_verification_algorithms;
    verify_tls13_signature(message, certificate, signature, algorithms)
}

/// How it may be signed.
pub(super) fn schemes() -> Vec<SignatureScheme> {
    provider().signature_verification_algorithms.supported_schemes()
}
