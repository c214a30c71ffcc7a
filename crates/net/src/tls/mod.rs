//! TLS: what a listener offers, what a handshake agreed on, and the papers that both go by.
//!
//! - Serving: [`Certified`] (read by [`read_certified`] or issued by an [`Authority`]) goes into an
//!   [`Offer`], the offer into an [`Acceptor`], whose handshakes give a [`Session`].
//! - Calling: a [`Demand`] goes into a [`Connector`], whose handshakes give a [`ClientSession`].
//! - Looking: a [`Probe`] shakes hands with anyone and tells what it saw; [`Facts`] tells what a
//!   certificate says.
//!
//! Versions, suites and groups are rustls' own, which are those of Mozilla's "intermediate" profile;
//! a test holds them to it.

mod acceptor;
mod authority;
mod certified;
mod connector;
mod describe;
mod issue;
mod name;
mod pem;
mod pin;
mod probe;
mod resumption;
mod roots;
mod session;
mod shown;
mod signed;
mod trust;
mod unvouched;
mod vault;
mod visible;

use std::sync::{Arc, LazyLock};

use rustls::crypto::{CryptoProvider, aws_lc_rs};
pub use rustls_pki_types::{CertificateDer, PrivateKeyDer};

pub use self::{
    acceptor::{Acceptor, CallerPapers, Offer, OfferError, Protocols},
    authority::{Authority, AuthorityError},
    certified::{Certified, CertifiedError},
    connector::{BadServerName, ConnectError, Connector, Demand, broken_off},
    describe::{BadFingerprint, Facts, Fingerprint, NotACertificate},
    issue::{CertifiedPem, ParseSubjectNameError, SubjectName},
    pem::{PemError, Warning, read_certified, read_chain, read_key},
    probe::{Probe, ProbeError, Seen},
    resumption::Resumption,
    roots::{BadRoot, Roots, Verdict},
    session::{CallerCertificate, ClientSession, Handshake, Protocol, Session, Version},
    trust::Trust,
};

#[cfg(test)]
pub(crate) use self::certified::tests::certified;

/// How much a connection holds for another side that is slow to read, before a write waits.
///
/// rustls' own limit is twice that and sends no faster: 4 GiB over loopback took 0.7 to 0.9 s of CPU
/// with 32 and with 64 KiB, and 1.2 to 1.4 with 16.
const UNSENT_BYTES_MAX: usize = 32 << 10;

/// The one provider of cryptography, shared rather than taken from the process-wide default that
/// anyone may set.
fn provider() -> &'static Arc<CryptoProvider> {
    static PROVIDER: LazyLock<Arc<CryptoProvider>> =
        LazyLock::new(|| Arc::new(aws_lc_rs::default_provider()));
    &PROVIDER
}
