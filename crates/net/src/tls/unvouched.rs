//! Callers that may show a certificate, whoever signed it: it is known by its fingerprint, or by nobody.

use rustls::{
    DigitallySignedStruct, DistinguishedName, Error, SignatureScheme,
    client::danger::HandshakeSignatureValid,
    server::danger::{ClientCertVerified, ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, UnixTime};

use super::{shown::within, signed};

/// The most bytes of what a caller shows: it is kept as long as its connection. A usual certificate has one or
/// two kilobytes.
pub(super) const CHAIN_BYTES_MAX: usize = 8 << 10;

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
        within(own, behind, CHAIN_BYTES_MAX)?;
        Ok(ClientCertVerified::assertion())
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
