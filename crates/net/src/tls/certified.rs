//! Certificates with their keys, and which of them a caller is shown.

use std::{collections::HashMap, fmt, sync::Arc};

use rustls::{
    InconsistentKeys, SignatureScheme,
    server::{ClientHello, ResolvesServerCert},
    sign::CertifiedKey,
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use super::{describe, provider};

/// A certificate, those that vouch for it, and its private key.
#[derive(Clone)]
pub struct Certified {
    key: Arc<CertifiedKey>,
    /// In lower case, each an exact name or `*.` and the rest.
    names: Arc<[String]>,
}

/// Why a chain and a key are of no use together.
#[derive(Debug, thiserror::Error)]
pub enum CertifiedError {
    /// The chain is empty.
    #[error("no certificate: expected at least the key's own")]
    NoCertificate,
    /// The key is of a kind, or a size, that TLS has no use for.
    #[error(
        "unusable private key: expected RSA of 2048 to 8192 bits, P-256, P-384, P-521 or Ed25519"
    )]
    UnusableKey,
    /// The first certificate is none, or of a kind that TLS has no use for.
    #[error("unusable certificate: expected X.509 version 3")]
    UnusableCertificate,
    /// The first certificate is for another key.
    #[error("the private key does not belong to the first certificate of the chain")]
    Mismatch,
}

impl Certified {
    /// Joins a chain, whose first certificate is the key's own, to that key.
    ///
    /// # Errors
    ///
    /// Why they are of no use together.
    pub fn new(
        chain: Vec<CertificateDer<'static>>,
        key: PrivateKeyDer<'static>,
    ) -> Result<Self, CertifiedError> {
        let own = chain.first().ok_or(CertifiedError::NoCertificate)?;
        let names = describe::dns_names_of(own).into();
        // Never passed on as a source: what a parser says of a key may hold parts of it.
        let signing = provider()
            .key_provider
            .load_private_key(key)
            .map_err(|_| CertifiedError::UnusableKey)?;
        let key = CertifiedKey::new(chain, signing);
        match key.keys_match() {
            Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {
                Ok(Self { key: Arc::new(key), names })
            }
            Err(rustls::Error::InconsistentKeys(_)) => Err(CertifiedError::Mismatch),
            Err(_) => Err(CertifiedError::UnusableCertificate),
        }
    }

    /// The DNS names that the certificate is good for, in lower case.
    pub fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn key(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.key)
    }

    /// The certificate, and then those that vouch for it.
    pub fn chain(&self) -> &[CertificateDer<'static>] {
        &self.key.cert
    }
}

/// Two are the same if their chains are: the key belongs to the first certificate.
impl PartialEq for Certified {
    fn eq(&self, other: &Self) -> bool {
        self.chain() == other.chain()
    }
}

impl fmt::Debug for Certified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certified").field("names", &self.names).finish_non_exhaustive()
    }
}

/// Chooses by the name that a caller asks for: the exact one, then a wildcard, then any.
///
/// Of several certificates for one name, e.g. one ECDSA and one RSA, the first is shown whose
/// signatures the caller understands.
pub(super) struct Choice {
    exact: HashMap<Arc<str>, Vec<Arc<CertifiedKey>>>,
    /// By what follows the `*.`
    wildcard: HashMap<Box<str>, Vec<Arc<CertifiedKey>>>,
    /// Never empty.
    any: Vec<Arc<CertifiedKey>>,
}

impl Choice {
    /// `None` if there is nothing to choose from.
    pub(super) fn of(offered: &[Certified]) -> Option<Self> {
        let mut choice = Self { exact: HashMap::new(), wildcard: HashMap::new(), any: Vec::new() };
        for Certified { key, names } in offered {
            choice.any.push(Arc::clone(key));
            for name in names.iter() {
                let keys = match name.strip_prefix("*.") {
                    Some(rest) => choice.wildcard.entry(rest.into()).or_default(),
                    None => choice.exact.entry(name.as_str().into()).or_default(),
                };
                keys.push(Arc::clone(key));
            }
        }
        (!choice.any.is_empty()).then_some(choice)
    }

    /// A name as the offer has it, which costs no copy, or a copy.
    pub(super) fn name(&self, asked: &str) -> Arc<str> {
        match self.exact.get_key_value(asked) {
            Some((ours, _)) => Arc::clone(ours),
            None => asked.into(),
        }
    }

    fn choose(&self, asked: Option<&str>, schemes: &[SignatureScheme]) -> &Arc<CertifiedKey> {
        let named = asked.and_then(|name| {
            let by_wildcard = || self.wildcard.get(name.split_once('.')?.1);
            self.exact.get(name).or_else(by_wildcard)
        });
        let among = named.unwrap_or(&self.any);
        let understood = among.iter().find(|one| one.key.choose_scheme(schemes).is_some());
        understood.unwrap_or(&among[0])
    }
}

impl fmt::Debug for Choice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (exact, wildcard) = (self.exact.keys(), self.wildcard.keys());
        f.debug_set().entries(exact).entries(wildcard.map(|rest| format!("*.{rest}"))).finish()
    }
}

impl ResolvesServerCert for Choice {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // rustls has the name in lower case.
        Some(Arc::clone(self.choose(hello.server_name(), hello.signature_schemes())))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519};

    use super::*;

    /// A certificate for `names` that vouches for itself.
    pub(crate) fn certified(names: &[&str]) -> Certified {
        certified_with(names, &KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap())
    }

    fn certified_with(names: &[&str], key: &KeyPair) -> Certified {
        let names: Vec<_> = names.iter().map(|&name| name.to_owned()).collect();
        let own = CertificateParams::new(names).unwrap().self_signed(key).unwrap();
        let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        Certified::new(vec![own.der().clone()], key).unwrap()
    }

    #[test]
    fn the_name_chooses_the_certificate() {
        check(Some("a.example"), 0);
        check(Some("b.example"), 1);
        check(Some("x.b.example"), 2);
        check(Some("only.b.example"), 1);
        check(Some("x.y.b.example"), 0);
        check(Some("example"), 0);
        check(Some("elsewhere"), 0);
        check(Some(""), 0);
        check(Some("."), 0);
        check(None, 0);
    }

    #[track_caller]
    fn check(asked: Option<&str>, expect: usize) {
        let offered = [
            certified(&["a.example", "192.0.2.1"]),
            certified(&["B.example", "only.b.example"]),
            certified(&["*.b.example"]),
        ];
        let choice = Choice::of(&offered).unwrap();
        let chosen = choice.choose(asked, &[SignatureScheme::ECDSA_NISTP256_SHA256]);
        assert!(Arc::ptr_eq(chosen, &offered[expect].key));
    }

    #[test]
    fn of_two_for_a_name_the_one_that_is_understood_is_shown() {
        let second = certified_with(&["a.example"], &KeyPair::generate_for(&PKCS_ED25519).unwrap());
        let offered = [certified(&["a.example"]), second];
        let choice = Choice::of(&offered).unwrap();
        for asked in [Some("a.example"), None] {
            let chosen = choice.choose(asked, &[SignatureScheme::ED25519]);
            assert!(Arc::ptr_eq(chosen, &offered[1].key));
            // Nobody has what is understood: the handshake says so with the first.
            let chosen = choice.choose(asked, &[SignatureScheme::RSA_PKCS1_SHA1]);
            assert!(Arc::ptr_eq(chosen, &offered[0].key));
        }
    }

    #[test]
    fn a_key_of_another_certificate_is_refused() {
        let chain = certified(&["a.example"]).chain().to_vec();
        let key = PrivateKeyDer::try_from(KeyPair::generate().unwrap().serialize_der()).unwrap();
        let error = Certified::new(chain, key.clone_key()).unwrap_err();
        assert!(matches!(error, CertifiedError::Mismatch));
        let error = Certified::new(Vec::new(), key.clone_key()).unwrap_err();
        assert!(matches!(error, CertifiedError::NoCertificate));
        let error = Certified::new(vec![vec![1, 2, 3].into()], key).unwrap_err();
        assert!(matches!(error, CertifiedError::UnusableCertificate));
    }
}
